"""The local page: hashes in the person's own browser, served from their own machine only.

serving.py      begins and ends it: one port on 127.0.0.1, nobody else, no way out
connections.py  who may be connected at all
guard.py        who may speak to it
app.py          what the page can ask for
pages.py        what each open page has hashed, in memory only
lifetime.py     when it ends by itself
transfers.py    one file on its way: pieces from the page to an isolated worker
words.py        what became of a file, in the words of the page
rendering.py    templates/ and static/: the page itself
"""
