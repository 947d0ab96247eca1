"""Squash, crop or pad: compares ways to feed pictures that are not square to the model.

    python -m tools.starter_model.aspect --package FOLDER --data FOLDER --stamps FOLDER

It uses two kinds of pictures. The stamps have real aspect ratios, but a white background. The
validation photos are whole scenes, but the data set has squashed them to squares. Here they are
stretched to one shape, which cannot be the original one of all of them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from PIL import Image

from tools.starter_model import data, measures, stamps
from tools.starter_model.errors import Unusable
from tools.starter_model.subject import Subject

MODES = {"squash": "squash", "crop": "shortest", "pad": "longest"}
SHAPES = {"4:3": (597, 448), "2:1": (896, 448)}
# Ranges of the ratio of the long to the short side of stamps.
BANDS = {"up to 1.25": (1.0, 1.25), "1.25 to 1.75": (1.25, 1.75), "over 1.75": (1.75, 99.0)}
EVERY_PHOTO, EVERY_STAMP = 5, 2
"""Use every n-th of each, which is enough for the choice."""

Row = tuple[str, dict[str, float]]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools.starter_model.aspect", description=__doc__)
    parser.add_argument("--package", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--stamps", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        subjects = {name: Subject(options.package, mode) for name, mode in MODES.items()}
        val = data.load(options.data)["val"]
        found = stamps.read(options.stamps)[::EVERY_STAMP]
    except Unusable as error:
        print(error, file=sys.stderr)
        return 1
    print("| pictures | " + " | ".join(MODES) + " |")
    print("| --- |" + " --- |" * len(MODES))
    for what, figures in [*by_shape(subjects, val), *by_band(subjects, found)]:
        print(f"| {what} | " + " | ".join(f"{figures[name]:.1f}" for name in MODES) + " |")
    return 0


def by_shape(subjects: dict[str, Subject], val: data.Split) -> Iterator[Row]:
    """English recall@10 on validation photos stretched to each shape."""
    rows = list(range(0, len(val.names), EVERY_PHOTO))
    place = {row: number for number, row in enumerate(rows)}
    captions = val.captions["en"]
    told = [
        (t, place[p]) for t, p in zip(captions.texts, captions.photos, strict=True) if p in place
    ]
    texts = next(iter(subjects.values())).texts([text for text, _ in told])
    owners = torch.tensor([number for _, number in told])
    for name, size in SHAPES.items():
        photos = [val.photo(row).resize(size, Image.Resampling.BICUBIC) for row in rows]
        yield (
            f"val photos as {name}, en r@10",
            {
                mode: measures.recalls(texts, subject.pictures(photos, mode), owners)["r@10"]
                for mode, subject in subjects.items()
            },
        )


def by_band(subjects: dict[str, Subject], found: Sequence[stamps.Stamp]) -> Iterator[Row]:
    """English recall@10 of the stamps' descriptions, by aspect ratio."""
    images = [stamp.image() for stamp in found]
    texts = next(iter(subjects.values())).texts([stamp.english for stamp in found])
    shown = {mode: subject.pictures(images, mode) for mode, subject in subjects.items()}
    for name, (low, high) in BANDS.items():
        rows = [
            row
            for row, image in enumerate(images)
            if low <= max(image.size) / min(image.size) < high
        ]
        owners = torch.tensor(rows)
        yield (
            f"{len(rows)} stamps, long by short side {name}, en r@10",
            {
                mode: measures.recalls(texts[rows], vectors, owners)["r@10"]
                for mode, vectors in shown.items()
            },
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
