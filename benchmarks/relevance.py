"""How well the relevance line parts what fits a text from the rest, on photographs with captions.

A photograph shows what at least two of its captions mention (tools/relevance). Printed are, for
texts that few, some, many and most photographs fit, precision, recall and F1 above the line, beside
the F1 of the best line for each text alone, which is what the ranking allows; how often texts
without meaning and things that no caption mentions are told that nothing matches, and what other
shares of the latter would cost; the calibration error of the probabilities; and what a judgement
costs. Captions are JSON:
{"en": [["photo name without extension", "caption"], …]}.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recall import read_photos

NONSENSE = (
    "asdfgh qwerty", "lkjh poiu", "xqzt vbnm", "qqqqqq", "zxcvbnm", "blorp fnarg", "wibble",
    "hjkl wert", "sdlkfj", "gfdgfd", "flurble the grumbus", "xyzzy plugh", "rtyfgh", "mnbvc",
    "8f3a9c", "kdjfhg", "pqowie", "!!!???", "foo bar baz", "lorem ipsum dolor", "啊啊啊啊",
    "的的的", "斯德哥克", "谷歌里夫", "噜噜噜",
)  # fmt: skip
# Sizes of smaller libraries, and how many are drawn of each: a single one says little.
SMALLER = {100: 8, 15: 40}
SUBJECT = "a dog"


def main(arguments: list[str]) -> None:
    parser = argument_parser("relevance", __doc__)
    parser.add_argument("--model", default="starter", help="an open_clip architecture or folder")
    parser.add_argument("--pretrained", default="", help="its weights")
    options = parser.parse_args(arguments)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    import django

    django.setup()
    from gallery.encoders.registry import get_encoder
    from tools.relevance import report
    from tools.relevance.material import Material

    encoder = get_encoder(options.model, options.pretrained)
    names, pictures = photo_vectors(encoder, options, wanted_names(options))
    material = Material.of(encoder, names, pictures, options.captions)
    texts = np.arange(len(material.words.texts))
    rng = np.random.default_rng(0)
    libraries = {"all": [np.arange(len(names))]}
    for size, count in SMALLER.items():
        libraries[f"{count} times {size} of them"] = [
            rng.choice(len(names), size, replace=False) for _ in range(count)
        ]
    of_subject = material.words.shown[material.words.texts.index(SUBJECT)]
    libraries[f"only “{SUBJECT}”"] = [np.flatnonzero(of_subject)]
    libraries[f"none of “{SUBJECT}”"] = [np.flatnonzero(~of_subject)]
    for name, drawn in libraries.items():
        print(f"\n{name}: {len(drawn[0])} photographs")
        report.show(report.joined([report.measured(material, chosen, texts) for chosen in drawn]))
    _nonsense(encoder, material)


def _nonsense(encoder: Any, material: Any) -> None:
    """Print how often texts without meaning are told that nothing matches, and what that costs."""
    from gallery.search.relevance.relevance import of_text

    pictures = material.pictures
    reference = material.reference(pictures)
    silent, took = [], []
    for vector in encoder.encode_texts(list(NONSENSE)):
        best = float((pictures @ vector).max())
        start = time.perf_counter()
        judgement = of_text(reference.fits(vector[np.newaxis])[0], len(pictures)).settled(best)
        took.append(time.perf_counter() - start)
        silent.append(judgement.fit(best) == "weak")
    print(f"\nnonsense {len(NONSENSE)} texts: “nothing matches well” {np.mean(silent):.0%}")
    print(f"a judgement takes {np.median(took) * 1000:.2f} ms")


def argument_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the arguments that name photographs and their captions."""
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("--photos", required=True, type=Path, help="a folder or a tar")
    parser.add_argument("--captions", required=True, type=Path)
    parser.add_argument("--split", type=Path, help="JSON with lists of names")
    parser.add_argument("--part", default="val", help="which list of the split")
    parser.add_argument("--vectors", type=Path, help="an .npz to keep the photos' vectors in")
    return parser


def wanted_names(options: argparse.Namespace) -> set[str] | None:
    """Return the names of the chosen part of the split; None without a split."""
    return set(json.loads(options.split.read_text())[options.part]) if options.split else None


def photo_vectors(
    encoder: Any, options: Any, wanted: set[str] | None
) -> tuple[list[str], np.ndarray]:
    """Return the names (n,) and vectors (n, d) of the photographs, kept ones if there are some."""
    if options.vectors and options.vectors.exists():
        kept = np.load(options.vectors)
        return list(kept["names"]), kept["pictures"]
    from PIL import Image
    from tqdm import tqdm

    photos = read_photos(options.photos, wanted)
    names = sorted(photos)
    vectors = []
    for start in tqdm(range(0, len(names), 32), desc="encode"):
        batch = [Image.open(io.BytesIO(photos[n])).convert("RGB") for n in names[start:][:32]]
        vectors.append(encoder.encode_images(batch))
    pictures = np.concatenate(vectors)
    if options.vectors:
        np.savez(options.vectors, names=names, pictures=pictures)
    return names, pictures
