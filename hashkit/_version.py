"""The version of hashkit."""

__version__ = "0.1.0"
