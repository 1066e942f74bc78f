"""Services that help, as data in ``directory.toml``, and the guide to them."""
