"""python -m tools.relevance: fits the weights (see the package's docstring)."""

from __future__ import annotations

import json
import os

import numpy as np

from benchmarks.relevance import argument_parser, photo_vectors


def main() -> None:
    parser = argument_parser("python -m tools.relevance", __doc__)
    parser.add_argument("--libraries", type=int, default=84)
    parser.add_argument("--folds", type=int, default=0, help="cross-validate over words instead")
    parser.add_argument(
        "--presence", action="store_true", help="fit whether anything fits, and keep the lines"
    )
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    import django

    django.setup()
    from gallery.encoders.registry import get_encoder
    from gallery.indexing import text_fit
    from tools.relevance import fitting, report
    from tools.relevance.material import Material

    encoder = get_encoder("starter")
    names, pictures = photo_vectors(encoder, options, None)
    material = Material.of(encoder, names, pictures, options.captions)
    pool, held_out = (material.of_split(options.split, part) for part in ("train", "val"))
    groups = material.words.groups
    if not options.folds:
        made = fitting.libraries(material, pool, np.arange(len(groups)), options.libraries, seed=1)
        kept = json.loads(text_fit.FILE.read_text()) if options.presence else None
        fitted = fitting.weights(made, kept=kept)
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
