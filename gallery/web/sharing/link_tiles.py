"""Pictures on the pages of a share link. All their addresses contain the link's token."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from gallery.models import Image, ShareLink
from gallery.web.pictures.tiles import srcset, thumbnail, tiles_of


@dataclass(frozen=True)
class LinkPicture:
    """A picture of a link. `ratio` and `sizes` are those of its tile in a grid."""

    name: str
    href: str
    src: str
    small: str
    srcset: str
    file: str
    ratio: float
    sizes: str
    placeholder: str

    @property
    def download(self) -> str:
        return f"{self.file}?download=1"


def tiles_for(link: ShareLink, images: Iterable[Image]) -> list[LinkPicture]:
    return [picture_for(link, image) for image in images]


def picture_for(link: ShareLink, image: Image) -> LinkPicture:
    (tile,) = tiles_of([image], AnonymousUser())
    return LinkPicture(
        name=tile.name,
        href=reverse("shared_image", args=[link.token, image.pk]),
        src=thumbnail(image, 640, link.token),
        small=thumbnail(image, 160, link.token),
        srcset=srcset(image, link.token),
        file=reverse("api:shared-file", args=[link.token, image.pk]),
        ratio=tile.ratio,
        sizes=tile.sizes,
        placeholder=tile.placeholder,
    )
