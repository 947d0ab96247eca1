"""Values of the filter `category`: `dog`, `-dog` for pictures without it, `dog>0.9` for those
with a higher probability. A name may be that of any language, or an id; `Animals/dog` names the
set, too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from gallery.labels import reading
from gallery.models import Category, Viewer
from gallery.models.words import called
from gallery.spelling import key_of

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
    pk = as_id(name)
    if pk is not None:
        found = known.filter(pk=pk)
    else:
        found = reading.named(known, name)
        if "/" in name and not found.exists():
            set_name, _slash, own = name.partition("/")
            found = reading.named(called(known, "label_set__name", set_name.strip()), own.strip())
    return list(found.values_list("pk", flat=True)[:MAX_MEANT])


def values_of(known: Sequence[Category]) -> dict[UUID, str]:
    """Return for each of `known` (all that a viewer may see, with their sets) the value that means
    it alone: its name, else with the name of its set, else its id."""
    counts = Counter(key for category in known for key in _keys(category))
    names = {category.label_set_id: category.label_set.name for category in known}
    sets = Counter(key_of(name) for name in names.values())
    within = Counter((category.label_set_id, key) for category in known for key in _keys(category))
    return {category.pk: _value(category, counts, sets, within) for category in known}


def _keys(category: Category) -> set[str]:
    return {key_of(name) for name in (category.name, *category.all_names)}


def _value(
    category: Category,
    counts: Counter[str],
    sets: Counter[str],
    within: Counter[tuple[UUID, str]],
) -> str:
    name, set_name = category.name, category.label_set.name
    whole = f"{set_name}/{name}"
    if counts[key_of(name)] == 1 and _is_plain(name):
        return name
    alone = sets[key_of(set_name)] == 1 and within[category.label_set_id, key_of(name)] == 1
    if alone and "/" not in set_name and not counts[key_of(whole)] and _is_plain(whole):
        return whole
    return str(category.pk)


def _is_plain(name: str) -> bool:
    """Whether a name as a value means the category of this name."""
    return parse(name) == Wanted(name) and as_id(name) is None


def as_id(name: str) -> UUID | None:
    """Return the id if `name` is one."""
    try:
        return UUID(name)
    except ValueError:
        return None
