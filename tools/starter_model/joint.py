"""Stage `joint`: trains the image tower and the text tower together.

First only the image head is trained, on the teacher's vectors of the captions. Then the top of
the trunk, the head and the text tower are trained together on English, Chinese and
machine-translated captions. Other loss terms preserve earlier knowledge: the classifier's output
for each photo, the words for a thousand classes, and the teacher's phrases.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import trange

from tools.starter_model import measures, training
from tools.starter_model import model as models
from tools.starter_model.learner import Learner, groups
from tools.starter_model.material import Material
from tools.starter_model.settings import Settings

CHECKPOINTS = 20
"""The number of steps between two checkpoints."""


class Average:
    """The running mean of the trained weights, which is more stable than the last weights."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._decay = decay
        self.weights = {
            name: parameter.detach().clone()
            for name, parameter in module.named_parameters()
            if parameter.requires_grad
        }

    def follow(self, module: nn.Module, step: int) -> None:
        decay = min(self._decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                if name in self.weights:
                    self.weights[name].lerp_(parameter, 1 - decay)

    def swap(self, module: nn.Module) -> None:
        """Swap the module's weights with the mean. A second call undoes it."""
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                if name in self.weights:
                    kept = parameter.detach().clone()
                    parameter.copy_(self.weights[name])
                    self.weights[name] = kept


def train(material: Material, text: dict[str, Tensor], settings: Settings, folder: Path) -> None:
    """Write `model.pt`, the weights of both towers."""
    training.keep_memory()
    learner = Learner(material, text, settings)
    optimiser = torch.optim.AdamW(groups(learner, settings), betas=(0.9, 0.98), fused=True)
    average = Average(learner, settings.average_decay)
    photos = material.views.features.shape[1]
    per_epoch = max(1, photos // settings.joint_batch)
    steps = settings.joint_epochs * per_epoch
    saved = training.load_checkpoint(folder)
    if saved is None:
        _train_head(learner, settings, folder)
        average = Average(learner, settings.average_decay)
        first = 0
        _save(folder, learner, optimiser, average, first)
    else:
        learner.load_state_dict(saved["learner"])
        optimiser.load_state_dict(saved["optimiser"])
        average.weights = saved["average"]
        first = int(saved["step"])
    learner.train()
    for step in trange(first, steps, initial=first, total=steps, desc="joint"):
        dice = training.dice_for(settings.seed + 1, step)
        for group in optimiser.param_groups:
            group["lr"] = group["full"] * training.steady_rate_at(step, steps)
        rows = _epoch(photos, step // per_epoch, settings)
        start = step % per_epoch * settings.joint_batch
        terms = learner.joint_losses(rows[start : start + settings.joint_batch], dice)
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        nn.utils.clip_grad_norm_(learner.parameters(), 5.0)
        optimiser.step()
        average.follow(learner, step)
        if step % 10 == 0:
            training.note(
                folder, step=step, **{k: round(float(v.detach()), 4) for k, v in terms.items()}
            )
        if (step + 1) % CHECKPOINTS == 0:
            _save(folder, learner, optimiser, average, step + 1)
        if (step + 1) % (settings.measure_every * per_epoch) == 0:
            _measure(learner, average, folder, step + 1)
    average.swap(learner)
    torch.save(learner.model.state_dict(), folder / "model.pt")
    (folder / training.CHECKPOINT).unlink(missing_ok=True)


def _train_head(learner: Learner, settings: Settings, folder: Path) -> None:
    parts: list[Any] = [learner.model.visual.head, learner.adapter]
    rates = [
        {"params": list(parts[0].parameters()), "full": settings.head_rate, "weight_decay": 0.05},
        {"params": list(parts[1].parameters()), "full": settings.head_rate / 5},
        {"params": [learner.model.logit_scale], "full": settings.head_rate},
    ]
    optimiser = torch.optim.AdamW(rates, lr=settings.head_rate, weight_decay=0.0)
    learner.train()
    for step in trange(settings.head_steps, desc="head"):
        dice = training.dice_for(settings.seed, step)
        for group in optimiser.param_groups:
            group["lr"] = group["full"] * training.rate_at(step, settings.head_steps)
        loss = learner.head_loss(dice)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if step % 20 == 0:
            training.note(folder, head_step=step, loss=float(loss.detach()))
    training.note(folder, after="head", **validate(learner))


def validate(learner: Learner) -> dict[str, dict[str, float]]:
    """Recall on the validation split by language."""
    learner.eval()
    pictures = []
    with torch.inference_mode():
        for start in range(0, len(learner.material.val_maps), 100):
            kept = learner.material.val_maps[start : start + 100].copy()
            maps = torch.from_numpy(kept).permute(0, 3, 1, 2)
            pictures.append(learner.pictures(learner.features(maps)))
        shown = torch.cat(pictures)
        figures = {
            language: measures.recalls(models.embed(learner.model.text, sequences), shown, owners)
            for language, (sequences, owners) in learner.material.val_captions.items()
        }
    learner.train()
    return figures


def _measure(learner: Learner, average: Average, folder: Path, step: int) -> None:
    average.swap(learner)
    training.note(folder, measured=step, **validate(learner))
    average.swap(learner)


def _save(folder: Path, learner: Learner, optimiser: Any, average: Average, step: int) -> None:
    training.save_checkpoint(
        folder,
        {
            "learner": learner.state_dict(),
            "optimiser": optimiser.state_dict(),
            "average": average.weights,
            "step": step,
        },
    )


def _epoch(photos: int, number: int, settings: Settings) -> list[int]:
    """The rows of the photos in the order of epoch `number`."""
    rows = list(range(photos))
    random.Random(f"{settings.seed}-epoch-{number}").shuffle(rows)
    return rows
