"""A data folder of drawn pictures, and settings that train on it in seconds."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from PIL import Image, ImageDraw

from tools.starter_model.settings import Settings

COLOURS = {"red": "红色", "blue": "蓝色", "green": "绿色", "yellow": "黄色"}
EACH = 6

TINY = Settings(
    trunk="test_efficientnet",
    trunk_weights="random",
    frozen_blocks=3,
    image_size=64,
    views=3,
    text_width=32,
    text_heads=2,
    text_layers=1,
    dimensions=32,
    teacher="words",
    english_words=40,
    chinese_words=30,
    distil_steps=4,
    distil_batch=16,
    head_steps=2,
    joint_epochs=2,
    joint_batch=4,
    measure_every=1,
)


def draw_data(folder: Path) -> Path:
    """Balls in four colours, each with a caption in every language; half are held out."""
    folder.mkdir(parents=True, exist_ok=True)
    captions: dict[str, list[tuple[str, str]]] = {"en": [], "zhc": [], "zhb": []}
    with tarfile.open(folder / "photos.tar", "w") as archive:
        for english, chinese in COLOURS.items():
            for number in range(EACH):
                name = f"{english}-{number}"
                _add(archive, f"photos/{name}.jpg", _ball(english, number))
                captions["en"].append((name, f"a {english} ball"))
                captions["zhc"].append((name, f"一个{chinese}的球。"))
                captions["zhb"].append((name, f"{chinese}的圆球"))
    names = [name for name, _ in captions["en"]]
    splits = {"train": names[::2], "val": names[1::2]}
    (folder / "captions.json").write_text(json.dumps(captions))
    (folder / "splits.json").write_text(json.dumps(splits))
    return folder


def _ball(colour: str, number: int) -> bytes:
    picture = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(picture).ellipse((4 + number, 8, 40 + number, 44), fill=colour)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG")
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
