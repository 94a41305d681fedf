"""`python -m genscope.collect`, where the command `genscope` is not installed."""

import sys

from genscope.collect.launch import main

if __name__ == "__main__":
    sys.exit(main())
