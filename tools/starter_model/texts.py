"""Words and phrases for the text tower, in addition to the captions, like typical search queries.

Nouns come from the names of ImageNet-22k (WordNet synsets, shipped by timm) and from CLIP's
vocabulary, Chinese words from jieba's dictionary. Colours, numbers, places and templates are
combined with them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from timm.data.imagenet_info import ImageNetInfo

from tools.starter_model import tokens
from tools.starter_model.categories import everyday
from tools.starter_model.errors import Unusable
from tools.starter_model.settings import Settings

COLOURS = {
    "red": "红色", "blue": "蓝色", "green": "绿色", "yellow": "黄色", "black": "黑色",
    "white": "白色", "brown": "棕色", "orange": "橙色", "pink": "粉色", "purple": "紫色",
    "grey": "灰色", "golden": "金色",
}  # fmt: skip
NUMBERS = {
    "one": "一", "two": "两", "three": "三", "four": "四", "five": "五", "six": "六",
    "many": "很多", "several": "几",
}  # fmt: skip
QUALITIES = {"big": "大", "small": "小", "old": "旧", "new": "新", "wet": "湿", "colorful": "彩色"}
PEOPLE = {
    "a man": "一个男人", "a woman": "一个女人", "a boy": "一个男孩", "a girl": "一个女孩",
    "a child": "一个孩子", "children": "孩子们", "people": "人们", "a baby": "一个婴儿",
    "two men": "两个男人", "a group of people": "一群人", "a couple": "一对情侣",
    "an old man": "一位老人", "a family": "一家人", "friends": "朋友们", "a dog": "一只狗",
}  # fmt: skip
ACTIONS = {
    "running": "奔跑", "jumping": "跳跃", "swimming": "游泳", "playing": "玩耍",
    "eating": "吃东西", "sleeping": "睡觉", "climbing": "攀爬", "dancing": "跳舞",
    "singing": "唱歌", "reading a book": "看书", "riding a bicycle": "骑自行车",
    "riding a horse": "骑马", "playing football": "踢足球", "playing basketball": "打篮球",
    "taking a photo": "拍照", "walking": "散步", "sitting": "坐着", "laughing": "大笑",
    "skiing": "滑雪", "surfing": "冲浪", "skateboarding": "玩滑板", "fishing": "钓鱼",
    "cooking": "做饭", "playing the guitar": "弹吉他", "talking on the phone": "打电话",
}  # fmt: skip
PLACES = {
    "on the beach": "在海滩上", "in the park": "在公园里", "in the snow": "在雪地里",
    "on the street": "在街上", "in the water": "在水里", "on the grass": "在草地上",
    "at night": "在夜晚", "in the rain": "在雨中", "on a table": "在桌子上",
    "in the kitchen": "在厨房里", "in the forest": "在森林里", "in the mountains": "在山里",
    "by the sea": "在海边", "at home": "在家里", "in the city": "在城市里",
    "under a tree": "在树下", "in front of a building": "在大楼前", "on a road": "在路上",
}  # fmt: skip
SCENES = {
    "sunset": "日落", "sunrise": "日出", "night view": "夜景", "blue sky": "蓝天", "clouds": "云",
    "rainbow": "彩虹", "forest": "森林", "river": "河流", "waterfall": "瀑布", "desert": "沙漠",
    "snow": "雪", "street": "街道", "city": "城市", "skyscrapers": "高楼大厦", "garden": "花园",
    "autumn leaves": "秋天的树叶", "cherry blossoms": "樱花", "fireworks": "烟花",
    "birthday cake": "生日蛋糕", "wedding": "婚礼", "party": "聚会", "concert": "音乐会",
    "breakfast": "早餐", "food on a table": "桌上的食物", "a full table": "一桌菜",
    "noodles": "面条", "rice": "米饭", "dumplings": "饺子", "tea": "茶", "selfie": "自拍",
    "portrait": "肖像", "group photo": "合影", "landscape": "风景", "screenshot": "截图",
    "document": "文件", "playground": "操场", "swimming pool": "游泳池", "market": "市场",
    "railway station": "火车站", "airport": "机场", "classroom": "教室", "office": "办公室",
}  # fmt: skip

ENGLISH_FORMS = ("{}", "a photo of a {}", "a picture of a {}", "a {}", "{} in the park", "the {}")
CHINESE_FORMS = ("{}", "一张{}的照片", "{}的图片", "一个{}", "桌上的{}", "很多{}")


def phrases(settings: Settings) -> list[str]:
    """All different phrases, in a fixed order."""
    dice = random.Random(settings.seed)
    words = english_words(settings.english_words)
    hanzi = chinese_words(settings.chinese_words)
    colours, their_colours = list(COLOURS), list(COLOURS.values())
    found = [
        *words,
        *hanzi,
        *everyday_phrases(dice),
        *_filled(words, ENGLISH_FORMS[1:], dice),
        *_filled(hanzi, CHINESE_FORMS[1:], dice),
        *(f"a {dice.choice(colours)} {word}" for word in dice.sample(words, len(words) // 3)),
        *(f"{dice.choice(their_colours)}的{word}" for word in dice.sample(hanzi, len(hanzi) // 3)),
    ]
    return list(dict.fromkeys(found))


def everyday_phrases(dice: random.Random) -> list[str]:
    """Combinations of colours, numbers, people, actions and places in both languages."""
    found = [*SCENES, *SCENES.values(), *PEOPLE, *PEOPLE.values(), *ACTIONS, *ACTIONS.values()]
    for category in everyday():
        found += [category.english, category.chinese]
        found += [form.format(category.english) for form in ENGLISH_FORMS]
        found += [form.format(category.chinese) for form in CHINESE_FORMS]
        for english, chinese in COLOURS.items():
            found += [f"a {english} {category.english}", f"{chinese}的{category.chinese}"]
            found.append(f"一{category.measure}{chinese}的{category.chinese}")
        for english, chinese in NUMBERS.items():
            found += [
                f"{english} {category.english}s",
                f"{chinese}{category.measure}{category.chinese}",
            ]
        for english, chinese in QUALITIES.items():
            found += [f"a {english} {category.english}", f"{chinese}{category.chinese}"]
        english, chinese = dice.choice(list(PLACES.items()))
        found += [f"a {category.english} {english}", f"{chinese}的{category.chinese}"]
    for who, who_chinese in PEOPLE.items():
        for act, act_chinese in ACTIONS.items():
            where, where_chinese = dice.choice(list(PLACES.items()))
            found += [f"{who} {act}", f"{who_chinese}{act_chinese}"]
            found += [f"{who} {act} {where}", f"{who_chinese}{where_chinese}{act_chinese}"]
    return found


def english_words(count: int) -> list[str]:
    """Names of things whose words are in CLIP's vocabulary, then its words by frequency."""
    known = set(tokens.tokenizer().encoder)
    info = ImageNetInfo("imagenet-22k")
    names = (
        name.strip().lower()
        for number in range(info.num_classes())
        for name in info.index_to_description(number).split(",")
    )
    common = (name for name in names if all(f"{word}</w>" in known for word in name.split()))
    vocabulary = (
        spelled.removesuffix("</w>")
        for spelled in known_by_rank()
        if len(spelled) > 3 + len("</w>")
    )
    return _first([*common, *vocabulary], count)


