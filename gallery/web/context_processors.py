"""Values for the base template of every page, computed only when a template uses them."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from gallery.accounts import registration
from gallery.web import toasts
from gallery.web.pictures import bulk

# Modules import one another by these names, because their addresses contain a hash that only
# the server knows.
MODULES = {
    "clipsite/albums/drag": "js/albums/drag.js",
    "clipsite/arrivals": "js/arrivals.js",
    "clipsite/ask": "js/ask.js",
    "clipsite/chunks": "js/chunks.js",
    "clipsite/composer/completion": "js/composer/completion.js",
    "clipsite/composer/crop": "js/composer/crop.js",
    "clipsite/composer/parts": "js/composer/parts.js",
    "clipsite/composer/refine": "js/composer/refine.js",
    "clipsite/composer/similar": "js/composer/similar.js",
    "clipsite/drops": "js/drops.js",
    "clipsite/explore/card": "js/explore/card.js",
    "clipsite/explore/dots": "js/explore/dots.js",
    "clipsite/explore/labels": "js/explore/labels.js",
    "clipsite/explore/lasso": "js/explore/lasso.js",
    "clipsite/explore/pointer": "js/explore/pointer.js",
    "clipsite/explore/points": "js/explore/points.js",
    "clipsite/explore/thumbs": "js/explore/thumbs.js",
    "clipsite/explore/view": "js/explore/view.js",
    "clipsite/focus": "js/focus.js",
    "clipsite/gestures": "js/gestures.js",
    "clipsite/grid": "js/grid.js",
    "clipsite/htmx": "js/htmx-hooks.js",
    "clipsite/keyboard": "js/keyboard.js",
    "clipsite/marks": "js/marks.js",
    "clipsite/messages": "js/messages.js",
    "clipsite/place": "js/place.js",
    "clipsite/query-picture": "js/query-picture.js",
    "clipsite/resume": "js/resume.js",
    "clipsite/rows": "js/rows.js",
    "clipsite/scrubber": "js/scrubber.js",
    "clipsite/select/acts": "js/select/acts.js",
    "clipsite/select/api": "js/select/api.js",
    "clipsite/select/dialogs": "js/select/dialogs.js",
    "clipsite/select/long-press": "js/select/long-press.js",
    "clipsite/select/notices": "js/select/notices.js",
    "clipsite/select/selection": "js/select/selection.js",
    "clipsite/select/state": "js/select/state.js",
    "clipsite/select/texts": "js/select/texts.js",
    "clipsite/slideshow": "js/slideshow.js",
    "clipsite/theme-toggle": "js/theme-toggle.js",
    "clipsite/tile-elements": "js/tile-elements.js",
    "clipsite/to-album": "js/to-album.js",
    "clipsite/toast": "js/toast.js",
    "clipsite/upload/batched": "js/upload/batched.js",
    "clipsite/upload/files": "js/upload/files.js",
    "clipsite/upload/format": "js/upload/format.js",
    "clipsite/upload/gallery": "js/upload/gallery.js",
    "clipsite/upload/hash-worker": "js/upload/hash-worker.js",
    "clipsite/upload/hasher": "js/upload/hasher.js",
    "clipsite/upload/http": "js/upload/http.js",
    "clipsite/upload/imports": "js/upload/imports.js",
    "clipsite/upload/item": "js/upload/item.js",
    "clipsite/upload/line": "js/upload/line.js",
    "clipsite/upload/memory": "js/upload/memory.js",
    "clipsite/upload/meter": "js/upload/meter.js",
    "clipsite/upload/notice": "js/upload/notice.js",
    "clipsite/upload/queue": "js/upload/queue.js",
    "clipsite/upload/rows": "js/upload/rows.js",
    "clipsite/upload/sha256": "js/upload/sha256.js",
    "clipsite/upload/summary": "js/upload/summary.js",
    "clipsite/upload/target": "js/upload/target.js",
    "clipsite/upload/tus": "js/upload/tus.js",
    "clipsite/upload/usage": "js/upload/usage.js",
    "clipsite/upload/virtual-list": "js/upload/virtual-list.js",
    "clipsite/upload/waiting": "js/upload/waiting.js",
    "clipsite/upload/watch": "js/upload/watch.js",
    "clipsite/viewer": "js/viewer.js",
    "clipsite/virtual": "js/virtual.js",
    "clipsite/virtual-grid": "js/virtual-grid.js",
    "clipsite/walk": "js/walk.js",
    "clipsite/zoom": "js/zoom.js",
}

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
        modules = {name: static(path) for name, path in MODULES.items()}
        # The names and addresses are our own: they cannot end the script element.
        return mark_safe(json.dumps({"imports": modules}))  # noqa: S308

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
