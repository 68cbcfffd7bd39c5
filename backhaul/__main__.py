"""The command `python -m backhaul`."""

import sys

from backhaul.cli import main

if __name__ == "__main__":
    sys.exit(main())
