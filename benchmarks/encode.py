"""Compares our encoder with plain open_clip on this machine."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import django


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="encode", description=__doc__)
    parser.add_argument("--architecture", default="starter")
    parser.add_argument("--pretrained", default="")
    parser.add_argument("--pictures", type=int, default=48)
    options = parser.parse_args(arguments)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    django.setup()
    import open_clip
    import torch
    from PIL import Image
    from skimage import data

    from gallery.encoders.open_clip_encoder import STARTER_FOLDER, OpenClipEncoder

    name = options.architecture
    name = f"local-dir:{STARTER_FOLDER}" if name == "starter" else name
    ours = OpenClipEncoder(options.architecture, options.pretrained)
    model, preprocess = open_clip.create_model_from_pretrained(name, options.pretrained or None)
    tokenizer = open_clip.get_tokenizer(name)
    model.eval()

    photos = [Image.fromarray(getattr(data, n)()) for n in ("chelsea", "coffee", "astronaut")]
    pictures = [photos[i % 3] for i in range(options.pictures)]
    texts = [f"a photo of thing number {i}" for i in range(options.pictures)]

    @torch.inference_mode()
    def plain_images() -> None:
        for picture in pictures:
            model.encode_image(preprocess(picture).unsqueeze(0), normalize=True)

    @torch.inference_mode()
    def plain_texts() -> None:
        for text in texts:
            model.encode_text(tokenizer([text]), normalize=True)

    def our_images() -> None:
        for start in range(0, len(pictures), ours.batch_size):
            ours.encode_images(pictures[start : start + ours.batch_size])

    def our_texts() -> None:
        for text in texts:
            ours.encode_texts([text])

    compare("images, batched, against one by one", our_images, plain_images, len(pictures))
    compare("texts, one by one", our_texts, plain_texts, len(texts))


def compare(what: str, ours: Callable[[], None], plain: Callable[[], None], count: int) -> None:
    """Run each three times, alternating, and compare the best times."""
    ours(), plain()
    best = {ours: float("inf"), plain: float("inf")}
    for _ in range(3):
        for run in (ours, plain):
            start = time.perf_counter()
            run()
            best[run] = min(best[run], (time.perf_counter() - start) / count * 1000)
    print(
        f"{what}: ours {best[ours]:.1f} ms, plain open_clip {best[plain]:.1f} ms, "
        f"ratio {best[ours] / best[plain]:.2f}"
    )
