"""The committed description of the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

COMMITTED = Path(__file__).parents[1] / "docs" / "openapi.yaml"
# The loader of libyaml is ten times as fast.
DOCUMENT: dict[str, Any] = yaml.load(COMMITTED.read_text(), Loader=yaml.CSafeLoader)
