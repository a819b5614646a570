"""Lets ``python -m proving_ground.cli`` do what ``proving-ground`` does."""

import sys

from proving_ground.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
