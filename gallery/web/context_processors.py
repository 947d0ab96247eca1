"""What the frame of every page needs, made only where a template asks for it."""

from __future__ import annotations

import json
from functools import cached_property

from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from gallery.web import toasts

# Modules that import one another do so by these names: their addresses carry a
# hash that only the server knows.
MODULES = {
    "clipsite/drops": "js/drops.js",
    "clipsite/grid": "js/grid.js",
    "clipsite/htmx": "js/htmx-hooks.js",
    "clipsite/keyboard": "js/keyboard.js",
    "clipsite/messages": "js/messages.js",
    "clipsite/query-picture": "js/query-picture.js",
    "clipsite/theme-toggle": "js/theme-toggle.js",
    "clipsite/toast": "js/toast.js",
    "clipsite/upload/files": "js/upload/files.js",
    "clipsite/upload/queue": "js/upload/queue.js",
    "clipsite/upload/rows": "js/upload/rows.js",
    "clipsite/upload/send": "js/upload/send.js",
    "clipsite/upload/watch": "js/upload/watch.js",
    "clipsite/walk": "js/walk.js",
}

# Errors are swapped in like answers: the server words them for their place.
_HTMX = {
    "allowEval": False,
    "includeIndicatorStyles": False,
    "historyCacheSize": 0,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        {"code": "[45]..", "swap": True, "error": True},
    ],
}


def site(request: HttpRequest) -> dict[str, Site]:
    # Not named "site": allauth's pages bring another one of that name.
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
        modules = {name: static(path) for name, path in MODULES.items()}
        # Names and addresses of our own: nothing in them could end the script.
        return mark_safe(json.dumps({"imports": modules}))  # noqa: S308

    @property
    def here(self) -> str:
        """The page to come back to after changing the language."""
        return self._request.get_full_path() if self._request.method == "GET" else "/"

    @cached_property
    def toasts(self) -> list[toasts.Toast]:
        return toasts.take(self._request)

    @property
    def messages(self) -> dict[str, str]:
        """What the scripts of every page say."""
        return {
            "close": _("Close"),
            "copied": _("Link copied."),
            "copyFailed": _("The link could not be copied. Copy it from the address bar."),
            "network": _("The server does not answer. Check your connection and try again."),
            "notAPicture": _("That is not a picture. Choose a picture file."),
            "darkOn": _("Dark theme"),
            "lightOn": _("Light theme"),
        }
