"""Languages (``language``) and their gettext catalogues."""
