"""Values of the filter `category`: `dog`, `-dog` for pictures without it, `dog>0.9` for those
with a higher probability. A name may be that of any language, or an id; `Animals/dog` names the
set, too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from gallery.labels import reading
from gallery.models import Viewer
from gallery.models.words import called

_MINUS = "-−－"
_ABOVE = re.compile(r"(.*?)\s*[>＞]\s*(\d+(?:\.\d*)?|\.\d+)\s*(%|％)?")
# The most categories that one name may mean: each set may have one.
MAX_MEANT = 200


@dataclass(frozen=True)
class Wanted:
    """A category by its name or id; pictures without it if `negative`. `above` is the probability
    that theirs exceeds; None: any label."""

    name: str
    negative: bool = False
    above: float | None = None

    def __str__(self) -> str:
        least = "" if self.above is None else f">{self.above:.4g}"
        return f"{'-' if self.negative else ''}{self.name}{least}"


def parse(text: str) -> Wanted | None:
    """Read a value; None if it has no name or no probability in [0, 1)."""
    text = text.strip()
    negative = text[:1] in _MINUS if text else False
    name = text[1:].strip() if negative else text
    above = None
    if match := _ABOVE.fullmatch(name):
        name = match[1].strip()
        above = float(match[2]) / (100 if match[3] else 1)
    if not name or (above is not None and not 0 <= above < 1):
        return None
    return Wanted(name, negative, above)


def canonical(text: str) -> str:
    """Return the value in its shortest spelling, or as it is if it cannot be read."""
    wanted = parse(text)
    return text if wanted is None else str(wanted)


def condition(wanted: Wanted, viewer: Viewer) -> Q | None:
    """Return the condition on pictures; None if `viewer` knows no such category. The categories
    below it count, too."""
    ids = list(meant(wanted.name, viewer))
    if not ids:
        return None
    has = reading.having(reading.with_descendants(ids), wanted.above)
    return ~has if wanted.negative else has


def meant(name: str, viewer: Viewer) -> list[UUID]:
    """Return the categories of this name or id in the sets that `viewer` may see."""
    known = reading.categories_for(viewer).order_by()
    try:
        found = known.filter(pk=UUID(name))
    except ValueError:
        found = reading.named(known, name)
        if "/" in name and not found.exists():
            set_name, _slash, own = name.partition("/")
            found = reading.named(called(known, "label_set__name", set_name.strip()), own.strip())
    return list(found.values_list("pk", flat=True)[:MAX_MEANT])
