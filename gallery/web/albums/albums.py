"""The pages of albums: the list, one album, and the actions on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import keyset
from gallery.errors import Refusal
from gallery.indexing import selectors
from gallery.models import Album, AlbumItem, Image
from gallery.models.words import containing
from gallery.organising import album_summaries, albums
from gallery.sharing import notices
from gallery.web import toasts
from gallery.web.access import is_fragment, member, signed_in
from gallery.web.albums.album_cards import card_without_covers, cards_of
from gallery.web.albums.smart_albums import filling_of
from gallery.web.lists import listing
from gallery.web.lists.listing import PictureList

if TYPE_CHECKING:
    from gallery.models.album import AlbumQuerySet

PAGE = 48
# The most albums in the list of the dialog. The user types to find others.
PICKS = 30


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def overview(request: HttpRequest) -> HttpResponse:
    visible = Album.objects.visible_to(request.user).listed()
    if words := request.GET.get("q", "").strip():
        visible = visible.filter(containing("title", words) | containing("owner__username", words))
    found = album_summaries.with_summary_fields(visible, request.user)
    rows, after = keyset.page(found, request.GET.get("after"), PAGE)
    more = f"{reverse('albums')}?after={after}" if after else None
    context = {"cards": cards_of(rows, request.user), "more": more, "words": words}
    template = "gallery/album_cards.html" if is_fragment(request) else "gallery/albums.html"
    return render(request, template, context)


@require_safe
@signed_in
def pick(request: HttpRequest) -> HttpResponse:
    """The albums that the user may add pictures to, for the dialog to choose one."""
    words = request.GET.get("q", "").strip()
    choices = Album.objects.open_to(request.user).listed()
    found = choices.filter(containing("title", words), smart=None)
    newest = album_summaries.with_summary_fields(found.order_by("-updated_at"), request.user)
    shown = list(newest[:PICKS])
    context = {
        "cards": cards_of(shown, request.user),
        "new": "" if any(album.title == words for album in shown) else words,
    }
    return render(request, "gallery/album_picks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def create(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "gallery/album_new.html")
    title, description = (request.POST.get(name, "") for name in ("title", "description"))
    try:
        album = albums.create(member(request), title, description)
    except Refusal as refusal:
        context = {"problem": refusal.message, "title": title, "description": description}
        return render(request, "gallery/album_new.html", context, status=refusal.status)
    return redirect("album", pk=album.pk)


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def album(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = _load(request, Album.objects.visible_to(request.user), pk)
    if found.owner_id != member(request).pk:
        notices.mark_seen(member(request), found)
    fixed = {"album": str(found.pk), "order": "album"}
    shown = PictureList("album", selectors.visible_to(request.user), fixed)
    context = {**_context(request, found), "filling": filling_of(request, found)}
    return listing.show(request, "gallery/album.html", shown, context)


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def add(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page to add own pictures that are not in the album yet."""
    found = _load(request, Album.objects.open_to(request.user), pk)
    albums.refuse_if_smart(found)
    inside = AlbumItem.objects.filter(album=found).values("image_id")
    outside = Image.objects.owned_by(request.user).exclude(pk__in=inside)
    shown = PictureList("picker", outside, {"owner": "me"})
    return listing.show(request, "gallery/album_add.html", shown, {"album": found})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The form of title and description. For htmx it replaces them on the page."""
    found = _load(request, Album.objects.managed_by(request.user), pk)
    entered = {
        name: request.POST.get(name, getattr(found, name)) for name in ("title", "description")
    }
    problem = None
    if request.method == "POST":
        try:
            albums.update(found, **entered)
        except Refusal as refusal:
            problem = refusal
        else:
            if not is_fragment(request):
                return redirect("album", pk=pk)
            return render(request, "gallery/album_head.html", _context(request, found))
    template = "gallery/album_form.html" if is_fragment(request) else "gallery/album_edit.html"
    context = {"album": found, "problem": problem, **entered}
    if found.for_sharing:
        context["unnamed"] = album_summaries.name_without_title(found, request.user)
    return render(request, template, context)


@require_safe
@signed_in
def head(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Title and description, after the user cancelled editing."""
    found = _load(request, Album.objects.visible_to(request.user), pk)
    return render(request, "gallery/album_head.html", _context(request, found))


@require_POST
@signed_in
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(Album.objects.owned_by(request.user), pk=pk)
    albums.trash(found)
    undo = reverse("album_restore", args=[pk])
    if found.for_sharing:
        toasts.offer_undo(request, _("No longer shared. The pictures stay."), undo)
        return redirect("shared_by_me")
    toasts.offer_undo(request, _("Album deleted. Its pictures stay."), undo)
    return redirect("albums")


@require_POST
@signed_in
def restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(Album.objects.in_trash_of(request.user), pk=pk)
    albums.restore(found)
    toasts.say(request, _("Shared again.") if found.for_sharing else _("Album restored."))
    return redirect("album", pk=pk)


def _load(request: HttpRequest, found: AlbumQuerySet, pk: UUID) -> Album:
    return get_object_or_404(album_summaries.with_summary_fields(found, request.user), pk=pk)


def _context(request: HttpRequest, found: Album) -> dict[str, Any]:
    card = card_without_covers(found, request.user)
    return {
        "album": found,
        "card": card,
        "rail_place": "sharing" if found.for_sharing else "albums",
        "owns": card.role == albums.OWNER,
        "adds": card.role in {albums.OWNER, "add", "manage"},
        "manages": card.role in {albums.OWNER, "manage"},
    }
