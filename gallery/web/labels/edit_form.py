"""The form of a label set: from what was typed to a definition, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.http import QueryDict

from gallery.errors import Refusal
from gallery.labels.definition import CategoryForm, Definition, Mode
from gallery.labels.templates import ENSEMBLE, is_ensemble

# Empty rows at the end of a form, for pages without scripts.
SPARE = 3
_LANGUAGE_END = re.compile("[:：]")
_AT = re.compile(r"categories\.(\d+)(?:\.(\w+))?")


@dataclass(frozen=True)
class Row:
    """One category as typed. `names` has a line `zh-hans: 狗` for each language, `prompts` a line
    for each text. `problems` are sentences by field."""

    id: str = ""
    name: str = ""
    names: str = ""
    prompts: str = ""
    parent: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not any(map(str.strip, (self.name, self.names, self.prompts, self.parent)))

    @property
    def has_more(self) -> bool:
        """Whether the fields beside the name are open."""
        return bool(self.names or self.prompts or self.parent or set(self.problems) - {"name"})

    def form(self) -> CategoryForm:
        """Raises ValueError for an id that is none."""
        return CategoryForm(
            name=self.name,
            names=dict(map(_named, _lines(self.names))),
            prompts=tuple(_lines(self.prompts)),
            parent=self.parent,
            id=UUID(self.id) if self.id else None,
        )


@dataclass(frozen=True)
class SetForm:
    """A label set as typed. `kind` of its templates is usual, ensemble or own, `pasted` has the
    names of more categories, one a line. `problems` are sentences by field."""

    name: str = ""
    mode: str = Mode.ONE
    none_of_these: bool = True
    kind: str = "usual"
    templates: str = ""
    rows: Sequence[Row] = ()
    pasted: str = ""
    site: bool = False
    problems: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, definition: Definition) -> SetForm:
        kind = "own" if definition.templates else "usual"
        if is_ensemble(definition.templates):
            kind = "ensemble"
        return cls(
            name=name,
            mode=definition.mode,
            none_of_these=definition.none_of_these,
            kind=kind,
            templates="\n".join(definition.templates) if kind == "own" else "",
            rows=[_row(form) for form in definition.categories],
        )

    @classmethod
    def typed(cls, sent: QueryDict) -> SetForm:
        columns = [sent.getlist(name) for name in ("id", "category", "names", "prompts", "parent")]
        longest = max(map(len, columns))
        padded = [[*column, *[""] * (longest - len(column))] for column in columns]
        return cls(
            name=sent.get("name", ""),
            mode=sent.get("mode", Mode.ONE),
            none_of_these="none_of_these" in sent,
            kind=sent.get("kind", "usual"),
            templates=sent.get("templates", "").replace("\r\n", "\n"),
            rows=[Row(*values) for values in zip(*padded, strict=True)],
            pasted=sent.get("pasted", "").replace("\r\n", "\n"),
            site="site" in sent,
        )

    @property
    def chosen_templates(self) -> list[str]:
        match self.kind:
            case "ensemble":
                return [ENSEMBLE]
            case "own":
                return _lines(self.templates)
        return []

    def filled(self) -> list[int]:
        """Return the places of the rows that are not empty."""
        return [place for place, row in enumerate(self.rows) if not row.is_empty]

    def fields(self) -> dict[str, Any]:
        """Return the fields of a definition: the rows, then what was pasted. Raises ValueError."""
        forms = [self.rows[place].form() for place in self.filled()]
        forms += [CategoryForm(name) for name in _lines(self.pasted)]
        return {
            "mode": self.mode,
            "none_of_these": self.none_of_these,
            "templates": self.chosen_templates,
            "categories": forms,
        }

    def refused(self, refusal: Refusal) -> SetForm:
        """Return the form with the sentence beside the field at fault."""
        sentence = str(refusal.message)
        match = _AT.fullmatch(refusal.field or "")
        if match is None:
            known = {"name", "mode", "templates", "categories", "site"}
            at = refusal.field if refusal.field in known else "form"
            return replace(self, problems={str(at): sentence})
        filled, number = self.filled(), int(match[1])
        if number >= len(filled):
            return replace(self, problems={"pasted": sentence})
        at = match[2] if match[2] in ("names", "prompts", "parent") else "name"
        rows = list(self.rows)
        rows[filled[number]] = replace(rows[filled[number]], problems={at: sentence})
        return replace(self, rows=rows)

    # --- Without scripts: a button changes the rows and shows the form again -------

    def rearranged(self, act: str) -> SetForm:
        """Return the form after the act of a button: `add`, `remove-3`, `up-3`, `down-3`."""
        rows = list(self.rows)
        name, _dash, text = act.partition("-")
        place = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
        if name == "add":
            rows += [Row()] * SPARE
        elif 0 <= place < len(rows):
            row = rows.pop(place)
            if name in ("up", "down"):
                rows.insert(max(place + (1 if name == "down" else -1), 0), row)
        return replace(self, rows=rows)

    def with_spare(self) -> SetForm:
        """Return the form with empty rows at its end."""
        if self.rows and self.rows[-1].is_empty:
            return self
        return replace(self, rows=[*self.rows, *[Row()] * SPARE])


def _row(form: CategoryForm) -> Row:
    return Row(
        id=str(form.id or ""),
        name=form.name,
        names="\n".join(f"{code}: {name}" for code, name in form.names.items()),
        prompts="\n".join(form.prompts),
        parent=form.parent,
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _named(line: str) -> tuple[str, str]:
    """Read `zh-hans: 狗`. A line without a colon is refused as a language that does not exist."""
    parts = _LANGUAGE_END.split(line, maxsplit=1)
    return (parts[0].strip(), parts[1].strip()) if len(parts) == 2 else (f":{line}", line)
