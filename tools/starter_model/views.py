"""Stage `views`: the output maps of the frozen bottom of the trunk for several crops of each
photo.

Training reads these maps instead of pixels, at a fifth of the cost.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from tqdm import tqdm

from tools.starter_model import trunk as trunks
from tools.starter_model.data import Split
from tools.starter_model.settings import Settings

BATCH = 32
# A random view shows at least MIN_AREA of the photo's area, and stretches it at most by
# MAX_STRETCH. The data set has squashed the photos to squares, so every aspect ratio between 3:4
# and 4:3 is as plausible as the present one.
MIN_AREA = 0.4
MAX_STRETCH = 4 / 3

Half = npt.NDArray[np.float16]
View = Callable[[Image.Image, random.Random], Image.Image]


def compute(splits: dict[str, Split], settings: Settings, folder: Path) -> None:
    """Write `train-K.npy` for each view and `val.npy` (maps, float16, channels last), and for
    each the pooled features of the original trunk (`…-features.npy`).

    Existing views are kept.
    """
    exact = trunks.build(settings)
    fast = trunks.in_bfloat16(exact)
    if not (folder / "val-features.npy").exists():
        _write(folder / "val.npy", splits["val"], whole, exact, settings, seed=0)
    for number in range(settings.views):
        if not (folder / f"train-{number}-features.npy").exists():
            view = (whole, mirrored)[number] if number < 2 else random_crop
            seed = settings.seed * 1000 + number
            _write(folder / f"train-{number}.npy", splits["train"], view, fast, settings, seed)


def whole(photo: Image.Image, _: random.Random) -> Image.Image:
    return photo


def mirrored(photo: Image.Image, _: random.Random) -> Image.Image:
    return ImageOps.mirror(photo)


def random_crop(photo: Image.Image, dice: random.Random) -> Image.Image:
    """Return a random part of the photo, mirrored with probability 1/2, and a little brighter or
    darker."""
    stretch = math.exp(dice.uniform(-1, 1) * math.log(MAX_STRETCH))
    side = math.sqrt(dice.uniform(MIN_AREA, 1))
    width = min(1.0, side * math.sqrt(stretch)) * photo.width
    height = min(1.0, side / math.sqrt(stretch)) * photo.height
    left = dice.uniform(0, photo.width - width)
    upper = dice.uniform(0, photo.height - height)
    part = photo.transform(
        photo.size,
        Image.Transform.EXTENT,
        (left, upper, left + width, upper + height),
        Image.Resampling.BICUBIC,
    )
    if dice.random() < 0.5:
        part = ImageOps.mirror(part)
    gain = dice.uniform(0.85, 1.15)
    return part.point(lambda value: round(min(255.0, value * gain)))


def pixels(picture: Image.Image, settings: Settings) -> Tensor:
    """RGB -> (3, size, size) float32, squashed and normalised as open_clip does it."""
    size = (settings.image_size, settings.image_size)
    resized = picture.resize(size, Image.Resampling.BICUBIC)
    values = torch.from_numpy(np.asarray(resized).copy()).permute(2, 0, 1) / 255
    mean, std = torch.tensor(settings.mean), torch.tensor(settings.std)
    return (values - mean[:, None, None]) / std[:, None, None]


def _write(
    path: Path, split: Split, view: View, trunk: nn.Module, settings: Settings, seed: int
) -> None:
    dtype = next(trunk.parameters()).dtype
    maps: np.memmap[Any, np.dtype[np.float16]] | None = None
    features: list[Half] = []
    start = 0
    with torch.inference_mode():
        for batch in tqdm(
            _batches(split, view, settings, seed),
            desc=path.stem,
            total=math.ceil(len(split.names) / BATCH),
        ):
            entering = trunks.bottom(trunk, batch.to(dtype), settings.frozen_blocks)
            features.append(_half(trunks.top(trunk, entering, settings.frozen_blocks)))
            last = _half(entering.permute(0, 2, 3, 1))
            if maps is None:
                shape = (len(split.names), *last.shape[1:])
                maps = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
            maps[start : start + len(last)] = last
            start += len(last)
    if maps is not None:
        maps.flush()
    np.save(path.with_name(f"{path.stem}-features.npy"), np.concatenate(features))


def _half(values: Tensor) -> Half:
    return np.asarray(values.float().numpy(), dtype=np.float16)


def _batches(split: Split, view: View, settings: Settings, seed: int) -> Iterator[Tensor]:
    def load(row: int) -> Tensor:
        return pixels(view(split.photo(row), random.Random(f"{seed}-{row}")), settings)

    rows = range(len(split.names))
    with ThreadPoolExecutor(1) as pool:
        waiting = [pool.submit(load, row) for row in rows[: 2 * BATCH]]
        for start in range(0, len(rows), BATCH):
            done = [future.result() for future in waiting[:BATCH]]
            ahead = rows[start + 2 * BATCH : start + 3 * BATCH]
            waiting = waiting[BATCH:] + [pool.submit(load, row) for row in ahead]
            yield torch.stack(done).contiguous(memory_format=torch.channels_last)
