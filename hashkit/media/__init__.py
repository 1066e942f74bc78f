"""Untrusted bytes to pixels or timed frames.

Files may come from the person who threatens the user: nothing in them is believed before it is
checked, and nothing is written.
"""
