"""Brings the labels of some pictures in line with what the scores say.

Labels are added and taken back; a pair of picture and category that a person has answered is
left alone. A label that a job takes back is only marked, so that undoing the job brings it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from gallery.labels.fitting import Weights
from gallery.labels.scoring import Statement, decisions, decisions_of_fits, these
from gallery.models import EmbeddingSpace, LabelFit, LabelJob

# Probabilities that differ by less are the same: sums of another order.
_SAME = 1e-6


@dataclass(frozen=True)
class Order:
    """Label in the name of `job` by `fit`."""

    job: LabelJob
    fit: LabelFit


@dataclass(frozen=True)
class Target:
    """The labels that pictures should have: three lists of one length."""

    images: list[UUID]
    categories: list[UUID]
    probabilities: list[float]

    @classmethod
    def of_set(cls, weights: Weights, space: EmbeddingSpace, images: Sequence[UUID]) -> Target:
        """Score many pictures by one set. Those without a vector get no labels."""
        found = decisions(weights, space, these(images))
        image_ids, numbers, shares = _collected(found, "category")
        return cls(image_ids, [weights.categories[number - 1] for number in numbers], shares)

    @classmethod
    def of_fits(
        cls, fits: Sequence[LabelFit], space: EmbeddingSpace, images: Sequence[UUID]
    ) -> Target:
        """Score some pictures by many sets."""
        found = decisions_of_fits([fit.pk for fit in fits], space, these(images))
        return cls(*_collected(found, "category_id"))


@dataclass(frozen=True)
class Written:
    """The numbers of labels that were added and taken back."""

    added: int
    removed: int


def answered(image: str, category: str, label_set: str, is_one: str) -> str:
    """Return the condition that machines leave the category of a picture alone: a person has
    answered it or, where categories exclude each other, has said yes to another one of the set.
    The arguments are SQL expressions."""
    return (
        "EXISTS (SELECT FROM gallery_answer answer"
        " JOIN gallery_category said ON said.id = answer.category_id"
        f" WHERE answer.image_id = {image} AND said.label_set_id = {label_set}"
        f" AND (answer.category_id = {category}"
        f" OR ({is_one} AND answer.verdict AND said.retired_at IS NULL)))"
    )


def write(orders: Sequence[Order], images: Sequence[UUID], target: Target) -> Written:
    """Give `images` the labels of `target` and take all other machine labels of the ordered sets
    from them. Called in a transaction that holds the sets. Pictures that are gone are skipped."""
    ordered: list[Any] = [
        [order.job.label_set_id for order in orders],
        [order.job.pk for order in orders],
        [order.fit.pk for order in orders],
        [order.fit.version.mode == "one" for order in orders],
    ]
    wanted: list[Any] = [target.images, target.categories, target.probabilities]
    with connection.cursor() as cursor:
        # In the order in which deletions lock them.
        cursor.execute(
            "SELECT id FROM gallery_image WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
            [list(images)],
        )
        cursor.execute(_TAKE_BACK, [*ordered, *wanted, list(images), _SAME])
        gone, replaced = cursor.fetchone()
        cursor.execute(_ADD, [*wanted, *ordered])
        fresh = cursor.rowcount
    return Written(added=fresh - replaced, removed=gone - replaced)


def _collected(found: Statement, category: str) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the columns of decisions as lists, which the database makes."""
    ((images, categories, shares),) = Statement(
        f"SELECT array_agg(image_id), array_agg({category}), array_agg(probability)"  # noqa: S608
        f" FROM ({found.sql}) AS found",
        found.params,
    ).rows()
    return images or [], categories or [], shares or []


# The arrays of orders and of a target, as rows.
_ORDERED = """unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::boolean[])
    AS ordered (label_set_id, job_id, fit_id, is_one)"""
_WANTED = """unnest(%s::uuid[], %s::uuid[], %s::float8[])
    AS wanted (image_id, category_id, probability)"""
_ANSWERED = answered("{0}.image_id", "{0}.category_id", "category.label_set_id", "ordered.is_one")

# What the same job has added is deleted, and what was there before it is marked.
_TAKE_BACK = f"""
WITH stale AS (
    SELECT label.id, ordered.job_id, label.added_by_id = ordered.job_id AS is_own,
           wanted.image_id IS NOT NULL AS is_kept
    FROM gallery_label label
    JOIN gallery_category category ON category.id = label.category_id
    JOIN {_ORDERED} ON ordered.label_set_id = category.label_set_id
    LEFT JOIN {_WANTED}
        ON wanted.image_id = label.image_id AND wanted.category_id = label.category_id
    WHERE label.image_id = ANY(%s) AND label.removed_by_id IS NULL
      AND (wanted.image_id IS NULL OR label.fit_id <> ordered.fit_id
           OR abs(label.probability - wanted.probability) > %s)
      AND NOT {_ANSWERED.format("label")}
),
deleted AS (
    DELETE FROM gallery_label label USING stale WHERE label.id = stale.id AND stale.is_own
),
marked AS (
    UPDATE gallery_label label SET removed_by_id = stale.job_id
    FROM stale WHERE label.id = stale.id AND NOT stale.is_own
)
SELECT count(*), count(*) FILTER (WHERE is_kept) FROM stale
"""  # noqa: S608 - our own words

_ADD = f"""
INSERT INTO gallery_label (image_id, category_id, fit_id, probability, added_by_id)
SELECT wanted.image_id, wanted.category_id, ordered.fit_id, wanted.probability, ordered.job_id
FROM {_WANTED}
JOIN gallery_category category ON category.id = wanted.category_id
JOIN {_ORDERED} ON ordered.label_set_id = category.label_set_id
JOIN gallery_image image ON image.id = wanted.image_id
WHERE NOT EXISTS (
        SELECT FROM gallery_label known
        WHERE known.image_id = wanted.image_id AND known.category_id = wanted.category_id
          AND known.removed_by_id IS NULL
    )
  AND NOT {_ANSWERED.format("wanted")}
ORDER BY wanted.image_id, wanted.category_id
ON CONFLICT DO NOTHING
"""  # noqa: S608 - our own words
