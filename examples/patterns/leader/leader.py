import os
import sys
import time
import warnings

from polyproc import Lock, OwnerDied

warnings.simplefilter("ignore", OwnerDied)  # it is looked at below
seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10
office = Lock("book.leader", create=True, exist_ok=True)
with office:
    print(f"{os.getpid()} leads" + (", the last leader died" if office.owner_died else ""))
    time.sleep(seconds)
