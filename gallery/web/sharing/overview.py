"""What is shared, with the viewer and by the viewer, and the notices of it."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import keyset
from gallery.models import Album, AlbumShare, ShareLink
from gallery.models.album import AlbumQuerySet
from gallery.organising import album_summaries
from gallery.sharing import notices, selections
from gallery.web import toasts
from gallery.web.access import is_fragment, member, signed_in
from gallery.web.albums.album_cards import cards_of

PAGE = 48


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def shared_with_me(request: HttpRequest) -> HttpResponse:
    """What others share with the user. For somebody who only shares, Sharing begins with that
    (the tab itself names `tab`)."""
    found = Album.objects.visible_to(request.user).exclude(owner=member(request))
    if not request.GET and not found.exists() and _shared_by(request).exists():
        return redirect("shared_by_me")
    return _cards(request, found, "shared_with_me")


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def shared_by_me(request: HttpRequest) -> HttpResponse:
    """The user's albums that others see, and all selections that the user has shared."""
    return _cards(request, _shared_by(request), "shared_by_me")


def _shared_by(request: HttpRequest) -> AlbumQuerySet:
    people = Exists(AlbumShare.objects.filter(album=OuterRef("pk")))
    by_link = Exists(ShareLink.objects.live().filter(album=OuterRef("pk")))
    own = Album.objects.owned_by(request.user)
    return own.filter(people | by_link | Q(for_sharing=True))


def _cards(request: HttpRequest, found: AlbumQuerySet, here: str) -> HttpResponse:
    summed = album_summaries.with_summary_fields(found, request.user)
    rows, after = keyset.page(summed, request.GET.get("after"), PAGE)
    context = {
        "cards": cards_of(rows, request.user),
        "more": f"{reverse(here)}?{urlencode({'after': after})}" if after else None,
        "here": here,
    }
    template = "gallery/album_cards.html" if is_fragment(request) else "sharing/overview.html"
    return render(request, template, context)


@require_POST
@signed_in
def keep_as_album(request: HttpRequest, pk: UUID) -> HttpResponse:
    album = get_object_or_404(Album.objects.owned_by(request.user), pk=pk)
    selections.keep_as_album(album)
    toasts.say(request, _("“%(album)s” is among your albums now.") % {"album": album.title})
    return redirect("album", pk=pk)


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def all_notices(request: HttpRequest) -> HttpResponse:
    """The notices, newest first. Looking at the page marks them as seen."""
    found = notices.notices_of(member(request))
    rows, after = keyset.page(found, request.GET.get("after"), PAGE)
    summed = album_summaries.with_summary_fields(
        Album.objects.filter(pk__in=[notice.album_id for notice in rows]), request.user
    )
    cards = {card.album.pk: card for card in cards_of(list(summed), request.user)}
    context = {
        "rows": [(notice, cards[notice.album_id]) for notice in rows],
        "more": f"{reverse('notices')}?{urlencode({'after': after})}" if after else None,
    }
    template = "sharing/notice_rows.html" if is_fragment(request) else "sharing/notices.html"
    response = render(request, template, context)
    if request.method == "GET":
        notices.mark_seen(member(request))
    return response
