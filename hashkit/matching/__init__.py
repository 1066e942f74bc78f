"""Compares hashes: two files, many against some, and groups of the same picture."""
