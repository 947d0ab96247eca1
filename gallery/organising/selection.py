"""Selections of pictures: by id, all that match filters, or the first results of a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from django.db.models import BigIntegerField, Count, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.models import Image, Viewer
from gallery.search import pages
from gallery.search.filters import image_filter

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

MAX_IDS = 1000
MAX_EXCEPTIONS = 10_000
MAX_HITS = 1000

_SHAPES = {
    "ids": {"ids"},
    "all": {"all", "filters", "except"},
    "search": {"search", "except"},
}
_FILTERS = {*image_filter.ImageFilter.base_filters, "trash"}


def resolve(
    spec: Mapping[str, Any], viewer: Viewer, *, trash: bool | None = False
) -> ImageQuerySet:
    """Return the pictures of `spec` that `viewer` may see, without order or annotations. With
    `trash`, they come from the viewer's own trash; with None, from there only if the filters say
    so.

    `spec` is one of
        {"ids": [uuid, …]}
        {"all": true, "filters": {as in `filters`, and "trash": true}, "except": [uuid, …]}
        {"search": {"cursor": "…", "count": n}, "except": [uuid, …]}

    Raises Refusal for any other shape, and Expired for a search whose results are no longer kept.
    """
    kind = _kind_of(spec)
    if kind == "ids":
        return _base(viewer, trash).filter(pk__in=_ids(spec["ids"], MAX_IDS))
    exceptions = _ids(spec.get("except", []), MAX_EXCEPTIONS)
    if kind == "search":
        found = _found(spec["search"], viewer)
        chosen = _base(viewer, trash).filter(pk__in=found)
    else:
        chosen = _all(spec, viewer, trash)
    return chosen.exclude(pk__in=exceptions) if exceptions else chosen


def measure(images: ImageQuerySet, viewer: Viewer) -> dict[str, int]:
    """Return `count`, `owned` (how many are the viewer's own), and `bytes` of the originals."""
    owned = Count("pk", filter=Q(owner_id=viewer.pk or 0))
    sizes = Coalesce(Sum("byte_size"), 0, output_field=BigIntegerField())
    return images.aggregate(count=Count("pk"), owned=owned, bytes=sizes)


def _base(viewer: Viewer, trash: bool | None) -> ImageQuerySet:
    if trash:
        return Image.objects.in_trash_of(viewer).order_by()
    return Image.objects.visible_to(viewer).order_by()


def _kind_of(spec: Any) -> str:
    if not isinstance(spec, Mapping):
        _refuse()
    kinds = [kind for kind in _SHAPES if kind in spec]
    if len(kinds) != 1 or not set(spec) <= _SHAPES[kinds[0]]:
        _refuse()
    return kinds[0]


def _all(spec: Mapping[str, Any], viewer: Viewer, trash: bool | None) -> ImageQuerySet:
    wanted = spec.get("filters", {})
    if spec["all"] is not True or not isinstance(wanted, Mapping):
        _refuse()
    # A misspelt filter is refused. If it were ignored, all pictures would be selected.
    unknown = sorted(str(name) for name in set(wanted) - _FILTERS)
    if unknown:
        raise Refusal(
            "unknown_filter",
            _("There is no filter “%(name)s”.") % {"name": unknown[0][:50]},
            "selection",
        )
    in_trash = wanted.get("trash", False)
    if not isinstance(in_trash, bool):
        raise Refusal("invalid", _("Say true or false."), "trash")
    if trash is False and in_trash:
        raise Refusal(
            "in_trash",
            _("Pictures in the trash can only be restored or deleted for good."),
            "selection",
        )
    if trash and not in_trash:
        raise Refusal(
            "not_in_trash",
            _("This is done to pictures in the trash: choose them there."),
            "selection",
        )
    params = {name: value for name, value in wanted.items() if name not in {"trash", "order"}}
    return image_filter.narrow(_base(viewer, in_trash), params, viewer).order_by()


def _found(search_spec: Any, viewer: Viewer) -> list[UUID]:
    match search_spec:
        case {"cursor": str(cursor), "count": int(count)} if len(search_spec) == 2:
            if not isinstance(count, bool) and 1 <= count <= MAX_HITS:
                return pages.found_ids(cursor, viewer, count)
            raise Refusal(
                "bad_count",
                _("Choose from 1 to %(most)d results of a search.") % {"most": MAX_HITS},
                "selection",
            )
    _refuse()


def _ids(values: Any, most: int) -> list[UUID]:
    if not isinstance(values, list):
        _refuse()
    if len(values) > most:
        raise Refusal("too_many_ids", _("Give at most %(most)d ids.") % {"most": most}, "selection")
    try:
        return [UUID(value) if isinstance(value, str) else _refuse() for value in values]
    except ValueError as error:
        raise Refusal(
            "bad_id", _("Give the ids of pictures as the upload answered them."), "selection"
        ) from error


def _refuse() -> NoReturn:
    raise Refusal(
        "bad_selection",
        _("Choose pictures by “ids”, by “all” with “filters”, or by “search”."),
        "selection",
    )
