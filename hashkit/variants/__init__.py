"""The hashes of likely edits of a picture, made in advance by whoever has the original.

A copy that is cropped, mirrored or captioned has another PDQ hash. Whoever has the original can
make that edit too, and submit its hash with the original's. ``recipes`` says what an edit does to
a picture, ``sets`` which edits are worth it, ``computing`` makes the hashes from one small copy.
``readings`` are no edits: the same file as services' own tools read it.
"""
