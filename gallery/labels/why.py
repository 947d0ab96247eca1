"""Why a picture has a label, or has none: what people said of it and of the pictures that look most
like it, and which fit gave the label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gallery.indexing.selectors import visible_ids
from gallery.indexing.spaces import active_space
from gallery.labels import reading, scoring
from gallery.labels.definition import Mode
from gallery.models import Answer, Category, Image, Label, Viewer

# Pictures that are shown of each kind.
EACH = 4


@dataclass(frozen=True)
class Neighbour:
    """A picture with an answer. `similarity` is the cosine. `said` is the name of another category
    that people gave it where categories exclude each other; else it is empty."""

    image: UUID
    verdict: bool
    similarity: float
    said: str = ""


@dataclass(frozen=True)
class Why:
    """What is known of one category of a picture. `label` is what a machine gave and has not taken
    back, `answer` what a person said. The nearest answered pictures come first in `yes` and `no`;
    without a vector of the picture both are empty."""

    category: Category
    label: Label | None
    answer: Answer | None
    yes: list[Neighbour]
    no: list[Neighbour]

    @property
    def version(self) -> int | None:
        """The version of the set that gave the label."""
        return None if self.label is None else self.label.fit.version.number

    @property
    def space(self) -> str:
        """The space in which the label was given; empty if it was removed."""
        fit = None if self.label is None else self.label.fit
        return "" if fit is None or fit.space is None else fit.space.name

    @property
    def learned_from(self) -> int | None:
        """From how many answers the fit had learned."""
        return None if self.label is None else self.label.fit.answers

    @property
    def labelled_at(self) -> datetime | None:
        """When the labels were applied, or are applied since."""
        return None if self.label is None else self.label.added_by.created_at


def of(image: Image, category: Category, viewer: Viewer, each: int = EACH) -> Why:
    """Explain a category of a picture. The caller checks that `viewer` may see both."""
    label = (
        Label.objects.filter(image=image, category=category, removed_by=None)
        .select_related("fit__version", "fit__space", "added_by")
        .first()
    )
    answer = Answer.objects.filter(image=image, category=category).select_related("by").first()
    near = _nearest(image, category, viewer, each)
    return Why(
        category,
        label,
        answer,
        yes=[one for one in near if one.verdict],
        no=[one for one in near if not one.verdict],
    )


# The vectors of answered pictures are read by their pictures, not through a vector index: a
# category has some hundred answers. A picture that people gave to another category of a set whose
# categories exclude each other speaks against this one.
_NEAREST = """
WITH here AS (
    SELECT vector FROM gallery_embedding WHERE image_id = %s AND space_id = %s AND part = 0
),
said AS (
    SELECT answer.image_id,
           bool_or(answer.verdict AND answer.category_id = %s) AS verdict,
           coalesce(min(category.name) FILTER (
               WHERE answer.verdict AND answer.category_id <> %s
           ), '') AS other
    FROM gallery_answer answer
    JOIN gallery_category category ON category.id = answer.category_id
    WHERE answer.category_id = ANY(%s) AND answer.image_id <> %s
      AND (answer.verdict OR answer.category_id = %s)
    GROUP BY answer.image_id
),
near AS (
    SELECT said.*, 1 - (embedding.vector <=> here.vector) AS similarity,
           row_number() OVER (
               PARTITION BY verdict ORDER BY embedding.vector <=> here.vector, said.image_id
           ) AS place
    FROM here
    CROSS JOIN said
    JOIN gallery_embedding embedding ON embedding.image_id = said.image_id
        AND embedding.space_id = %s AND embedding.part = 0
    WHERE said.image_id IN ({visible})
)
SELECT image_id, verdict, similarity, other FROM near
WHERE place <= %s ORDER BY verdict DESC, place
"""


def _nearest(image: Image, category: Category, viewer: Viewer, each: int) -> list[Neighbour]:
    space = active_space()
    if space is None:
        return []
    visible, params = visible_ids(viewer)
    rows = scoring.Statement(
        _NEAREST.format(visible=visible),
        (
            *(image.pk, space.pk, category.pk, category.pk, _speaking(category)),
            *(image.pk, category.pk, space.pk, *params, each),
        ),
    ).rows()
    return [Neighbour(*row) for row in rows]


def _speaking(category: Category) -> Sequence[UUID]:
    """Return the categories whose answers say something of this one."""
    version = category.label_set.version
    if version is None or version.mode != Mode.ONE:
        return [category.pk]
    alive = Category.objects.filter(label_set=category.label_set_id, retired_at=None)
    return list(alive.values_list("pk", flat=True))


def category_of(pk: UUID, viewer: Viewer) -> Category | None:
    """Return a category that `viewer` may see, with its set, or None."""
    known = reading.categories_for(viewer).select_related("label_set__version")
    return known.filter(pk=pk).first()
