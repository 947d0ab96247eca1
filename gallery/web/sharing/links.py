"""The pages of share links: the list, and changing one link."""

from __future__ import annotations

from uuid import UUID

import qrcode
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from qrcode.image.svg import SvgPathImage

from gallery import keyset
from gallery.errors import Refusal
from gallery.models import ShareLink, User
from gallery.sharing import links
from gallery.web import toasts
from gallery.web.access import is_fragment, next_address, signed_in
from gallery.web.sharing.dialog import add_refusal
from gallery.web.sharing.link_cards import card_of, cards_of
from gallery.web.sharing.link_forms import ChangeLinkForm

PAGE = 50


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def all_links(request: HttpRequest) -> HttpResponse:
    found, after = keyset.page(links.links_of(_user(request)), request.GET.get("after"), PAGE)
    more = f"{reverse('links')}?{urlencode({'after': after})}" if after else None
    context = {"cards": cards_of(request, found), "more": more, "with_target": True}
    template = "sharing/link_rows.html" if is_fragment(request) else "sharing/links.html"
    return render(request, template, context)


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def card(request: HttpRequest, link_id: UUID) -> HttpResponse:
    """One row of the list. "Cancel" in the form restores it."""
    return _card(request, _mine(request, link_id))


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@signed_in
def edit(request: HttpRequest, link_id: UUID) -> HttpResponse:
    link = _mine(request, link_id)
    form = ChangeLinkForm(link, request.POST or None)
    if form.is_valid() and _save(link, form):
        return _card(request, _mine(request, link_id))
    template = "sharing/link_form.html" if is_fragment(request) else "sharing/link_edit.html"
    context = {"form": form, "card": card_of(request, link)}
    return render(request, template, context, status=400 if form.errors else 200)


def _save(link: ShareLink, form: ChangeLinkForm) -> bool:
    try:
        links.change_link(link, form.values())
    except Refusal as refusal:
        add_refusal(form, refusal)
        return False
    return True


@require_POST
@signed_in
def revoke(request: HttpRequest, link_id: UUID) -> HttpResponse:
    links.revoke_link(_mine(request, link_id))
    if not is_fragment(request):
        toasts.say(request, _("The link is revoked: it opens nothing any more."))
        return redirect(next_address(request, "links"))
    return _card(request, _mine(request, link_id))


@require_safe
@signed_in
def qr(request: HttpRequest, link_id: UUID) -> HttpResponse:
    """The link's address as a QR code."""
    card = card_of(request, _mine(request, link_id))
    return render(request, "sharing/qr.html", {"card": card, "code": _code(card.url)})


def _code(text: str) -> SafeString:
    drawing = qrcode.make(text, image_factory=SvgPathImage, box_size=10, border=2)
    # Safe: the SVG is our own, and the address is only in its shapes, not in its markup.
    return mark_safe(drawing.to_string(encoding="unicode"))  # noqa: S308


def _card(request: HttpRequest, link: ShareLink) -> HttpResponse:
    if not is_fragment(request):
        return redirect("links")
    return render(request, "sharing/link_row.html", {"card": card_of(request, link)})


def _mine(request: HttpRequest, pk: UUID) -> ShareLink:
    return get_object_or_404(links.links_of(_user(request)), pk=pk)


def _user(request: HttpRequest) -> User:
    """Return the signed-in user. The decorator `signed_in` has checked this."""
    return request.user  # type: ignore[return-value]
