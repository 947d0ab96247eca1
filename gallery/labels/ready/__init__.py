"""Label sets that come with Clipsite, in English and Chinese: one JSON file each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.labels import files
from gallery.labels.definition import Definition

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Ready:
    """A set that can be taken over. `key` is its name in addresses."""

    key: str
    english: str
    chinese: str
    definition: Definition

    @property
    def name(self) -> str:
        """The name in the current language."""
        return self.chinese if (get_language() or "").startswith("zh") else self.english


@cache
def ready_sets() -> tuple[Ready, ...]:
    return tuple(_read(path) for path in sorted(_FOLDER.glob("*.json")))


def ready_set(key: str) -> Ready:
    """Raises Refusal (unknown_ready_set)."""
    found = next((one for one in ready_sets() if one.key == key), None)
    if found is None:
        raise Refusal("unknown_ready_set", _("There is no such ready label set."), "key")
    return found


def _read(path: Path) -> Ready:
    data = json.loads(path.read_text(encoding="utf-8"))
    names = data.pop("names")
    read = files.read(json.dumps(data).encode())
    return Ready(path.stem, read.name, names["zh-hans"], read.definition)
