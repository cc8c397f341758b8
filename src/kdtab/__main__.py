"""`python -m kdtab` is `kdtab`."""

import sys

from kdtab.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
