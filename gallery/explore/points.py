"""The points of a map that a viewer may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import BinaryField, Case, F, Func, QuerySet, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from gallery import rate_limits
from gallery.explore.vectors import encoded
from gallery.models import ExploreMap, MapPoint

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# The most points in one packed answer: 3.2 MB. If there are more, a fair sample is sent;
# requests for a smaller part of the map get all of its points.
MOST_PACKED = 100_000
PACKED_BYTES = 32


@dataclass(frozen=True)
class Box:
    """A part of the map, edges included. The default is the whole map."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0


@dataclass(frozen=True)
class Point:
    """A picture at its place. `colour` is its dominant colour as #rrggbb, or ""."""

    image_id: UUID
    x: float
    y: float
    region: int | None
    colour: str


def within(
    drawn: ExploreMap, pictures: ImageQuerySet, box: Box | None = None
) -> QuerySet[MapPoint]:
    """The points of `pictures`, which the caller has limited to what the viewer may see."""
    points = MapPoint.objects.filter(map=drawn, image__in=pictures.order_by().values("pk"))
    if box is not None:
        points = points.filter(x__gte=box.left, x__lte=box.right, y__gte=box.top, y__lte=box.bottom)
    # Ids are random: the first ones are a fair sample, and the same each time.
    return points.order_by("image_id")


def listed(points: QuerySet[MapPoint], limit: int) -> list[Point]:
    rate_limits.charge("search", rate_limits.LOOKUP)
    rows = points.annotate(colour=_colour()).values_list("image_id", "x", "y", "cluster", "colour")
    return [Point(*row) for row in rows[:limit]]


def packed(points: QuerySet[MapPoint], limit: int = MOST_PACKED) -> bytes:
    """The points as records of 32 bytes, in network order, made by the database:

    x, y: float32; region: int32, 0 for none; red, green, blue: one byte each, then
    1 if the colour is known; the id of the picture: 16 bytes.
    """
    rate_limits.charge("search", rate_limits.LOOKUP)
    parts = [
        Func(F("x"), template="float4send((%(expressions)s)::float4)"),
        Func(F("y"), template="float4send((%(expressions)s)::float4)"),
        Func(Coalesce(F("cluster"), 0), template="int4send((%(expressions)s)::int4)"),
        _packed_colour(),
        Func(F("image_id"), function="uuid_send"),
    ]
    record = Func(*parts, template="%(expressions)s", arg_joiner=" || ", output_field=BinaryField())
    return b"".join(points.values_list(record, flat=True)[:limit])


def unplaced(drawn: ExploreMap, pictures: ImageQuerySet) -> int:
    """How many of `pictures` have a vector but no place on the map yet."""
    known = MapPoint.objects.filter(map=drawn).values("image_id")
    missing = encoded(drawn.space).exclude(image__in=known)
    return missing.filter(image__in=pictures.order_by().values("pk")).count()


def _colour() -> Coalesce:
    """The first colour of the palette [["#rrggbb", share], …]; "" for an empty palette."""
    first = KeyTextTransform("0", KeyTextTransform("0", "image__palette"))
    return Coalesce(first, Value(""), output_field=TextField())


def _packed_colour() -> Case:
    known = Func(_colour(), template="decode(substr(%(expressions)s, 2), 'hex') || '\\x01'::bytea")
    unknown = Value(b"\0\0\0\0", output_field=BinaryField())
    return Case(When(image__palette=[], then=unknown), default=known, output_field=BinaryField())
