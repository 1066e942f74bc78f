"""Sending the hashes of a submission to a service that somebody has an agreement with.

    profile       one delivery profile: a service, its address, what was agreed on
    profiles      reads the file of profiles
    credentials   reads the credentials that a profile refers to
    batch         the values that these modules share: request, response, batch
    backends/     one module for each kind of service; they do no input or output
    plan          prepare(): what will be sent where, made before anything is sent
    journal       the file beside the submission that says what the service has
    lost_entries  finds entries of ours whose names were lost with an answer
    client        the only module of hashkit that connects to another machine
    delivering    sends the batches that the service does not have yet; withdraws batches
    submitting    the functions of the library

A submission is split into batches, each of which the service takes or rejects as a whole. The key
of a batch is made from its hashes alone. Before a batch is sent, the journal says that it is being
tried; after the response, what the response was. Wherever a run stops, the next one knows which
batches the service has, which it does not have, and which it has to look up.
"""
