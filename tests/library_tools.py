"""Helpers that the tests of the library share, besides the fixtures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from gallery.library.service import Upload, add_image
from gallery.models import User


def add(owner: User, data: bytes, name: str = "a.jpg", **fields: Any) -> Upload:
    return add_image(owner=owner, file=io.BytesIO(data), name=name, **fields)


def stored_files(media: Path) -> list[str]:
    return sorted(str(path.relative_to(media)) for path in media.rglob("*") if path.is_file())
