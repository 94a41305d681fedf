"""`python -m genscope.perfetto.sql`: print the package as one text; `--path` says where it is."""

from __future__ import annotations

import sys

from genscope.perfetto.sql import PACKAGE, pasteable

if __name__ == "__main__":
    print(PACKAGE if sys.argv[1:] == ["--path"] else pasteable(), end="")
