"""Many files: the run, where its work is done, and which files are the same."""