def known_by_rank() -> list[str]:
    """The whole words of CLIP's vocabulary, the most frequent first."""
    ranked = sorted(tokens.tokenizer().encoder.items(), key=lambda item: item[1])
    return [spelled for spelled, _ in ranked if re.fullmatch("[a-z]+</w>", spelled)]


def chinese_words(count: int) -> list[str]:
    """Nouns, verbs and adjectives of jieba's dictionary by frequency, without names of people
    or places. Without the package, the words of the everyday categories; raises Unusable if
    `count` is larger."""
    spec = find_spec("jieba")
    if spec is None or spec.origin is None:
        if count > len(everyday()):
            raise Unusable(
                "The Chinese words are missing: install tools/starter_model/requirements.txt."
            )
        return [category.chinese for category in everyday()][:count]
    ranked = []
    lines = Path(spec.origin).with_name("dict.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        word, frequency, kind = line.split(" ")
        is_name = kind.startswith("nr") or kind in ("ns", "nt", "nz")
        if kind[0] in "nvas" and not is_name and re.fullmatch("[\u4e00-\u9fff]{1,4}", word):
            ranked.append((-int(frequency), word))
    return _first((word for _, word in sorted(ranked)), count)


def _first(words: Iterable[str], count: int) -> list[str]:
    return list(dict.fromkeys(words))[:count]


def _filled(words: Sequence[str], forms: Sequence[str], dice: random.Random) -> list[str]:
    return [dice.choice(forms).format(word) for word in words]
