"""`multiprocessing.sharedctypes`: Python's own."""

import multiprocessing.sharedctypes as _python
import sys as _sys
from multiprocessing.sharedctypes import *  # noqa: F403

# The same module, with the names that begin with an underscore.
_sys.modules[__name__] = _python
