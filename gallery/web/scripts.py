"""The import map of the pages: each module by its place in `static/js/`.

Modules import one another by these names, because their addresses contain a hash that only
the server knows: `clipsite/upload/tus` is `static/js/upload/tus.js`, or the bundle that it is in.
"""

from __future__ import annotations

import json
from functools import lru_cache

from django.conf import settings
from django.templatetags.static import static
from django.urls import get_script_prefix


def import_map() -> str:
    """Return the import map as JSON."""
    # During development modules come and go while the server runs.
    return _import_map() if settings.DEBUG else _known(get_script_prefix())


@lru_cache
def _known(_prefix: str) -> str:
    """Return the import map, once for each script prefix: the addresses depend on it."""
    return _import_map()


def _import_map() -> str:
    return json.dumps({"imports": {name: static(path) for name, path in _found().items()}})


def _found() -> dict[str, str]:
    """Return paths below `static/` by module name."""
    root = settings.BASE_DIR / "static"
    paths = sorted(path.relative_to(root) for path in (root / "js").rglob("*.js"))
    return {
        f"clipsite/{path.relative_to('js').with_suffix('').as_posix()}": path.as_posix()
        for path in paths
    }
