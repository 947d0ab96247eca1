"""Share links as their managers see them: target, settings and state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gallery.models import ShareLink
from gallery.sharing import links
from gallery.web.pictures.tiles import thumbnail

STATES: dict[str, Promise] = {
    "active": _("Works"),
    "used_up": _("Used up"),
    "expired": _("Expired"),
    "stopped": _("Stopped: what it showed is gone, or you may no longer share it"),
    "revoked": _("Revoked"),
}


@dataclass(frozen=True)
class LinkCard:
    """A link in a list. `url` is the absolute address. `title`, `cover` and `page` are empty if
    the link's creator may no longer share its target."""

    link: ShareLink
    url: str
    state: str
    says: Promise
    title: str
    cover: str
    page: str

    @property
    def ended(self) -> bool:
        return self.state != "active"


def cards_of(request: HttpRequest, found: Iterable[ShareLink]) -> list[LinkCard]:
    """Return the cards of links from gallery.sharing.links.links_of."""
    return [card_of(request, link) for link in found]


def card_of(request: HttpRequest, link: ShareLink) -> LinkCard:
    state = links.state_of(link)
    page = title = cover = ""
    if link.is_standing and link.album is not None:
        page, title = reverse("album_sharing", args=[link.album.pk]), link.album.title
    elif link.is_standing and link.image is not None:
        page, title = reverse("image", args=[link.image.pk]), link.image.display_title
        cover = thumbnail(link.image, 320)
    url = request.build_absolute_uri(reverse("shared", args=[link.token]))
    return LinkCard(link, url, state, STATES[state], title, cover, page)
