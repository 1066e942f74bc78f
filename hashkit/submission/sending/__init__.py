"""Handing hashes to a service that somebody has an agreement with.

    profile       who is sent to, and what was agreed on; credentials are elsewhere
    profiles      the file of profiles
    backends/     how a service of each kind is spoken to: data in, data out
    plan          what will go, decided and shown before anything goes
    journal       what the service has, beside the submission: nothing lost, nothing doubled
    client        the only module of hashkit that opens a connection to another machine
    delivering    sends what is not there yet, one batch after the other; takes it back
    submitting    all of this together, for programs

A submission is cut into batches, each of which the service takes or rejects as a whole. A batch
has a key that is made from its hashes alone. Before a batch is sent, the record says that it is
being tried; when the service has answered, what it said. Whatever happens in between, the next run
knows which batches the service has, which it does not, and which it has to be asked about.
"""
