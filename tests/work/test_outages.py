"""Outages: no picture counts a try, and work continues by itself afterwards."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from gallery.library.storage import DurableFileSystemStorage
from gallery.models import Outage, User
from gallery.work import breakers, ledger, originals
from gallery.work.analyser import Analyser
from gallery.work.failures import Away
from tests.factories import analyse
from tests.work_tools import (
    MadeUp,
    Reading,
    attempts,
    pauses_end,
    pictures,
    row,
    states,
    stored,
    time_to_ask,
    with_threads,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def reading(wanted: list[Analyser]) -> Reading:
    made = Reading()
    wanted.append(made)
    return made


# --- Outages --------------------------------------------------------------------------


class Mill:
    """A made-up service that may be away."""

    def __init__(self) -> None:
        self.is_there = True
        self.asked = 0

    def probe(self) -> None:
        self.asked += 1
        self.use()

    def use(self, pk: uuid.UUID | None = None) -> None:
        if not self.is_there:
            raise Away("mill", "The mill stands still.")


@pytest.fixture
def mill(made_up: MadeUp) -> Mill:
    there = Mill()
    made_up.things = ("mill",)
    made_up.trouble = there.use
    breakers.register("mill", there.probe)
    return there


def test_an_outage_counts_no_try_and_ends_by_itself(
    mill: Mill, made_up: MadeUp, alice: User
) -> None:
    pictures(alice, 6)
    mill.is_there = False
    assert analyse() == 0
    outage = Outage.objects.get()
    assert (outage.thing, "stands still" in outage.detail) == ("mill", True)
    assert breakers.is_away("mill")
    tried = len(made_up.prepared)
    for _ in range(20):
        time_to_ask()
        assert analyse() == 0
    assert len(made_up.prepared) == tried, "nobody works on it meanwhile"
    assert (states(), attempts()) == ({"waiting": 6}, {0})
    mill.is_there = True
    assert analyse() == 0, "nobody knows before it is asked"
    time_to_ask()
    assert analyse() == 6
    assert not Outage.objects.exists()


def test_it_is_asked_less_and_less_and_by_one(mill: Mill) -> None:
    mill.is_there = False
    assert breakers.trip("mill", "away")
    pauses = []
    for _ in range(8):
        assert breakers.asking(["mill"]) is None
        time_to_ask()
        before = mill.asked
        assert breakers.asking(["mill"]) is None
        assert breakers.asking(["mill"]) is None, "it was just asked"
        assert mill.asked == before + 1
        pauses.append((Outage.objects.get().ask_at - timezone.now()).total_seconds())
    assert pauses == pytest.approx(sorted(pauses), abs=1)
    assert pauses[0] < breakers.LATEST.total_seconds() / 4
    assert pauses[-1] == pytest.approx(breakers.LATEST.total_seconds(), abs=2)


def test_a_known_outage_keeps_its_beginning(mill: Mill) -> None:
    mill.is_there = False
    breakers.trip("mill", "first")
    since = Outage.objects.get().since
    breakers.trip("mill", "second")
    assert (Outage.objects.get().since, Outage.objects.get().detail) == (since, "second")


def test_what_is_away_during_a_batch_costs_none_of_it(
    mill: Mill, made_up: MadeUp, alice: User
) -> None:
    pictures(alice, 4)

    def fail() -> None:
        mill.is_there = False
        mill.use()

    made_up.before_results = fail
    assert analyse() == 0
    assert (states(), attempts()) == ({"waiting": 4}, {0})
    assert [len(batch) for batch in made_up.batches] == [4], "not one by one"


def test_others_go_on(mill: Mill, wanted: list[Analyser], made_up: MadeUp, alice: User) -> None:
    other = MadeUp("other")
    wanted.append(other)
    pictures(alice, 3)
    mill.is_there = False
    assert analyse() == 3
    assert len(other.kept) == 3


def test_a_failure_of_what_answers_is_no_outage(mill: Mill, made_up: MadeUp, alice: User) -> None:
    """One file of a storage is broken, and the others are fine. Its work may be tried again, and
    ends."""
    broken, _sound = pictures(alice, 2)

    def trouble(pk: uuid.UUID) -> None:
        if pk == broken.pk:
            raise Away("mill", "one stone is broken")

    made_up.trouble = trouble
    for _ in range(ledger.MAX_ATTEMPTS):
        analyse()
        pauses_end()
    assert not Outage.objects.exists()
    assert (row(broken).state, row(broken).reason_code) == ("failed", "mill")
    assert "one stone is broken" in row(broken).reason
    assert states() == {"failed": 1, "done": 1}


def test_without_a_probe_it_is_asked_by_using_it(made_up: MadeUp, alice: User) -> None:
    pictures(alice, 2)
    made_up.things = ("model-7",)

    def no_model() -> None:
        raise Away("model-7", "The hub is down.")

    made_up.trouble_at_start = no_model
    for number in range(1, 20):
        assert analyse() == 0
        assert made_up.opened == number
        assert analyse() == 0
        assert made_up.opened == number, "not before it is time"
        time_to_ask()
    assert (states(), attempts()) == ({"waiting": 2}, {0})
    made_up.trouble_at_start = lambda: None
    assert analyse() == 2
    assert not breakers.is_away("model-7")


# --- The storage ----------------------------------------------------------------------


def trace_of_outage() -> tuple[Counter[str], set[int], bool]:
    return states(), attempts(), breakers.is_away(originals.STORAGE)


@with_threads
def test_one_broken_file_of_a_storage_that_answers_is_no_outage(
    reading: Reading, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, *_sound = stored(alice, 3)
    real = DurableFileSystemStorage._open

    def unreadable(self: Any, name: str, mode: str = "rb") -> Any:
        if name == broken.file.name:
            raise OSError(5, "Input/output error")
        return real(self, name, mode)

    monkeypatch.setattr(DurableFileSystemStorage, "_open", unreadable)
    for _ in range(ledger.MAX_ATTEMPTS):
        analyse()
        assert not Outage.objects.exists()
        pauses_end()
    assert (row(broken).state, row(broken).reason_code) == ("failed", "storage")
    assert states() == {"failed": 1, "done": 2}


@with_threads
def test_one_missing_original_is_a_fault(reading: Reading, alice: User) -> None:
    missing, *_there = stored(alice, 3)
    default_storage.delete(missing.file.name)
    assert analyse() == 2
    one = row(missing)
    assert (one.state, one.reason_code) == ("failed", "original_missing")
    assert one.sentence == originals.MISSING
    assert not Outage.objects.exists()


@with_threads
def test_a_storage_that_comes_back_during_the_question_misses_nothing(
    reading: Reading, alice: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is not there, its disk is mounted again, and now the other files are there."""
    stored(alice, 3)
    away = media.rename(media.with_name("elsewhere"))
    media.mkdir()
    ask, one_by_one = originals._some, threading.Lock()

    def returns_meanwhile(but: str = "") -> list[str]:
        with one_by_one:
            if away.exists():
                away.rename(media)  # in one step, in the place of the empty folder
        return ask(but)

    monkeypatch.setattr(originals, "_some", returns_meanwhile)
    assert analyse() == 3
    assert (states(), Outage.objects.exists()) == ({"done": 3}, False)


