"""What nobody waits for gives way to pages and searches, which share its processors."""

from __future__ import annotations

import os
import sys
import threading

# As much less than others as 1 is less than 10: with nothing else to do, as much as ever.
NICENESS = 10


def lower() -> None:
    """Of the calling thread, and of those that it starts, for good: only an administrator may
    take that back. On other systems than Linux threads have no niceness of their own, and
    nothing is done."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
