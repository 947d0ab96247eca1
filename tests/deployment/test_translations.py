"""Every visible string exists in English and in Simplified Chinese."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, Token, TokenType
from django.utils.translation import gettext, ngettext, override

from tools import messages

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted(
    path
    for folder in (ROOT / "templates", ROOT / "gallery")
    for path in folder.rglob("*")
    if path.suffix in messages.TEMPLATE_SUFFIXES and "templates" in path.parts
)
# Names that are the same in every language.
UNTRANSLATED = {"api", "clipsite", "csv", "esc", "exif", "gps", "https", "json", "sha"}
READ_ATTRIBUTES = {"alt", "aria-label", "aria-description", "placeholder", "title"}
# The browser reads their text, or it names keys and models.
SILENT_ELEMENTS = {"code", "kbd", "script", "style"}


# --- The catalogue ----------------------------------------------------------------


def test_every_string_is_translated() -> None:
    assert messages.problems(messages.read_catalog(), messages.extract_all()) == []


def test_compiled_catalogue_is_the_one_of_the_sources() -> None:
    assert messages.MO_FILE.read_bytes() == messages.compiled(messages.read_catalog())


def test_a_missing_translation_is_noticed() -> None:
    catalog, extracted = messages.Catalog(), messages.Catalog()
    catalog.add("Kept.", "保留。")
    catalog.add("Removed.", "删除。")
    catalog.add("Guessed.", "猜测。", flags=["fuzzy"])
    catalog.add("Empty.", "")
    for sentence in ("Kept.", "Guessed.", "Empty.", "New."):
        extracted.add(sentence)
    assert messages.problems(catalog, extracted) == [
        "marked fuzzy: 'Guessed.'",
        "not translated: 'Empty.'",
        "not in the catalogue: 'New.'",
        "no longer in the sources: 'Removed.'",
    ]


@pytest.mark.parametrize(
    ("source", "translation", "is_wrong"),
    [
        ("At most %(most)d pictures.", "最多 %(most)d 张图片。", False),
        ("At most %(most)d pictures.", "最多 %(least)d 张图片。", True),
        ("At most %(most)d pictures.", "最多几张图片。", True),
        ("Welcome, {name}.", "{name}，欢迎。", False),
        ("Welcome, {name}.", "欢迎。", True),
    ],
)
def test_a_wrong_placeholder_is_noticed(source: str, translation: str, is_wrong: bool) -> None:
    message = messages.Message(source, translation)
    assert messages.missing_placeholders(message) is is_wrong


def test_django_uses_the_catalogue() -> None:
    with override("zh-hans"):
        assert gettext("Untitled") == "未命名"
    with override("en"):
        assert gettext("Untitled") == "Untitled"
        assert ngettext("%(n)d picture", "%(n)d pictures", 2) == "%(n)d pictures"


# --- Templates --------------------------------------------------------------------


class VisibleText(HTMLParser):
    """Collects the words that a reader of the page sees or hears."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT_ELEMENTS
        for name, value in attrs:
            if name in READ_ATTRIBUTES and value:
                self._collect(value)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT_ELEMENTS

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._collect(data)

    def _collect(self, text: str) -> None:
        words = "".join(c if c.isalpha() else " " for c in text).split()
        # A single letter names a key.
        self.words += [w for w in words if len(w) > 1 and w.lower() not in UNTRANSLATED]


def outside_translation(source: str) -> str:
    """Return the literal text of a template outside of translation tags."""
    parts = []
    inside = ""
    for token in Lexer(source).tokenize():
        tag = _tag(token)
        if inside:
            inside = "" if tag == f"end{inside}" else inside
        elif tag in ("blocktranslate", "blocktrans", "comment", "verbatim"):
            inside = tag
        elif token.token_type == TokenType.TEXT:
            parts.append(token.contents)
            continue
        # A tag leaves a gap, so that quotes and words around it stay apart.
        parts.append(" ")
    return "".join(parts)


def _tag(token: Token) -> str:
    is_block = token.token_type == TokenType.BLOCK
    return token.contents.split(maxsplit=1)[0] if is_block else ""


def untranslated_words(source: str) -> list[str]:
    parser = VisibleText()
    parser.feed(outside_translation(source))
    parser.close()
    return parser.words


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_hold_no_untranslated_text(path: Path) -> None:
    assert untranslated_words(path.read_text(encoding="utf-8")) == []


def test_untranslated_text_is_noticed() -> None:
    source = (
        '<p title="Hidden">{% translate "Seen" %} Naked {{ value }}</p><script>code()</script>'
        "{% blocktranslate %}Covered {{ value }}{% endblocktranslate %}"
    )
    assert untranslated_words(source) == ["Hidden", "Naked"]
