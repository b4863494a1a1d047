"""`python -m weicheng` is the command `weicheng`."""

import sys

from weicheng.cli import main

sys.exit(main())
