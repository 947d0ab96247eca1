"""The scripts of the pages, and their import map."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.staticfiles import finders

from gallery.web import script_bundles, scripts

STATIC = Path(project.BASE_DIR) / "static"
SCRIPTS = sorted((STATIC / "js").rglob("*.js"))
# `import "…"`, `… from "…"`, `import("…")` and `import.meta.resolve("…")`.
IMPORTED = re.compile(r"""(?:\bfrom|\bimport|\bimport\(|\bresolve\()\s*["']([^"']+)["']""")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Forget the map, which the process keeps and tests change."""
    scripts._known.cache_clear()
    yield
    scripts._known.cache_clear()


def imports() -> dict[str, str]:
    found: dict[str, str] = json.loads(scripts.import_map())["imports"]
    return found


def test_every_module_in_the_map_is_a_file() -> None:
    addresses = imports()
    assert addresses["clipsite/upload/tus"] == "/static/js/upload/tus.js"
    paths = [address.removeprefix("/static/") for address in addresses.values()]
    assert [path for path in paths if finders.find(path) is None] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(STATIC)))
def test_every_import_is_in_the_map(script: Path) -> None:
    """Imports use the name in the map: a relative address would miss the hash."""
    assert [name for name in IMPORTED.findall(script.read_text()) if name not in imports()] == []


def test_every_script_is_imported_or_named_by_a_page() -> None:
    base = Path(project.BASE_DIR)
    # The administration's pages are Unfold's, which asks this module for scripts.
    templates = [*(base / "templates").rglob("*.html"), base / "gallery/admin/dashboard.py"]
    pages = "".join(path.read_text() for path in templates)
    imported = {name for path in SCRIPTS for name in IMPORTED.findall(path.read_text())}
    unused = [
        path
        for name, address in imports().items()
        if name not in imported and (path := address.removeprefix("/static/")) not in pages
    ]
    assert unused == []


def test_pages_name_scripts_that_exist() -> None:
    templates = (Path(project.BASE_DIR) / "templates").rglob("*.html")
    named = {
        path for page in templates for path in re.findall(r"'(js/[^']+\.js)'", page.read_text())
    }
    assert named
    assert [path for path in sorted(named) if finders.find(path) is None] == []


def test_addresses_carry_the_hashes_of_the_collected_files(settings: Any, tmp_path: Path) -> None:
    name = "js/upload/tus.0123456789ab.js"
    paths = {str(path.relative_to(STATIC)): name for path in SCRIPTS}
    paths |= dict.fromkeys(script_bundles.bundles(), name)
    manifest = {"paths": paths, "version": "1.1", "hash": "x"}
    (tmp_path / "staticfiles.json").write_text(json.dumps(manifest))
    settings.STATIC_ROOT = str(tmp_path)
    storage = "clipsite.static_files.HashedStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    assert set(imports().values()) == {f"/static/{name}"}


def test_a_new_module_is_found_while_one_develops(settings: Any, tmp_path: Path) -> None:
    settings.DEBUG = True
    settings.BASE_DIR = tmp_path
    (tmp_path / "static" / "js" / "upload").mkdir(parents=True)
    assert imports() == {}
    (tmp_path / "static" / "js" / "upload" / "new.js").touch()
    assert imports() == {"clipsite/upload/new": "/static/js/upload/new.js"}
