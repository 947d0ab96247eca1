"""Dates of searches in the words of the reader's language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from gallery.errors import Sentence
from gallery.search.filters import dates

MOVING: dict[str, Sentence] = {
    "today": gettext_lazy("Today"),
    "yesterday": gettext_lazy("Yesterday"),
    "day-before-yesterday": gettext_lazy("The day before yesterday"),
    "this-week": gettext_lazy("This week"),
    "last-week": gettext_lazy("Last week"),
    "this-month": gettext_lazy("This month"),
    "last-month": gettext_lazy("Last month"),
    "this-year": gettext_lazy("This year"),
    "last-year": gettext_lazy("Last year"),
}


def labels(first: str | None, after: str | None) -> Iterator[str]:
    """Yield the label of a year, month, day or moving span, or else one for each end. `after` is
    the first day that does not count."""
    if first and after and (span := dates.spanning(first, after)):
        yield of_span(span)
        return
    if first:
        yield _("From %(day)s") % {"day": readable(dates.shortest(dates.fixed(first)))}
    if after:
        yield _("Until %(day)s") % {"day": _last_day(dates.fixed(after))}


def of_span(span: str) -> str:
    """Return the label of a year, a month, a day or a moving span; other text unchanged."""
    days = dates.span(span)
    if days is None or not dates.is_moving(days[0]):
        return readable(span)
    name = dates.spanning(*days) or span
    if name in MOVING:
        return str(MOVING[name])
    count = (date.fromisoformat(dates.fixed(days[1])) - _day(days[0])).days
    return ngettext("Last %(count)d day", "Last %(count)d days", count) % {"count": count}


def told(first: str | None, after: str | None) -> str:
    """Return the dates that these days are now, in one phrase."""
    begin, end = (day and dates.fixed(day) for day in (first, after))
    if not (begin and end) or dates.spanning(begin, end):
        return " ".join(labels(begin, end))
    return f"{readable(begin)} – {_last_day(end)}"


def readable(text: str) -> str:
    """Return a year, a month or a day in the format of the language, and other text unchanged."""
    span = dates.span(text)
    if span is None or dates.is_moving(span[0]):
        return text
    year = pgettext("format of a year, as of Django's dates", "Y")
    shape = {4: year, 7: "YEAR_MONTH_FORMAT"}.get(len(dates.spanning(*span) or ""), "DATE_FORMAT")
    return date_format(_day(span[0]), shape)


def _last_day(after: str) -> str:
    """Return the day before `after`: the last day that the filter includes."""
    try:
        return date_format(_day(after) - timedelta(days=1), "DATE_FORMAT")
    except (ValueError, OverflowError):
        return after


def _day(text: str) -> date:
    return date.fromisoformat(dates.fixed(text))