@with_threads
def test_an_emptied_storage_is_an_outage(reading: Reading, alice: User, media: Path) -> None:
    """A disk that is not mounted is an example: the folder exists, and is empty."""
    stored(alice, 4)
    elsewhere = media.rename(media.with_name("elsewhere"))
    media.mkdir()
    for _ in range(10):
        assert analyse() == 0
        time_to_ask()
    assert trace_of_outage() == ({"waiting": 4}, {0}, True)
    media.rmdir()
    elsewhere.rename(media)
    time_to_ask()
    assert analyse() == 4
    assert not Outage.objects.exists()


@with_threads
def test_a_storage_with_failures_of_its_own_is_an_outage(
    reading: Reading, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(alice, 4)

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("an S3 client's own exception")

    with monkeypatch.context() as patch:
        patch.setattr(DurableFileSystemStorage, "_open", broken)
        patch.setattr(DurableFileSystemStorage, "exists", broken)
        for _ in range(10):
            assert analyse() == 0
            time_to_ask()
    assert trace_of_outage() == ({"waiting": 4}, {0}, True)
    time_to_ask()
    assert analyse() == 4


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A storage that hangs until the event is set."""
    answers = threading.Event()

    def wait_first(real: Callable[..., Any]) -> Callable[..., Any]:
        def waiting(*args: Any, **kwargs: Any) -> Any:
            answers.wait(60)
            return real(*args, **kwargs)

        return waiting

    for name in ("_open", "exists"):
        real = getattr(DurableFileSystemStorage, name)
        monkeypatch.setattr(DurableFileSystemStorage, name, wait_first(real))
    monkeypatch.setattr(originals, "READ_SECONDS", 0.3)
    monkeypatch.setattr(originals, "PROBE_SECONDS", 0.3)
    yield answers
    answers.set()
    for asking in list(originals._asking.values()):
        asking.join(10)


@with_threads
def test_a_storage_that_hangs_is_an_outage(
    reading: Reading, alice: User, hanging: threading.Event
) -> None:
    hanging.set()
    stored(alice, 4)
    hanging.clear()
    assert analyse() == 0
    hung = threading.active_count()
    for _ in range(5):
        time_to_ask()
        assert analyse() == 0
    assert threading.active_count() <= hung, "one that hangs is not asked twice"
    assert trace_of_outage() == ({"waiting": 4}, {0}, True)
    hanging.set()
    originals._asking[originals.STORAGE].join(10)
    time_to_ask()
    assert analyse() == 4
    assert not Outage.objects.exists()
