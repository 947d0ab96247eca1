"""Named stages that are done once, and again only if what they depend on changes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.starter_model.settings import Settings

RECEIPT = "receipt.json"


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline.

    `run` writes files into the folder it is given. If it was stopped before, that
    folder holds what it had written, so that a long stage can take up its checkpoint.
    """

    name: str
    run: Callable[[Path], None]
    needs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    """The fields of Settings that its output depends on."""


class Pipeline:
    """Runs stages in order below one folder, each into a folder of its own name."""

    def __init__(self, out: Path, settings: Settings, source: str) -> None:
        """`source` is a fingerprint of the data that the first stages read."""
        self._out = out
        self._settings = asdict(settings)
        self._source = source

    def run(self, stages: Sequence[Stage], say: Callable[[str], None]) -> None:
        fingerprints = self.fingerprints(stages)
        for stage in stages:
            fingerprint = fingerprints[stage.name]
            if _receipt(self._out / stage.name) == fingerprint:
                say(f"{stage.name}: done before")
            else:
                say(f"{stage.name}: at work")
                self._do(stage, fingerprint)

    def fingerprints(self, stages: Sequence[Stage]) -> dict[str, str]:
        """What each stage's output depends on, those of the stages it needs included."""
        found: dict[str, str] = {}
        for stage in stages:
            depends = {
                "source": self._source,
                "needs": {name: found[name] for name in stage.needs},
                "settings": {name: self._settings[name] for name in ("seed", *stage.settings)},
            }
            text = json.dumps(depends, sort_keys=True)
            found[stage.name] = hashlib.sha256(text.encode()).hexdigest()
        return found

    def _do(self, stage: Stage, fingerprint: str) -> None:
        partial = self._out / f".{stage.name}.partial"
        if _receipt(partial) != fingerprint:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            (partial / RECEIPT).write_text(json.dumps({"fingerprint": fingerprint}))
        stage.run(partial)
        final = self._out / stage.name
        shutil.rmtree(final, ignore_errors=True)
        os.replace(partial, final)


def _receipt(folder: Path) -> str | None:
    """The fingerprint that a folder's content was made for."""
    try:
        return str(json.loads((folder / RECEIPT).read_text())["fingerprint"])
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return None
