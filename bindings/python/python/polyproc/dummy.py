"""`multiprocessing.dummy`: Python's own."""

import multiprocessing.dummy as _python
import sys as _sys
from multiprocessing.dummy import *  # noqa: F403

# The same module, with the names that begin with an underscore.
_sys.modules[__name__] = _python
