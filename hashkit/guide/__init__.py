"""The guide to services that help; their data is in ``directory.toml``."""
