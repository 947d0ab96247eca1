"""The programs of the application as the demo runs them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from clipsite.embedded.folder import DataFolder
from clipsite.embedded.processes import Program

REPOSITORY = Path(__file__).resolve().parent.parent.parent

# Otherwise each thread has its own heap and keeps the memory that it once needed: a quarter of a
# gigabyte for an encoder with eight threads.
_HEAPS = {"MALLOC_ARENA_MAX": "2"}
# Python runs one thread of a process at a time. With two processes for each of up to two cores,
# a request for a thumbnail seldom finds all of them busy with pages (docs/decisions/0033).
WEB_PROCESSES = 2 * min(2, os.cpu_count() or 1)
# Threads of each process. Three of them may wait for uploads, two for those of one account, as
# pages send two at once.
WEB_THREADS = 5
_QUERY_AND_INDEX_THREADS = 8
# One thread works, the other takes messages meanwhile: the work on pictures has its own threads.
_MEDIA_THREADS = 2
# More than all lanes of gallery/tasks.py together have, so that each lane always gets a thread.
_CHORES_THREADS = 20


def manage(*arguments: str, env: Mapping[str, str], log: Path | None = None) -> Program:
    """One run of manage.py. Without a log it writes to the terminal."""
    return Program(
        name=f"manage.py {arguments[0]}",
        argv=[sys.executable, str(REPOSITORY / "manage.py"), *arguments],
        env=env,
        cwd=REPOSITORY,
        log=log,
    )


def application_programs(
    folder: DataFolder, env: Mapping[str, str], web_socket: int
) -> dict[str, Program]:
    """The programs by slug, in the order of their start: the slowest first.

    `web_socket` is the file descriptor of the listening socket.
    """
    return {
        "encoder": _worker(
            "encoder", "query,index", _QUERY_AND_INDEX_THREADS, folder=folder, env=env
        ),
        "web": _web(folder, env, web_socket),
        "media": _worker("media", "media", _MEDIA_THREADS, folder=folder, env=env),
        "chores": _worker("chores", "chores", _CHORES_THREADS, folder=folder, env=env),
        "beat": _celery(
            "The scheduler",
            "beat",
            *("--schedule", str(folder.run / "schedule"), "--pidfile", ""),
            env=env,
            log=folder.log("beat"),
        ),
    }


def _web(folder: DataFolder, env: Mapping[str, str], web_socket: int) -> Program:
    return Program(
        name="The web server",
        argv=[
            *(sys.executable, "-m", "gunicorn", "clipsite.wsgi"),
            *("--bind", f"fd://{web_socket}"),
            *("--workers", str(WEB_PROCESSES), "--threads", str(WEB_THREADS)),
            *("--graceful-timeout", "10", "--no-control-socket"),
            *("--access-logfile", "-"),
        ],
        env={**env, **_HEAPS, "WEB_THREADS": str(WEB_THREADS)},
        cwd=REPOSITORY,
        log=folder.log("web"),
        pass_fds=(web_socket,),
    )


def _worker(
    name: str, queues: str, threads: int, *, folder: DataFolder, env: Mapping[str, str]
) -> Program:
    return _celery(
        f"The {name} worker",
        "worker",
        *("--queues", queues, "--hostname", f"{name}@%h"),
        *("--pool", "threads", "--concurrency", str(threads)),
        *("--without-gossip", "--without-mingle"),
        env=env,
        log=folder.log(name),
    )


def _celery(name: str, *arguments: str, env: Mapping[str, str], log: Path) -> Program:
    return Program(
        name=name,
        argv=[
            *(sys.executable, "-m", "celery", "--app", "clipsite"),
            *arguments,
            *("--loglevel", "INFO"),
        ],
        env={**env, **_HEAPS},
        cwd=REPOSITORY,
        log=log,
        kill_signal=signal.SIGQUIT,  # aborts running tasks; their rows stay pending
        patience=10.0,
    )
