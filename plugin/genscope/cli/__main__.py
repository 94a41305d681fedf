"""`python -m genscope.cli`."""

import sys

from genscope.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
