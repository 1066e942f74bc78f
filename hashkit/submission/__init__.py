"""What may leave the machine: hashes. No module here knows a picture, a path, a name or a date."""
