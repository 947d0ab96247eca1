"""The list of tests that `make check` leaves out."""

from __future__ import annotations

from tests.conftest import ROOT
from tests.slow import LIMIT, listed


def test_it_names_tests_that_exist() -> None:
    gone = []
    for name in listed():
        path, *_, function = name.split("::")
        file = ROOT / path
        if not file.exists() or f"def {function}(" not in file.read_text():
            gone.append(name)
    assert gone == [], "`make slow` writes the list anew"


def test_what_it_names_is_slow() -> None:
    assert all(seconds >= LIMIT for seconds in listed().values())
