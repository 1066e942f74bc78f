"""``python -m hashkit``."""

import os
import sys

# Python would import from the current folder, which may be the one with the hostile files. (Not
# from a checkout, which is where hashkit itself is.)
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:] = [each for each in sys.path if os.path.abspath(each) != os.getcwd() or each == _HERE]

from hashkit.cli import main  # noqa: E402

main()
