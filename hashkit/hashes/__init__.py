"""One file per algorithm: bytes or pixels in, hashes out. No files, no decoding, no network.

``registry`` holds the facts of each algorithm, and loads none of them.
"""
