"""The message catalogue: extracts the strings, merges them, compiles them.

    python tools/messages.py            bring locale/ up to date
    python tools/messages.py --check    report what is missing, change nothing

Needs no gettext programs: Babel reads the Python sources, and the templates after Django has
turned them into calls of gettext. English is the language of the sources and needs no catalogue.
Strings of libraries that lack a Chinese translation are included, so that no page mixes two
languages.
"""

from __future__ import annotations

import importlib.util
import io
import string
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = "zh_Hans"
PO_FILE = ROOT / "locale" / LOCALE / "LC_MESSAGES" / "django.po"
MO_FILE = PO_FILE.with_suffix(".mo")

SOURCES = ("clipsite", "gallery", "templates")
# Libraries that show text to people; only their untranslated strings are collected.
LIBRARIES = ("allauth/account", "allauth/mfa", "allauth/usersessions", "knox", "unfold")
# Packages that already have Chinese translations.
TRANSLATED_PACKAGES = ("django", "allauth", "rest_framework")

HEADER = """\
# Simplified Chinese for Clipsite: translate the lines msgstr, then run
# tools/messages.py, which keeps the rest of this file and makes django.mo.
#"""
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
TEMPLATE_SUFFIXES = {".html", ".txt"}
# `contrib` holds parts of Unfold that Clipsite does not install.
SKIPPED_FOLDERS = {"contrib", "migrations", "tests"}


# --- Extraction -------------------------------------------------------------------


def template_calls(path: Path) -> IO[bytes]:
    """Convert the translation tags of a template to calls that Babel's Python reader finds."""
    calls = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    # Inside brackets, Python's tokenizer ignores the indentation of the HTML.
    return io.BytesIO(f"({calls}\n)".encode())


def python_calls(path: Path) -> IO[bytes]:
    return io.BytesIO(path.read_bytes())


def reader(path: Path) -> Callable[[Path], IO[bytes]] | None:
    if path.suffix == ".py":
        return python_calls
    return template_calls if path.suffix in TEMPLATE_SUFFIXES else None


def files_below(folder: Path) -> Iterator[Path]:
    """Sources and templates below `folder`, in a stable order."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not SKIPPED_FOLDERS.intersection(parts):
            yield path


def add_messages(catalog: Catalog, folder: Path, base: Path, known: set[object]) -> None:
    """Add the messages below `folder` to `catalog`, except those in `known`."""
    for path in files_below(folder):
        read = reader(path)
        if read is None:
            continue
        found = extract("python", read(path), KEYWORDS, comment_tags=("Translators:",))
        for line, msgid, comments, context in found:
            if (context, first(msgid)) in known:
                continue
            where = (path.relative_to(base).as_posix(), line)
            catalog.add(msgid, None, [where], auto_comments=comments, context=context)


def first(msgid: str | Iterable[str]) -> str:
    """The singular of a message id."""
    return msgid if isinstance(msgid, str) else next(iter(msgid))


def package_folder(name: str) -> Path:
    """The folder in which a package (or a folder in it, after a slash) is installed."""
    package, _, below = name.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"The package {package} is not installed.")
    return Path(spec.submodule_search_locations[0]) / below


def translated_elsewhere() -> set[object]:
    """(context, msgid) of all messages that a package already translates to Chinese."""
    known: set[object] = set()
    for name in TRANSLATED_PACKAGES:
        for path in sorted(package_folder(name).rglob(f"locale/{LOCALE}/LC_MESSAGES/django.mo")):
            with path.open("rb") as file:
                known.update((m.context, first(m.id)) for m in read_mo(file) if m.string)
    return known


def extract_all() -> Catalog:
    """A catalogue of all messages that need a translation, without translations."""
    catalog = Catalog()
    for name in SOURCES:
        add_messages(catalog, ROOT / name, ROOT, known=set())
    known = translated_elsewhere()
    for name in LIBRARIES:
        folder = package_folder(name)
        base = folder.parents[name.count("/")]
        add_messages(catalog, folder, base, known)
    return catalog


# --- Catalogue files --------------------------------------------------------------


def read_catalog() -> Catalog:
    """Read the catalogue from the disk; without a file return an empty one."""
    if PO_FILE.exists():
        with PO_FILE.open("rb") as file:
            catalog = read_po(file, locale=LOCALE)
    else:
        catalog = Catalog(locale=LOCALE, fuzzy=False)
    catalog.header_comment = HEADER
    catalog.project, catalog.version = "Clipsite", "1"
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
    # Constant dates: the repository has the history of the file.
    catalog.creation_date = catalog.revision_date = EPOCH
    return catalog


def compiled(catalog: Catalog) -> bytes:
    """The content of the .mo file of `catalog`."""
    output = io.BytesIO()
    write_mo(output, catalog)
    return output.getvalue()


def update() -> Catalog:
    """Bring the .po file up to date with the sources, and compile it."""
    catalog = read_catalog()
    catalog.update(
        extract_all(),
        no_fuzzy_matching=True,
        update_header_comment=False,
        update_creation_date=False,
    )
    PO_FILE.parent.mkdir(parents=True, exist_ok=True)
    with PO_FILE.open("wb") as file:
        # Without line numbers, so that a moved line does not change the catalogue.
        write_po(
            file, catalog, width=92, ignore_obsolete=True, include_lineno=False, sort_by_file=True
        )
    catalog = read_catalog()
    MO_FILE.write_bytes(compiled(catalog))
    return catalog


# --- Checks -----------------------------------------------------------------------


def placeholders(text: str, message: Message) -> list[str]:
    """The names of the placeholders in `text`, in one of Python's two formats."""
    if message.python_format:
        return sorted(set(_percent_names(text)))
    if "{" in first(message.id):
        return sorted(
            {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        )
    return []


def _percent_names(text: str) -> Iterator[str]:
    rest = text.replace("%%", "")
    while "%(" in rest:
        _, _, rest = rest.partition("%(")
        name, _, rest = rest.partition(")")
        yield name


def missing_placeholders(message: Message) -> bool:
    """Whether a translation lacks or adds a placeholder.

    The plural is the reference: the singular may say "one" without the number, and Chinese has
    one form for both."""
    source = message.id if isinstance(message.id, str) else message.id[-1]
    strings = [message.string] if isinstance(message.string, str) else message.string
    wanted = placeholders(source, message)
    return any(placeholders(text, message) != wanted for text in strings if text)


def problems(catalog: Catalog, extracted: Catalog) -> list[str]:
    """The problems of `catalog`, one line for each message."""
    lines = []
    for wanted in extracted:
        if not wanted.id:
            continue
        message = catalog.get(wanted.id, wanted.context)
        name = repr(first(wanted.id))
        if message is None:
            lines.append(f"not in the catalogue: {name}")
        elif message.fuzzy:
            lines.append(f"marked fuzzy: {name}")
        elif not message.string or not all(message.string):
            lines.append(f"not translated: {name}")
        elif missing_placeholders(message):
            lines.append(f"other placeholders than the source: {name}")
    for message in catalog:
        if message.id and extracted.get(message.id, message.context) is None:
            lines.append(f"no longer in the sources: {first(message.id)!r}")
    return lines


def main() -> int:
    catalog = read_catalog() if "--check" in sys.argv[1:] else update()
    lines = problems(catalog, extract_all())
    print(f"{len(catalog)} messages, {len(lines)} problems")
    for line in lines:
        print(f"  {line}")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
