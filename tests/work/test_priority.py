"""Work that nobody waits for gives way to work that somebody waits for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gallery.models import User
from gallery.niceness import NICENESS
from tests.conftest import draw, upload, wait_for
from tests.factories import state_of

pytestmark = [
    pytest.mark.worker,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="threads have no niceness there"),
]

Process = subprocess.Popen[bytes]


def niceness_of(thread: int) -> int:
    """Return the niceness, relative to that of the tests."""
    return os.getpriority(os.PRIO_PROCESS, thread) - os.getpriority(os.PRIO_PROCESS, 0)


def test_previews_and_imports_give_way(media_worker: Process) -> None:
    """The main thread starts all working threads, and they inherit its niceness."""
    main = media_worker.pid
    wait_for(lambda: niceness_of(main) == NICENESS, what="the media worker gives way")


def test_batches_give_way_and_queries_do_not(encoder_worker: Process, alice: User) -> None:
    image = upload(alice, draw())
    wait_for(lambda: state_of(image) == "ready", what="the picture is encoded")
    threads = Path(f"/proc/{encoder_worker.pid}/task").iterdir()
    found = Counter(niceness_of(int(thread.name)) for thread in threads)
    assert found.keys() == {0, NICENESS}
    assert niceness_of(encoder_worker.pid) == 0, "so have the threads that it starts"
