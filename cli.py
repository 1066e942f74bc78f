"""``python cli.py hash photo.jpg`` from a checkout: the same as the ``hashkit`` command."""

from hashkit.cli import main

if __name__ == "__main__":
    main()
