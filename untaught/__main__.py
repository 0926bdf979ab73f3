"""`python -m untaught` is the command `untaught`."""

import sys

from untaught.cli import main

if __name__ == "__main__":
    sys.exit(main())
