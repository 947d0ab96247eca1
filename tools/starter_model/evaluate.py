"""Evaluates a package or compares two: `python -m tools.starter_model.evaluate --help`.

Measures recall on the validation split, zero-shot categories, neighbours of pictures, the ratio
of the speeds on one thread, and the size. Model selection uses only the validation split.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from tools.starter_model import categories, data, measures, stamps, trunk, views
from tools.starter_model.errors import Unusable
from tools.starter_model.settings import Settings
from tools.starter_model.subject import Subject

# The trunk's class of a photo counts as the truth if its probability is above this.
SURE = 0.6
TURNS = 30
QUERIES = {"en": "a dog playing in the park", "zh": "一只狗在公园里玩"}

Figures = dict[str, float]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools.starter_model.evaluate", description=__doc__)
    parser.add_argument("--package", type=Path, required=True, help="the package to evaluate")
    parser.add_argument("--before", type=Path, help="another to compare it with")
    parser.add_argument("--data", type=Path, required=True, help="photos, captions and splits")
    parser.add_argument("--stamps", type=Path, help="the stamps folder of Tux Paint")
    options = parser.parse_args(arguments)
    try:
        subjects = {"package": Subject(options.package)}
        if options.before is not None:
            subjects["before"] = Subject(options.before)
        columns = {
            name: evaluate(subject, options.data, options.stamps)
            for name, subject in subjects.items()
        }
    except Unusable as error:
        print(error, file=sys.stderr)
        return 1
    for name, seconds in speeds(subjects).items():
        columns[name] |= seconds
    print(table(columns))
    return 0


def evaluate(subject: Subject, folder: Path, stamp_folder: Path | None) -> Figures:
    """All figures except speed."""
    val = data.load(folder)["val"]
    photos = [val.photo(row) for row in range(len(val.names))]
    shown = subject.pictures(photos, "val photos")
    figures: Figures = {}
    for language, captions in val.captions.items():
        told = subject.texts(captions.texts, language)
        owners = torch.from_numpy(captions.photos)
        figures |= prefixed(f"val {language}", measures.recalls(told, shown, owners))
    figures |= prefixed("val photos", by_trunk(subject, photos, shown))
    if stamp_folder is not None:
        figures |= prefixed("stamps", by_stamps(subject, stamps.read(stamp_folder)))
    return figures | {"MB": subject.megabytes(), "M parameters": subject.parameters() / 1e6}


def by_trunk(subject: Subject, photos: Sequence[Image.Image], shown: Tensor) -> Figures:
    """Zero-shot figures on the photos for which the original ImageNet trunk is sure of a class."""
    chosen = categories.zero_shot()
    number = {c: kind for kind, category in enumerate(chosen) for c in category.classes}
    sureness, classes = imagenet_classes(photos)
    kept = [
        row
        for row, (sure, c) in enumerate(zip(sureness, classes, strict=True))
        if sure > SURE and c in number
    ]
    kinds = torch.tensor([number[classes[row]] for row in kept])
    english = [category.english for category in chosen]
    chinese = [category.chinese for category in chosen]
    return zero_shot(subject, shown[kept], kinds, english, chinese)


def by_stamps(subject: Subject, found: Sequence[stamps.Stamp]) -> Figures:
    """Zero-shot, neighbour and recall figures on pictures that training never saw."""
    shown = subject.pictures([stamp.image() for stamp in found], "stamps")
    kept = [row for row, stamp in enumerate(found) if stamp.kind is not None]
    kinds = torch.tensor([stamp.kind for stamp in found if stamp.kind is not None])
    english = [name for name, _ in stamps.KINDS.values()]
    chinese = [name for _, name in stamps.KINDS.values()]
    figures = zero_shot(subject, shown[kept], kinds, english, chinese)
    figures["neighbours of a kind@5"] = measures.neighbours_of_a_kind(shown[kept], kinds)
    for language, told in (
        ("en", [stamp.english for stamp in found]),
        ("zh", [stamp.chinese for stamp in found]),
    ):
        rows = [row for row, text in enumerate(told) if text]
        texts = subject.texts([text for text in told if text], language)
        figures[f"{language} r@10"] = measures.recalls(texts, shown, torch.tensor(rows))["r@10"]
    return figures


def zero_shot(
    subject: Subject, shown: Tensor, kinds: Tensor, english: Sequence[str], chinese: Sequence[str]
) -> Figures:
    forms = {
        "zero-shot en": [f"a photo of a {name}" for name in english],
        "zero-shot zh": [f"一张{name}的照片" for name in chinese],
    }
    return {
        name: measures.top_category(shown, subject.texts(texts), kinds)
        for name, texts in forms.items()
    }


def imagenet_classes(photos: Iterable[Image.Image]) -> tuple[list[float], list[int]]:
    """The original trunk's class of each photo, and its probability (first)."""
    settings = Settings()
    model = trunk.build(settings)
    sureness: list[float] = []
    classes: list[int] = []
    with torch.inference_mode():
        for photo in photos:
            likely = model(views.pixels(photo, settings)[None]).softmax(dim=1)[0].max(dim=0)
            sureness.append(float(likely.values))
            classes.append(int(likely.indices))
    return sureness, classes


def speeds(subjects: dict[str, Subject]) -> dict[str, Figures]:
    """Milliseconds on one thread: the best of many alternating turns."""
    torch.set_num_threads(1)
    photo = Image.effect_noise((600, 448), 60).convert("RGB")
    best: dict[str, Figures] = {name: {} for name in subjects}
    for _ in range(TURNS):
        for name, subject in subjects.items():
            turn = {"ms a picture": subject.seconds_for_picture(photo)}
            for language, query in QUERIES.items():
                turn[f"ms a text, {language}"] = subject.seconds_for_text(query)
            for what, seconds in turn.items():
                best[name][what] = min(best[name].get(what, float("inf")), 1000 * seconds)
    return best


def prefixed(prefix: str, figures: Figures) -> Figures:
    return {f"{prefix} {name}": figure for name, figure in figures.items()}


def table(columns: dict[str, Figures]) -> str:
    """A Markdown table. With two packages a third column has the difference or, for times, the
    ratio."""
    names = list(columns)
    compared = len(names) == 2
    head = ["", *names, *(["change"] if compared else [])]
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " --- |" * (len(head) - 1)]
    for what, figure in columns[names[0]].items():
        others = [columns[name][what] for name in names]
        cells = [what, *(f"{other:.1f}" for other in others)]
        if compared:
            change = f"× {figure / others[1]:.2f}" if "ms" in what else f"{figure - others[1]:+.1f}"
            cells.append(change)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
