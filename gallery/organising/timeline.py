"""The number of pictures in each month, by the local time when they were taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from django.db.models import Avg, Count, F, FloatField
from django.db.models.functions import Cast, Greatest, Least

from gallery.models.clock import MonthOf

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# Grids crop narrower and wider pictures (gallery.web.pictures.tiles): one panorama must not
# distort the estimated height of a month.
_NARROWEST, _WIDEST = 0.5, 3.0


class Month(TypedDict):
    """`month` is like "2024-05", by the clocks on the spot; `ratio` the mean of
    width over height, as a grid shows it."""

    month: str
    count: int
    ratio: float


def months(images: ImageQuerySet) -> list[Month]:
    """Return the months that have pictures, the latest first."""
    ratio = Cast(F("width"), FloatField()) / Cast(F("height"), FloatField())
    rows = (
        images.order_by()
        .values(begin=MonthOf("taken_at"))
        .annotate(n=Count("pk"), shape=Avg(Least(Greatest(ratio, _NARROWEST), _WIDEST)))
        .order_by("-begin")
    )
    return [
        Month(month=f"{row['begin']:%Y-%m}", count=row["n"], ratio=round(row["shape"], 4))
        for row in rows
    ]
