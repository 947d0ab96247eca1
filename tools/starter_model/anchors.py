"""Anchors: synthetic features of every ImageNet class, with the words for it.

Without them, training would forget the thousand classes, which the photos hardly show. An anchor
is a photo's feature moved along the classifier's weights until the classifier is sure of the
class. That is close enough to a picture of the class to keep its word in place.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from timm.data.imagenet_info import ImageNetInfo
from torch import Tensor, nn

from tools.starter_model.categories import everyday

ENGLISH_FORMS = ("a photo of a {}", "{}", "a picture of a {}", "a {} in the background")
CHINESE_FORMS = ("一张{}的照片", "{}", "{}的图片", "一{measure}{}")

KEEP = 0.7
"""The share of the photo's own feature that stays."""
SURE = 0.7
PUSHES = 8


@dataclass(frozen=True)
class Anchors:
    features: Tensor
    """(n, features), like pooled features of the original trunk."""
    classes: Tensor
    """(n,) class numbers."""


def imagine(photos: Tensor, classifier: nn.Linear, count: int, seed: int) -> Anchors:
    """Make `count` anchors from the pooled features (m, features) of photos."""
    dice = torch.Generator().manual_seed(seed)
    classes = torch.randint(0, classifier.out_features, (count,), generator=dice)
    start = KEEP * photos[torch.randint(0, len(photos), (count,), generator=dice)]
    with torch.no_grad():
        directions = nn.functional.normalize(classifier.weight[classes], dim=1)
        strength = torch.full((count, 1), 4.0)
        for _ in range(PUSHES):
            features = torch.relu(start + strength * directions)
            sure = classifier(features).softmax(dim=1)[torch.arange(count), classes] >= SURE
            strength = torch.where(sure[:, None], strength, strength * 1.35)
    return Anchors(torch.relu(start + strength * directions), classes)


def texts_by_class(classes: int = 1000) -> list[list[str]]:
    """For each ImageNet class, texts with its own names and those of its everyday categories."""
    info = ImageNetInfo()
    found = []
    for number in range(classes):
        names = [name.strip() for name in info.index_to_description(number).split(",")]
        found.append([form.format(names[0]) for form in ENGLISH_FORMS] + names[1:])
    for category in everyday():
        texts = [form.format(category.english) for form in ENGLISH_FORMS]
        texts += [form.format(category.chinese, measure=category.measure) for form in CHINESE_FORMS]
        for number in category.classes:
            found[number] += texts
    return found


def anchor_texts() -> list[str]:
    """All different texts of `texts_by_class`."""
    return list(dict.fromkeys(text for texts in texts_by_class() for text in texts))


def draw(texts: list[list[str]], classes: Tensor, dice: random.Random) -> list[str]:
    """Choose a text at random for each of `classes`."""
    return [dice.choice(texts[number]) for number in classes.tolist()]
