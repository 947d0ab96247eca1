"""What workers do when they start and stop. They take over the work of dead predecessors, and
the encoder worker sends a heartbeat, so that no request waits for a worker that is down."""

from __future__ import annotations

import logging
import threading
from typing import Any

import redis
from celery.signals import celeryd_after_setup, worker_init, worker_shutting_down
from django.db import DatabaseError, connection

from gallery.encoders import registry, reply
from gallery.indexing import spaces
from gallery.niceness import lower
from gallery.work import drain, ledger
from gallery.work.analyser import Resource

logger = logging.getLogger(__name__)

BEAT_SECONDS = 3.0

_prepared = threading.Event()
# Set when the claims of a predecessor of the same name are free again.
claims_released = threading.Event()


@worker_init.connect
def lower_priority(sender: Any, **kwargs: Any) -> None:
    """Lower the priority of a worker for which nobody waits, and of all threads that it starts."""
    if "query" not in sender.app.amqp.queues.consume_from:
        lower()


@celeryd_after_setup.connect
def announce(sender: str, instance: Any, **kwargs: Any) -> None:
    """Look for work. In an encoder worker, also load the models and start the heartbeat.
    This does not use Celery's ready signal, which comes only when the broker is up: work does
    not need the broker."""
    queues = instance.app.amqp.queues.consume_from
    drain.worker_name = sender
    if "query" in queues:
        threading.Thread(target=_beat, name="heartbeat", daemon=True).start()
        threading.Thread(target=_start_up, name="start-up", daemon=True).start()
    elif "media" in queues:
        threading.Thread(target=_look_for_work, name="start-up", daemon=True).start()
    else:
        claims_released.set()


@worker_shutting_down.connect
def withdraw(**kwargs: Any) -> None:
    drain.stopping.set()


def _beat() -> None:
    while not drain.stopping.is_set():
        try:
            reply.beat("ready" if _prepared.is_set() else "starting", registry.running())
        except redis.RedisError as error:
            logger.warning("No heartbeat, the broker is down: %s", error)
        drain.stopping.wait(BEAT_SECONDS)
    try:
        reply.connection().delete(reply.HEARTBEAT_KEY)
    except redis.RedisError as error:
        logger.warning("The heartbeat ends by its lifetime, the broker is down: %s", error)


def _start_up() -> None:
    try:
        _release_claims()
        spaces.retry_first_space()
        spaces.prepare_spaces()
        _prepared.set()
        drain.drain(Resource.MODEL)
        spaces.finish_spaces()
    except DatabaseError as error:
        # The sweep tries again.
        logger.error("Could not prepare at start: %s", error)
    finally:
        _prepared.set()
        connection.close()


def _look_for_work() -> None:
    try:
        _release_claims()
        drain.drain(Resource.PROCESSOR)
    except DatabaseError as error:
        # The sweep tries again.
        logger.error("Could not look for work at start: %s", error)
    finally:
        connection.close()


def _release_claims() -> None:
    """Free the claims of a predecessor, as soon as the database answers. This worker claims
    nothing before."""
    drain.patiently(ledger.release_claims_of, drain.worker_name)
    claims_released.set()
