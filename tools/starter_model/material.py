"""The input of the joint training, from the stages before it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tools.starter_model import anchors, tokens
from tools.starter_model import trunk as trunks
from tools.starter_model.data import LANGUAGES, Split
from tools.starter_model.distil import Lessons, read_lessons, read_vectors
from tools.starter_model.settings import Settings

# The number of synthetic anchors, and the probability of the trunk's class above which a photo
# itself serves as an anchor of that class.
IMAGINED = 12_000
SURE_OF_PHOTO = 0.6

Maps = npt.NDArray[np.float16]


@dataclass(frozen=True)
class Telling:
    """The captions of one language: tokens, the teacher's vectors, and the rows by photo."""

    sequences: list[list[int]]
    vectors: Tensor
    by_photo: list[list[int]]

    @classmethod
    def of(cls, split: Split, language: str, vectors: Tensor, length: int) -> Telling:
        captions = split.captions[language]
        by_photo: list[list[int]] = [[] for _ in split.names]
        for row, photo in enumerate(captions.photos.tolist()):
            by_photo[photo].append(row)
        return cls(tokens.encode_all(captions.texts, length), vectors, by_photo)

    def draw(self, photos: list[int], dice: random.Random) -> tuple[list[int], list[int]]:
        """Draw one caption for each photo that has any: positions in `photos`, caption rows."""
        places = [place for place, photo in enumerate(photos) if self.by_photo[photo]]
        return places, [dice.choice(self.by_photo[photos[place]]) for place in places]


class Views:
    """The stored maps of the training photos, and their features from the original trunk."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        names = [f"train-{number}" for number in range(settings.views)]
        self._maps: list[Maps] = [np.load(folder / f"{n}.npy", mmap_mode="r") for n in names]
        features = [np.load(folder / f"{n}-features.npy") for n in names]
        self.features = torch.from_numpy(np.stack(features))
        """(views, photos, features) float16."""

    def draw(self, photos: list[int], dice: random.Random) -> tuple[Tensor, Tensor]:
        """Draw a random view of each photo: (n, channels, h, w) maps and (n, features)."""
        chosen = [dice.randrange(len(self._maps)) for _ in photos]
        pairs = list(zip(chosen, photos, strict=True))
        maps = np.stack([self._maps[view][photo] for view, photo in pairs])
        features = self.features[torch.tensor(chosen), torch.tensor(photos)]
        return torch.from_numpy(maps).permute(0, 3, 1, 2), features.float()


class AnchorLessons:
    """Anchors with their texts, and which texts fit which classes."""

    def __init__(self, folder: Path, views: Views, classifier: nn.Linear, settings: Settings):
        texts = json.loads((folder / "anchors.json").read_text())
        rows = {text: row for row, text in enumerate(texts)}
        self._by_class = [[rows[text] for text in own] for own in anchors.texts_by_class()]
        self._sequences = tokens.encode_all(texts, settings.context_length)
        self._vectors = read_vectors(folder / "anchors.npy")
        self.fits = torch.zeros(len(texts), len(self._by_class), dtype=torch.bool)
        """(texts, classes)"""
        for number, own in enumerate(self._by_class):
            self.fits[own, number] = True

        photos = views.features[0].float()
        imagined = anchors.imagine(photos, classifier, IMAGINED, settings.seed)
        with torch.no_grad():
            sureness, seen = classifier(photos).softmax(dim=1).max(dim=1)
        sure = sureness > SURE_OF_PHOTO
        self._features = torch.cat([imagined.features, photos[sure]])
        self._classes = torch.cat([imagined.classes, seen[sure]])

    def draw(self, count: int, dice: random.Random) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Draw anchors (n, features), and a text for each as padded tokens and teacher's
        vectors (n, d). The last tensor (n, n) tells whether the text of a column fits the
        anchor of a row."""
        picked = torch.tensor(dice.sample(range(len(self._classes)), count))
        classes = self._classes[picked]
        texts = torch.tensor([dice.choice(self._by_class[c]) for c in classes.tolist()])
        padded = tokens.pad([self._sequences[row] for row in texts.tolist()])
        return self._features[picked], padded, self._vectors[texts], self.fits[texts][:, classes].T


@dataclass(frozen=True)
class Material:
    views: Views
    tellings: dict[str, Telling]
    phrases: Lessons
    anchors: AnchorLessons
    classifier: nn.Linear
    """The ImageNet classifier of the original trunk."""
    val_maps: Maps
    val_captions: dict[str, tuple[list[list[int]], Tensor]]
    """Tokens and the rows of the photos, by language."""

    @classmethod
    def gather(
        cls, splits: dict[str, Split], views: Path, teacher: Path, settings: Settings
    ) -> Material:
        length = settings.context_length
        kept = Views(views, settings)
        trunk: Any = trunks.build(settings)
        classifier: nn.Linear = trunk.classifier.requires_grad_(False)
        return cls(
            views=kept,
            tellings={
                language: Telling.of(
                    splits["train"], language, read_vectors(teacher / f"{language}.npy"), length
                )
                for language in LANGUAGES
            },
            phrases=read_lessons(splits["train"], teacher, settings)["phrases"],
            anchors=AnchorLessons(teacher, kept, classifier, settings),
            classifier=classifier,
            val_maps=np.load(views / "val.npy", mmap_mode="r"),
            val_captions={
                language: (
                    tokens.encode_all(captions.texts, length),
                    torch.from_numpy(captions.photos),
                )
                for language, captions in splits["val"].captions.items()
            },
        )
