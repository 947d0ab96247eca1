"""What an analyser is, and which there are.

A new one is a class of some forty lines and a line of `gallery.analysers`: a name, a version,
the analysers whose results it needs, and three steps.
"""

from __future__ import annotations

import enum
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any


class Resource(enum.StrEnum):
    """What an analyser uses up, and so which workers run it."""

    MODEL = "model"
    PROCESSOR = "processor"


@dataclass(frozen=True)
class Entry:
    """One claimed row: which picture, where its original lies in the storage, and its size in
    pixels, upright."""

    analysis_id: int
    image_id: uuid.UUID
    file_name: str
    width: int
    height: int


class Analyser(ABC):
    """Makes something of each picture, once for each version.

    `prepare` may raise Fault, Away and NotNow (gallery.work.failures), `open` and `run` Away.
    """

    name: str
    # A higher one has every picture analysed again.
    version: int = 1
    resource: Resource = Resource.PROCESSOR
    # Names of analysers whose results it reads. Each new one of these has it run again.
    needs: tuple[str, ...] = ()
    # What must not be away (gallery.work.breakers).
    things: tuple[str, ...] = ("storage",)
    batch_size: int = 1

    def open(self) -> bool:
        """Get ready for work that waits, such as by loading a model; called before each batch.
        False while it cannot begin yet."""
        return True

    def prepare(self, entry: Entry) -> Any:
        """What concerns one picture alone: run by several threads."""
        return entry

    def run(self, prepared: Sequence[Any]) -> Sequence[Any]:
        """One result for each of `prepared`, in their order."""
        return prepared

    def hold(self) -> bool:
        """Lock what must last until results are stored, in the transaction that stores them.
        False if nobody wants them any more."""
        return True

    def discard(self, entry: Entry) -> None:  # noqa: B027 - most leave nothing
        """Remove what `prepare` or `run` left outside of the database for a picture that is
        gone."""

    @abstractmethod
    def store(self, entries: Sequence[Entry], results: Sequence[Any]) -> None:
        """Keep the results, in the transaction that says that they are there."""


_Provider = Callable[[], Iterable[Analyser]]
_providers: list[_Provider] = []


def register(provider: _Provider) -> None:
    """`provider` tells the analysers of one kind that are wanted now: one, or one for each
    embedding space. Those of the first provider are the first to get to work."""
    if provider not in _providers:
        _providers.append(provider)


def wanted(resource: Resource | None = None) -> list[Analyser]:
    """All analysers that every picture is to pass, or those for one kind of worker."""
    found = [analyser for provider in _providers for analyser in provider()]
    return [each for each in found if resource in (None, each.resource)]
