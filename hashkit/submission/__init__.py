"""All that may leave the machine: no picture, path, name, size or date is known in these rooms."""
