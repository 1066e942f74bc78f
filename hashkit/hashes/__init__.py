"""One file per algorithm: bytes or pixels in, hashes out. No files, no decoding, no network.

``registry`` lists the algorithms by name without loading any of them.
"""
