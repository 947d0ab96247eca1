"""The library by the categories of a set, and over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gallery.indexing.selectors import visible_to
from gallery.labels import charts, reading
from gallery.labels.charts import Unit
from gallery.models import Category
from gallery.search.filters import categories
from gallery.search.query import syntax
from gallery.search.query.query import Query
from gallery.web.label_charts.columns import columns
from gallery.web.labels import loading
from gallery.web.labels.loading import name_of
from gallery.web.pictures.classify import percent

# The categories whose bars are seen at once.
LONG = 50
# The categories that are shown over time, those with most pictures first.
MOST = 12
# More columns than this are not told apart: then a column stands for a year.
MOST_MONTHS = 60


@dataclass(frozen=True)
class Bar:
    """A category with its pictures. `share` (0 to 1) is the length of its bar, `percent` its part
    of all pictures, `level` how deep it lies below others, `find` the address of its pictures."""

    category: Category
    name: str
    count: int
    share: float
    percent: str
    level: int
    find: str


@dataclass(frozen=True)
class Series:
    """A category over time. `peak` says when it has most pictures."""

    name: str
    find: str
    chart: SafeString
    peak: str
    values: list[int]


@require_safe
def show(request: HttpRequest, pk: UUID) -> HttpResponse:
    label_set = loading.seen(request, pk)
    known = list(reading.categories_for(request.user).select_related("label_set"))
    own = [category for category in known if category.label_set_id == label_set.pk]
    finds = _finds(own, categories.values_of(known))
    images = visible_to(request.user)
    shares = charts.shares(images, own)
    bars = _bars(own, shares, finds)
    context = {
        **loading.head(request, label_set, "charts"),
        "shares": shares,
        "labelled": _part(shares.labelled, shares.pictures),
        "without": shares.pictures - shares.labelled,
        "bars": bars[:LONG],
        "more_bars": bars[LONG:],
        **_over_time(request, own, shares, finds),
    }
    return render(request, "label_charts/page.html", context)


def _finds(own: Sequence[Category], values: Mapping[UUID, str]) -> dict[UUID, str]:
    """Return the addresses of the pictures of each category."""
    found = {}
    for category in own:
        line = syntax.format(Query(filters={"category": [values[category.pk]]}))
        found[category.pk] = f"{reverse('search')}?{urlencode({'q': line})}"
    return found


def _bars(own: Sequence[Category], shares: charts.Shares, finds: Mapping[UUID, str]) -> list[Bar]:
    """Return the categories with their pictures, in the order of the set; those of a long set
    by the number of these."""
    most = max(shares.counts.values(), default=0)
    parents = {category.pk: category.parent_id for category in own}
    is_long = len(own) > LONG
    if is_long:
        own = sorted(own, key=lambda category: -shares.counts.get(category.pk, 0))
    return [
        Bar(
            category=category,
            name=name_of(category),
            count=(count := shares.counts.get(category.pk, 0)),
            share=round(count / most, 4) if most else 0.0,
            percent=_part(count, shares.pictures),
            level=0 if is_long else min(_depth(category.pk, parents), 3),
            find=finds[category.pk],
        )
        for category in own
    ]


def _depth(pk: UUID, parents: Mapping[UUID, UUID | None]) -> int:
    depth = 0
    while (above := parents.get(pk)) is not None:
        pk, depth = above, depth + 1
    return depth


def _part(count: int, whole: int) -> str:
    return percent(count / whole if whole else 0.0)


# --- Over time --------------------------------------------------------------------


def _over_time(
    request: HttpRequest,
    own: Sequence[Category],
    shares: charts.Shares,
    finds: Mapping[UUID, str],
) -> dict[str, Any]:
    """Return the categories with most pictures over time, by month or year."""
    shown = sorted(
        (category for category in own if shares.counts.get(category.pk)),
        key=lambda category: -shares.counts[category.pk],
    )[:MOST]
    unit, found = _counted(request, own, shown)
    begins = _all_between({day for counts in found.values() for day in counts}, unit)
    labels = [_label(begin, unit) for begin in begins]
    series = []
    for category in shown:
        values = [found.get(category.pk, {}).get(begin, 0) for begin in begins]
        titles = [f"{label}: {value}" for label, value in zip(labels, values, strict=True)]
        name = name_of(category)
        top = max(range(len(values)), key=values.__getitem__)
        series.append(
            Series(
                name=name,
                find=finds[category.pk],
                chart=columns(values, titles, _("“%(name)s” over time") % {"name": name}),
                peak=_("most: %(count)d, %(when)s") % {"count": values[top], "when": labels[top]},
                values=values,
            )
        )
    table = [(label, [one.values[number] for one in series]) for number, label in enumerate(labels)]
    return {
        "unit": unit,
        "series": series,
        "table": [row for row in table if any(row[1])],
        "ends": (labels[0], labels[-1]) if labels else None,
    }


def _counted(
    request: HttpRequest, own: Sequence[Category], shown: Sequence[Category]
) -> tuple[Unit, dict[UUID, dict[date, int]]]:
    """Return the counts by month, or by year if that is asked for or there are many months."""
    images = visible_to(request.user)
    wanted = request.GET.get("by", "")
    if wanted == "year":
        return "year", _of_shown(charts.over_time(images, own, "year"), shown)
    by_month = _of_shown(charts.over_time(images, own, "month"), shown)
    days = {day for counts in by_month.values() for day in counts}
    if len(_all_between(days, "month")) <= MOST_MONTHS or wanted == "month":
        return "month", by_month
    return "year", _by_year(by_month)


def _of_shown(
    found: dict[UUID, dict[date, int]], shown: Sequence[Category]
) -> dict[UUID, dict[date, int]]:
    return {one.pk: found[one.pk] for one in shown if one.pk in found}


def _by_year(found: Mapping[UUID, Mapping[date, int]]) -> dict[UUID, dict[date, int]]:
    summed: dict[UUID, dict[date, int]] = {}
    for category, counts in found.items():
        years = summed.setdefault(category, {})
        for day, count in counts.items():
            begin = date(day.year, 1, 1)
            years[begin] = years.get(begin, 0) + count
    return summed


def _all_between(days: set[date], unit: Unit) -> list[date]:
    """Return all months or years from the first to the last of `days`: gaps are seen."""
    if not days:
        return []
    first, last = min(days), max(days)
    if unit == "year":
        return [date(year, 1, 1) for year in range(first.year, last.year + 1)]
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(month // 12, month % 12 + 1, 1) for month in months]


def _label(begin: date, unit: Unit) -> str:
    return date_format(begin, "Y" if unit == "year" else "YEAR_MONTH_FORMAT")
