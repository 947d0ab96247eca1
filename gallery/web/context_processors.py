"""Values for the base template of every page, computed only when a template uses them."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from gallery.accounts import registration
from gallery.library import quota
from gallery.models import User
from gallery.sharing import notices
from gallery.web import places, scripts, toasts
from gallery.web.access import member
from gallery.web.pictures import bulk

# Error responses are swapped in, too: the server writes them for their place in the page.
# Swapped content settles without delay. Otherwise its field would take the focus a moment later,
# while the user types elsewhere already.
_HTMX = {
    "allowEval": False,
    "includeIndicatorStyles": False,
    "historyCacheSize": 0,
    "defaultSettleDelay": 0,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        {"code": "[45]..", "swap": True, "error": True},
    ],
}


def site(request: HttpRequest) -> dict[str, Site]:
    # Not named "site", because allauth's pages have another variable of this name.
    return {"clipsite": Site(request)}


class Site:
    accept = (
        "image/jpeg,image/png,image/webp,image/avif,image/heic,image/heif,image/gif,"
        "image/tiff,image/bmp,.avif,.heic,.heif,.tif,.tiff"
    )
    htmx_config = json.dumps(_HTMX)

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def import_map(self) -> SafeString:
        # The names and addresses are our own: they cannot end the script element.
        return mark_safe(scripts.import_map())  # noqa: S308

    @property
    def bulk(self) -> dict[str, Any]:
        return bulk.config()

    @property
    def registration_is_open(self) -> bool:
        return registration.is_open()

    @property
    def registration_is_by_invitation(self) -> bool:
        return registration.by_invitation()

    @property
    def here(self) -> str:
        """The page to return to after a change of language."""
        return self._request.get_full_path() if self._request.method == "GET" else "/"

    @property
    def place(self) -> str:
        return places.place_of(self._request.path_info)

    @property
    def current(self) -> str:
        """The value of `aria-current` of the place."""
        return "page" if places.is_place_itself(self._request.path_info) else "true"

    @property
    def storage(self) -> quota.Usage:
        return quota.recent_usage(member(self._request))

    @cached_property
    def new_notices(self) -> int:
        """How many notices the signed-in account has not seen."""
        user = self._request.user
        return notices.unseen_count(user) if isinstance(user, User) else 0

    @cached_property
    def toasts(self) -> list[toasts.Toast]:
        return toasts.take(self._request)

    @property
    def messages(self) -> dict[str, str]:
        """The texts of the scripts that run on every page."""
        return {
            "close": _("Close"),
            "copied": _("Link copied."),
            "copyFailed": _("The link could not be copied. Copy it from the address bar."),
            "undo": _("Undo"),
            "network": _("The server does not answer. Check your connection and try again."),
            "notAPicture": _("That is not a picture. Choose a picture file."),
            "darkOn": _("Dark theme"),
            "lightOn": _("Light theme"),
        }
