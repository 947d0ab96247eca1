"""The style sheets of all pages, and the one file that replaces them where static files are
collected (clipsite.static_files)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static

# Paths below `static/`, in the order of the cascade.
SHEETS = tuple(
    f"css/{name}.css"
    for name in (
        *("base", "controls", "forms", "overlays", "layout", "rail", "search", "grid", "composer"),
        *("picture", "editor", "timeline", "explore", "classify", "label-charts", "upload"),
        *("account", "share", "select", "bulk", "filters", "albums", "searches", "labels"),
    )
)
# Of pages that few people open: these name them in their heads.
OWN = ("css/duplicates.css", "css/label-answers.css", "css/components.css")
BUNDLE = "css/all.css"


def joined(sheets: Iterable[str]) -> str:
    """Return the text of all `sheets`, without comments and blank lines."""
    text = re.sub(r"/\*.*?\*/", "", "\n".join(sheets), flags=re.DOTALL)
    return re.sub(r"\n\s*\n", "\n", text)


def addresses() -> list[str]:
    """Return the addresses of the style sheets: of one file, or during development of all."""
    is_bundled = getattr(staticfiles_storage, "bundles", False)
    return [static(path) for path in ((BUNDLE,) if is_bundled else SHEETS)]
