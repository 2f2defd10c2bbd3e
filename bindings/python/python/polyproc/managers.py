"""`multiprocessing.managers`: Python's own."""

import multiprocessing.managers as _python
import sys as _sys
from multiprocessing.managers import *  # noqa: F403

# The same module, with the names that begin with an underscore.
_sys.modules[__name__] = _python
