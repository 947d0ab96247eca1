"""Photographs, texts, and which photograph shows what."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gallery.indexing import concepts
from gallery.indexing.text_fit import MOST_PICTURES, Reference, Weights

FOLDER = Path(__file__).parent
# A picture shows what so many of its captions mention; with fewer, but one, it is unclear.
MENTIONS = 2


@dataclass(frozen=True)
class Words:
    """Texts with unit vectors (m, d), and how many captions of each picture mention them (m, n).
    Texts with the same `group` say the same. `languages` are "en" or "zh"."""

    texts: list[str]
    languages: list[str]
    groups: np.ndarray
    vectors: np.ndarray
    mentions: np.ndarray

    @property
    def shown(self) -> np.ndarray:
        return self.mentions >= MENTIONS

    def some(self, rows: np.ndarray, pictures: np.ndarray) -> Words:
        return Words(
            [self.texts[row] for row in rows],
            [self.languages[row] for row in rows],
            self.groups[rows],
            self.vectors[rows],
            self.mentions[np.ix_(rows, pictures)],
        )


@dataclass(frozen=True, eq=False)
class Material:
    """`pictures` are unit vectors (n, d) of the photographs `names`."""

    encoder: Any
    names: list[str]
    pictures: np.ndarray
    captions: list[list[str]]

    @classmethod
    def of(cls, encoder: Any, names: list[str], pictures: np.ndarray, captions: Path) -> Material:
        """Return the material of encoded photographs, with the captions of a file."""
        place = {name: number for number, name in enumerate(names)}
        said: list[list[str]] = [[] for _ in names]
        for name, caption in json.loads(captions.read_text())["en"]:
            if name in place:
                said[place[name]].append(caption.lower())
        return cls(encoder, names, pictures, said)

    def of_split(self, split: Path, part: str) -> np.ndarray:
        """Return the numbers of the photographs of a part of the split."""
        wanted = {Path(name).stem for name in json.loads(split.read_text())[part]}
        return np.array([n for n, name in enumerate(self.names) if name in wanted])

    def texts(self, texts: list[str]) -> np.ndarray:
        return np.asarray(self.encoder.encode_texts(texts))

    def reference(self, pictures: np.ndarray, weights: Weights | None = None) -> Reference:
        """Return the reference of a library of pictures, unit vectors (n, d)."""
        english, chinese = self._concepts
        return Reference(english, pictures[:MOST_PICTURES], chinese, weights)

    @cached_property
    def _concepts(self) -> tuple[np.ndarray, np.ndarray]:
        return concepts.encoded(self.encoder), concepts.encoded(self.encoder, "zh")

    @cached_property
    def words(self) -> Words:
        texts, languages, groups, mentions = [], [], [], []
        for group, (english, chinese, pattern) in enumerate(_rows("words.tsv")):
            counts = self._mentions(pattern)
            for text, language in ((english, "en"), (chinese, "zh")):
                if text:
                    texts.append(text)
                    languages.append(language)
                    groups.append(group)
                    mentions.append(counts)
        return Words(texts, languages, np.array(groups), self.texts(texts), np.stack(mentions))

    @cached_property
    def absent(self) -> Words:
        """Things that no caption mentions."""
        rows = [row for row in _rows("absent.tsv") if not self._mentions(_pattern(row[0])).any()]
        texts = [text for row in rows for text in row]
        return Words(
            texts,
            ["en", "zh"] * len(rows),
            np.repeat(np.arange(len(rows)), 2),
            self.texts(texts),
            np.zeros((len(texts), len(self.names)), dtype=int),
        )

    def never_mentioned(self, concepts: list[str]) -> list[int]:
        """Return the numbers of the concepts that no caption mentions."""
        return [n for n, text in enumerate(concepts) if not self._mentions(_pattern(text)).any()]

    def _mentions(self, pattern: str) -> np.ndarray:
        found = re.compile(rf"\b(?:{pattern})\b")
        return np.array([sum(bool(found.search(each)) for each in said) for said in self.captions])


def _pattern(text: str) -> str:
    """Return a pattern of the last word of a text, in singular and plural."""
    word = re.escape(text.lower().split()[-1])
    stem = word.removesuffix("s").removesuffix("e")
    return f"{stem}(?:e|s|es)?" if len(stem) > 3 else f"{word}s?"


def _rows(name: str) -> list[list[str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]
