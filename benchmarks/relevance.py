"""How well the relevance line separates matches from the rest, on photographs with captions.

Each caption is searched among all photographs, and its own photograph counts as a match. Texts
without meaning, and things that no caption mentions, are searched as well. Captions are JSON:
{"language": [["photo name without extension", "caption"], …]}.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import time
from collections.abc import Callable
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
THINGS = (
    "ramen", "sushi", "a spider web", "a cockpit", "a motherboard", "a laptop", "a penguin",
    "an elephant", "a giraffe", "a lion", "a whale", "a space shuttle", "the moon", "a toilet",
    "a washing machine", "a refrigerator", "a wristwatch", "scissors", "a violin", "a chess board",
    "a map", "an x-ray", "a passport", "a banana", "a pizza", "a hamburger", "a lighthouse",
    "a windmill", "a castle", "a tractor", "a submarine", "an excavator", "a snake", "a frog",
    "a goldfish", "a cactus", "a sunflower", "a pineapple", "a zebra", "a mushroom",
)  # fmt: skip

# Words that are combined with captions; the photographs show many of them.
WORDS = ("people", "snow", "grass", "water", "a dog", "a child", "a red car", "the beach", "a man")


def main(arguments: list[str]) -> None:
    parser = argument_parser("relevance", __doc__)
    parser.add_argument("--queries", type=int, default=1000, help="captions per language")
    options = parser.parse_args(arguments)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    import django

    django.setup()
    from gallery.encoders.registry import get_encoder
    from gallery.search.relevance import calibration
    from gallery.search.relevance.language_probes import CAPTIONS, ENGLISH

    encoder = get_encoder("starter")
    names, pictures = photo_vectors(encoder, options, wanted_names(options))
    captions = json.loads(options.captions.read_text())
    place = {name: number for number, name in enumerate(names)}
    probes = encoder.encode_texts([*ENGLISH, *CAPTIONS["en"]])
    chance = calibration.measured(probes, pictures)
    print(f"{len(names)} photographs; chance: {chance}")

    for language, pairs in captions.items():
        known = [(place[name], text) for name, text in pairs if name in place]
        known = known[:: max(1, len(known) // options.queries)][: options.queries]
        texts = _encoded(encoder, [text for _place, text in known])
        _captions(language, texts, np.array([own for own, _text in known]), pictures, chance)
    text = " ".join(caption.lower() for name, caption in captions["en"] if name in place)
    absent = [thing for thing in THINGS if not re.search(rf"\b{thing.split()[-1]}s?\b", text)]
    for what, queries in (("nonsense", list(NONSENSE)), ("not there", absent)):
        silent = [_best_is_weak(vector, pictures, chance) for vector in _encoded(encoder, queries)]
        print(f"{what:<10} {len(queries)} texts: “nothing matches well” {np.mean(silent):.0%}")
    _sums(captions["en"], place, pictures, chance, absent, encoder)
    _one_subject("en", captions, place, pictures, probes, encoder)
    _cost(pictures, _encoded(encoder, list(NONSENSE)), chance)


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


def _encoded(encoder: Any, texts: list[str]) -> np.ndarray:
    parts = [encoder.encode_texts(texts[start : start + 64]) for start in range(0, len(texts), 64)]
    return np.concatenate(parts)


def _sums(
    pairs: list[tuple[str, str]],
    place: dict[str, int],
    pictures: np.ndarray,
    chance: Any,
    absent: list[str],
    encoder: Any,
) -> None:
    """Measure captions, nonsense and absent things, each with a word added or subtracted."""
    known = [(place[name], text) for name, text in pairs if name in place][::25]
    own = [number for number, _text in known]
    words = _encoded(encoder, list(WORDS))
    for weight in (-0.5, -1.0, 1.0):
        for what, texts in (
            ("caption", [text for _number, text in known]),
            ("nonsense", list(NONSENSE)),
            ("not there", absent),
        ):
            above, found, silent = [], [], []
            for number, vector in enumerate(_encoded(encoder, texts)):
                terms = np.stack([vector, words[number % len(words)]])
                scores, judgement = _of_sum(terms, weight, pictures, chance)
                above.append(float(np.mean(scores >= judgement.line)))
                silent.append(scores.max() < judgement.line)
                if what == "caption":
                    found.append(scores[own[number]] >= judgement.line)
            own_found = f"own photograph above the line {np.mean(found):.1%}, " if found else ""
            print(
                f"{what:<10} and a word, {weight:+}: {own_found}of all {np.mean(above):.1%}, "
                f"“nothing matches well” {np.mean(silent):.0%}"
            )


def _of_sum(
    terms: np.ndarray, weight: float, pictures: np.ndarray, chance: Any
) -> tuple[np.ndarray, Any]:
    from gallery.search.relevance import relevance

    of_parts = pictures @ terms.T
    factors = np.array([1.0, weight]) / of_parts.std(axis=0)
    shares = factors / np.linalg.norm(factors @ terms)
    scores = of_parts @ shares
    judgement = relevance.of_sum(scores, of_parts, shares, [chance, chance], len(pictures))
    return scores, judgement.settled(float(scores.max()))


def _judged(scores: np.ndarray, chance: Any) -> Any:
    from gallery.search.relevance import relevance

    return relevance.of_scores(scores, chance, len(scores)).settled(float(scores.max()))


def _best_is_weak(vector: np.ndarray, pictures: np.ndarray, chance: Any) -> bool:
    scores = pictures @ vector
    return _judged(scores, chance).fit(float(scores.max())) == "weak"


def _captions(
    language: str, texts: np.ndarray, own: np.ndarray, pictures: np.ndarray, chance: Any
) -> None:
    true, others, silent, fits = [], [], [], []
    for vector, place in zip(texts, own, strict=True):
        scores = pictures @ vector
        judgement = _judged(scores, chance)
        true.append(scores[place] >= judgement.line)
        fits.append(judgement.fit(float(scores[place])))
        others.append(np.delete(scores >= judgement.line, place).mean())
        silent.append(bool((scores < judgement.line).all()))
    words = ", ".join(
        f"{word} {fits.count(word) / len(fits):.0%}"
        for word in ("excellent", "good", "fair", "weak")
    )
    print(
        f"{language:<10} {len(texts)} captions: their own photograph above the line "
        f"{np.mean(true):.1%} ({words}), of the others {np.mean(others):.1%}; "
        f"“nothing matches well” {np.mean(silent):.1%}"
    )


def _one_subject(
    language: str, captions: Any, place: dict[str, int], pictures: np.ndarray,
    probes: np.ndarray, encoder: Any,
) -> None:  # fmt: skip
    """Measure a library with only dogs, and one without any."""
    from gallery.search.relevance import calibration

    mentions = np.zeros(len(place), dtype=int)
    for name, text in captions[language]:
        if name in place:
            mentions[place[name]] += bool(re.search(r"\b(dog|puppy)", text.lower()))
    dog = _encoded(encoder, ["a dog"])[0]
    others = _encoded(encoder, ["a bicycle", "a swimming pool", "skiing", "a horse", "a boat"])
    for what, library in (("dogs", pictures[mentions >= 3]), ("no dogs", pictures[mentions == 0])):
        chance = calibration.measured(probes, library)
        scores = library @ dog
        found = np.mean(scores >= _judged(scores, chance).line)
        strays = [np.mean(library @ v >= _judged(library @ v, chance).line) for v in others]
        print(
            f"{what:<10} {len(library)} photographs: above the line for “a dog” {found:.1%}, "
            f"for five other things {np.mean(strays):.1%}"
        )


def _cost(pictures: np.ndarray, queries: np.ndarray, chance: Any) -> None:
    from gallery.search.relevance import relevance

    drawn = pictures[:1000]

    def once(vector: np.ndarray) -> None:
        relevance.of_scores(drawn @ vector, chance, len(drawn))

    took = [_seconds(once, vector) for vector in queries for _ in range(20)]
    print(f"a judgement takes {np.median(took) * 1000:.2f} ms (median, sample of {len(drawn)})")


def _seconds(act: Callable[[np.ndarray], None], vector: np.ndarray) -> float:
    start = time.perf_counter()
    act(vector)
    return time.perf_counter() - start
