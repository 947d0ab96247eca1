"""What applying a set would change, without changing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import F

from gallery.labels import scoring
from gallery.labels.fitting import Weights
from gallery.labels.writing import answered
from gallery.models import Answer, Category, EmbeddingSpace, LabelFit, LabelSetVersion

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# Pictures that are shown of each change of a category.
SHOWN = 12


@dataclass(frozen=True)
class CategoryChange:
    """What would change for one category. `count` pictures would have the label: a machine's,
    since people's answers stay as they are. `add` and `remove` are some of the pictures, the
    surest first."""

    category: Category
    count: int
    added: int
    removed: int
    kept: int
    add: list[UUID]
    remove: list[UUID]


@dataclass(frozen=True)
class Preview:
    """Numbers of labels, and the changes of each category: those of the set in their order, then
    retired ones that would lose labels. `by_people` are labels by answers, which always stay."""

    added: int
    removed: int
    kept: int
    by_people: int
    categories: list[CategoryChange]


# A label that stays is kept, even if its probability changes.
_CHANGES = """
WITH target AS MATERIALIZED (
    SELECT image_id, (%s::uuid[])[category] AS category_id, probability
    FROM ({decisions}) AS decided
),
wanted AS (
    SELECT * FROM target WHERE NOT {target_answered}
),
present AS (
    SELECT label.image_id, label.category_id, label.probability
    FROM gallery_label label
    JOIN gallery_category category ON category.id = label.category_id
    WHERE category.label_set_id = %s AND label.removed_by_id IS NULL
      AND label.image_id IN ({scope})
      AND EXISTS (
          SELECT FROM gallery_embedding embedding
          WHERE embedding.image_id = label.image_id AND embedding.space_id = %s
            AND embedding.part = 0
      )
      AND NOT {label_answered}
),
change AS (
    SELECT coalesce(wanted.category_id, present.category_id) AS category_id,
           coalesce(wanted.image_id, present.image_id) AS image_id,
           CASE WHEN present.image_id IS NULL THEN 'added'
                WHEN wanted.image_id IS NULL THEN 'removed' ELSE 'kept' END AS kind,
           coalesce(wanted.probability, present.probability) AS probability
    FROM wanted FULL JOIN present
        ON wanted.image_id = present.image_id AND wanted.category_id = present.category_id
),
ranked AS (
    SELECT *, row_number() OVER (
        PARTITION BY category_id, kind ORDER BY probability DESC, image_id
    ) AS place FROM change
)
SELECT category_id, kind, count(*),
       array_agg(image_id ORDER BY place) FILTER (WHERE place <= %s)
FROM ranked GROUP BY category_id, kind
"""


def preview(
    fit: LabelFit, weights: Weights, space: EmbeddingSpace, images: ImageQuerySet
) -> Preview:
    """Compare the labels that `images` would get with those that they have."""
    scope = scoring.pictures(images)
    decided = scoring.decisions(weights, space, scope)
    version = fit.version
    own = f"'{version.label_set_id}'", "true" if version.mode == "one" else "false"
    statement = _CHANGES.format(
        decisions=decided.sql,
        scope=scope.sql,
        target_answered=answered("target.image_id", "target.category_id", *own),
        label_answered=answered("label.image_id", "label.category_id", *own),
    )
    params = [weights.categories, *decided.params]
    params += [version.label_set_id, *scope.params, space.pk, SHOWN]
    rows = scoring.Statement(statement, tuple(params)).rows()
    said = Answer.objects.filter(category__in=weights.categories, image__in=images.values("pk"))
    return _summed(version, rows, said.filter(verdict=True).count())


def _summed(
    version: LabelSetVersion, rows: Sequence[tuple[UUID, str, int, list[UUID]]], by_people: int
) -> Preview:
    by_category: dict[UUID, dict[str, tuple[int, list[UUID]]]] = {}
    for category_id, kind, count, some in rows:
        by_category.setdefault(category_id, {})[kind] = (count, some)
    known = Category.objects.filter(label_set=version.label_set_id)
    changes = [
        _change(category, by_category.get(category.pk, {}))
        for category in known.order_by(F("retired_at").desc(nulls_first=True), "position")
        if category.retired_at is None or category.pk in by_category
    ]
    return Preview(
        added=sum(change.added for change in changes),
        removed=sum(change.removed for change in changes),
        kept=sum(change.kept for change in changes),
        by_people=by_people,
        categories=changes,
    )


def _change(category: Category, found: dict[str, tuple[int, list[UUID]]]) -> CategoryChange:
    added, add = found.get("added", (0, []))
    removed, remove = found.get("removed", (0, []))
    kept, _some = found.get("kept", (0, []))
    return CategoryChange(category, added + kept, added, removed, kept, add, remove)
