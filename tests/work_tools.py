"""A made-up analyser for tests of the work ledger, and functions that let time pass."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gallery.models import Analysis, Image, Outage, User
from gallery.work import analyser as analysers
from gallery.work import breakers, ledger, originals
from gallery.work.analyser import Analyser, Entry
from tests.conftest import draw, upload

# Threads have their own connections and see only committed rows.
with_threads = pytest.mark.django_db(transaction=True)

A_SECOND = timedelta(seconds=1)


class MadeUp(Analyser):
    """The result of each picture is its id as a number. `prepare` calls `trouble`, which may
    raise."""

    things: tuple[str, ...] = ()
    batch_size = 4

    def __init__(self, name: str = "made-up", **facts: Any) -> None:
        self.name = name
        self.prepared: list[uuid.UUID] = []
        self.batches: list[list[uuid.UUID]] = []
        self.kept: list[tuple[uuid.UUID, Any]] = []
        self.discarded: list[uuid.UUID] = []
        self.opened = 0
        self.trouble: Callable[[uuid.UUID], None] = lambda pk: None
        self.trouble_at_start: Callable[[], None] = lambda: None
        self.before_results: Callable[[], None] = lambda: None
        self.is_wanted = True
        for field, value in facts.items():
            setattr(self, field, value)

    def open(self) -> bool:
        self.opened += 1
        self.trouble_at_start()
        return True

    def prepare(self, entry: Entry) -> uuid.UUID:
        self.prepared.append(entry.image_id)
        self.trouble(entry.image_id)
        return entry.image_id

    def run(self, prepared: Sequence[uuid.UUID]) -> list[int]:
        self.batches.append(list(prepared))
        self.before_results()
        return [pk.int for pk in prepared]

    def hold(self) -> bool:
        return self.is_wanted

    def store(self, entries: Sequence[Entry], results: Sequence[int]) -> None:
        self.kept += zip([entry.image_id for entry in entries], results, strict=True)

    def discard(self, entry: Entry) -> None:
        self.discarded.append(entry.image_id)


class Reading(MadeUp):
    """Reads originals, as all analysers of pixels do."""

    things = (originals.STORAGE,)

    def prepare(self, entry: Entry) -> uuid.UUID:
        originals.read(entry.file_name)
        return super().prepare(entry)


def only(monkeypatch: pytest.MonkeyPatch, *made: Analyser) -> list[Analyser]:
    """Replace all analysers by `made`. Return the list, to which more can be added."""
    there = list(made)
    monkeypatch.setattr(analysers, "_providers", [lambda: there])
    monkeypatch.setattr(breakers, "_probes", dict(breakers._probes))
    return there


def pictures(owner: User, count: int) -> list[Image]:
    """Create rows without files that wait for all analysers."""
    there = Image.objects.count()
    made = Image.objects.bulk_create(
        Image(owner=owner, file=f"none-{n}", sha256=uuid.uuid4().hex, byte_size=1,
              content_type="image/jpeg", width=4, height=3)
        for n in range(there, there + count)
    )  # fmt: skip
    ledger.enqueue([image.pk for image in made])
    return made


def stored(owner: User, count: int) -> list[Image]:
    return [upload(owner, draw(colour=(9 * n, 255 - 9 * n, 90))) for n in range(count)]


def row(image: Image, name: str = "made-up") -> Analysis:
    return Analysis.objects.get(image=image, analyser=name)


def states() -> Counter[str]:
    return Counter(Analysis.objects.values_list("state", flat=True))


def attempts() -> set[int]:
    return set(Analysis.objects.values_list("attempts", flat=True))


def leases_end() -> None:
    """Let all leases expire."""
    held = Analysis.objects.filter(claimed_until__isnull=False)
    held.update(claimed_until=timezone.now() - A_SECOND)


def pauses_end() -> None:
    Analysis.objects.filter(not_before__isnull=False).update(not_before=timezone.now() - A_SECOND)


def time_to_ask() -> None:
    Outage.objects.update(ask_at=timezone.now() - A_SECOND)


def claimed(analyser: Analyser, limit: int = 10, worker: str = "") -> ledger.Claim:
    claim = ledger.claim(analyser, limit, worker)
    assert claim is not None
    return claim


def ids(claim: ledger.Claim) -> list[uuid.UUID]:
    return [entry.image_id for entry in claim.entries]


def complete(claim: ledger.Claim) -> int:
    return ledger.complete(claim, claim.entries, [pk.int for pk in ids(claim)])
