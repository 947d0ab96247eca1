"""The categories of the filter panel: chosen ones, and all with their counts in the list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from gallery.errors import Sentence
from gallery.labels import reading
from gallery.models import LabelSet, Viewer
from gallery.search.filters import categories
from gallery.search.filters.categories import Wanted
from gallery.web.labels.loading import name_of

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# The parameter of the least probability of all chosen categories without one of their own.
LIKELY = "likely"
_LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
# The part of a name by which categories are looked for in the panel.
NAMED = "named"
# The categories of a set that are shown at once, and behind “more”. Others are found by name.
_FIRST, _MOST = 8, 200


@dataclass(frozen=True)
class Choice:
    """A category to choose or to exclude. `with_it` and `without` are the values in the address;
    `count` is how many pictures of the list have it, and `key` its id, both where they are
    known."""

    name: str
    with_it: str
    without: str
    count: int | None = None
    key: str = ""
    is_chosen: bool = False
    is_excluded: bool = False

    @property
    def is_picked(self) -> bool:
        return self.is_chosen or self.is_excluded


@dataclass(frozen=True)
class SetChoices:
    """The categories of a set: `first`, and `more` behind a button. `left_out` further ones are not
    shown. `name` is that of the set."""

    name: str
    first: list[Choice]
    more: list[Choice]
    left_out: int = 0


@dataclass(frozen=True)
class CategoryFields:
    """`levels` are (value, label, chosen) of the least probability. Without `are_all`, the sets
    have only what is chosen. `are_many`: there are more than are shown at once, and they are
    looked for by a part of their name, which is `named`."""

    sets: list[SetChoices]
    levels: list[tuple[str, Sentence, bool]]
    are_all: bool = True
    are_many: bool = False
    named: str = ""


def values(asked: QueryDict) -> list[str]:
    """Return the chosen values of an address with the least probability that it asks for."""
    return [whole(value, asked) for value in asked.getlist("category") if value.strip()]


def whole(value: str, asked: QueryDict) -> str:
    """Return a value with the least probability that the address asks for. A wrong value stays as
    it is: the filter explains what is wrong."""
    least = _level(str(asked.get(LIKELY, "")))
    wanted = categories.parse(value)
    if least is None or wanted is None or wanted.negative or wanted.above is not None:
        return value
    return str(replace(wanted, above=least))


def label(value: str, viewer: Viewer) -> str:
    """Return the label of a chosen value."""
    wanted = categories.parse(value)
    if wanted is None:
        return value
    name = _shown(wanted.name, viewer)
    if wanted.negative:
        text = _("Without category: %(name)s") % {"name": name}
    else:
        text = _("Category: %(name)s") % {"name": name}
    return text if wanted.above is None else f"{text}, {_over(wanted.above)}"


def _shown(name: str, viewer: Viewer) -> str:
    """Return the name to show for a name or an id."""
    pk = categories.as_id(name)
    if pk is None:
        return name
    found = reading.categories_for(viewer).filter(pk=pk).first()
    return name_of(found) if found else _("unknown")


def chosen(asked: QueryDict, viewer: Viewer) -> CategoryFields | None:
    """Return the chosen categories alone; None if the viewer has no set."""
    if not LabelSet.objects.visible_to(viewer).exists():
        return None
    picked = _Picked(asked)
    alone = [_choice(value, _shown(value, viewer), picked) for value in picked.names]
    sets = [SetChoices("", alone, [])] if alone else []
    are_many = len(reading.categories_for(viewer).order_by()[: _FIRST + 1]) > _FIRST
    return CategoryFields(sets, picked.levels(), are_all=False, are_many=are_many)


def counted(request: HttpRequest, images: ImageQuerySet, asked: QueryDict) -> HttpResponse:
    """Render the categories of the sets that the visitor may see, with how many of `images` have
    them. `asked` are the parameters of the panel. Those that are looked for by name are shown
    though no picture has them; what is chosen always is."""
    visible = reading.categories_for(request.user)
    known = list(visible.select_related("label_set"))
    counts = reading.counted(images, known)
    spelled = categories.values_of(known)
    picked = _Picked(asked)
    part = asked.get(NAMED, "").strip()
    like = set(reading.named_like(visible, part).values_list("pk", flat=True)) if part else set()
    found = []
    for _pk, members in groupby(known, key=lambda category: category.label_set_id):
        own = list(members)
        offered = [
            replace(
                _choice(spelled[category.pk], name_of(category), picked),
                count=counts.get(category.pk, 0),
                key=str(category.pk),
            )
            for category in own
        ]
        offered = [
            one
            for one, category in zip(offered, own, strict=True)
            if one.is_picked or (category.pk in like if part else one.count)
        ]
        offered.sort(key=lambda one: (not one.is_picked, -(one.count or 0)))
        if offered:
            found.append(_parted(own[0].label_set.name, offered, _MOST if part else _FIRST))
    fields = CategoryFields(found, picked.levels(), named=part)
    return render(request, "gallery/filter_category_choices.html", {"categories": fields})


def _parted(name: str, offered: list[Choice], at_once: int) -> SetChoices:
    """What is chosen is never left out: a form without it would no longer ask for it."""
    most = max(_MOST, sum(one.is_picked for one in offered))
    return SetChoices(
        name, offered[:at_once], offered[at_once:most], left_out=max(len(offered) - most, 0)
    )


def refused(request: HttpRequest, problem: Sentence) -> HttpResponse:
    """Render the chosen categories alone, with what is wrong with the filters."""
    context = {"categories": chosen(request.GET, request.user), "problem": problem}
    return render(request, "gallery/filter_category_choices.html", context)


class _Picked:
    """The chosen and the excluded values. If all chosen ones have the same least probability, the
    panel shows it once, and the values are without it."""

    def __init__(self, asked: QueryDict) -> None:
        self.wanted = [one for value in values(asked) if (one := categories.parse(value))]
        levels = {one.above for one in self.wanted if not one.negative}
        self.level = levels.pop() if len(levels) == 1 else None
        if self.level is not None:
            self.wanted = [
                replace(one, above=None) if not one.negative else one for one in self.wanted
            ]
        if not self.wanted:
            self.level = _level(str(asked.get(LIKELY, "")))

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(one.name for one in self.wanted))

    def value(self, name: str, *, negative: bool) -> Wanted | None:
        same = (one for one in self.wanted if one.name == name and one.negative == negative)
        return next(same, None)

    def levels(self) -> list[tuple[str, Sentence, bool]]:
        offered = sorted({*_LEVELS, *([self.level] if self.level else [])})
        return [(f"{level:g}", _over(level), level == self.level) for level in offered]


def _choice(value: str, name: str, picked: _Picked) -> Choice:
    with_it = picked.value(value, negative=False)
    without = picked.value(value, negative=True)
    return Choice(
        name,
        with_it=str(with_it or Wanted(value)),
        without=str(without or Wanted(value, negative=True)),
        is_chosen=with_it is not None,
        is_excluded=without is not None,
    )


def _level(text: str) -> float | None:
    """Return the least probability of the address; None if there is none, or a wrong one."""
    try:
        level = float(text)
    except ValueError:
        return None
    return level if 0 <= level < 1 else None


def _over(level: float) -> str:
    return _("over %(number)s %%") % {"number": number_format(f"{level * 100:g}")}
