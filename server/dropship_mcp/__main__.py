"""`python -m dropship_mcp`."""

import sys

from dropship_mcp.cli import main

if __name__ == "__main__":
    sys.exit(main())
