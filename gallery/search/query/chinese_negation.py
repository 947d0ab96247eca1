"""Negations in Chinese: 没有人的海滩, 除了猫之外的动物."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gallery.search.query.negation import Negation

# A thing has at most so many characters.
_MOST_CHARACTERS = 10

# Bare 没 and 无 begin many words: 无人机 is a drone, 无花果 a fig. They negate only these things.
_THINGS_OF_WU = "人|行人|人物|云|雲|树|樹|水印|文字|字|背景|车|車|动物|動物|建筑|建築"
_ENDS = r"(?:[的,;。\s\0]|$)"
_NEGATOR = re.compile(
    "没有|沒有|不是|不要(?:有|出现|出現)?|不含(?![糊蓄])有?|不包[含括]|[不没沒][带帶戴]"
    rf"|[没沒](?=人(?:在|{_ENDS}))|(?<![若中])[无無](?=(?:{_THINGS_OF_WU}){_ENDS})"
)
_EXCEPT = re.compile(
    r"除了 *(?P<thing>[^\s,;。、的\0]+?)(?:(?:之外|以外|外)的?|的|(?=[\s,;。\0]|$))"
    r"|(?<![解删刪清排拆消去])除(?P<short>[^\s,;。、的了\0]{1,10}?)(?:之外|以外|外)的?"
)
_CHARACTERS = r"[^\s,;.!?。、的但而却卻在\0]+"
_THING = re.compile(rf" *(?P<things>{_CHARACTERS}(?:、{_CHARACTERS})*)")
_HEAD = re.compile(rf"的{_CHARACTERS}")
# 和服 is a kimono, 埃及 is Egypt: these characters join things only between two of them.
_BETWEEN = re.compile(
    "(?<=.)(?:、|以及|或者|或(?![许許])|[与與]"
    "|(?<![共暖温溫柔饱飽缓緩平])和(?![服平尚室风風谐諧牛果])|(?<![普埃涉])及(?!格))(?=.)"
)
_DETERMINER = re.compile("(?:任何|一[个個只隻辆輛张張条條棵座位名])(?=.)")
_ADJECTIVE = re.compile("(?:.*色|[大小高低长長短新旧舊红紅黑白蓝藍绿綠黄黃灰紫粉胖瘦]|漂亮|好看)$")
# What joins a negation to the words before and behind it.
_LEAD = re.compile(r"(?:[\s,;、]|但是|可是|不过|不過|而且|但|而|却|卻|且|并|並|和|又)++$")
_TAIL = re.compile(r" *[的在]?")
_REST = re.compile(r"[,\s]*(?:而是|只有|但是?|而)")
_PRONOUN = re.compile(r"(?:^|(?<=[\s,;]))[这這那它]$")
# Before, at the beginning and behind a negation that is not plain.
_BEFORE = re.compile("[有是要能会會可还還从從再不没沒得曾并並]$")
_VERBS = "完开開来來去做吃看到被下想说說睡关關打走停动動喝怕哭把给給让讓对對随隨触觸碰摸踩跑笑"
_NOT_PLAIN = re.compile(
    f"[{_VERBS}很太所只不没沒无無我你吗嗎呢吧错錯用脸臉钱錢命紧緊乱亂再什]"
    "|尽头|盡頭|关系|關係|问题|問題|办法|辦法|意思|意义|意義|边际|邊際|希望|终点|終點|止境|名[字气氣]"
)
_WITHIN = re.compile("[不没沒]|[吗嗎呢吧]$")
_EITHER = re.compile("就是|便是")
_BESIDES = re.compile("[还還也又都]")


def chinese(text: str) -> Iterator[Negation]:
    """Yield the negations of a text."""
    position = 0
    for word in _NEGATOR.finditer(text):
        if word.start() >= position:
            found = _negation_at(text, word)
            position = found.end
            yield found
    for match in _EXCEPT.finditer(text):
        # 除了…还有… says that both are there, 除了…都… is a sentence.
        thing = match["thing"] or match["short"]
        is_plain = not _BESIDES.search(text, match.start())
        if is_plain:
            yield Negation(match.start(), match.end(), match[0], (thing,))
        else:
            yield Negation(match.start(), match.end(), "除了")


def _negation_at(text: str, word: re.Match[str]) -> Negation:
    lead = _LEAD.search(text, 0, word.start())
    start = lead.start() if lead else word.start()
    unclear = Negation(word.start(), word.end(), word[0])
    match = _THING.match(text, word.end())
    if match is None or _BEFORE.search(text, 0, start):
        return unclear
    end, things = match.end(), _BETWEEN.split(match["things"])
    head = _HEAD.match(text, end)
    if head and word[0] != "不是" and _ADJECTIVE.match(things[-1]):
        # 没有红色的车 says that there is no red car, not that a car has no red.
        end, things[-1] = head.end(), things[-1] + head[0]
    things = [_DETERMINER.sub("", thing.strip(), count=1) for thing in things]
    # 不是…就是… says that it is one of both.
    is_either = word[0] == "不是" and _EITHER.search(text, word.end())
    if is_either or any(map(_is_unclear, things)):
        return unclear
    said = text[word.start() : end]
    tail = _TAIL.match(text, end)
    end = tail.end() if tail else end
    if following := _REST.match(text, end):
        end = following.end()
    pronoun = _PRONOUN.search(text, 0, start)
    return Negation(pronoun.start() if pronoun else start, end, said, tuple(things))


def _is_unclear(thing: str) -> bool:
    return bool(len(thing) > _MOST_CHARACTERS or _NOT_PLAIN.match(thing) or _WITHIN.search(thing))
