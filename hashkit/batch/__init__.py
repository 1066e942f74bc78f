"""Hashing many files in parallel, each distinct file once."""
