"""Stage `distil`: the small text tower learns to give the vectors of the teacher."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import trange

from tools.starter_model import model as models
from tools.starter_model import tokens, training
from tools.starter_model.data import LANGUAGES, Split
from tools.starter_model.settings import Settings

# Shares of a batch, in eighths: two English captions, two Chinese captions, four phrases.
SHARES = {"en": 2, "zhc": 1, "zhb": 1, "phrases": 4}
LIKENESS = 8.0
CONTRAST = 0.5
CONTRAST_SCALE = 15.0
CHECKPOINT_EVERY = 100


@dataclass(frozen=True)
class Lessons:
    """Texts as tokens, with the teacher's vector of each, the shortest first."""

    sequences: list[list[int]]
    vectors: Tensor

    @classmethod
    def of(cls, texts: list[str], vectors: Tensor, context_length: int) -> Lessons:
        sequences = tokens.encode_all(texts, context_length)
        order = sorted(range(len(texts)), key=lambda row: len(sequences[row]))
        return cls([sequences[row] for row in order], vectors[torch.tensor(order)])

    def draw(self, count: int, dice: random.Random) -> tuple[Tensor, Tensor]:
        """Draw `count` texts of similar length: (n, length) tokens and (n, d) vectors."""
        window = min(4 * count, len(self.sequences))
        start = dice.randint(0, len(self.sequences) - window)
        rows = dice.sample(range(start, start + window), min(count, window))
        return tokens.pad([self.sequences[row] for row in rows]), self.vectors[torch.tensor(rows)]


def distil(splits: dict[str, Split], teacher: Path, settings: Settings, folder: Path) -> None:
    """Write `text.pt`, the weights of the text tower."""
    training.keep_memory()
    tower = models.build(settings).text
    ids = torch.from_numpy(np.load(teacher / "token-ids.npy"))
    models.start_tokens(tower, ids, read_vectors(teacher / "tokens.npy"))
    lessons = read_lessons(splits["train"], teacher, settings)
    optimiser = torch.optim.AdamW(
        tower.parameters(),
        lr=settings.distil_rate,
        betas=(0.9, 0.98),
        weight_decay=0.01,
        fused=True,
    )
    first = 0
    if (saved := training.load_checkpoint(folder)) is not None:
        tower.load_state_dict(saved["tower"])
        optimiser.load_state_dict(saved["optimiser"])
        first = saved["step"]
    for step in trange(first, settings.distil_steps, initial=first, total=settings.distil_steps):
        dice = training.dice_for(settings.seed, step)
        for group in optimiser.param_groups:
            group["lr"] = settings.distil_rate * training.rate_at(step, settings.distil_steps)
        optimiser.zero_grad(set_to_none=True)
        likeness = {}
        for name, share in SHARES.items():
            count = max(2, settings.distil_batch * share // sum(SHARES.values()))
            loss, likeness[name] = _lesson(tower, *lessons[name].draw(count, dice))
            loss.backward()
        nn.utils.clip_grad_norm_(tower.parameters(), 1.0)
        optimiser.step()
        if step % 25 == 0:
            training.note(folder, step=step, likeness=likeness)
        if (step + 1) % CHECKPOINT_EVERY == 0:
            state = {"tower": tower.state_dict(), "optimiser": optimiser.state_dict()}
            training.save_checkpoint(folder, {**state, "step": step + 1})
    torch.save(tower.state_dict(), folder / "text.pt")
    (folder / training.CHECKPOINT).unlink(missing_ok=True)


def read_vectors(path: Path) -> Tensor:
    return torch.from_numpy(np.load(path).astype(np.float32))


def read_lessons(train: Split, teacher: Path, settings: Settings) -> dict[str, Lessons]:
    length = settings.context_length
    lessons = {
        language: Lessons.of(
            train.captions[language].texts, read_vectors(teacher / f"{language}.npy"), length
        )
        for language in LANGUAGES
    }
    phrases = json.loads((teacher / "phrases.json").read_text())
    lessons["phrases"] = Lessons.of(phrases, read_vectors(teacher / "phrases.npy"), length)
    return lessons


def _lesson(tower: Any, padded: Tensor, wanted: Tensor) -> tuple[Tensor, float]:
    """The loss of the tower against the teacher, and their mean cosine."""
    with torch.autocast("cpu", torch.bfloat16):
        vectors = models.encode_text(tower, padded)
    cosine = (vectors * wanted).sum(dim=-1).mean()
    pairs = CONTRAST_SCALE * vectors @ wanted.T
    contrast = nn.functional.cross_entropy(pairs, torch.arange(len(pairs)))
    return LIKENESS * (1 - cosine) + CONTRAST * contrast, float(cosine.detach())
