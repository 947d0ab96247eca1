"""Logs the pictures that the model encodes, before and after the encoding, one line each."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from functools import wraps
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings

BEGUN, DONE = "begun", "done"


class Counting(AppConfig):
    name = "tests.faults"
    label = "counting"

    def ready(self) -> None:
        from gallery.indexing.encoding import Encoding

        encode = Encoding.run

        @wraps(encode)
        def counted(self: Encoding, prepared: Sequence[Any]) -> Sequence[Any]:
            seen = [
                f"{self.name} {hashlib.sha256(each.tobytes()).hexdigest()}" for each in prepared
            ]
            _append(BEGUN, seen)
            results = encode(self, prepared)
            _append(DONE, seen)
            return results

        Encoding.run = counted  # type: ignore[method-assign]


def _append(word: str, lines: Sequence[str]) -> None:
    """Append lines to a log in one write, which a kill does not cut in two."""
    path = settings.FAULTS_DIR / word
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, "".join(f"{line}\n" for line in lines).encode())
    finally:
        os.close(descriptor)


def counted(folder: Path, word: str) -> Counter[str]:
    """Return how often each picture was encoded, from the log `word`."""
    path = folder / word
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()
