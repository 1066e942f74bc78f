"""Export formats of services and tools: a module each, one interface (``base.Format``), and a table
of all (``registry``).

    from hashkit.submission.formats.converting import export_submission, import_submission

    exported = export_submission(submission, "stopncii")
    exported.content          # the bytes of the document
    exported.left_out         # what it could not hold, hash by hash, and why
    exported.not_said         # what it does not say of those that it holds

A hash is written exactly or listed as left out.
"""
