"""The commands, a file each (or one for a pair that shares its options)."""
