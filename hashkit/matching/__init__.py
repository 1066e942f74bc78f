"""Which hashes belong together: two that are compared, many that are searched, groups of them."""
