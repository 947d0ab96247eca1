"""Lowers the CPU priority of background work, which shares its processors with pages and
searches."""

from __future__ import annotations

import os
import sys
import threading

# Gives about a tenth of the CPU time of a normal thread; all of it while the CPU is idle.
NICENESS = 10


def lower() -> None:
    """Lower the priority of the calling thread, and of threads that it starts, for good: only
    root may raise it again. Threads have their own niceness only on Linux, so elsewhere this
    does nothing."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
