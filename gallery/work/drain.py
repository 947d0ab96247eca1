"""The loop of a worker: claim a batch, prepare its pictures, run, store, and again."""

from __future__ import annotations

import logging
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection

from gallery.niceness import lower
from gallery.work import backfill, breakers, ledger
from gallery.work.analyser import Analyser, Entry, Resource, wanted
from gallery.work.failures import Away, Fault, NotNow

logger = logging.getLogger(__name__)

T = TypeVar("T")

NO_ROOM_DELAY = timedelta(seconds=30)
_DATABASE_PAUSE = 1.0  # seconds

# The worker's name among all workers, which marks its claims.
worker_name = ""

# Set when the worker should stop: it finishes the current batch and begins no other.
stopping = threading.Event()

_running: defaultdict[Resource, threading.Lock] = defaultdict(threading.Lock)
_woken_again: defaultdict[Resource, threading.Event] = defaultdict(threading.Event)


def drain(resource: Resource) -> None:
    """Do all that waits for this kind of worker. One thread of a process works; each other call
    sets a flag and returns at once, so that messages never occupy more than one thread."""
    woken_again, running = _woken_again[resource], _running[resource]
    woken_again.set()
    while woken_again.is_set() and running.acquire(blocking=False):
        try:
            woken_again.clear()
            work_off(resource)
        finally:
            running.release()


def work_off(resource: Resource) -> int:
    """Work through the queues. Return how many results were stored. A pool of threads prepares
    the next batch while the current one runs."""
    done = 0
    patiently(backfill.advance, resource)
    with ThreadPoolExecutor(os.cpu_count() or 2, "prepare", initializer=lower) as pool:
        current = patiently(_prepare_next, resource, pool)
        while current is not None and not stopping.is_set():
            upcoming = patiently(_prepare_next, resource, pool)
            done += _work_on(current)
            # If there was nothing, ask again: work may have come meanwhile.
            current = upcoming or patiently(_prepare_next, resource, pool)
        if current is not None:
            patiently(ledger.release, current.claim, current.claim.entries)
    return done


@dataclass(frozen=True)
class _Batch:
    claim: ledger.Claim
    prepared: list[Future[Any]]


def _prepare_next(resource: Resource, pool: ThreadPoolExecutor) -> _Batch | None:
    """Claim the next batch, of the first analyser that has work, and start to prepare it."""
    for analyser in wanted(resource):
        claim = _claim(analyser)
        if claim is not None:
            return _Batch(
                claim, [pool.submit(_prepare, analyser, entry) for entry in claim.entries]
            )
    return None


def _claim(analyser: Analyser) -> ledger.Claim | None:
    # This comes first: `open` may load a model.
    if not ledger.claimable([analyser.name]).order_by().exists():
        return None
    to_try = breakers.asking(analyser.things)
    if to_try is None:
        return None
    try:
        if not analyser.open():
            return None
    except Away as error:
        breakers.trip(error.thing, error.detail)
        return None
    breakers.close(to_try)
    return ledger.claim(analyser, analyser.batch_size, worker_name)


def _prepare(analyser: Analyser, entry: Entry) -> Any:
    try:
        return analyser.prepare(entry)
    finally:
        connection.close()  # the thread ends with the pool


def _work_on(batch: _Batch) -> int:
    """Settle each picture of the batch. A picture that fails does not affect the others."""
    entries: list[Entry] = []
    prepared: list[Any] = []
    for entry, future in zip(batch.claim.entries, batch.prepared, strict=True):
        try:
            prepared.append(future.result())
            entries.append(entry)
        except Exception as error:
            _settle(batch.claim, entry, error)
    return _run(batch.claim, entries, prepared)


def _run(claim: ledger.Claim, entries: Sequence[Entry], prepared: Sequence[Any]) -> int:
    """Run all entries at once. If that fails, run them one by one, so that only the culprit
    fails."""
    if not entries:
        return 0
    try:
        results = patiently(claim.analyser.run, prepared)
        return patiently(ledger.complete, claim, entries, results)
    # Errors of a model or its device (out of memory, bad shapes) have no common type.
    except Exception as error:
        if len(entries) == 1 or isinstance(error, Away):
            for entry in entries:
                _settle(claim, entry, error)
            return 0
        return sum(
            _run(claim, [entry], [each]) for entry, each in zip(entries, prepared, strict=True)
        )


def _settle(claim: ledger.Claim, entry: Entry, error: Exception) -> None:
    """Record why there is no result, as gallery.work.failures distinguishes."""
    if isinstance(error, Fault):
        logger.warning("%s of %s: %s", claim.analyser.name, entry.image_id, error)
        patiently(ledger.fail, claim, entry, error.code, f"{error.reason}\n{error.detail}")
    elif isinstance(error, NotNow) or is_database_away(error):
        patiently(ledger.release, claim, [entry], NO_ROOM_DELAY)
    elif isinstance(error, Away) and patiently(breakers.trip, error.thing, error.detail):
        patiently(ledger.release, claim, [entry])
    else:
        logger.error("%s of %s went wrong", claim.analyser.name, entry.image_id, exc_info=error)
        code, reason = "unknown", ledger.UNKNOWN
        if isinstance(error, Away):
            code, reason = error.thing, ledger.UNREADABLE
        patiently(ledger.postpone, claim, entry, code, f"{reason}\n{error!r}")
    patiently(ledger.discard_if_outdated, claim, entry)


def patiently(ask: Callable[..., T], *arguments: Any) -> T:
    """Call `ask` and return its result, however long the database is away. So results are
    recorded in the end, and a failed query does not lose the pictures in hand."""
    while True:
        try:
            return ask(*arguments)
        except (OperationalError, InterfaceError) as error:
            if not is_database_away(error) or stopping.is_set():
                raise
            connection.close()
            logger.error("The database does not answer, work waits: %s", error)
            stopping.wait(_DATABASE_PAUSE)


def is_database_away(error: Exception) -> bool:
    """Whether the database is at fault, and not the statement: no connection, a conflict with
    other transactions, no resources, or operator intervention (PostgreSQL's documentation,
    appendix A)."""
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    state: str | None = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(("08", "40", "53", "57"))
