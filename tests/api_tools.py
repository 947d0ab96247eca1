"""Helpers that the tests of the API share."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app

from gallery import task_names
from gallery.indexing.spaces import require_active_space
from gallery.library.samples import SAMPLES
from gallery.search.relevance import concepts
from tests.conftest import wait_for


def code_of(response: Any) -> str:
    """The code of a response's only error."""
    (error,) = response.json()["errors"]
    code: str = error["code"]
    return code


def sample(file: str) -> bytes:
    """A real photograph."""
    (found,) = [sample for sample in SAMPLES if sample.file == file]
    return found.path().read_bytes()


def measured_by_worker() -> None:
    """Have the encoder worker encode the everyday concepts, which the sweep does elsewhere."""
    current_app.send_task(task_names.PREPARE_CALIBRATION)
    wait_for(lambda: concepts.are_made(require_active_space()), 120, "the concepts")


def with_worker(test: Any) -> Any:
    """Marks a test that needs the fixture `encoder_worker`."""
    return pytest.mark.worker(pytest.mark.django_db(transaction=True)(test))
