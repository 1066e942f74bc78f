"""The case sheet: what a support worker files beside a submission, without any picture in it.

``reading`` reads the submission, ``contents`` says once what the sheet says, as plain blocks, and
``html`` and ``pdf`` only lay these out, so that both say the same. No path and no file name is
ever given to them.
"""
