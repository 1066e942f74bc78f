"""One file, start to end: options, opening, decoding, hashing."""
