"""The data that templates need to show near-duplicates side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery.models import Album, AlbumItem, Image, ShareLink, User
from gallery.organising.duplicates import Group
from gallery.web.pictures.tiles import srcset, thumbnail


@dataclass(frozen=True)
class Fact:
    """A fact of a picture. `differs`: the group's values are not all equal. `best`: this value is
    the largest, and others are smaller."""

    name: str
    value: str
    differs: bool
    best: bool


@dataclass(frozen=True)
class Picture:
    """A picture of the group. Pressing the key `number` chooses it."""

    image: Image
    number: int
    name: str
    href: str
    src: str
    srcset: str
    file: str
    facts: list[Fact]


@dataclass(frozen=True)
class Card:
    """A group. The first picture is the suggestion to keep."""

    key: UUID
    pictures: list[Picture]
    is_certain: bool

    @property
    def ids(self) -> list[UUID]:
        return [picture.image.pk for picture in self.pictures]


def card_of(group: Group, user: User) -> Card:
    return cards_of([group], user)[0]


def cards_of(groups: Sequence[Group], user: User) -> list[Card]:
    """Return the cards of groups of the user's own pictures. These must be loaded with
    `selectors.with_display_fields`."""
    ids = [image.pk for group in groups for image in group.images]
    kinds = _facts(_albums_of(ids, user), _linked(ids))
    return [_card(group, user, kinds) for group in groups]


def _albums_of(ids: Sequence[UUID], user: User) -> dict[UUID, list[str]]:
    """Return, for each picture, the sorted titles of the albums in which the user sees it."""
    visible = Album.objects.visible_to(user).listed().order_by().values("pk")
    entries = AlbumItem.objects.filter(image_id__in=ids, album__in=visible)
    titles: dict[UUID, list[str]] = defaultdict(list)
    for image_id, title in entries.order_by("album__title").values_list("image_id", "album__title"):
        titles[image_id].append(title)
    return titles


def _linked(ids: Sequence[UUID]) -> set[UUID]:
    """Return the pictures that have a share link. The link stops working with the picture."""
    return set(ShareLink.objects.showing().filter(image__in=ids).values_list("image_id", flat=True))


def _card(group: Group, user: User, kinds: Sequence[_Kind]) -> Card:
    facts = _compared(group.images, kinds)
    pictures = [
        _picture(image, number, facts[image.pk], user)
        for number, image in enumerate(group.images, start=1)
    ]
    return Card(group.key, pictures, group.is_certain)


def _picture(image: Image, number: int, facts: list[Fact], user: User) -> Picture:
    return Picture(
        image=image,
        number=number,
        name=image.name_for(user),
        href=reverse("image", args=[image.pk]),
        src=thumbnail(image, 640),
        srcset=srcset(image),
        file=reverse("api:image-file", args=[image.pk]),
        facts=facts,
    )


@dataclass(frozen=True)
class _Kind:
    """A kind of fact to compare. `value` is compared and `text` is shown. With `ranked`, the
    largest value is the best. Without `always`, it is shown only if the values differ."""

    name: str
    value: Callable[[Image], Any]
    text: Callable[[Image], str]
    ranked: bool = False
    always: bool = False


def _facts(albums: dict[UUID, list[str]], linked: set[UUID]) -> list[_Kind]:
    def moment(field: str) -> Callable[[Image], str]:
        return lambda image: _moment(getattr(image, field))

    def plain(field: str) -> Callable[[Image], str]:
        return lambda image: str(getattr(image, field))

    return [
        _Kind(_("Size"), lambda i: i.width * i.height, _size, ranked=True, always=True),
        _Kind(_("File"), lambda i: i.byte_size, lambda i: filesizeformat(i.byte_size), True, True),
        _Kind(_("Format"), lambda i: i.content_type, _format, always=True),
        _Kind(_("Animation"), lambda i: i.is_animated and i.frames, _frames),
        _Kind(_("Taken"), lambda i: i.captured_clock, moment("captured_clock")),
        _Kind(_("Camera"), lambda i: i.camera, plain("camera")),
        _Kind(_("Place"), lambda i: i.latitude is not None, lambda i: _yes(i.latitude is not None)),
        _Kind(_("Title"), lambda i: i.title, plain("title")),
        _Kind(_("Description"), lambda i: i.description, plain("description")),
        _Kind(_("Albums"), lambda i: albums.get(i.pk, []), lambda i: ", ".join(albums[i.pk])),
        _Kind(_("Tags"), lambda i: i.tag_names, lambda i: ", ".join(i.tag_names)),
        _Kind(_("Favourite"), lambda i: i.is_favourite, lambda i: _yes(i.is_favourite)),
        _Kind(_("Visibility"), lambda i: i.visibility, lambda i: str(i.get_visibility_display())),
        _Kind(_("Shared by a link"), lambda i: i.pk in linked, lambda i: _yes(i.pk in linked)),
        _Kind(_("Archived"), lambda i: i.archived_at is not None, lambda i: _yes(i.archived_at)),
        _Kind(_("File name"), lambda i: i.original_name, plain("original_name")),
        _Kind(_("Uploaded"), lambda i: i.created_at.date(), moment("created_at")),
    ]


def _compared(images: Sequence[Image], kinds: Sequence[_Kind]) -> dict[UUID, list[Fact]]:
    """Return the facts to show for each picture: those that differ, and those always shown."""
    facts: dict[UUID, list[Fact]] = {image.pk: [] for image in images}
    for kind in kinds:
        values = [kind.value(image) for image in images]
        differs = any(value != values[0] for value in values)
        if not differs and not kind.always:
            continue
        for image, value in zip(images, values, strict=True):
            best = kind.ranked and differs and value == max(values)
            facts[image.pk].append(Fact(kind.name, kind.text(image) or "–", differs, best))
    return facts


def _size(image: Image) -> str:
    size = f"{image.width} × {image.height}"
    megapixels = image.width * image.height / 1e6
    if megapixels < 1:
        return size
    return _("%(size)s, %(number)s MP") % {"size": size, "number": number_format(megapixels, 1)}


def _format(image: Image) -> str:
    return image.content_type.removeprefix("image/").upper()


def _frames(image: Image) -> str:
    if not image.is_animated:
        return ""
    text = ngettext("%(count)s frame", "%(count)s frames", image.frames or 0)
    return text % {"count": image.frames}


def _moment(moment: Any) -> str:
    """Format a date and time. Aware ones are converted to the site's time zone; naive ones are
    local times of capture and stay as they are."""
    if moment and is_aware(moment):
        moment = localtime(moment)
    return date_format(moment, "DATETIME_FORMAT") if moment else ""


def _yes(value: object) -> str:
    return _("Yes") if value else ""
