"""Start the gateway: `python gateway.py --help`."""

import sys

from gateway_modules.cli import main

if __name__ == "__main__":
    sys.exit(main())
