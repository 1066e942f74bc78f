"""Processes that open untrusted files, and what the operating system denies them."""
