"""`multiprocessing.shared_memory`: Python's own."""

import multiprocessing.shared_memory as _python
import sys as _sys
from multiprocessing.shared_memory import *  # noqa: F403

# The same module, with the names that begin with an underscore.
_sys.modules[__name__] = _python
