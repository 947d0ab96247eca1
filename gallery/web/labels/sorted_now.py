"""The library sorted into categories at once: what was asked, and the rows that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from gallery import spelling
from gallery.classification.service import parse_classnames
from gallery.indexing import selectors
from gallery.indexing.selectors import visible_to
from gallery.indexing.spaces import require_active_space
from gallery.labels import sorting
from gallery.labels.definition import MAX_NAME, CategoryForm, Definition, Mode, checked
from gallery.models import Image, Viewer
from gallery.web.pictures.tiles import Tile, tiles_of

# Names in the name of a set that is kept.
_NAMED = 3


@dataclass(frozen=True)
class Asked:
    """What is in the box. Equal names count once."""

    text: str
    mode: str
    none_of_these: bool

    @property
    def names(self) -> list[str]:
        found = {spelling.key_of(name): name for name in reversed(parse_classnames(self.text))}
        return list(reversed(found.values()))

    @property
    def is_one(self) -> bool:
        return self.mode == Mode.ONE

    @property
    def query(self) -> str:
        """The query of the page that asks the same."""
        asked = {"categories": self.text, "mode": self.mode}
        return urlencode({**asked, **({"none": "on"} if self.none_of_these else {})})

    @property
    def name(self) -> str:
        """A name for the set."""
        names = ", ".join(self.names[:_NAMED])
        return (names if len(self.names) <= _NAMED else f"{names}…")[:MAX_NAME]

    def definition(self) -> Definition:
        """Raises Refusal."""
        forms = [CategoryForm(name) for name in self.names]
        return checked(mode=self.mode, none_of_these=self.none_of_these, categories=forms)


@dataclass(frozen=True)
class Row:
    """One category with its surest pictures. `share` of the library, from 0 to 1, is the length
    of its bar."""

    name: str
    count: int
    share: float
    tiles: list[Tile]
    is_none: bool = False


def asked(values: QueryDict) -> Asked:
    """Read the box. An address that says nothing has its usual state."""
    mode = values.get("mode", Mode.ONE)
    is_said = "categories" in values
    return Asked(
        text=values.get("categories", ""),
        mode=mode if mode in Mode.values else Mode.ONE,
        none_of_these="none" in values or not is_said,
    )


def sorted_context(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """Sort the pictures that the viewer may see. Raises Refusal, TooMany, Unavailable."""
    found = sorting.sort(asked.definition(), require_active_space(), visible_to(request.user))
    ids = [pk for heap in found.heaps for pk in heap.images] + found.rest
    pictures = selectors.visible_by_id(ids, request.user)
    rows = [
        Row(
            heap.name, heap.count, _share(heap.count, found), _tiles(heap.images, pictures, request)
        )
        for heap in found.heaps
    ]
    if found.without and asked.none_of_these:
        rest = _tiles(found.rest, pictures, request)
        share = _share(found.without, found)
        rows.append(Row(_("none of these"), found.without, share, rest, is_none=True))
    return {"asked": asked, "rows": rows, "pictures": found.pictures}


def _share(count: int, found: sorting.Sorted) -> float:
    return round(count / found.pictures, 4) if found.pictures else 0.0


def _tiles(ids: list[UUID], pictures: dict[UUID, Image], request: HttpRequest) -> list[Tile]:
    viewer: Viewer = request.user
    return tiles_of([pictures[pk] for pk in ids if pk in pictures], viewer)
