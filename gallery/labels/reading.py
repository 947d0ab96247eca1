"""Which pictures have which labels, as people are shown them.

A person's answer counts more than a machine's label: a yes is a label, a no hides one, and where
categories exclude each other a yes hides all others of the set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from gallery.labels import scoring
from gallery.models import Category, Image, LabelSet, Viewer

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# Takes the ids of categories twice. A machine's probability, and 1 for what a person says.
_SHOWN = """
    SELECT label.image_id, label.category_id, label.probability, false AS is_human
    FROM gallery_label label
    JOIN gallery_category category ON category.id = label.category_id
    WHERE label.removed_by_id IS NULL AND label.category_id = ANY(%s)
      AND NOT EXISTS (
          SELECT FROM gallery_answer answer
          WHERE answer.image_id = label.image_id AND answer.category_id = label.category_id
      )
      AND NOT EXISTS (
          SELECT FROM gallery_answer answer
          JOIN gallery_category other ON other.id = answer.category_id
          JOIN gallery_labelset label_set ON label_set.id = other.label_set_id
          JOIN gallery_labelsetversion version ON version.id = label_set.version_id
          WHERE answer.verdict AND other.retired_at IS NULL AND version.mode = 'one'
            AND answer.image_id = label.image_id
            AND other.label_set_id = category.label_set_id
      )
    UNION ALL
    SELECT answer.image_id, answer.category_id, 1.0, true
    FROM gallery_answer answer
    WHERE answer.verdict AND answer.category_id = ANY(%s)
"""


@dataclass(frozen=True)
class Shown:
    """A label of a picture."""

    category: Category
    probability: float
    is_human: bool


@dataclass(frozen=True)
class Summary:
    """The pictures of one category: how many, and the surest ones."""

    count: int
    covers: list[UUID]


def categories_for(viewer: Viewer) -> QuerySet[Category]:
    """Return the categories of all sets that `viewer` may see."""
    return Category.objects.filter(
        label_set__in=LabelSet.objects.visible_to(viewer).order_by(), retired_at=None
    )


def named(categories: QuerySet[Category], name: str) -> QuerySet[Category]:
    """Return the categories that have this name in any language, whatever case and width."""
    same = RawSQL(
        "SELECT category.id FROM gallery_category category, unnest(category.all_names) AS one"
        " WHERE gallery_key(one) = gallery_key(%s)",
        [name],
    )
    return categories.filter(pk__in=same)


def named_like(categories: QuerySet[Category], part: str) -> QuerySet[Category]:
    """Return the categories of which a name in any language contains `part`, whatever case and
    marks of letters."""
    like = RawSQL(
        "SELECT category.id FROM gallery_category category, unnest(category.all_names) AS one"
        " WHERE position(gallery_bare(%s) IN gallery_bare(one)) > 0",
        [part],
    )
    return categories.filter(pk__in=like)


def with_descendants(ids: Iterable[UUID]) -> list[UUID]:
    """Return the categories with those below them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE meant AS (SELECT id FROM gallery_category WHERE id = ANY(%s)"
            " UNION SELECT below.id FROM gallery_category below"
            " JOIN meant ON below.parent_id = meant.id WHERE below.retired_at IS NULL)"
            " SELECT id FROM meant",
            [list(ids)],
        )
        return [pk for (pk,) in cursor.fetchall()]


def shown(categories: Iterable[UUID]) -> scoring.Statement:
    """Return the statement for all labels of these categories: image_id, category_id, probability
    and is_human. The caller limits it to pictures that the viewer may see."""
    ids = list(categories)
    return scoring.Statement(_SHOWN, (ids, ids))


def above_each(categories: Sequence[Category]) -> list[tuple[UUID, UUID]]:
    """Return (category, itself or one above it) for all of `categories`: a picture of the first is
    also of the second."""
    return [*((category.pk, category.pk) for category in categories), *_below(categories)]


def of_picture(image: Image, viewer: Viewer) -> list[Shown]:
    """Return the labels of a picture that `viewer` may see, by set and place in it. The caller
    checks that they may see the picture."""
    known = {row.pk: row for row in categories_for(viewer).select_related("label_set")}
    ids = list(known)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT category_id, probability, is_human FROM ({_SHOWN}) AS shown"  # noqa: S608
            " WHERE image_id = %s",
            [ids, ids, image.pk],
        )
        found = [Shown(known[pk], share, human) for pk, share, human in cursor.fetchall()]
    return sorted(found, key=lambda one: (one.category.label_set.name, one.category.position))


def having(categories: Sequence[UUID], above: float | None = None) -> Q:
    """Return the condition that a picture has a label of one of these categories, with a
    probability of more than `above`."""
    ids = list(categories)
    least, params = ("", []) if above is None else (" WHERE probability > %s", [above])
    return Q(
        pk__in=RawSQL(  # noqa: S611 - our own words
            f"SELECT image_id FROM ({_SHOWN}) AS shown{least}",  # noqa: S608
            [ids, ids, *params],
        )
    )


