"""Label sets as files: JSON with all of a set, CSV with its categories.

    {"format": "clipsite-label-set", "version": 1, "name": "Animals", "mode": "one",
     "none_of_these": true, "templates": [], "categories": [{"name": "dog", …}]}

    category,parent,prompts,zh-hans
    dog,animal,a puppy|a hound,狗

In CSV the prompts stand between bars, and each language has a column.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from django.utils.translation import gettext as _

from gallery.errors import Refusal, TooLarge
from gallery.labels import templates
from gallery.labels.definition import CategoryForm, Definition, checked, newest
from gallery.models import LabelSet, LabelSetVersion

FORMAT, VERSION = "clipsite-label-set", 1
MAX_BYTES = 2 * 1024**2

_FIELDS = {"format", "version", "name", "mode", "none_of_these", "templates", "categories"}
_OF_CATEGORY = {"id", "name", "names", "prompts", "parent", "threshold"}
_COLUMNS = ("category", "parent", "prompts")
_BAR = "|"


@dataclass(frozen=True)
class Read:
    """What a file says. A CSV file has no name."""

    name: str
    definition: Definition


def as_json(label_set: LabelSet) -> dict[str, Any]:
    """Return the newest version of a set as plain values."""
    definition = Definition.of(newest(label_set))
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": label_set.name,
        "mode": definition.mode,
        "none_of_these": definition.none_of_these,
        "templates": templates.shown(definition.templates),
        "categories": [
            {
                "name": form.name,
                "names": dict(form.names),
                "prompts": list(form.prompts),
                "parent": form.parent,
            }
            for form in definition.categories
        ],
    }


def to_json(label_set: LabelSet) -> str:
    return json.dumps(as_json(label_set), ensure_ascii=False, indent=1) + "\n"


def to_csv(label_set: LabelSet) -> str:
    """Return the categories as CSV. Spreadsheets would run a text that begins like a formula, so
    an apostrophe is put before it; `read` removes it."""
    categories = as_json(label_set)["categories"]
    languages = sorted({code for category in categories for code in category["names"]})
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow([*_COLUMNS, *languages])
    for category in categories:
        names = [category["names"].get(code, "") for code in languages]
        texts = [category["name"], category["parent"], _BAR.join(category["prompts"]), *names]
        rows.writerow([f"'{text}" if text[:1] in _FORMULA else text for text in texts])
    return out.getvalue()


_FORMULA = tuple("=+-@\t'")


def read(data: bytes) -> Read:
    """Read a file, JSON or CSV. Raises TooLarge and Refusal (not_a_label_set, other_format, and
    those of gallery.labels.definition)."""
    if len(data) > MAX_BYTES:
        refuse_size()
    text = decoded(data).strip()
    return _read_json(text) if text.startswith(("{", "[")) else _read_csv(text)


def decoded(data: bytes) -> str:
    """Decode UTF-8, or UTF-16 as spreadsheets save it."""
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(
            "not_a_label_set", _("The file is no text: save it as UTF-8."), "file"
        ) from error


def _read_json(text: str) -> Read:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(
            "not_a_label_set", _("The file is damaged: it is no whole JSON."), "file"
        ) from error
    if not isinstance(data, dict):
        _refuse_shape()
    if data.get("format", FORMAT) != FORMAT or data.get("version", VERSION) != VERSION:
        raise Refusal(
            "other_format",
            _("The file is of another version of Clipsite, or is no label set."),
            "file",
        )
    if set(data) - _FIELDS or not isinstance(data.get("categories"), list):
        _refuse_shape()
    name, none_of_these = data.get("name", ""), data.get("none_of_these", True)
    wording = data.get("templates", [])
    are_templates = wording == templates.ENSEMBLE or _are_texts(wording)
    if not (isinstance(name, str) and are_templates and isinstance(none_of_these, bool)):
        _refuse_shape()
    definition = checked(
        mode=str(data.get("mode", LabelSetVersion.Mode.ONE)),
        none_of_these=none_of_these,
        templates=wording,
        categories=[_category(entry) for entry in data["categories"]],
    )
    return Read(name, definition)


def _category(entry: Any) -> CategoryForm:
    if isinstance(entry, str):
        return CategoryForm(entry)
    if not isinstance(entry, Mapping) or set(entry) - _OF_CATEGORY:
        _refuse_shape()
    names, prompts = entry.get("names", {}), entry.get("prompts", [])
    parent = entry.get("parent") or ""
    is_whole = (
        isinstance(entry.get("name"), str)
        and isinstance(names, Mapping)
        and _are_texts([*names, *names.values()])
        and _are_texts(prompts)
        and isinstance(parent, str)
    )
    if not is_whole:
        _refuse_shape()
    return CategoryForm(entry["name"], names, prompts, parent)


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _read_csv(text: str) -> Read:
    try:
        rows = [row for row in csv.reader(io.StringIO(text), strict=True) if any(row)]
    except csv.Error as error:
        raise Refusal("not_a_label_set", _("The file is damaged: it is no CSV."), "file") from error
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "category" not in header or len(set(header)) < len(header):
        raise Refusal(
            "not_a_label_set",
            _("The first line of a CSV file names its columns, one of them “category”."),
            "file",
        )
    return Read("", checked(categories=[_row(header, row) for row in rows[1:]]))


def _row(header: list[str], row: list[str]) -> CategoryForm:
    cells = {
        column: cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell
        for column, cell in zip(header, row, strict=False)
    }
    return CategoryForm(
        name=cells.get("category", ""),
        names={code: name for code, name in cells.items() if code and code not in _COLUMNS},
        prompts=cells.get("prompts", "").split(_BAR),
        parent=cells.get("parent", ""),
    )


def refuse_size() -> NoReturn:
    raise TooLarge("label_set_too_large", _("A file of a label set has at most 2 MB."), "file")


def _refuse_shape() -> NoReturn:
    raise Refusal("not_a_label_set", _("The file is no label set: some of it is unknown."), "file")
