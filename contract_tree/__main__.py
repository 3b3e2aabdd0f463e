"""`python -m contract_tree` is the command `contract-tree`."""

import sys

from contract_tree.cli import main

if __name__ == "__main__":
    sys.exit(main())
