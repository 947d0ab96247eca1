"""The import map of the pages: each module by its place in `static/js/`.

Modules import one another by these names, since their addresses carry a hash that only the
server knows: `clipsite/upload/tus` is `static/js/upload/tus.js`.
"""

from __future__ import annotations

import json
from functools import cache

from django.conf import settings
from django.templatetags.static import static


def import_map() -> str:
    """As the browser reads it, with the addresses of today."""
    # Whoever develops adds a module while the server runs.
    paths = _found() if settings.DEBUG else _known()
    return json.dumps({"imports": {name: static(path) for name, path in paths.items()}})


@cache
def _known() -> dict[str, str]:
    return _found()


def _found() -> dict[str, str]:
    """Paths below `static/` by the names of the modules."""
    root = settings.BASE_DIR / "static"
    paths = sorted(path.relative_to(root) for path in (root / "js").rglob("*.js"))
    return {
        f"clipsite/{path.relative_to('js').with_suffix('').as_posix()}": path.as_posix()
        for path in paths
    }
