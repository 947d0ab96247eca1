"""Reads photos, captions and splits from the data folder.

    photos.tar      photos/NAME.jpg
    captions.json   {"en": [[NAME, caption], ...], "zhc": ..., "zhb": ...}
    splits.json     {"train": [NAME, ...], "val": [NAME, ...]}

`en` is English, `zhc` is Chinese written by people, `zhb` is machine-translated Chinese.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tools.starter_model.errors import Unusable

LANGUAGES = ("en", "zhc", "zhb")
SPLITS = ("train", "val")
FILES = ("photos.tar", "captions.json", "splits.json")


@dataclass(frozen=True)
class Captions:
    """The captions of one split in one language, and the row of the photo of each."""

    texts: list[str]
    photos: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Photos (still encoded) in a fixed order, and their captions by language."""

    names: list[str]
    packed: list[bytes]
    captions: dict[str, Captions]

    def photo(self, row: int) -> Image.Image:
        return Image.open(io.BytesIO(self.packed[row])).convert("RGB")


def fingerprint(folder: Path) -> str:
    """A hash of the contents of the data. Raises Unusable if a file is missing."""
    digest = hashlib.sha256()
    for name in FILES:
        path = folder / name
        if not path.is_file():
            raise Unusable(f"The data folder {folder} holds no {name}.")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def load(folder: Path) -> dict[str, Split]:
    """Load the splits by name. Raises Unusable if anything is missing or malformed."""
    names_by_split = _names_by_split(folder)
    captions = _captions(folder)
    wanted = {name for names in names_by_split.values() for name in names}
    photos = _photos(folder, wanted)
    return {
        split: _assemble(split, names, photos, captions) for split, names in names_by_split.items()
    }


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Unusable(f"The data folder {path.parent} holds no {path.name}.") from error
    except ValueError as error:
        raise Unusable(f"{path} is not JSON: {error}") from error


def _names_by_split(folder: Path) -> dict[str, list[str]]:
    path = folder / "splits.json"
    splits = _json(path)
    if not isinstance(splits, dict) or not all(isinstance(splits.get(s), list) for s in SPLITS):
        raise Unusable(f"{path} must name the photos of {' and '.join(SPLITS)}.")
    if both := set(splits["train"]) & set(splits["val"]):
        raise Unusable(f"{path} has {min(both)} in train and in val: nothing would be held out.")
    return {split: sorted(splits[split]) for split in SPLITS}


def _captions(folder: Path) -> dict[str, list[tuple[str, str]]]:
    path = folder / "captions.json"
    captions = _json(path)
    try:
        return {
            language: [(str(name), str(text)) for name, text in captions[language]]
            for language in LANGUAGES
        }
    except (KeyError, TypeError, ValueError) as error:
        raise Unusable(
            f"{path} must hold a list of [photo, caption] for each of {', '.join(LANGUAGES)}."
        ) from error


def _photos(folder: Path, wanted: set[str]) -> dict[str, bytes]:
    path = folder / "photos.tar"
    photos: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name).stem
                file = archive.extractfile(member) if name in wanted else None
                if file is not None:
                    photos[name] = file.read()
    except FileNotFoundError as error:
        raise Unusable(f"The data folder {folder} holds no {path.name}.") from error
    except tarfile.TarError as error:
        raise Unusable(f"{path} is not a readable tar archive.") from error
    if absent := wanted - photos.keys():
        raise Unusable(f"{path} lacks {len(absent)} photos of the splits, {min(absent)} for one.")
    return photos


def _assemble(
    split: str,
    names: list[str],
    photos: dict[str, bytes],
    captions: dict[str, list[tuple[str, str]]],
) -> Split:
    rows = {name: row for row, name in enumerate(names)}
    by_language = {}
    for language, pairs in captions.items():
        kept = [(rows[name], text) for name, text in pairs if name in rows and text.strip()]
        if not kept:
            raise Unusable(f"No photo of {split} has a caption in “{language}”.")
        by_language[language] = Captions(
            texts=[text for _, text in kept],
            photos=np.array([row for row, _ in kept], dtype=np.int64),
        )
    return Split(names=names, packed=[photos[name] for name in names], captions=by_language)
