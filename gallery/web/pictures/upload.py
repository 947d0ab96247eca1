"""The upload page. The files themselves go through the API."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gallery.models import Album, Image
from gallery.retryable import RETRYABLE
from gallery.web.access import signed_in
from gallery.web.pictures.upload_texts import texts


@require_safe
@signed_in
def upload(request: HttpRequest) -> HttpResponse:
    asked_for = request.GET.get("album", "")
    return render(
        request,
        "gallery/upload.html",
        {
            "visibilities": [
                (Image.Visibility.PRIVATE.value, _("Private")),
                (Image.Visibility.UNLISTED.value, _("Anyone with the link")),
                (Image.Visibility.PUBLIC.value, _("Public")),
            ],
            "albums": [
                {"id": album.pk, "title": album.title, "selected": str(album.pk) == asked_for}
                for album in Album.objects.open_to(request.user)
                .listed()
                .filter(smart=None)
                .order_by("title", "id")
            ],
            "max_bytes": settings.MAX_UPLOAD_BYTES,
            "upload": {
                **_addresses(),
                "user": request.user.get_username(),
                "passing": sorted(RETRYABLE),
                "texts": texts(),
            },
        },
    )


def _addresses() -> dict[str, Any]:
    """Return the addresses that the script uses. An object of a list has its id appended."""
    api = reverse("api:images").removesuffix("images/")
    return {
        "me": reverse("api:me"),
        "images": f"{api}images/",
        "known": f"{api}images/known/",
        "uploads": f"{api}uploads/",
        "imports": f"{api}imports/",
        "albums": f"{api}albums/",
        "usage": f"{api}account/usage/",
        "pages": "/images/",
    }
