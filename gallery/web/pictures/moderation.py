"""The pages of moderators: hidden pictures, hide, unhide."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import keyset
from gallery.accounts import moderation, roles
from gallery.models import Image
from gallery.web import toasts
from gallery.web.access import is_fragment, member, next_address
from gallery.web.pictures.tiles import thumbnail
from gallery.web.restricted import only_for

PAGE = 40


@require_safe
@vary_on_headers("HX-Request")
@only_for(roles.is_moderator)
def hidden(request: HttpRequest) -> HttpResponse:
    images = moderation.hidden_images().select_related("owner", "hidden_by")
    found, after = keyset.page(images, request.GET.get("after"), PAGE, moment="hidden_at")
    more = f"{reverse('moderation')}?{urlencode({'after': after})}" if after else None
    rows = [
        {"image": image, "name": image.name_for(request.user), "src": thumbnail(image, 320)}
        for image in found
    ]
    template = "moderation/rows.html" if is_fragment(request) else "moderation/hidden.html"
    return render(request, template, {"rows": rows, "more": more})


@require_POST
@only_for(roles.is_moderator)
def hide(request: HttpRequest, pk: UUID) -> HttpResponse:
    moderation.hide(_image(request, pk), member(request), request.POST.get("reason", ""))
    toasts.say(request, _("The picture is hidden."))
    return redirect("image", pk=pk)


@require_POST
@only_for(roles.is_moderator)
def unhide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Unhide a picture. If it is private, the moderator no longer sees it afterwards."""
    image = _image(request, pk)
    moderation.unhide(image, member(request))
    toasts.say(request, _("The picture is no longer hidden."))
    visible = Image.objects.reachable_by(request.user).filter(pk=pk).exists()
    return redirect(next_address(request, "moderation") if visible else "moderation")


def _image(request: HttpRequest, pk: UUID) -> Image:
    return get_object_or_404(moderation.judgeable_by(member(request)), pk=pk)
