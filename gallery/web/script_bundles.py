"""Modules that are always needed together, joined into one file where static files are collected.

A browser that gets each module as a file makes a request for each, and learns of the next ones only
when it has read those before. `bundles` puts modules together that are needed by the same pages, so
no page gets a module that it does not use, and none runs that would not run otherwise. A script
that pages name is in the bundle of what it alone needs. Addresses of modules, in pages and in the
import map, lead to their bundle (clipsite.static_files). Comments are left out.

This understands the modules of this project, not all of JavaScript: imports by name, exports of
declarations. For anything else `joined` raises ValueError.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache as remember
from pathlib import Path

from django.conf import settings

# The scripts of every page.
ALWAYS = frozenset({"base/app", "composer/bar"})

_NAMED = re.compile(r"'js/([^']+)\.js'")
_IMPORT = re.compile(
    r'^import\s+(?:\{(?P<names>[^}]*)\}\s+from\s+|\*\s+as\s+(?P<all>\w+)\s+from\s+)?"clipsite/(?P<module>[^"]+)";$',
    re.MULTILINE,
)
_EXPORT = re.compile(
    r"^export (?P<declared>(?:async )?(?:function\*?|class|const) (?P<name>[\w$]+))", re.MULTILINE
)
# Comments on lines of their own. No text in a script has such lines; a test looks for them.
_COMMENT = re.compile(r"^[ ]*(?://.*|/\*(?:(?!\*/)[\s\S])*\*/[ ]*)\n", re.MULTILINE)
# A module that waits when it is loaded cannot become a function.
_WAITS = re.compile(r"^await\b", re.MULTILINE)
_STATEMENT = re.compile(r"^(?:import|export)\b(?!\()", re.MULTILINE)


@remember
def bundles() -> dict[str, tuple[str, ...]]:
    """Return the modules of each bundle, what they import first, by its path below `static/`."""
    sources = _sources(settings.BASE_DIR / "static" / "js")
    templates = (settings.BASE_DIR / "templates").rglob("*.html")
    named = {name for page in templates for name in _NAMED.findall(page.read_text())}
    return grouped(sources, named)


def bundled() -> dict[str, str]:
    """Return the path of the bundle of each module that is in one."""
    return {name: path for path, names in bundles().items() for name in names}


def contents(path: str) -> str:
    """Return the source of a bundle."""
    names = bundles()[path]
    sources = _sources(settings.BASE_DIR / "static" / "js")
    return joined({name: sources[name] for name in names})


def grouped(sources: Mapping[str, str], named: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the bundles of modules, `sources` by name, of which pages name some."""
    imports = {
        name: [found["module"] for found in _IMPORT.finditer(text)]
        for name, text in sources.items()
    }
    # Scripts without a page are workers.
    imported = {module for modules in imports.values() for module in modules}
    entries = sorted({*named, *(sources.keys() - imported)})
    users: defaultdict[str, set[str]] = defaultdict(set)
    for entry in entries:
        for module in _needed(entry, imports):
            users[module].add(entry)
    groups: defaultdict[frozenset[str], list[str]] = defaultdict(list)
    for module in _ordered(imports):
        is_worker = module in entries and module not in named
        if not is_worker and not _WAITS.search(sources[module]):
            by = frozenset(users[module])
            groups[ALWAYS if by & ALWAYS else by].append(module)
    return {
        f"js/bundles/{min(names).replace('/', '-')}.js": tuple(names)
        for names in groups.values()
        if len(names) > 1
    }


def joined(sources: Mapping[str, str]) -> str:
    """Return one module with the exports of all `sources`, modules in an order in which each comes
    after those that it imports. Raises ValueError."""
    outside: dict[str, str] = {}
    parts, exports = [], []
    for name, text in sources.items():
        body, heads = text, []
        for found in _IMPORT.finditer(text):
            module = found["module"]
            if module not in sources:
                outside[module] = f'import * as {_scope(module)} from "clipsite/{module}";'
            if found["all"]:
                heads.append(f"const {found['all']} = {_scope(module)};")
            elif found["names"]:
                wanted = re.sub(r"\s+as\s+", ": ", found["names"])
                heads.append(f"const {{{wanted}}} = {_scope(module)};")
        body = _COMMENT.sub("", _IMPORT.sub("", body))
        own = [found["name"] for found in _EXPORT.finditer(body)]
        body = _EXPORT.sub(lambda found: found["declared"], body)
        if rest := _STATEMENT.search(body):
            line = body[rest.start() :].partition("\n")[0]
            raise ValueError(f"{name}: {line}")
        parts.append(
            f"const {_scope(name)} = (() => {{\n"
            + "\n".join([*heads, body.strip(), f"return {{ {', '.join(own)} }};"])
            + "\n})();"
        )
        exports += [(export, name) for export in own]
    if len({export for export, _name in exports}) < len(exports):
        raise ValueError(f"Two exports of one name in {', '.join(sources)}")
    lines = [f"export const {export} = {_scope(name)}.{export};" for export, name in exports]
    return "\n".join([*outside.values(), *parts, *lines, ""])


def _sources(folder: Path) -> dict[str, str]:
    paths = sorted(folder.rglob("*.js"))
    return {path.relative_to(folder).with_suffix("").as_posix(): path.read_text() for path in paths}


def _needed(entry: str, imports: Mapping[str, Iterable[str]]) -> set[str]:
    """Return `entry` and the modules that it imports, directly or not."""
    found = {entry}
    waiting = [entry]
    while waiting:
        for module in imports.get(waiting.pop(), ()):
            if module not in found:
                found.add(module)
                waiting.append(module)
    return found


def _ordered(imports: Mapping[str, Iterable[str]]) -> list[str]:
    """Return all modules, each after those that it imports."""
    found: dict[str, None] = {}

    def add(module: str) -> None:
        if module not in found:
            for other in imports.get(module, ()):
                add(other)
            found[module] = None

    for module in sorted(imports):
        add(module)
    return list(found)


def _scope(module: str) -> str:
    """The variable with the exports of a module."""
    return "$" + re.sub(r"\W", "_", module)
