"""Share links as their managers see them: target, settings and state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gallery.models import ShareLink
from gallery.organising import album_summaries
from gallery.sharing import links
from gallery.web.access import member
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
    shown = list(found)
    shared = {link.album for link in shown if link.album is not None}
    names = album_summaries.names_of(shared, member(request))
    return [_card(request, link, names) for link in shown]


def card_of(request: HttpRequest, link: ShareLink) -> LinkCard:
    (card,) = cards_of(request, [link])
    return card


def _card(request: HttpRequest, link: ShareLink, names: dict[UUID, str]) -> LinkCard:
    state = links.state_of(link)
    page = title = cover = ""
    if link.is_standing and link.album is not None:
        page, title = reverse("album_sharing", args=[link.album.pk]), names[link.album.pk]
    elif link.is_standing and link.image is not None:
        page, title = reverse("image", args=[link.image.pk]), link.image.name_for(member(request))
        cover = thumbnail(link.image, 320)
    url = request.build_absolute_uri(reverse("shared", args=[link.token]))
    return LinkCard(link, url, state, STATES[state], title, cover, page)
