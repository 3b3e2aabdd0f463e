"""`python -m contract_wrapper` is `cleanup-contracts`."""

import sys

from contract_wrapper.cli import main

if __name__ == "__main__":
    sys.exit(main())
