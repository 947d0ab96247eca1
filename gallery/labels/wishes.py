"""Thresholds by wish, with undo: “at least 95 % right”, “find nearly all”, one chosen by eye, or
the usual one. The first two are kept: workers look for the threshold anew whenever the set has
learned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.labels import cuts, fitting, sets
from gallery.labels.cuts import Spread
from gallery.labels.scopes import labelled_by
from gallery.models import Category, Change, EmbeddingSpace, LabelFit, LabelSet, User
from gallery.models.labels import LabelSetQuerySet

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

    @property
    def stored(self) -> sets.StoredWish:
        """What a category stores of it."""
        if self.kind == "right":
            return Category.Wish.RIGHT, self.share
        return (Category.Wish.ALL, None) if self.kind == "all" else sets.NO_WISH

    @classmethod
    def of(cls, category: Category) -> Wish:
        """Return the wish that a category keeps."""
        if category.wish:
            return cls.checked(category.wish, category.wish_share)
        return cls("usual") if category.threshold is None else cls("eye", category.threshold)


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
    thresholds = {str(pk): least for pk, least in found.items()}
    return Met(
        sets.set_thresholds(label_set, user, thresholds, wish.stored),
        [one for one in categories if unmet and found[one.pk] == cuts.NONE],
    )


# --- By workers -----------------------------------------------------------------------


def is_open(space: EmbeddingSpace) -> bool:
    """Whether some set has wishes by which the thresholds of its fit were not looked for."""
    return _open(space).exists()


def fulfil_open(space: EmbeddingSpace) -> None:
    """Look for the thresholds of kept wishes by the current fits in a space."""
    for label_set in _open(space):
        fit = fitting.current(label_set, space)
        if fit is not None:
            _renew(label_set, fit, space)


def _open(space: EmbeddingSpace) -> LabelSetQuerySet:
    latest = LabelFit.objects.filter(
        version=OuterRef("version"), space=space, checksum=space.checksum
    ).order_by("-id")
    found: LabelSetQuerySet = LabelSet.objects.filter(
        Exists(Category.objects.exclude(wish="").filter(label_set=OuterRef("pk"), retired_at=None)),
        deleted_at=None,
    )
    return found.annotate(is_met=latest.values("meets_wishes")[:1]).filter(is_met=False)


def _renew(label_set: LabelSet, fit: LabelFit, space: EmbeddingSpace) -> None:
    weights = fitting.weights_of(fit)
    wishing = sets.categories_of(label_set).exclude(wish="")
    # A set that has changed meanwhile gets a fit of its own.
    categories = list(wishing.filter(pk__in=weights.categories))
    spreads = cuts.spreads_among(labelled_by(label_set), label_set, fit, categories, space)
    found = {one.pk: Wish.of(one).threshold(spreads[one.pk]) for one in categories}
    with transaction.atomic():
        LabelSet.objects.select_for_update(no_key=True).get(pk=label_set.pk)
        if _wishes(wishing) != _wishes(categories) or fitting.current(label_set, space) != fit:
            return  # they are looked for anew
        if space.state == EmbeddingSpace.State.ACTIVE:
            for one in categories:
                one.threshold = found[one.pk]
            Category.objects.bulk_update(categories, ["threshold"])
        least = [
            former if (wanted := found.get(pk)) is None else wanted
            for pk, former in zip(weights.categories, weights.thresholds, strict=True)
        ]
        if least == weights.thresholds:
            LabelFit.objects.filter(pk=fit.pk).update(meets_wishes=True)
        else:
            fitting.store_again(fit, space, replace(weights, thresholds=least), meets_wishes=True)


def _wishes(categories: Iterable[Category]) -> set[tuple[UUID, str, float | None]]:
    return {(one.pk, one.wish, one.wish_share) for one in categories}
