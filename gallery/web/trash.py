"""Delete, undo, and what lies in between."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.library import keyset, service
from gallery.library.delivery import thumbnail_response
from gallery.models import Image
from gallery.web import toasts
from gallery.web.access import is_fragment, next_address, signed_in

PAGE = 60


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def trash(request: HttpRequest) -> HttpResponse:
    deleted = Image.objects.in_trash_of(request.user)
    images, after = keyset.page(deleted, request.GET.get("after"), PAGE, moment="deleted_at")
    more = f"{reverse('trash')}?{urlencode({'after': after})}" if after else None
    context = {"images": images, "more": more, "trash_days": settings.TRASH_DAYS}
    template = "gallery/trash_cards.html" if is_fragment(request) else "gallery/trash.html"
    return render(request, template, context)


@require_safe
@signed_in
def thumbnail(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The API serves none of a deleted picture; its owner should know it by sight."""
    return thumbnail_response(_deleted(request, pk), 320, request=request)


@require_POST
@signed_in
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    image = get_object_or_404(Image.objects.owned_by(request.user), pk=pk)
    service.delete_image(image)
    toasts.offer_undo(request, _("Picture deleted."), image)
    page = resolve_url("image", pk=pk)
    address = next_address(request, "home")
    return redirect("home" if address.startswith(page) else address)


@require_POST
@signed_in
def restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    service.restore_image(_deleted(request, pk))
    toasts.say(request, _("Picture restored."))
    return redirect(next_address(request, resolve_url("image", pk=pk)))


@require_POST
@signed_in
def purge(request: HttpRequest, pk: UUID) -> HttpResponse:
    service.purge_image(_deleted(request, pk))
    toasts.say(request, _("Picture deleted for good."))
    return redirect("trash")


def _deleted(request: HttpRequest, pk: UUID) -> Image:
    return get_object_or_404(Image.objects.in_trash_of(request.user), pk=pk)
