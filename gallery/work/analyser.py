"""The interface of analysers and their registry.

A new analyser is a class of some forty lines (a name, a version, the analysers whose results it
needs, and three steps), one line in `gallery.analysers`, a title in `gallery.indexing.titles`, and
a column or table for its result. If its failures can pass, their codes go into
`gallery.retryable`.
"""

from __future__ import annotations

import enum
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class Resource(enum.StrEnum):
    """The resource that an analyser uses; it decides which workers run the analyser."""

    MODEL = "model"
    PROCESSOR = "processor"


@dataclass(frozen=True)
class Entry:
    """One claimed row: its picture, the name of the original in the storage, the size of the
    upright picture in pixels, and how the owner wants it to look (gallery.pixels.recipe)."""

    analysis_id: int
    image_id: uuid.UUID
    file_name: str
    width: int
    height: int
    recipe: Mapping[str, Any] = field(default_factory=dict)
    edition: str = ""


class Analyser(ABC):
    """Computes a result for each picture, once for each version.

    `prepare` may raise Fault, Away and NotNow (gallery.work.failures), `open` and `run` Away.
    """

    name: str
    # A higher version has every picture analysed again.
    version: int = 1
    resource: Resource = Resource.PROCESSOR
    # Names of analysers whose results it reads. Each new result of these has it run again.
    needs: tuple[str, ...] = ()
    # What must be available (gallery.work.breakers).
    things: tuple[str, ...] = ("storage",)
    batch_size: int = 1

    def open(self) -> bool:
        """Get ready for waiting work, for example load a model. Called before each batch.
        Return False while work cannot begin yet."""
        return True

    def prepare(self, entry: Entry) -> Any:
        """Do what concerns one picture alone. Several threads run this."""
        return entry

    def run(self, prepared: Sequence[Any]) -> Sequence[Any]:
        """Return one result for each of `prepared`, in their order."""
        return prepared

    def hold(self) -> bool:
        """Lock what must not change until results are stored, in the transaction that stores
        them. Return False if nobody wants the results any more."""
        return True

    def discard(self, entry: Entry) -> None:  # noqa: B027 - most leave nothing
        """Remove what `prepare` or `run` left outside of the database for a picture that was
        deleted or edited meanwhile."""

    @abstractmethod
    def store(self, entries: Sequence[Entry], results: Sequence[Any]) -> None:
        """Store the results, in the transaction that marks the entries as done."""


_Provider = Callable[[], Iterable[Analyser]]
_providers: list[_Provider] = []


def register(provider: _Provider) -> None:
    """Add `provider`, which returns the analysers of one kind that are wanted now: one, or one
    for each embedding space. Workers take the analysers in the order of registration."""
    if provider not in _providers:
        _providers.append(provider)


def wanted(resource: Resource | None = None) -> list[Analyser]:
    """All analysers that every picture should pass, or only those for `resource`."""
    found = [analyser for provider in _providers for analyser in provider()]
    return [each for each in found if resource in (None, each.resource)]
