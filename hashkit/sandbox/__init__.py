"""Sandboxed worker processes that open untrusted files."""
