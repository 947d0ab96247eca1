"""Named stages that run once, and again only if their inputs change."""

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

    `run` writes files into the given folder. After an interruption the folder still contains
    the files of the previous run, so that a long stage can continue from its checkpoint.
    """

    name: str
    run: Callable[[Path], None]
    needs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    """The fields of Settings on which the output depends."""


class Pipeline:
    """Runs stages in order. Each writes to the folder of its name below `out`."""

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
        """A hash of the inputs of each stage, including the hashes of the stages it needs."""
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
    """The fingerprint for which the contents of a folder were made; None if unknown."""
    try:
        return str(json.loads((folder / RECEIPT).read_text())["fingerprint"])
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return None
