"""Runs the command line with ``python -m hashkit``."""

import os
import sys

# Do not import from the current folder, which may hold the hostile files, unless hashkit itself is
# there, as in a checkout.
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:] = [each for each in sys.path if os.path.abspath(each) != os.getcwd() or each == _HERE]

from hashkit.cli import main  # noqa: E402

main()
