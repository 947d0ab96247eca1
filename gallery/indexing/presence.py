"""The encoder worker says that it is there, so that nobody waits for one that is not."""

from __future__ import annotations

import logging
import threading
from typing import Any

import redis
from celery.signals import worker_init, worker_ready, worker_shutting_down
from django.db import DatabaseError, connection

from gallery.encoders import registry, reply
from gallery.indexing import batch, ledger, spaces
from gallery.priority import give_way

logger = logging.getLogger(__name__)

BEAT_SECONDS = 3.0

_prepared = threading.Event()


@worker_init.connect
def step_back(sender: Any, **kwargs: Any) -> None:
    """A worker for which nobody waits gives way, with all threads that it will start."""
    if "query" not in sender.app.amqp.queues.consume_from:
        give_way()


@worker_ready.connect
def announce(sender: Any, **kwargs: Any) -> None:
    """Start the heartbeat, load the models and look for work (encoder workers only)."""
    queues = sender.app.amqp.queues.consume_from
    if "query" not in queues:
        return
    batch.worker_name = sender.hostname
    threading.Thread(target=_beat, name="heartbeat", daemon=True).start()
    threading.Thread(target=_start_up, name="start-up", daemon=True).start()


@worker_shutting_down.connect
def withdraw(**kwargs: Any) -> None:
    batch.stopping.set()


def _beat() -> None:
    while not batch.stopping.is_set():
        try:
            reply.beat("ready" if _prepared.is_set() else "starting", registry.running())
        except redis.RedisError as error:
            logger.warning("No heartbeat, the broker is down: %s", error)
        batch.stopping.wait(BEAT_SECONDS)
    try:
        reply.connection().delete(reply.HEARTBEAT_KEY)
    except redis.RedisError as error:
        logger.warning("The heartbeat ends by its lifetime, the broker is down: %s", error)


def _start_up() -> None:
    try:
        ledger.release_claims_of(batch.worker_name)
        spaces.retry_first_space()
        spaces.prepare_spaces()
        _prepared.set()
        batch.drain()
        spaces.finish_spaces()
    except DatabaseError as error:
        # The sweep rings again when the database is back.
        logger.error("Could not prepare at start: %s", error)
    finally:
        _prepared.set()
        connection.close()
