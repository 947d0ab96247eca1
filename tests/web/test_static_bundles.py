"""Style sheets and scripts that are joined where static files are collected."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import call_command
from django.templatetags.static import static

from gallery.templatetags.styles import style_sheets
from gallery.web import script_bundles, scripts, styles
from gallery.web.script_bundles import grouped, joined

STATIC = Path(project.BASE_DIR) / "static"
# The page of the API and the administration have their own styles and not those of the site.
APART = {"css/api-docs.css", "css/admin.css"}


def node(script: str, folder: Path) -> str:
    """Return what a module prints."""
    program = shutil.which("node", path=f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}")
    assert program, "Node is installed with requirements-dev.txt"
    (folder / "run.mjs").write_text(script)
    done = subprocess.run([program, "run.mjs"], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- Which modules belong together --------------------------------------------------


def test_modules_that_the_same_pages_need_are_joined() -> None:
    sources = {
        "a/page": 'import { x } from "clipsite/a/x";\nimport { s } from "clipsite/a/shared";\n',
        "a/x": 'import { y } from "clipsite/a/y";\n',
        "a/y": "export const y = 1;\n",
        "b/page": 'import { s } from "clipsite/a/shared";\nimport "clipsite/b/alone";\n',
        "b/alone": "document.title = 1;\n",
        "a/shared": "export const s = 1;\n",
        "a/worker": "self.onmessage = null;\n",
    }
    assert grouped(sources, {"a/page", "b/page"}) == {
        "js/bundles/a-page.js": ("a/y", "a/x", "a/page"),
        "js/bundles/b-alone.js": ("b/alone", "b/page"),
    }


def test_a_page_script_that_waits_stays_a_file() -> None:
    sources = {
        "a/page": 'import { x } from "clipsite/a/x";\nimport "clipsite/a/y";\nawait x();\n',
        "a/x": "export const x = async () => 1;\n",
        "a/y": "document.title = 1;\n",
    }
    assert grouped(sources, {"a/page"}) == {"js/bundles/a-x.js": ("a/x", "a/y")}


def test_what_every_page_needs_is_one_bundle_whatever_else_needs_it() -> None:
    sources = {
        "base/app": 'import { x } from "clipsite/base/x";\n',
        "composer/bar": 'import { y } from "clipsite/base/y";\n',
        "other/page": 'import { x } from "clipsite/base/x";\n',
        "base/x": "export const x = 1;\n",
        "base/y": "export const y = 1;\n",
    }
    assert grouped(sources, {"base/app", "composer/bar", "other/page"}) == {
        "js/bundles/base-app.js": ("base/x", "base/app", "base/y", "composer/bar")
    }


# --- One file of them -----------------------------------------------------------------


def test_a_bundle_does_what_its_modules_do(tmp_path: Path) -> None:
    outside = "export const outside = 3;\nexport function twice(n) { return 2 * n; }\n"
    (tmp_path / "outside.mjs").write_text(outside)
    bundle = joined(
        {
            "a/first": "const own = 1;\nexport function* numbers() { yield own; yield 2; }\n"
            "export class Sum { constructor() { this.of = [...numbers()]; } }\n",
            "a/second": 'import {\n  Sum as Total,\n  numbers,\n} from "clipsite/a/first";\n'
            'import * as out from "clipsite/x/outside";\n'
            "const own = 10;\n"
            "export const total = new Total().of.concat(out.outside, own);\n"
            "export async function later() { return out.twice([...numbers()][1]); }\n",
        }
    )
    (tmp_path / "bundle.mjs").write_text(bundle.replace("clipsite/x/outside", "./outside.mjs"))
    printed = node(
        'import { total, later, Sum } from "./bundle.mjs";\n'
        "console.log(JSON.stringify([total, await later(), new Sum().of]));\n",
        tmp_path,
    )
    assert json.loads(printed) == [[1, 2, 3, 10], 4, [1, 2]]


def test_a_bundle_has_no_comments() -> None:
    source = (
        "// What it is for.\n\n/** @param {number} n\n * `half` */\n"
        "export const half = (n) => n / 2; // rounded by nobody\n  /* why */\n"
        "/** @type {Element} */ (document.body).focus();\nhalf(1);\n/** @type {number} */\n"
    )
    bundle = joined({"a/x": source})
    assert "export" in bundle
    assert not any(each in bundle for each in ("What it is for", "@param", "why"))
    assert "(n) => n / 2; // rounded by nobody" in bundle
    assert "(document.body).focus();\nhalf(1);" in bundle


@pytest.mark.parametrize(
    "sources",
    [
        {"a/x": "export default 1;\n"},
        {"a/x": "const x = 1;\nexport { x };\n"},
        {"a/x": 'import x from "clipsite/a/y";\n'},
        {"a/x": 'import { x } from "./y.js";\n'},
        {"a/x": "export const x = 1;\n", "a/y": "export const x = 2;\n"},
    ],
)
def test_what_cannot_be_joined_is_refused(sources: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a/x"):
        joined(sources)


# --- The product's own ----------------------------------------------------------------


@pytest.fixture
def collected(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """The static files as a release has them, but not compressed."""
    settings.WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("css", "js", "svg")
    settings.STATIC_ROOT = str(tmp_path)
    storage = "clipsite.static_files.HashedStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    call_command("collectstatic", interactive=False, verbosity=0)
    scripts._known.cache_clear()
    yield tmp_path
    scripts._known.cache_clear()


def test_every_style_sheet_is_in_the_one_file(collected: Path) -> None:
    sheets = {path.relative_to(STATIC).as_posix() for path in (STATIC / "css").glob("*.css")}
    assert {*styles.SHEETS, *styles.OWN} == sheets - APART
    (address,) = re.findall(r'href="([^"]+)"', style_sheets())
    text = (collected / address.removeprefix("/static/")).read_text()
    assert "/*" not in text
    assert "\n\n" not in text
    rules = [(STATIC / sheet).read_text() for sheet in styles.SHEETS]
    without_comments = re.sub(r"/\*.*?\*/", "", "".join(rules), flags=re.DOTALL)
    assert "".join(text.split()) == "".join(without_comments.split())


def classes_of(sheet: Path) -> dict[str, dict[str, str]]:
    """Return what the rules of a sheet that name one class alone declare, by class and property.
    Rules for some windows and media are left out."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    text = re.sub(r"@[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", text)
    found: dict[str, dict[str, str]] = {}
    for selectors, body in re.findall(r"([^{}]*)\{([^{}]*)\}", text):
        pairs = [line.partition(":") for line in body.split(";") if ":" in line]
        declared = {name.strip(): value.strip() for name, _colon, value in pairs}
        for selector in map(str.strip, selectors.split(",")):
            if re.fullmatch(r"\.[\w-]+", selector):
                found.setdefault(selector, {}).update(declared)
    return found


def test_no_class_means_one_thing_here_and_another_there() -> None:
    """A page has all common sheets: the later one of two would win everywhere."""
    known: dict[tuple[str, str], dict[str, str]] = {}
    for sheet in (*styles.SHEETS, *styles.OWN):
        for name, declared in classes_of(STATIC / sheet).items():
            for prop, value in declared.items():
                known.setdefault((name, prop), {})[sheet] = value
    assert len(known) > 1000
    assert [(key, by) for key, by in known.items() if len(set(by.values())) > 1] == []


def test_while_one_develops_every_sheet_has_its_address() -> None:
    addresses = re.findall(r'href="([^"]+)"', style_sheets())
    assert addresses == [f"/static/{sheet}" for sheet in styles.SHEETS]


def test_pages_get_the_bundle_of_their_script(collected: Path) -> None:
    bundled = script_bundles.bundled()
    assert {"base/app", "composer/bar", "timeline/page"} <= bundled.keys()
    assert static("js/base/app.js") == static("js/composer/bar.js")
    for name in ("base/app", "timeline/page"):
        assert static(f"js/{name}.js").startswith(f"/static/{bundled[name].removesuffix('.js')}")
    assert static("js/base/theme.js").startswith("/static/js/base/theme.")


def test_no_text_in_a_script_looks_like_a_comment() -> None:
    """Bundles leave out lines that are comments, which the lines of a template might seem."""
    for path in (STATIC / "js").rglob("*.js"):
        kept, last = "", 0
        text = path.read_text()
        for found in script_bundles._COMMENT.finditer(text):
            kept, last = kept + text[last : found.start()], found.end()
            assert kept.count("`") % 2 == 0, f"{path}: {found[0]}"


def test_the_import_map_leads_to_the_bundles_and_no_name_is_lost(collected: Path) -> None:
    imports: dict[str, str] = json.loads(scripts.import_map())["imports"]
    assert all(
        (collected / address.removeprefix("/static/")).is_file() for address in imports.values()
    )
    bundled = script_bundles.bundled()
    assert len(bundled) > 50
    for name, path in bundled.items():
        assert path.removesuffix(".js") in imports[f"clipsite/{name}"]
    for path, names in script_bundles.bundles().items():
        exported = set(re.findall(r"^export const ([\w$]+) =", script_bundles.contents(path), re.M))
        sources = [(STATIC / "js" / f"{name}.js").read_text() for name in names]
        assert exported == {
            found
            for text in sources
            for found in re.findall(
                r"^export (?:async )?(?:function\*?|class|const) ([\w$]+)", text, re.M
            )
        }


def test_all_bundles_can_be_read(collected: Path, tmp_path: Path) -> None:
    for path in script_bundles.bundles():
        source = (collected / path).read_text()
        (tmp_path / "checked.mjs").write_text(source)
        node('import { execFileSync } from "node:child_process";\n'
             'execFileSync(process.execPath, ["--check", "checked.mjs"]);\n', tmp_path)  # fmt: skip
