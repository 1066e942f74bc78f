"""``python -m hashkit``."""

from hashkit.cli import main

main()
