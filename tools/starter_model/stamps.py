"""Pictures from outside the training data: the stamps of Tux Paint.

They are photographs and drawings of single things in all aspect ratios, sorted into folders by
kind. Each has a sentence in English, and most have one in Chinese. They come from Debian's
package tuxpaint-stamps-default (GPL-2), serve only for evaluation, and are not shipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tools.starter_model.errors import Unusable

# Folder -> category, in English and Chinese.
KINDS = {
    "animals/birds": ("bird", "鸟"),
    "animals/fish": ("fish", "鱼"),
    "animals/insects": ("insect", "昆虫"),
    "animals/amphibians": ("frog", "青蛙"),
    "animals/lizards": ("lizard", "蜥蜴"),
    "animals/mammals/dogs": ("dog", "狗"),
    "animals/mammals/bears": ("bear", "熊"),
    "animals/mammals/cats": ("cat", "猫"),
    "animals/mammals/equines": ("horse", "马"),
    "animals/mammals/bovines": ("cow", "牛"),
    "clothes": ("clothes", "衣服"),
    "food/fruit": ("fruit", "水果"),
    "food/vegetables": ("vegetables", "蔬菜"),
    "food/dessert": ("dessert", "甜点"),
    "hobbies/music": ("musical instrument", "乐器"),
    "household/tools": ("tool", "工具"),
    "household/electronics": ("electronic device", "电子产品"),
    "plants/flowers": ("flower", "花"),
    "plants/mushrooms": ("mushroom", "蘑菇"),
    "plants/trees": ("tree", "树"),
    "sports": ("sports equipment", "体育用品"),
    "town/houses": ("house", "房子"),
    "vehicles/auto": ("car", "汽车"),
    "vehicles/cycle": ("bicycle", "自行车"),
    "vehicles/flight": ("airplane", "飞机"),
    "vehicles/locomotive": ("train", "火车"),
    "vehicles/ship": ("boat", "船"),
}
CHINESE = "zh_CN.utf8="


@dataclass(frozen=True)
class Stamp:
    picture: Path
    english: str
    chinese: str | None
    kind: int | None
    """The index in KINDS."""

    def image(self) -> Image.Image:
        """The picture on white, as the site passes transparent pictures to a model."""
        with Image.open(self.picture) as file:
            rgba = file.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def read(folder: Path) -> list[Stamp]:
    """Read the stamps below `folder` that are no cartoons and have a description, by path.

    Raises Unusable if there are none.
    """
    found = []
    for picture in sorted(folder.rglob("*.png")):
        inside = picture.relative_to(folder).parent.as_posix()
        description = picture.with_suffix(".txt")
        if "cartoon" in inside or "mirror" in picture.stem or not description.exists():
            continue
        lines = description.read_text(encoding="utf-8", errors="replace").splitlines()
        chinese = [line.removeprefix(CHINESE) for line in lines if line.startswith(CHINESE)]
        found.append(Stamp(picture, lines[0], next(iter(chinese), None), _kind(inside)))
    if not found:
        raise Unusable(f"There are no stamps below {folder}.")
    return found


def _kind(inside: str) -> int | None:
    for number, prefix in enumerate(KINDS):
        if inside == prefix or inside.startswith(f"{prefix}/"):
            return number
    return None
