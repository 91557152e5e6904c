"""`python -m medcall` is `medcall`."""

import sys

from medcall.cli import main

sys.exit(main())
