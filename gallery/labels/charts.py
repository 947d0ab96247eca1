"""Figures for charts of a label set: its categories among pictures, and over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from gallery.labels import reading, scoring
from gallery.models import Category

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

Unit = Literal["month", "year"]


@dataclass(frozen=True)
class Shares:
    """Of `pictures`, `labelled` have any category, and `counts` have each one or one below it."""

    pictures: int
    labelled: int
    counts: dict[UUID, int]


def shares(images: ImageQuerySet, categories: Sequence[Category]) -> Shares:
    """Count `images` by category. One statement, in which they are found once."""
    pairs = reading.above_each(categories)
    labels = reading.shown(category.pk for category in categories)
    scope = scoring.pictures(images)
    rows = scoring.Statement(
        f"WITH scope (id) AS MATERIALIZED ({scope.sql})"  # noqa: S608 - our own words
        " SELECT meant.shown, count(DISTINCT image_id), (SELECT count(*) FROM scope)"
        f" FROM ({labels.sql}) AS label"
        " JOIN unnest(%s::uuid[], %s::uuid[]) AS meant (below, shown)"
        "  ON meant.below = label.category_id"
        " WHERE image_id IN (SELECT id FROM scope)"
        " GROUP BY GROUPING SETS ((meant.shown), ())",
        (*scope.params, *labels.params, *_columns(pairs)),
    ).rows()
    counts = {pk: count for pk, count, _pictures in rows}
    labelled = counts.pop(None, 0)
    return Shares(pictures=rows[0][2], labelled=labelled, counts=counts)


def over_time(
    images: ImageQuerySet, categories: Sequence[Category], unit: Unit
) -> dict[UUID, dict[date, int]]:
    """Count `images` by category and month or year, as clocks showed it on the spot."""
    pairs = reading.above_each(categories)
    labels = reading.shown(category.pk for category in categories)
    scope = scoring.pictures(images)
    rows = scoring.Statement(
        f"WITH scope (id) AS MATERIALIZED ({scope.sql})"  # noqa: S608 - our own words
        " SELECT meant.shown, date_trunc(%s::text, image.taken_at)::date, count(DISTINCT image.id)"
        f" FROM ({labels.sql}) AS label"
        " JOIN unnest(%s::uuid[], %s::uuid[]) AS meant (below, shown)"
        "  ON meant.below = label.category_id"
        " JOIN gallery_image image ON image.id = label.image_id"
        " WHERE label.image_id IN (SELECT id FROM scope)"
        " GROUP BY 1, 2",
        (*scope.params, unit, *labels.params, *_columns(pairs)),
    ).rows()
    found: defaultdict[UUID, dict[date, int]] = defaultdict(dict)
    for category, begin, count in rows:
        found[category][begin] = count
    return dict(found)


def _columns(pairs: Sequence[tuple[UUID, UUID]]) -> tuple[list[UUID], list[UUID]]:
    return [below for below, _shown in pairs], [shown for _below, shown in pairs]
