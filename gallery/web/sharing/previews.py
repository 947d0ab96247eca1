"""What messengers show of an address: title and picture (Open Graph). Only for what opens without
an account: everything in it is public to whoever has the address."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery import keyset
from gallery.models import Image, ShareLink
from gallery.sharing import link_access, link_contents

# One of renditions.WIDTHS: what messengers ask for is about 1200 pixels wide.
_WIDTH = 1280


@dataclass(frozen=True)
class Preview:
    """All addresses are absolute; `image` is empty if there is no picture."""

    title: str
    description: str
    url: str
    image: str
    alt: str


def of_image(request: HttpRequest, image: Image) -> Preview | None:
    """Return the preview of a picture's page; None unless everybody who has the address may see
    the picture."""
    open_to_all = image.visibility in {Image.Visibility.PUBLIC, Image.Visibility.UNLISTED}
    if not open_to_all or image.hidden_at is not None or image.deleted_at is not None:
        return None
    thumbnail = reverse("api:image-thumbnail", args=[image.pk])
    return Preview(
        title=image.display_title,
        description=image.description or _("by %(name)s") % {"name": image.owner.shown_name},
        url=request.build_absolute_uri(reverse("image", args=[image.pk])),
        image=request.build_absolute_uri(f"{thumbnail}?w={_WIDTH}"),
        alt=image.display_title,
    )


def of_link(request: HttpRequest, link: ShareLink, image: Image | None = None) -> Preview | None:
    """Return the preview of a link, or of one picture behind it. None for a link with a password
    or a limit of visits: it shows nothing before it is opened."""
    if link_access.asks_first(link):
        return None
    about = link_contents.about(link)
    shown = image or _cover(link)
    if image is not None:
        title, page = image.display_title, reverse("shared_image", args=[link.token, image.pk])
    else:
        title, page = about.title, reverse("shared", args=[link.token])
    return Preview(
        title=title,
        description=(image.description if image else about.description) or _count_and_owner(link),
        url=request.build_absolute_uri(page),
        image=_address(request, link, shown) if shown else "",
        alt=shown.display_title if shown else "",
    )


def _cover(link: ShareLink) -> Image | None:
    pictures = link_contents.pictures_of(link)
    chosen = link.album.cover_id if link.album is not None else None
    cover: Image | None = pictures.filter(pk=chosen).first() if chosen else None
    return cover or pictures.order_by(*keyset.IN_ALBUM.fields()).first()


def _address(request: HttpRequest, link: ShareLink, image: Image) -> str:
    thumbnail = reverse("api:shared-thumbnail", args=[link.token, image.pk])
    return request.build_absolute_uri(f"{thumbnail}?w={_WIDTH}")


def _count_and_owner(link: ShareLink) -> str:
    count = link_contents.pictures_of(link).count()
    pattern = ngettext(
        "%(count)d picture, shared by %(name)s", "%(count)d pictures, shared by %(name)s", count
    )
    return pattern % {"count": count, "name": link_contents.about(link).owner}
