"""The local page: hashes files in the user's browser, served from their own machine.

serving.py      starts and stops the server: one port on 127.0.0.1, no outgoing connections
opening.py      asks the system to open the page in the browser
connections.py  rejects connections of other users, and too many
peers.py        which user a connection belongs to
guard.py        rejects requests that are not from the page itself
app.py          the requests that the page makes
pages.py        the results of each open page, in memory only
lifetime.py     when the server ends by itself
transfers.py    transfers a file from the page to a sandboxed worker, by ranges
words.py        the result of a file in the page's words
rendering.py    renders templates/; static/ holds scripts and styles
"""
