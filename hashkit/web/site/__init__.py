"""The page that does everything itself, in the browser: one file that anyone can open, and that
cannot send.

``building`` makes it of the same templates, words and catalogues as the local page, and of the
engine in ``hashkit/browser``, which ``joining`` makes one script.
"""
