"""The documents name files, headings, modules and tests that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
# A path in backticks, from the root of the repository.
PATH = re.compile(
    r"`((?:benchmarks|clipsite|deploy|docs|gallery|requirements|static|templates|tests|tools)/[^`\s]*)`"
)
MODULE = re.compile(r"`((?:clipsite|gallery)(?:\.[a-z_][a-z_0-9]*)+)`")
TEST = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def anchor(heading: str) -> str:
    """Return the anchor that common repository hosts generate for a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"[`*]", "", heading.strip().lower()))
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def dead_links(document: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8")):
        if re.match(r"[a-z]+:|/", target):
            continue
        name, _, fragment = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        if not file.exists():
            yield target
        elif fragment and file.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
            if fragment not in map(anchor, headings):
                yield target


def is_module(name: str) -> bool:
    """Return whether `name` is a module or a name inside one."""
    path = ROOT / name.replace(".", "/")
    return any(each.is_dir() or each.with_suffix(".py").is_file() for each in (path, path.parent))


def is_file(path: str) -> bool:
    """Return whether `path` is a file, or the import name of a script (`clipsite/upload/tus`)."""
    script = ROOT / "static" / "js" / f"{path.removeprefix('clipsite/')}.js"
    return script.is_file() or any(ROOT.glob(path.rstrip("/")))


def dead_names(text: str) -> Iterator[str]:
    yield from (path for path in PATH.findall(text) if not is_file(path))
    yield from (name for name in MODULE.findall(text) if not is_module(name))
    for file, test in TEST.findall(text):
        found = list(ROOT.glob(f"tests/**/{file}"))
        if not any(f"def {test}(" in each.read_text("utf-8") for each in found):
            yield f"{file}::{test}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_is_there(document: Path) -> None:
    if document.name != "CHANGELOG.md":  # it mentions files that were removed later
        assert list(dead_names(document.read_text("utf-8"))) == []
    assert list(dead_links(document)) == []


def test_dead_names_are_noticed(tmp_path: Path) -> None:
    text = "`gallery/nowhere.py` `gallery.search.nowhere.at_all` `test_search.py::test_nothing`"
    assert len(list(dead_names(text))) == 3
    document = tmp_path / "one.md"
    document.write_text("# A *bold* title\n[a](two.md) [b](#a-bold-title) [c](#another)\n")
    assert list(dead_links(document)) == ["two.md", "#another"]
