"""Helpers that the tests of the API share."""

from __future__ import annotations

from typing import Any

import pytest

from gallery.library.samples import SAMPLES


def code_of(response: Any) -> str:
    """The code of a response's only error."""
    (error,) = response.json()["errors"]
    code: str = error["code"]
    return code


def sample(file: str) -> bytes:
    """A real photograph."""
    (found,) = [sample for sample in SAMPLES if sample.file == file]
    return found.path().read_bytes()


def with_worker(test: Any) -> Any:
    """Marks a test that needs the fixture `encoder_worker`."""
    return pytest.mark.worker(pytest.mark.django_db(transaction=True)(test))
