"""The case sheet: a document that a support worker files beside a submission, without pictures.

``reading`` reads the submission, ``contents`` makes the sheet as plain blocks, and ``html`` and
``pdf`` lay these out, so that both say the same. They are never given a path or a file name.
"""
