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

# Set when the worker is to stop: the batch at hand is finished, no other begun.
stopping = threading.Event()

_running: defaultdict[Resource, threading.Lock] = defaultdict(threading.Lock)
_rung_again: defaultdict[Resource, threading.Event] = defaultdict(threading.Event)


def drain(resource: Resource) -> None:
    """Do all that waits for this kind of worker. One thread of a process works, the others
    return at once and leave word, so that rings never occupy the threads of others."""
    rung_again, running = _rung_again[resource], _running[resource]
    rung_again.set()
    while rung_again.is_set() and running.acquire(blocking=False):
        try:
            rung_again.clear()
            work_off(resource)
        finally:
            running.release()


def work_off(resource: Resource) -> int:
    """Work through the queues; returns how many results were stored. The next batch is
    prepared by a pool of threads while this one runs."""
    done = 0
    patiently(backfill.advance, resource)
    with ThreadPoolExecutor(os.cpu_count() or 2, "prepare", initializer=lower) as pool:
        current = patiently(_prepare_next, resource, pool)
        while current is not None and not stopping.is_set():
            upcoming = patiently(_prepare_next, resource, pool)
            done += _work_on(current)
            # Asked again where there was nothing: work may have come meanwhile.
            current = upcoming or patiently(_prepare_next, resource, pool)
        if current is not None:
            patiently(ledger.release, current.claim, current.claim.entries)
    return done


@dataclass(frozen=True)
class _Batch:
    claim: ledger.Claim
    prepared: list[Future[Any]]


def _prepare_next(resource: Resource, pool: ThreadPoolExecutor) -> _Batch | None:
    """Claim the next batch, the first analyser's first, and start to prepare it."""
    for analyser in wanted(resource):
        claim = _claim(analyser)
        if claim is not None:
            return _Batch(
                claim, [pool.submit(_prepare, analyser, entry) for entry in claim.entries]
            )
    return None


def _claim(analyser: Analyser) -> ledger.Claim | None:
    # Asked first: getting ready may mean to load a model.
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
        connection.close()  # if it asked anything: the thread ends with the pool


def _work_on(batch: _Batch) -> int:
    """Settle each picture of the batch: one that fails does so alone."""
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
    """Run at once; if that fails, one by one, so that the culprit fails alone."""
    if not entries:
        return 0
    try:
        results = patiently(claim.analyser.run, prepared)
        return patiently(ledger.complete, claim, entries, results)
    # What a model or its device raises (out of memory, bad shapes) has no common type.
    except Exception as error:
        if len(entries) == 1 or isinstance(error, Away):
            for entry in entries:
                _settle(claim, entry, error)
            return 0
        return sum(
            _run(claim, [entry], [each]) for entry, each in zip(entries, prepared, strict=True)
        )


def _settle(claim: ledger.Claim, entry: Entry, error: Exception) -> None:
    """Write down why there is no result: one of the ends of gallery.work.failures."""
    if isinstance(error, Fault):
        logger.warning("%s of %s: %s", claim.analyser.name, entry.image_id, error)
        patiently(ledger.fail, claim, entry, error.code, f"{error.reason}\n{error.detail}")
    elif isinstance(error, NotNow) or _is_database_away(error):
        patiently(ledger.release, claim, [entry], NO_ROOM_DELAY)
    elif isinstance(error, Away) and patiently(breakers.trip, error.thing, error.detail):
        patiently(ledger.release, claim, [entry])
    else:
        logger.error("%s of %s went wrong", claim.analyser.name, entry.image_id, exc_info=error)
        code, reason = "unknown", ledger.UNKNOWN
        if isinstance(error, Away):
            code, reason = error.thing, ledger.UNREADABLE
        patiently(ledger.postpone, claim, entry, code, f"{reason}\n{error!r}")
    patiently(ledger.discard_if_gone, claim, entry)


def patiently(ask: Callable[..., T], *arguments: Any) -> T:
    """What `ask` returns, however long the database is away: what becomes of pictures is
    written down then, and those in hand are not lost with a question about others."""
    while True:
        try:
            return ask(*arguments)
        except (OperationalError, InterfaceError) as error:
            if not _is_database_away(error) or stopping.is_set():
                raise
            connection.close()
            logger.error("The database does not answer, work waits: %s", error)
            stopping.wait(_DATABASE_PAUSE)


def _is_database_away(error: Exception) -> bool:
    """Whether it is the database, and not the statement that is at fault: no connection, a
    conflict with others, no room, an operator who steps in (PostgreSQL's documentation,
    appendix A)."""
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    state: str | None = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(("08", "40", "53", "57"))
