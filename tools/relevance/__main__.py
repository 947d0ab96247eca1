"""python -m tools.relevance: fits the weights (see the package's docstring)."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.relevance")
    parser.add_argument("--photos", required=True, type=Path, help="a folder or a tar")
    parser.add_argument("--captions", required=True, type=Path)
    parser.add_argument("--split", required=True, type=Path)
    parser.add_argument("--vectors", type=Path, help="an .npz to keep the photos' vectors in")
    parser.add_argument("--libraries", type=int, default=84)
    parser.add_argument("--folds", type=int, default=0, help="cross-validate over words instead")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    import django

    django.setup()
    from gallery.encoders.registry import get_encoder
    from gallery.search.relevance import text_fit
    from tools.relevance import fitting, report
    from tools.relevance.material import Material

    material = Material.read(
        get_encoder("starter"), options.photos, options.captions, options.vectors
    )
    pool, held_out = (material.of_split(options.split, part) for part in ("train", "val"))
    groups = material.words.groups
    if not options.folds:
        made = fitting.libraries(material, pool, np.arange(len(groups)), options.libraries, seed=1)
        fitted = fitting.weights(made)
        text_fit.FILE.write_text(json.dumps(fitted, indent=1) + "\n")
        everything = np.arange(len(groups))
        report.show(report.measured(material, held_out, everything, text_fit.read(fitted)))
        return
    found = []
    fold_of = np.random.default_rng(0).integers(options.folds, size=groups.max() + 1)
    for fold in range(options.folds):
        test = np.flatnonzero(fold_of[groups] == fold)
        others = _others(material, test, np.flatnonzero(fold_of[groups] != fold))
        made = fitting.libraries(material, pool, others, options.libraries, seed=1)
        fitted = text_fit.read(fitting.weights(made))
        found.append(report.measured(material, held_out, test, fitted))
    report.show(report.joined(found))


def _others(material: object, test: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return the texts of `rest` that are not the texts of `test` in other words."""
    vectors = material.words.vectors  # type: ignore[attr-defined]
    near = (vectors[rest] @ vectors[test].T).max(axis=1)
    return rest[near < 0.9]


if __name__ == "__main__":
    main()
