"""`python -m pose_mdn_server` is `pose-mdn serve`."""

import sys

from pose_mdn.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "serve")
    main()
