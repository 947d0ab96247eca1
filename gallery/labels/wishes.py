"""Thresholds by wish, with undo: “at least 95 % right”, “find nearly all”, one chosen by eye, or
the usual one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.labels import cuts, sets
from gallery.labels.cuts import Spread
from gallery.models import Category, Change, EmbeddingSpace, LabelSet, User

Kind = Literal["right", "all", "eye", "usual"]
# What is nearly all.
NEARLY = 0.95


@dataclass(frozen=True)
class Wish:
    """`share` is the least share of right pictures (kind right), or the threshold itself (kind
    eye)."""

    kind: Kind
    share: float = 0.0

    @classmethod
    def checked(cls, kind: str, share: float | None) -> Wish:
        """Raises Refusal (bad_wish)."""
        if kind not in get_args(Kind):
            raise Refusal("bad_wish", _("Choose what you wish for."), "wish")
        if kind in {"right", "eye"} and (share is None or not 0 <= share <= 1):
            raise Refusal("bad_wish", _("Give a number from 0 to 100 percent."), "share")
        return cls(kind, share or 0.0)  # type: ignore[arg-type]

    def threshold(self, spread: Spread) -> float | None:
        """Return the threshold that meets the wish; None: the usual one."""
        if self.kind == "usual":
            return None
        if self.kind == "eye":
            return self.share
        return spread.for_right(self.share) if self.kind == "right" else spread.for_all(NEARLY)


@dataclass(frozen=True)
class Met:
    """A wish that was saved. `unmet` are the categories of which no picture is sure enough: they
    label nothing now. `change` undoes it; None if nothing has changed."""

    change: Change | None
    unmet: list[Category]


def fulfil(
    label_set: LabelSet,
    categories: Sequence[Category],
    wish: Wish,
    user: User,
    space: EmbeddingSpace,
) -> Met:
    """Set the thresholds of categories by a wish. Raises TooMany, Unavailable."""
    found: dict[UUID, float | None]
    if wish.kind in {"right", "all"}:
        spreads = cuts.spreads(label_set, categories, user, space)
        found = {category.pk: wish.threshold(spreads[category.pk]) for category in categories}
    else:
        chosen = wish.share if wish.kind == "eye" else None
        found = {category.pk: chosen for category in categories}
    unmet = wish.kind == "right"
    return Met(
        sets.set_thresholds(label_set, user, {str(pk): least for pk, least in found.items()}),
        [one for one in categories if unmet and found[one.pk] == cuts.NONE],
    )
