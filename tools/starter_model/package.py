"""Stage `package`: the folder that open_clip loads with `local-dir:`."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from tools.starter_model.model import configuration
from tools.starter_model.settings import Settings

CONFIGURATION = "open_clip_config.json"
WEIGHTS = "open_clip_model.safetensors"
FILES = (CONFIGURATION, WEIGHTS)


def package(weights: dict[str, Tensor], settings: Settings, folder: Path) -> None:
    """Write the configuration and the weights, in half precision except for single numbers."""
    text = json.dumps(configuration(settings), ensure_ascii=False)
    (folder / CONFIGURATION).write_text(text, encoding="utf-8")
    halved = {name: _halve(value) for name, value in weights.items()}
    save_file(halved, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # safetensors writes files that only their owner can read


def _halve(value: Tensor) -> Tensor:
    small = value.is_floating_point() and value.numel() > 1
    # The clone is needed because safetensors refuses tensors that share memory.
    return (value.to(torch.float16) if small else value).contiguous().clone()
