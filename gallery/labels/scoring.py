"""Scores of pictures by a set's weights, computed by the database.

Each picture is read once, and its logits are columns: z0, z1, … With a row for each picture and
category, grouping the rows would take several times as long as the inner products.

`LIMIT ALL` keeps the levels apart. Otherwise PostgreSQL would compute a logit again wherever it is
used. `OFFSET 0` would do so, too, but keeps several processes from sharing the work.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.core.exceptions import EmptyResultSet
from pgvector import Vector

from gallery import prepared
from gallery.encoders.base import Vectors
from gallery.labels.definition import Mode
from gallery.labels.fitting import Weights
from gallery.models import EmbeddingSpace

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

Params = tuple[Any, ...]

# PostgreSQL counts an inner product like an addition, and so thinks that sharing is not worth it.
_SETTINGS = {"parallel_setup_cost": 0, "parallel_tuple_cost": 0}
# exp() beyond this raises an error in PostgreSQL.
_LARGEST = 700.0


@dataclass(frozen=True)
class Statement:
    """SQL with its parameters."""

    sql: str
    params: Params = ()

    def rows(self) -> list[tuple[Any, ...]]:
        """Run it for these parameters, by several processes of the database where that helps."""
        return prepared.rows(self.sql, self.params, _SETTINGS, plan_lasts=False)


def pictures(images: ImageQuerySet) -> Statement:
    """Return the statement for the ids of `images`."""
    try:
        sql, params = images.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return Statement("SELECT NULL::uuid WHERE false")
    return Statement(sql, tuple(params))


def these(ids: Collection[UUID]) -> Statement:
    """Return the statement for pictures by their ids, some thousands at most."""
    return Statement("SELECT id FROM unnest(%s::uuid[]) AS these (id)", (list(ids),))


def decisions(
    weights: Weights, space: EmbeddingSpace, scope: Statement, *, keep_none: bool = False
) -> Statement:
    """Return the labels that the pictures of `scope` get: image_id, category (its number in
    `weights.categories`, from 1) and probability. Where categories exclude each other, pictures
    without a label are left out, or have the category null (`keep_none`)."""
    if weights.mode == Mode.ONE:
        return _best(weights, space, scope, keep_none=keep_none)
    scored = _logits(weights, space, scope)
    given = ", ".join(
        f"({number + 1}, z{number}, {_logit(least)})"
        for number, least in enumerate(weights.thresholds)
    )
    return Statement(
        f"SELECT image_id, category, {_sigmoid('logit')} AS probability"  # noqa: S608
        f" FROM ({scored.sql}) AS scored"
        f" CROSS JOIN LATERAL (VALUES {given}) AS each (category, logit, least)"
        " WHERE logit >= least",
        scored.params,
    )


def decisions_of_fits(fits: Sequence[int], space: EmbeddingSpace, scope: Statement) -> Statement:
    """Return the labels that the few pictures of `scope` get by many fits: image_id, category_id
    and probability. A row for each picture and category, and windows over these."""
    return Statement(_BY_FITS.format(scope=scope.sql), (space.pk, *scope.params, list(fits)))


def counts(weights: Weights, space: EmbeddingSpace, scope: Statement) -> tuple[int, list[int]]:
    """Return how many pictures `scope` has with a vector, and how many of them get each label."""
    if weights.mode == Mode.ONE:
        best = _best(weights, space, scope, keep_none=True)
        rows = Statement(
            f"SELECT category, count(*) FROM ({best.sql}) AS best GROUP BY category",  # noqa: S608
            best.params,
        ).rows()
        by_number = dict(rows)
        given = [by_number.get(number + 1, 0) for number in range(len(weights.categories))]
        return sum(by_number.values()), given
    scored = _logits(weights, space, scope)
    each = ", ".join(
        f"count(*) FILTER (WHERE z{number} >= {_logit(least)})"
        for number, least in enumerate(weights.thresholds)
    )
    ((total, *given),) = Statement(
        f"SELECT count(*), {each} FROM ({scored.sql}) AS scored",  # noqa: S608
        scored.params,
    ).rows()
    return total, given


def of_category(
    weights: Weights, space: EmbeddingSpace, scope: Statement, number: int
) -> Statement:
    """Return the probability of one category (its number from 0): image_id and probability."""
    if weights.mode == Mode.ONE:
        scored = _shares(weights, space, scope)
        share = f"exp({_below(weights, f'z{number} - top')}) / (inside + outside)"
    else:
        scored = _logits(weights, space, scope)
        share = _sigmoid(f"z{number}")
    return Statement(
        f"SELECT image_id, {share} AS probability FROM ({scored.sql}) AS scored",  # noqa: S608
        scored.params,
    )


def standings(
    weights: Weights, space: EmbeddingSpace, scope: Statement, numbers: Sequence[int]
) -> Statement:
    """Return image_id, the only category that the picture could get at any thresholds (its number
    from 0; null: none or, where categories do not exclude each other, any), and the probabilities
    of the categories `numbers`."""
    if weights.mode == Mode.ONE:
        scored = _shares(weights, space, scope)
        cases = " ".join(f"WHEN z{n} THEN {n}" for n in range(len(weights.categories)))
        best = f"CASE top {cases} END"
        if weights.background:
            best = f"CASE WHEN outside <= 1 THEN {best} END"
        shares = [
            f"exp({_below(weights, f'z{number} - top')}) / (inside + outside)" for number in numbers
        ]
    else:
        scored = _logits(weights, space, scope)
        best = "NULL::integer"
        shares = [_sigmoid(f"z{number}") for number in numbers]
    return Statement(
        f"SELECT image_id, {best}, {', '.join(shares)} FROM ({scored.sql}) AS scored",  # noqa: S608
        scored.params,
    )


def logits(
    weights: Weights, space: EmbeddingSpace, scope: Statement
) -> tuple[list[UUID], npt.NDArray[np.float64]]:
    """Return the ids (n) of the pictures of `scope` that have a vector, and their logits (n, all),
    those of the background behind those of the categories. For some thousands of pictures."""
    rows = _logits(weights, space, scope).rows()
    matrix = np.array([row[1:] for row in rows], dtype=np.float64)
    return [row[0] for row in rows], matrix.reshape(len(rows), len(weights.vectors))


# The exponents are bounded, since fits differ in their temperatures.
_BY_FITS = """
WITH pictures AS MATERIALIZED (
    SELECT image_id, vector::vector AS picture FROM gallery_embedding
    WHERE space_id = %s AND part = 0 AND image_id IN ({scope})
),
scored AS (
    SELECT image_id, fit_id, category_id, position, threshold, version.mode,
           weight.bias - (picture <#> weight.vector) AS logit
    FROM pictures
    CROSS JOIN gallery_categoryvector weight
    JOIN gallery_labelfit fit ON fit.id = weight.fit_id
    JOIN gallery_labelsetversion version ON version.id = fit.version_id
    WHERE weight.fit_id = ANY(%s::bigint[])
),
topped AS (
    SELECT *, max(logit) FILTER (WHERE category_id IS NOT NULL) OVER own AS top
    FROM scored WINDOW own AS (PARTITION BY image_id, fit_id)
),
shared AS (
    SELECT *, sum(share) OVER own AS whole,
           sum(share) FILTER (WHERE category_id IS NULL) OVER own AS outside,
           row_number() OVER (
               PARTITION BY image_id, fit_id ORDER BY logit = top DESC, position
           ) AS place
    FROM (
        SELECT *, CASE WHEN mode = 'one'
                  THEN exp(least(greatest(logit - top, -700.0), 700.0)) END AS share
        FROM topped
    ) AS each
    WINDOW own AS (PARTITION BY image_id, fit_id)
)
SELECT image_id, category_id,
       CASE WHEN mode = 'one' THEN 1 / whole
            ELSE 1 / (1 + exp(least(greatest(-logit, -700.0), 700.0))) END AS probability
FROM shared
WHERE category_id IS NOT NULL AND CASE WHEN mode = 'one'
    THEN place = 1 AND coalesce(outside, 0) <= 1 AND 1 / whole >= threshold
    ELSE threshold < 1
        AND 1 / (1 + exp(least(greatest(-logit, -700.0), 700.0))) >= threshold END
"""


def _best(
    weights: Weights, space: EmbeddingSpace, scope: Statement, *, keep_none: bool = False
) -> Statement:
    """Return the likeliest category of each picture and its probability. Pictures without a
    label are left out, or have the category null (`keep_none`)."""
    scored = _shares(weights, space, scope)
    numbers = range(len(weights.categories))
    best = " ".join(f"WHEN z{number} THEN {number + 1}" for number in numbers)
    best = f"CASE top {best} END"
    # Few sets have thresholds; an array would be read for each picture.
    is_given = "outside <= 1" if weights.background else "true"
    if any(weights.thresholds):
        least = ", ".join(map(repr, weights.thresholds))
        is_given += f" AND 1 / (inside + outside) >= (ARRAY[{least}]::float8[])[{best}]"
    columns = f"{best} AS category"
    if keep_none:
        columns = f"CASE WHEN {is_given} THEN {best} END AS category"
        is_given = "true"
    return Statement(
        f"SELECT image_id, {columns}, 1 / (inside + outside) AS probability"  # noqa: S608
        f" FROM ({scored.sql}) AS scored WHERE {is_given}",
        scored.params,
    )


def _shares(weights: Weights, space: EmbeddingSpace, scope: Statement) -> Statement:
    """Return image_id and the logits of the categories with `top`, their largest, `inside`, the
    sum of their exponentials over that of `top`, and `outside`, the same of the background."""
    scored = _logits(weights, space, scope)
    own = [f"z{number}" for number in range(len(weights.categories))]
    rest = [f"z{number}" for number in range(len(own), len(weights.vectors))]
    inside = " + ".join(f"exp({_below(weights, f'{z} - top')})" for z in own)
    outside = " + ".join(f"exp({_beside(weights, f'{z} - top')})" for z in rest) or "0.0::float8"
    return Statement(
        f"SELECT image_id, {', '.join(own)}, top, {inside} AS inside, {outside} AS outside"  # noqa: S608
        f" FROM (SELECT *, greatest({', '.join(own)}) AS top FROM ({scored.sql}) AS logits"
        " LIMIT ALL) AS topped LIMIT ALL",
        scored.params,
    )


def _logits(weights: Weights, space: EmbeddingSpace, scope: Statement) -> Statement:
    """Return image_id, z0, z1, …: the logits of the pictures of `scope` that have a vector."""
    # pgvector's operator gives the negative inner product. The vectors of texts keep single
    # precision: halves would change probabilities in the third digit.
    columns = ", ".join(
        f"{bias!r} - (picture <#> %s::vector) AS z{number}"
        for number, bias in enumerate(map(float, weights.biases))
    )
    return Statement(
        f"SELECT image_id, {columns} FROM ("  # noqa: S608 - our own numbers
        " SELECT embedding.image_id, embedding.vector::vector AS picture"
        " FROM gallery_embedding embedding"
        f" WHERE embedding.space_id = {int(space.pk)} AND embedding.part = 0"
        f" AND embedding.image_id IN ({scope.sql}) LIMIT ALL) AS pictures LIMIT ALL",
        (*_literals(weights.vectors), *scope.params),
    )


def _literals(vectors: Vectors) -> Sequence[Vector]:
    return [Vector(vector) for vector in vectors]


def _below(weights: Weights, expression: str) -> str:
    """The difference of a logit and a larger one, for exp()."""
    return expression if _are_close(weights) else f"greatest({expression}, {-_LARGEST})"


def _beside(weights: Weights, expression: str) -> str:
    """The difference of two logits, for exp()."""
    return expression if _are_close(weights) else _bounded(expression)


def _are_close(weights: Weights) -> bool:
    """Whether the logits of a picture cannot differ by too much for exp()."""
    longest = float(np.linalg.norm(weights.vectors, axis=1).max())
    return 2 * longest + max(weights.biases) - min(weights.biases) < _LARGEST


def _bounded(expression: str) -> str:
    return f"least(greatest({expression}, {-_LARGEST}), {_LARGEST})"


def _sigmoid(logit: str) -> str:
    return f"1 / (1 + exp({_bounded(f'-{logit}')}))"


def _logit(probability: float) -> str:
    """The logit of a probability, as SQL."""
    if probability <= 0:
        return "'-Infinity'::float8"
    if probability >= 1:
        return "'Infinity'::float8"
    return f"{math.log(probability / (1 - probability))!r}::float8"
