"""A package as users load it: with unmodified open_clip, and only the spelling of queries from
our own code."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import open_clip
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from gallery.encoders.chinese import spell_for_characters
from tools.starter_model.errors import Unusable

BATCH = 50


class Subject:
    """A model under test."""

    def __init__(self, folder: Path, resize_mode: str | None = None) -> None:
        """`resize_mode` overrides the package's own. Raises Unusable without a package."""
        if not (folder / "open_clip_config.json").is_file():
            raise Unusable(f"{folder} holds no package: open_clip_config.json is missing.")
        self.folder = folder
        name = f"local-dir:{folder.resolve()}"
        model, self.preprocess = open_clip.create_model_from_pretrained(
            name, image_resize_mode=resize_mode
        )
        self.model = model.eval().to(memory_format=torch.channels_last)
        self.tokenize = open_clip.get_tokenizer(name)

    def pictures(self, images: Sequence[Image.Image], what: str = "pictures") -> Tensor:
        """(n, d) unit vectors."""
        vectors = []
        with torch.inference_mode():
            for start in tqdm(range(0, len(images), BATCH), desc=what):
                some = [self.preprocess(image) for image in images[start : start + BATCH]]
                vectors.append(self.model.encode_image(torch.stack(some), normalize=True))
        return torch.cat(vectors)

    def texts(self, texts: Sequence[str], what: str = "texts") -> Tensor:
        """(n, d) unit vectors."""
        vectors = []
        with torch.inference_mode():
            for start in tqdm(range(0, len(texts), BATCH), desc=what):
                spelled = [spell_for_characters(text) for text in texts[start : start + BATCH]]
                vectors.append(self.model.encode_text(self.tokenize(spelled), normalize=True))
        return torch.cat(vectors)

    def megabytes(self) -> float:
        return sum(file.stat().st_size for file in self.folder.iterdir()) / 1e6

    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())

    def seconds_for_picture(self, picture: Image.Image) -> float:
        """One picture from decoded pixels to vector."""
        start = time.perf_counter()
        with torch.inference_mode():
            self.model.encode_image(self.preprocess(picture).unsqueeze(0), normalize=True)
        return time.perf_counter() - start

    def seconds_for_text(self, text: str) -> float:
        start = time.perf_counter()
        with torch.inference_mode():
            self.model.encode_text(self.tokenize([text]), normalize=True)
        return time.perf_counter() - start
