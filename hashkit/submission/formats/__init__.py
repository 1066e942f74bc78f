"""The formats of services and tools: a file each, one interface (``base.Format``), and a list of
them all (``registry``).

    from hashkit.submission.formats.registry import export_submission, import_submission

    exported = export_submission(submission, "stopncii")
    exported.content          # the bytes of the document
    exported.left_out         # what it could not hold, hash by hash, and why
    exported.not_said         # what it does not say of those that it holds

A format that holds a hash holds it exactly. Nothing is lost in silence.
"""
