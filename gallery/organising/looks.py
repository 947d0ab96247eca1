"""Turning and cropping pictures: their recipes (gallery.pixels.recipe), with a way to undo it.

The file stays as it is. All that is computed from pixels is made anew (docs/decisions/0042).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.library import renditions, undo_log
from gallery.library.user_lock import lock_user
from gallery.models import Change, Image, User
from gallery.pixels.recipe import ORIGINAL, WHOLE, Box, Recipe, Size, read, rounded, stored
from gallery.work import ledger
from gallery.work.analyser import wanted

# What is left after a crop, at least: shares of both sides, and pixels.
LEAST_SHARE, LEAST_PIXELS = 0.01, 16
# Of more pictures, a storage on another machine would remove the renditions for minutes.
REMOVED_AT_ONCE = 50

# The fields of a picture that follow from its recipe. What pages show until the new renditions are
# there must not be the former look.
_FIELDS = ("recipe", "edition", "width", "height", "placeholder", "updated_at")

Row = tuple[str, dict[str, Any], str]


def clean_crop(crop: Sequence[float] | None) -> Box:
    """Return a crop as shares: left, top, width, height. Raises Refusal (bad_crop)."""
    if crop is None:
        return WHOLE
    if len(crop) == 4:
        left, top, width, height = (float(share) for share in crop)
        inside = min(left, top) >= 0 and max(left + width, top + height) <= 1 + 1e-6
        if inside and min(width, height) >= LEAST_SHARE:
            return left, top, min(width, 1 - left), min(height, 1 - top)
    raise Refusal(
        "bad_crop",
        _("Give a crop as [left, top, width, height], shares of the turned picture from 0 to 1."),
        "crop",
    )


def edit(image: Image, turns: int, crop: Box, user: User) -> Change | None:
    """Give a picture of `user` this recipe, in place of its former one. Returns what undoes it.
    Raises Refusal."""
    recipe = rounded(turns, crop)
    with transaction.atomic():
        lock_user(user)
        rows = change([image.pk], lambda _former: recipe, user)
        return undo_log.record(user, "edit", {"rows": rows}) if rows else None


def change(
    image_ids: Sequence[UUID], wanted_of: Callable[[Recipe], Recipe], user: User
) -> list[Row]:
    """Give the user's own pictures new recipes, in the caller's transaction. Returns for `restore`
    ids, former recipes and new editions of those that have changed. Among several pictures,
    animations stay as they are.

    Raises Refusal if all are animations (animated), or for a part that is too small (bad_crop).
    """
    changed = []
    for image in _possible(_locked(image_ids, user)):
        recipe = wanted_of(read(image.recipe))
        if recipe.edition == image.edition:
            continue
        _refuse_if_too_small(image, recipe)
        former = image.recipe
        _set(image, recipe)
        changed.append((image, former))
    _save([image for image, _former in changed])
    return [(str(image.pk), former, image.edition) for image, former in changed]


def restore(rows: Iterable[Row], user: User) -> int:
    """Give pictures their former recipes, where they still have the edition that the act left."""
    former = {UUID(pk): (recipe, edition) for pk, recipe, edition in rows}
    back = []
    for image in _locked(list(former), user):
        recipe, edition = former[image.pk]
        if image.edition == edition:
            _set(image, read(recipe))
            back.append(image)
    _save(back)
    return len(back)


def original_size(image: Image) -> Size:
    """Return the size of the upright original."""
    if not image.recipe:
        return image.width, image.height
    width, height = image.recipe["of"]
    return width, height


def is_editable(image: Image) -> bool:
    return not image.is_animated


def _locked(image_ids: Sequence[UUID], user: User) -> list[Image]:
    """Lock the pictures like a deletion: a worker that stores a result and this wait for each
    other, whichever rows of the ledger they need afterwards."""
    own = Image.objects.filter(pk__in=image_ids, owner_id=user.pk).order_by("pk")
    needed = own.only("recipe", "edition", "width", "height", "frames")
    return list(needed.select_for_update())


def _possible(images: list[Image]) -> list[Image]:
    possible = [image for image in images if is_editable(image)]
    if images and not possible:
        raise Refusal(
            "animated", _("Animations cannot be turned or cropped: only still pictures can.")
        )
    return possible


def _refuse_if_too_small(image: Image, recipe: Recipe) -> None:
    if recipe.crop != WHOLE:
        least = min(LEAST_PIXELS, *original_size(image))
        if min(recipe.size_of(original_size(image))) < least:
            raise Refusal(
                "bad_crop",
                _("Leave at least %(pixels)d pixels on each side.") % {"pixels": least},
                "crop",
            )


def _set(image: Image, recipe: Recipe) -> None:
    original = original_size(image)
    image.recipe, image.edition = stored(recipe, original), recipe.edition
    image.width, image.height = recipe.size_of(original)
    image.placeholder = ""
    image.updated_at = timezone.now()


def _save(images: Sequence[Image]) -> None:
    """Store the recipes and queue all analyses again. Vectors stay until there are new ones, so
    that the pictures are still found. The former renditions are removed after the commit, those of
    very many pictures by the worker that makes the new ones."""
    if not images:
        return
    Image.objects.bulk_update(images, _FIELDS, batch_size=500)
    ledger.requeue([image.pk for image in images], wanted())
    for image in images if len(images) <= REMOVED_AT_ONCE else ():
        removal = partial(renditions.remove_renditions, image.pk, but=image.edition)
        transaction.on_commit(removal, robust=True)


def turned(quarters: int) -> Callable[[Recipe], Recipe]:
    return lambda former: former.turned(quarters)


def back_to_original(_former: Recipe) -> Recipe:
    return ORIGINAL


def as_shown(recipe: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a stored recipe as the API shows it; None for the original."""
    if not recipe:
        return None
    found = read(recipe)
    return {"turns": found.turns, "crop": list(found.crop)}
