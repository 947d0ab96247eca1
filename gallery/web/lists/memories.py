"""The row of memories above the timeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import ngettext

from gallery.indexing import selectors
from gallery.models import User
from gallery.organising.memories import memories
from gallery.organising.timeline import Month
from gallery.web.pictures.tiles import thumbnail

_WIDTH = 320


@dataclass(frozen=True)
class MemoryCard:
    """A day of an earlier year: `title` is like "3 years ago", `href` its pictures."""

    title: str
    day: str
    counted: str
    href: str
    src: str


def on_this_day(request: HttpRequest, counted: Iterable[Month]) -> list[MemoryCard]:
    """Return the cards of today. `counted` are the months in which there is something to look
    for."""
    if not isinstance(request.user, User):
        return []
    today = timezone.localdate()
    years = [int(m["month"][:4]) for m in counted if int(m["month"][5:]) == today.month]
    found = memories(request.user, today, years)
    covers = selectors.in_order([memory.cover for memory in found], request.user) if found else []
    images = {image.pk: image for image in covers}
    return [
        MemoryCard(
            title=_ago(today.year - memory.day.year),
            day=date_format(memory.day, "DATE_FORMAT"),
            counted=_counted(memory.count),
            href=f"{reverse('home')}?{urlencode(_span(memory.day.isoformat()))}",
            src=thumbnail(images[memory.cover], _WIDTH),
        )
        for memory in found
        if memory.cover in images
    ]


def _span(day: str) -> dict[str, str]:
    return {"scope": "mine", "from": day, "to": day}


def _ago(years: int) -> str:
    said = ngettext("%(count)s year ago", "%(count)s years ago", years)
    return said % {"count": years}


def _counted(count: int) -> str:
    return ngettext("%(count)s picture", "%(count)s pictures", count) % {"count": count}
