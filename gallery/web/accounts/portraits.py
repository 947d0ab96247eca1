"""The picture of an account: setting it, and sending it."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery.accounts import portraits
from gallery.errors import Refusal
from gallery.library import thumbnails
from gallery.web import toasts
from gallery.web.access import member, posted_picture, signed_in


@require_safe
def portrait(request: HttpRequest, key: str, pk: UUID) -> HttpResponse:
    """Send the picture to whoever has an address that has not expired."""
    content = portraits.content(key, pk)
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type="image/webp")
    response["Cache-Control"] = f"private, max-age={thumbnails.PERIOD}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@signed_in
def upload(request: HttpRequest) -> HttpResponse:
    try:
        file = posted_picture(request)
        portraits.upload(member(request), file, file.name or "")
    except Refusal as refusal:
        toasts.say(request, str(refusal.message))
    else:
        toasts.say(request, _("This is your picture now."))
    return redirect("account_home")


@require_POST
@signed_in
def remove(request: HttpRequest) -> HttpResponse:
    portraits.remove(member(request))
    toasts.say(request, _("Your picture is removed."))
    return redirect("account_home")
