"""The stages from the data folder to the package, with the inputs of each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch

from tools.starter_model import data, distil, joint, package, teacher, views
from tools.starter_model.material import Material
from tools.starter_model.settings import Settings
from tools.starter_model.stages import Pipeline, Stage

TRUNK = ("trunk", "trunk_weights", "frozen_blocks", "image_size", "mean", "std")
TEXTS = ("dimensions", "context_length")
TEXT_TOWER = (*TEXTS, "text_width", "text_heads", "text_layers")
JOINT = (
    "head_steps", "joint_epochs", "joint_batch", "trunk_rate", "head_rate", "text_rate",
    "weight_decay", "label_smoothing", "drop", "drop_path", "average_decay",
)  # fmt: skip


def run(folder: Path, out: Path, settings: Settings, say: Callable[[str], None] = print) -> Path:
    """Run the stages that are not done yet. Return the folder of the package.

    Raises Unusable if the data or a package that training needs is missing.
    """
    pipeline = Pipeline(out, settings, data.fingerprint(folder))
    pipeline.run(stages(folder, out, settings), say)
    return out / "package"


def stages(folder: Path, out: Path, settings: Settings) -> list[Stage]:
    @cache
    def splits() -> dict[str, data.Split]:
        return data.load(folder)

    def learn(target: Path) -> None:
        material = Material.gather(splits(), out / "views", out / "teacher", settings)
        joint.train(material, _weights(out / "distil" / "text.pt"), settings, target)

    return [
        Stage(
            "views",
            lambda target: views.compute(splits(), settings, target),
            settings=(*TRUNK, "views"),
        ),
        Stage(
            "teacher",
            lambda target: teacher.explain(splits(), settings, target),
            settings=(*TEXTS, "teacher", "english_words", "chinese_words"),
        ),
        Stage(
            "distil",
            lambda target: distil.distil(splits(), out / "teacher", settings, target),
            needs=("teacher",),
            settings=(*TEXT_TOWER, "distil_steps", "distil_batch", "distil_rate"),
        ),
        Stage("joint", learn, needs=("views", "teacher", "distil"), settings=JOINT),
        Stage(
            "package",
            lambda target: package.package(_weights(out / "joint" / "model.pt"), settings, target),
            needs=("joint",),
            settings=("resize_mode",),
        ),
    ]


def _weights(path: Path) -> dict[str, Any]:
    weights: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return weights
