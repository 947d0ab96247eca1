"""The two towers, which open_clip builds from the package's configuration."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from open_clip.model import CLIPTextCfg, CLIPVisionCfg, CustomTextCLIP
from torch import Tensor, nn

from tools.starter_model import tokens
from tools.starter_model.settings import Settings

# The standard deviation of the initial token rows: of the order of open_clip's initialisation.
TOKEN_SPREAD = 0.05
INITIAL_SCALE = 20.0


def configuration(settings: Settings) -> dict[str, Any]:
    """The content of open_clip_config.json."""
    return {
        "model_cfg": {
            "embed_dim": settings.dimensions,
            "custom_text": True,
            "vision_cfg": {
                "timm_model_name": settings.trunk,
                "timm_model_pretrained": False,
                "timm_pool": "avg",
                "timm_proj": "mlp",
                "image_size": settings.image_size,
            },
            "text_cfg": {
                "context_length": settings.context_length,
                "vocab_size": tokens.vocabulary_size(),
                "width": settings.text_width,
                "heads": settings.text_heads,
                "layers": settings.text_layers,
                "mlp_ratio": 2.0,
                "pool_type": "eos",
                "eos_id": tokens.end_token(),
                "tokenizer_kwargs": {"additional_special_tokens": tokens.special_tokens()},
            },
        },
        "preprocess_cfg": {
            "mean": list(settings.mean),
            "std": list(settings.std),
            "interpolation": "bicubic",
            "resize_mode": settings.resize_mode,
        },
    }


def build(settings: Settings) -> Any:
    """Build both towers with seeded random weights."""
    torch.manual_seed(settings.seed)
    towers = configuration(settings)["model_cfg"]
    vision = CLIPVisionCfg(
        **towers["vision_cfg"], timm_drop=settings.drop, timm_drop_path=settings.drop_path
    )
    model = CustomTextCLIP(
        settings.dimensions,
        vision,
        CLIPTextCfg(**towers["text_cfg"]),
        init_logit_scale=float(np.log(INITIAL_SCALE)),
    )
    return model.to(memory_format=torch.channels_last)


def start_tokens(tower: Any, ids: Tensor, vectors: Tensor) -> None:
    """Initialise the token rows from the teacher's vectors of their words: with the first
    principal components, as many as the tower is wide."""
    centred = vectors.float() - vectors.float().mean(dim=0)
    width = min(tower.width, centred.shape[1])
    _, _, directions = torch.linalg.svd(
        centred[:: max(1, len(centred) // 8000)], full_matrices=False
    )
    placed = centred @ directions[:width].T
    with torch.no_grad():
        rows = tower.token_embedding.weight
        rows[ids, : placed.shape[1]] = placed / placed.std() * TOKEN_SPREAD


def encode_text(tower: Any, padded: Tensor) -> Tensor:
    """(n, length) token ids -> (n, d) unit vectors. The cost depends on `length`, not on the
    context length."""
    mask = tower.attn_mask
    length = padded.shape[1]
    tower.attn_mask = mask[:length, :length]
    try:
        return nn.functional.normalize(cast(Tensor, tower(padded)).float(), dim=-1)
    finally:
        tower.attn_mask = mask


def embed(tower: Any, sequences: list[list[int]], batch: int = 256) -> Tensor:
    """Encode all sequences without gradients, in batches of similar length. The result is in
    the order of `sequences`."""
    order = sorted(range(len(sequences)), key=lambda row: len(sequences[row]))
    vectors: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            vectors.append(encode_text(tower, tokens.pad([sequences[row] for row in rows])))
    gathered = torch.cat(vectors)
    return gathered[torch.tensor(order).argsort()]
