"""Made-up analysers in place of the real ones."""

from __future__ import annotations

import pytest

from gallery.work.analyser import Analyser
from tests.work_tools import MadeUp, only


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> list[Analyser]:
    """All analysers of the test. There are no others."""
    return only(monkeypatch)


@pytest.fixture
def made_up(wanted: list[Analyser]) -> MadeUp:
    made = MadeUp()
    wanted.append(made)
    return made
