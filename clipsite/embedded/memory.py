"""The memory that this process may use: that of the machine, or less in a container."""

from __future__ import annotations

import os
from pathlib import Path

MIB = 1024 * 1024
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def total_mib() -> int:
    """The memory in MiB: the smaller one of the machine's memory and the container's limit."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _CGROUP_LIMITS:
        if path.is_file() and (text := path.read_text().strip()).isdigit():
            limits.append(int(text))
    return min(limits) // MIB


def shared_memory_mib() -> int:
    """The free space of /dev/shm in MiB; many containers have only 64 MiB."""
    status = os.statvfs("/dev/shm")  # noqa: S108  (looked at, not written)
    return status.f_bavail * status.f_frsize // MIB
