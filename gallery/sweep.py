"""The sweep: each worker regularly looks for waiting work and does it.

Messages only wake workers earlier. Work gets done even if a message is lost, the broker is
empty or down, the scheduler is down, or all threads are busy. So the sweep is a thread of each
worker and not a message. It runs what it finds in separate threads, at most one for each task;
lanes, leases and the ledger keep these apart from work that is already running here or
elsewhere.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any

from celery import current_app
from celery.signals import celeryd_after_setup
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from gallery import task_names
from gallery.accounts import deletion
from gallery.explore import maps
from gallery.indexing import heartbeat, spaces
from gallery.labels import applying, maintenance
from gallery.library import facts_backfill
from gallery.organising import copies, smart_albums, trash
from gallery.search.evaluation import recall
from gallery.search.relevance import calibration
from gallery.sharing import notices
from gallery.uploads import acceptance, imports
from gallery.work import backfill, breakers, ledger
from gallery.work.analyser import Resource
from gallery.work.drain import stopping

logger = logging.getLogger(__name__)


def _waits_for(resource: Resource) -> Callable[[], bool]:
    return lambda: backfill.is_due(resource) or ledger.has_work(resource)


# For each task, whether any work waits for it that nobody does at the moment.
_WAITING: dict[str, Callable[[], bool]] = {
    task_names.PREPARE_SPACES: lambda: spaces.needs_preparing() or spaces.is_model_away(),
    **{task: _waits_for(resource) for resource, task in ledger.TASKS.items()},
    task_names.PREPARE_CALIBRATION: calibration.is_due,
    task_names.REFRESH_LISTS: spaces.lists_are_due,
    task_names.MEASURE_RECALL: recall.is_waiting,
    task_names.COMPARE_COPIES: lambda: copies.waiting().exists(),
    task_names.FILL_SMART_ALBUMS: lambda: smart_albums.due(rest=smart_albums.FRESH).exists(),
    task_names.RUN_LABEL_JOBS: applying.is_waiting,
    task_names.MAINTAIN_LABELS: maintenance.is_due,
    task_names.MAINTAIN_MAP: lambda: maps.due() is not None,
    task_names.REMOVE_ACCOUNTS: deletion.is_waiting,
    task_names.RUN_IMPORTS: lambda: imports.waiting().exists(),
    task_names.MAIL_NOTICES: lambda: notices.to_mail().exists(),
    task_names.FINISH_UPLOADS: lambda: acceptance.interrupted().exists(),
    task_names.READ_FACTS_AGAIN: lambda: facts_backfill.waiting().exists(),
    task_names.PURGE_TRASH: trash.is_given_up,
}


def waiting(queues: Collection[str] | None = None) -> Iterator[str]:
    """The tasks with waiting work: all, or those of `queues`."""
    for task, is_waiting in _WAITING.items():
        if (queues is None or queue_of(task) in queues) and is_waiting():
            yield task


def queue_of(task: str) -> str:
    return str(current_app.amqp.router.route({}, task)["queue"].name)


# --- In a worker ------------------------------------------------------------------


@celeryd_after_setup.connect
def begin(instance: Any, **kwargs: Any) -> None:
    """Start the sweep. This signal comes before the worker connects to the broker, which may
    take long."""
    queues = set(instance.app.amqp.queues.consume_from)
    threading.Thread(target=_sweep, args=(queues,), name="sweep", daemon=True).start()


def _sweep(queues: Collection[str]) -> None:
    """Sweep every SWEEP_SECONDS, as long as the worker runs."""
    # The claims of a predecessor must be freed before this worker claims under the same name.
    heartbeat.claims_released.wait()
    at_work: dict[str, threading.Thread] = {}
    while not stopping.wait(settings.SWEEP_SECONDS):
        try:
            breakers.ask_again()
            for task in waiting(queues):
                if task not in at_work or not at_work[task].is_alive():
                    at_work[task] = threading.Thread(target=_work, args=(task,), daemon=True)
                    at_work[task].start()
        except DatabaseError as error:
            logger.error("The sweep waits for the database: %s", error)
        except Exception:
            logger.exception("The sweep has failed, and comes again")
        finally:
            connection.close()


def _work(task: str) -> None:
    try:
        current_app.tasks[task]()
    except Exception:
        logger.exception("%s has failed, and is tried again", task)
    finally:
        connection.close()
