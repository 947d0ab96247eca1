"""How much memory this process may use: the machine's, or less in a container."""

from __future__ import annotations

import os
from pathlib import Path

MIB = 1024 * 1024
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def total_mib() -> int:
    """Memory in MiB, the smaller of the machine's and the container's limit."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _CGROUP_LIMITS:
        if path.is_file() and (text := path.read_text().strip()).isdigit():
            limits.append(int(text))
    return min(limits) // MIB


def shared_memory_mib() -> int:
    """Free space in MiB of /dev/shm, which is 64 MiB in many containers."""
    status = os.statvfs("/dev/shm")  # noqa: S108  (looked at, not written)
    return status.f_bavail * status.f_frsize // MIB
