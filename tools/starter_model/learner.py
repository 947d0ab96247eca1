"""The towers in training: their outputs for stored maps and texts, and the losses."""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.starter_model import losses, tokens
from tools.starter_model import model as models
from tools.starter_model import trunk as trunks
from tools.starter_model.data import LANGUAGES
from tools.starter_model.material import Material
from tools.starter_model.settings import Settings

FEATURE_DROP = 0.15
ANCHORS = 192
PHRASES = 256
PHRASE_SCALE = 15.0
MAX_SCALE = 100.0
HEAD_BATCH = 1024

TEACHER_WEIGHT = 0.3
LIKENESS_WEIGHT = 0.5
FORGETTING_WEIGHT = 1.0
ANCHOR_WEIGHT = 0.5
PHRASE_WEIGHT = 0.5


class Learner(nn.Module):
    """The model, and a linear map from the teacher's space into its own."""

    def __init__(self, material: Material, text: dict[str, Tensor], settings: Settings) -> None:
        super().__init__()
        self.material = material
        self.settings = settings
        self.model = models.build(settings)
        self.model.visual.trunk.load_state_dict(_without_classifier(trunks.build(settings)))
        self.model.text.load_state_dict(text)
        self.adapter = nn.Linear(settings.dimensions, settings.dimensions, bias=False)
        nn.init.eye_(self.adapter.weight)
        _freeze(self.model.visual.trunk, settings.frozen_blocks)

    def train(self, mode: bool = True) -> Learner:
        """Keep the batch statistics of ImageNet: the crops of a batch are too similar."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    @property
    def scale(self) -> Tensor:
        return self.model.logit_scale.exp().clamp(max=MAX_SCALE)

    def features(self, maps: Tensor) -> Tensor:
        """Stored maps -> (n, features), pooled by the trained top of the trunk."""
        trunk = self.model.visual.trunk
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            entering = maps.to(torch.bfloat16 if self.training else torch.float32)
            pooled = trunks.top(trunk, entering, self.settings.frozen_blocks)
        return pooled.float()

    def pictures(self, features: Tensor) -> Tensor:
        """(n, features) -> (n, d) unit vectors."""
        dropped = functional.dropout(features, FEATURE_DROP, self.training)
        return functional.normalize(self.model.visual.head(dropped), dim=-1)

    def texts(self, padded: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            return models.encode_text(self.model.text, padded)

    def taught(self, vectors: Tensor) -> Tensor:
        """Map the teacher's vectors into the model's space."""
        return functional.normalize(self.adapter(vectors), dim=-1)

    def head_loss(self, dice: random.Random) -> Tensor:
        """The loss of original features against the teacher's vectors, in one random language
        for each step."""
        kept = self.material.views.features
        count = kept.shape[1]
        photos = dice.sample(range(count), min(HEAD_BATCH, count))
        telling = self.material.tellings[dice.choice(LANGUAGES)]
        places, rows = telling.draw(photos, dice)
        views = torch.tensor([dice.randrange(len(kept)) for _ in places])
        features = kept[views, torch.tensor(photos)[places]].float()
        anchored, _, vectors, fits = self._anchors(dice)
        smoothing = self.settings.label_smoothing
        own = losses.contrast(
            self.pictures(features), self.taught(telling.vectors[rows]), self.scale, smoothing
        )
        known = losses.contrast_many(
            self.pictures(anchored), self.taught(vectors), self.scale, fits
        )
        return own + ANCHOR_WEIGHT * known

    def joint_losses(self, photos: list[int], dice: random.Random) -> dict[str, Tensor]:
        """The weighted loss terms of one step."""
        maps, before = self.material.views.draw(photos, dice)
        features = self.features(maps)
        pictures = self.pictures(features)
        classifier = self.material.classifier
        terms = {
            "forgetting": FORGETTING_WEIGHT
            * losses.forgetting(classifier(before), classifier(features))
        }
        for language in LANGUAGES:
            terms |= self._telling_terms(language, photos, pictures, dice)
        terms["anchors"] = ANCHOR_WEIGHT * self._anchor_loss(dice)
        terms["phrases"] = PHRASE_WEIGHT * self._phrase_loss(dice)
        return terms

    def _telling_terms(
        self, language: str, photos: list[int], pictures: Tensor, dice: random.Random
    ) -> dict[str, Tensor]:
        telling = self.material.tellings[language]
        places, rows = telling.draw(photos, dice)
        texts = self.texts(tokens.pad([telling.sequences[row] for row in rows]))
        taught = self.taught(telling.vectors[rows])
        share, smoothing = 1 / len(LANGUAGES), self.settings.label_smoothing
        shown = pictures[places]
        by_teacher = losses.contrast(shown, taught, self.scale, smoothing)
        likeness = 1 - (texts * taught.detach()).sum(dim=1).mean()
        return {
            language: share * losses.contrast(shown, texts, self.scale, smoothing),
            f"{language}-teacher": share * TEACHER_WEIGHT * by_teacher,
            f"{language}-likeness": share * LIKENESS_WEIGHT * likeness,
        }

    def _anchors(self, dice: random.Random) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.material.anchors.draw(ANCHORS, dice)

    def _anchor_loss(self, dice: random.Random) -> Tensor:
        features, padded, vectors, fits = self._anchors(dice)
        pictures = self.pictures(features)
        by_text = losses.contrast_many(pictures, self.texts(padded), self.scale, fits)
        by_teacher = losses.contrast_many(pictures, self.taught(vectors), self.scale, fits)
        return by_text + TEACHER_WEIGHT * by_teacher

    def _phrase_loss(self, dice: random.Random) -> Tensor:
        padded, vectors = self.material.phrases.draw(PHRASES, dice)
        wanted = self.taught(vectors).detach()
        return losses.distance(self.texts(padded), wanted, PHRASE_SCALE)


def _without_classifier(trunk: nn.Module) -> dict[str, Tensor]:
    state = trunk.state_dict()
    return {name: value for name, value in state.items() if not name.startswith("classifier")}


def _freeze(trunk: Any, blocks: int) -> None:
    """Freeze the bottom, and the depthwise kernels of the top: their gradients take most of the
    time of a step on a CPU, but they are only one weight in fifty."""
    trunk.requires_grad_(False)
    for part in trunks.trained_parts(trunk, blocks):
        part.requires_grad_(True)
        for module in part.modules():
            if isinstance(module, nn.Conv2d) and module.groups > 1:
                module.weight.requires_grad_(False)


def groups(learner: Learner, settings: Settings) -> list[dict[str, Any]]:
    """Parameter groups with their learning rates. Vectors (norms, biases) have no weight decay."""
    model = learner.model
    rates = [
        (model.visual.trunk, settings.trunk_rate),
        (model.visual.head, settings.head_rate / 2),
        (model.text, settings.text_rate),
        (learner.adapter, settings.head_rate / 5),
    ]
    found: list[dict[str, Any]] = []
    for part, rate in rates:
        trained = [parameter for parameter in part.parameters() if parameter.requires_grad]
        for decays in (True, False):
            chosen = [p for p in trained if (p.ndim > 1) is decays]
            decay = settings.weight_decay if decays else 0.0
            found.append({"params": chosen, "full": rate, "lr": rate, "weight_decay": decay})
    scale = [model.logit_scale]
    found.append({"params": scale, "full": 1e-3, "lr": 1e-3, "weight_decay": 0.0})
    return [group for group in found if group["params"]]
