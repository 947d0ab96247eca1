"""Send Celery messages that wake workers.

A message only says that there is work. The work itself is in the database, so a lost
message costs time and nothing else.
"""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def on_commit(task_name: str, *args: str | int) -> None:
    """Send the task `task_name` once the current transaction has committed.

    A broker that is down is logged and otherwise ignored: the periodic sweep
    finds what is pending.
    """
    transaction.on_commit(lambda: _send(task_name, args))


def _send(task_name: str, args: tuple[str | int, ...]) -> None:
    try:
        current_app.send_task(task_name, args=args)
    except OperationalError as error:
        logger.warning("The broker is down, %s waits for the sweep: %s", task_name, error)