def counted(images: ImageQuerySet, categories: Sequence[Category]) -> dict[UUID, int]:
    """Return how many of `images` have each category, with those below it."""
    pairs = above_each(categories)
    ids = [below for below, _shown in pairs]
    scope = scoring.pictures(images)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH scope (id) AS MATERIALIZED ({scope.sql})"  # noqa: S608
            " SELECT meant.shown, count(DISTINCT image_id)"
            f" FROM ({_SHOWN}) AS label"
            " JOIN unnest(%s::uuid[], %s::uuid[]) AS meant (below, shown)"
            "  ON meant.below = label.category_id"
            " WHERE image_id IN (SELECT id FROM scope) GROUP BY meant.shown",
            [*scope.params, ids, ids, ids, [shown for _below, shown in pairs]],
        )
        return dict(cursor.fetchall())


def summaries(
    images: ImageQuerySet, categories: Sequence[Category], covers: int
) -> dict[UUID, Summary]:
    """Return how many of `images` have each category, with those below it, and the surest
    `covers` of them. Categories without pictures are left out."""
    pairs = [*((category.pk, category.pk) for category in categories), *_below(categories)]
    ids = [below for below, _shown in pairs]
    scope = scoring.pictures(images)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH found AS (SELECT meant.shown, image_id, max(probability) AS probability"  # noqa: S608
            f" FROM ({_SHOWN}) AS label"
            " JOIN unnest(%s::uuid[], %s::uuid[]) AS meant (below, shown)"
            "  ON meant.below = label.category_id"
            f" WHERE image_id IN ({scope.sql}) GROUP BY meant.shown, image_id),"
            " ranked AS (SELECT *, row_number() OVER (PARTITION BY shown"
            "  ORDER BY probability DESC, image_id) AS place FROM found)"
            " SELECT shown, count(*), array_agg(image_id ORDER BY place)"
            "  FILTER (WHERE place <= %s) FROM ranked GROUP BY shown",
            [ids, ids, ids, [shown for _below, shown in pairs], *scope.params, covers],
        )
        return {pk: Summary(count, some or []) for pk, count, some in cursor.fetchall()}


def labelled(images: ImageQuerySet, label_sets: Sequence[LabelSet]) -> dict[UUID, int]:
    """Return how many of `images` have a category of each set. Sets without are left out."""
    known = Category.objects.filter(label_set__in=label_sets, retired_at=None)
    pairs = dict(known.values_list("pk", "label_set_id"))
    ids = list(pairs)
    scope = scoring.pictures(images)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT meant.label_set, count(DISTINCT image_id)"  # noqa: S608
            f" FROM ({_SHOWN}) AS label"
            " JOIN unnest(%s::uuid[], %s::uuid[]) AS meant (id, label_set)"
            "  ON meant.id = label.category_id"
            f" WHERE image_id IN ({scope.sql}) GROUP BY meant.label_set",
            [ids, ids, ids, list(pairs.values()), *scope.params],
        )
        return dict(cursor.fetchall())


def by_probability(
    images: ImageQuerySet,
    categories: Sequence[UUID],
    size: int,
    after: tuple[float, UUID] | None = None,
    *,
    surest_first: bool = True,
) -> list[tuple[UUID, float]]:
    """Return at most `size` of `images` that have one of these categories, with the largest
    probability, in its order. They come `after` this probability and id."""
    ids = list(categories)
    scope = scoring.pictures(images)
    sign, way = ("<", "DESC") if surest_first else (">", "ASC")
    beyond = "" if after is None else f"HAVING (max(probability), image_id) {sign} (%s, %s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT image_id, max(probability) AS share FROM ({_SHOWN}) AS shown"  # noqa: S608
            f" WHERE image_id IN ({scope.sql}) GROUP BY image_id {beyond}"
            f" ORDER BY share {way}, image_id {way} LIMIT %s",
            [ids, ids, *scope.params, *(after or ()), size],
        )
        return cursor.fetchall()


def said(images: Sequence[UUID], categories: Sequence[UUID]) -> dict[UUID, tuple[float, bool]]:
    """Return the probability of these categories by picture, and whether a person said so."""
    ids = list(categories)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT image_id, max(probability), bool_or(is_human)"  # noqa: S608
            f" FROM ({_SHOWN}) AS shown WHERE image_id = ANY(%s) GROUP BY image_id",
            [ids, ids, list(images)],
        )
        return {pk: (share, human) for pk, share, human in cursor.fetchall()}


def _below(categories: Sequence[Category]) -> list[tuple[UUID, UUID]]:
    """Return (category, one above it) for all that are below others of `categories`."""
    above = {category.pk: category.parent_id for category in categories}
    pairs = []
    for pk in above:
        parent = above[pk]
        while parent is not None and parent in above:
            pairs.append((pk, parent))
            parent = above[parent]
    return pairs
