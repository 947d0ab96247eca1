"""Dates in the words of a line: "beach in July 2019", 昨天的照片.

Models know no dates, so a date in plain words is better a filter. Doubt is in favour of text: a
year that has not come (Blade Runner 2049), a number with a unit (2000 km) or a name (Route 1950), a
month alone (may, march) and a second date, unless both are the ends of a span, stay words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from gallery.search.filters import dates
from gallery.search.query.negation import BREAK

# Longer texts are no plain wording.
_LONGEST = 300
_FIRST_YEAR = 1900


@dataclass(frozen=True)
class DateInWords:
    """A date: `text[start:end]`, with the words that join it to the others. `said` is the date
    alone. `after` is its first day and `before` the first day behind it, or ""."""

    start: int
    end: int
    said: str
    after: str
    before: str

    @property
    def is_span(self) -> bool:
        return bool(self.after and self.before)


@dataclass(frozen=True)
class DatesRead:
    """`words` are those that are left. `date` is what was read, `unclear` several dates that stay
    text."""

    words: str
    date: DateInWords | None = None
    unclear: str = ""


def read(words: str) -> DatesRead:
    """Read words without quotes. BREAK stands where another term stood between them."""
    if len(words) > _LONGEST:
        return DatesRead(words)
    found = list(_dates(words))
    if len(found) == 2 and (both := _from_to(words, *found)):
        found = [both]
    if len(found) > 1 or any(_is_half(words, one) for one in found):
        return DatesRead(words, unclear=" … ".join(one.said for one in found))
    if not found:
        return DatesRead(words)
    (one,) = found
    return DatesRead(_without(words, one), one)


def is_read_as_typed(text: str) -> bool:
    """Whether a text without quotes has no date, wherever it stands in a line."""
    lines = (text, f"{BREAK} {text} {BREAK}")
    return len(text) > _LONGEST or not any(next(_dates(line), None) for line in lines)


# --- English ----------------------------------------------------------------------

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR = r"(?:19|20)\d\d"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
# Not within another word or number: "1,2019", "$2000", "2019's".
_BEGIN = r"(?<![\w'’./#$€£¥°:+@-])"
_END = r"(?:(?=的)|(?![\w'’%°$€£¥:+@/-]|[.,]\d))"
_ENGLISH = re.compile(
    rf"{_BEGIN}\(?"
    r"(?P<lead>(?:(?:(?:that +)?(?:i|we) +(?:took|shot|made)|taken|shot|made|photographed|captured|"
    r"dated|from|between|in|on|of|during|(?:the +)?(?<!new )(?<!leap )year) +)*+)"
    r"(?:(?P<side>since|before|after|until|till) +)?+"
    r"(?P<said>"
    r"(?P<moving>(?:the +)?day +before +yesterday|(?:today|yesterday)(?:['’]s)?(?! +shows?\b)|"
    r"(?<!the )(?:this|last) +(?:week|month|year)(?:['’]s)?(?! +(?:of|before)\b))|"
    r"(?:the +)?(?:last|past) +(?P<days>[1-9]\d{0,2}) +days|"
    rf"(?P<iso>{_YEAR}(?:-\d\d?(?:-\d\d?)?|/\d\d?/\d\d?|\.\d\d?\.\d\d?))|"
    rf"(?P<m1>{_MONTH}) +(?:the +)?(?P<d1>{_DAY})(?:,? +(?P<y1>{_YEAR}))?|"
    rf"(?:the +)?(?P<d2>{_DAY}) +(?:of +)?(?P<m2>{_MONTH})(?:,? +(?P<y2>{_YEAR}))?|"
    rf"(?P<m3>{_MONTH}),? +(?:of +)?(?P<y3>{_YEAR})|"
    rf"(?P<y4>{_YEAR}),? +(?P<m4>{_MONTH})(?: +(?P<d4>{_DAY}))?|"
    rf"(?P<year>{_YEAR})"
    rf"){_END}\)?的?",
    re.IGNORECASE,
)
# These negate a date, or make it another one.
_NOT_BEFORE = re.compile(
    r"(?:\b(?:no|not|without|w/o|except|excluding|never|than|every|like)|"
    r"不是|没有|沒有|不要|不在|除了|非) *$",
    re.IGNORECASE,
)
# Before and behind a number that is no year.
_NAME_BEFORE = re.compile(
    r"(?:\b\d[\d.,]*|\b(?:no|nr|number|route|room|windows|chapter|page|size|iso|type|version|"
    r"highway|over|about|around|almost|nearly)\.?) *$",
    re.IGNORECASE,
)
_UNIT_BEHIND = re.compile(
    r" *(?:\d|(?:euros?|eur|dollars?|usd|pounds?|gbp|yen|yuan|rmb|cents?|people|persons?|pieces?|"
    r"times|steps?|miles?|k?ms?|(?:kilo|centi)?met(?:er|re)s?|cm|mm|feet|ft|foot|inch(?:es)?|kg|g|"
    r"grams?|tons?|tonnes?|lbs?|mph|rpm|hp|watts?|w|volts?|v|m?hz|dpi|ppi|px|(?:mega)?pixels?|mp|"
    r"mb|gb|k?cal|calories|years?|days?|hours?|hrs?|minutes?|seconds?|am|pm|bc)(?![\w'’-])|"
    r"[元块塊米人岁歲]|公里|千米|英里)",
    re.IGNORECASE,
)
# "may 14" and "march 8" are dates at an end, and after "on".
_MAY = re.compile(r"(?:may|mar(?:ch)?)\.?$", re.IGNORECASE)
_ENDS = re.compile(rf" *(?:$|[,;.!?){BREAK}])")


def _english(text: str) -> Iterator[DateInWords]:
    for match in _ENGLISH.finditer(text):
        shape = _english_shape(match, text)
        if shape and not _NOT_BEFORE.search(text, 0, match.start()):
            yield from _one(match, shape, match["side"] or "")


def _english_shape(match: re.Match[str], text: str) -> str:
    """Return the date as the name of a span (gallery.search.filters.dates), or "" if it is
    none."""
    if match["moving"]:
        name = re.sub(r"['’]s$|^the ", "", " ".join(match["moving"].lower().split()))
        return name.replace(" ", "-")
    if match["days"]:
        return f"last-{match['days']}-days"
    if match["iso"]:
        return re.sub(r"[/.]", "-", match["iso"]) if _has_come(match["iso"]) else ""
    if _UNIT_BEHIND.match(text, match.end("said")):
        return ""
    if match["year"]:
        is_name = not match["side"] and _NAME_BEFORE.search(text, 0, match.start())
        return match["year"] if not is_name and _has_come(match["year"]) else ""
    month = str(match["m1"] or match["m2"] or match["m3"] or match["m4"])
    day = match["d1"] or match["d2"] or match["d4"]
    year = match["y1"] or match["y2"] or match["y3"] or match["y4"]
    number = _MONTHS.index(month[:3].lower()) + 1
    if not day:
        return f"{year}-{number:02}" if _has_come(year) else ""
    is_clear = (
        year
        or not _MAY.match(month)
        or not day.isdecimal()
        or "on " in match["lead"].lower()
        or _ENDS.match(text, match.end("said"))
    )
    return _day(year, number, int(re.sub(r"\D", "", day))) if is_clear else ""


# --- Chinese ----------------------------------------------------------------------

_NUMERALS = "一二三四五六七八九十"
_CHINESE_MONTH = r"(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])"
_CHINESE_DAY = r"(?:3[01]|[12]\d|0?[1-9]|三十一?|二?十[一二三四五六七八九]?|[一二三四五六七八九])"
# 日本月亮, 海上月色, 过去年代, 前天津, 当今年轻人, 上周末 and 从前天真 have other words.
# 大前天 and 上上周 are other days.
_GUARDED = {
    "今天": "(?<![当當])今天",
    "前天": "(?<![之以提目门門面眼大从從])前天(?![津才文线線气氣空色真])",
    "今年": "(?<![当當如])今年(?![轻輕龄齡])",
    "去年": "(?<![过過失])去年(?![代轻輕龄齡])",
    "上月": "(?<![海天江水湖山晚早楼樓树樹])上月",
}
_NO_WEEK = "(?![末一二三四五六日天围圍边邊遭])"
_NO_MOON = "(?![亮光色球圆圓牙台季])"
_NO_YEAR = "(?![代度级級糕货貨轻輕]|夜饭|夜飯)"
# A month that there is not: 2019年13月.
_NO_MONTH = r"(?! ?\d+ ?月)"


def _guarded(name: str) -> str:
    before = {"本": "(?<!日)", "上": "(?<!上)"}.get(name[0], "")
    guarded = before + _GUARDED.get(name, name)
    if name[-1] == "年":
        return guarded + _NO_MONTH
    if name[-1] == "月":
        return guarded + _NO_MOON
    return guarded + _NO_WEEK if name[-1] in "周週期拜" else guarded


_CHINESE_MOVING = "|".join(_guarded(name) for name in sorted(dates.CHINESE, key=len, reverse=True))
_CHINESE = re.compile(
    r"(?:(?:我们|我們|我)(?=.{2,12}[拍照]))?(?:来自|來自|[从從自])?"
    r"(?:拍摄于|拍攝於|拍于|摄于|在|于)? ?"
    r"(?P<said>"
    rf"(?:(?<!\d)(?P<y>{_YEAR}) ?年{_NO_YEAR}|(?P<ry>{_GUARDED['去年']}|{_GUARDED['今年']})) ?的? ?"
    rf"(?P<m>{_CHINESE_MONTH}) ?月(?:份|(?: ?(?P<d>{_CHINESE_DAY}) ?[日号號](?!本)))?|"
    rf"(?<![\d{_NUMERALS}年.])(?P<m2>{_CHINESE_MONTH}) ?月 ?(?P<d2>{_CHINESE_DAY}) ?[日号號](?!本)|"
    rf"(?<!\d)(?P<year>{_YEAR}) ?年{_NO_YEAR}{_NO_MONTH}|"
    r"(?:最近|过去|過去|近) ?(?P<days>[1-9]\d{0,2}) ?天|"
    rf"(?P<moving>{_CHINESE_MOVING})"
    r")"
    r"(?P<side>以来|以來|[之以][后後前]|[前后後](?=[的\s\0]|$))?"
    r"(?: ?(?:我们|我們|我)?拍(?![卖賣手打子])[摄攝下]?)?(?:里|裡|期间|期間)? ?的? ?"
)
_SIDES = {"以来": "since", "以來": "since", "后": "after", "後": "after", "前": "before"}


def _chinese(text: str) -> Iterator[DateInWords]:
    for match in _CHINESE.finditer(text):
        shape = _chinese_shape(match)
        if shape and not _NOT_BEFORE.search(text, 0, match.start()):
            side = match["side"] or ""
            yield from _one(match, shape, _SIDES.get(side) or _SIDES.get(side[-1:], ""))


def _chinese_shape(match: re.Match[str]) -> str:
    if match["moving"]:
        return dates.CHINESE[match["moving"]]
    if match["days"]:
        return f"last-{match['days']}-days"
    year = match["year"] or match["y"]
    if match["ry"]:
        year = str(timezone.localdate().year - (match["ry"] == "去年"))
    if year and not _has_come(year):
        return ""
    if match["year"]:
        return year or ""
    month, day = match["m"] or match["m2"], match["d"] or match["d2"]
    if day:
        return _day(year, _number(month), _number(day))
    return f"{year}-{_number(month):02}"


def _number(text: str) -> int:
    """Return a number up to 99 in digits or Chinese numerals."""
    if text.isdecimal():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    least = _NUMERALS.index(ones) + 1 if ones else 0
    return (_NUMERALS.index(tens) + 1 if tens else 1) * 10 * bool(ten) + least


# --- Both -------------------------------------------------------------------------


def _dates(text: str) -> Iterator[DateInWords]:
    """Yield the dates of a text, from left to right."""
    found = sorted([*_english(text), *_chinese(text)], key=lambda one: one.start)
    end = 0
    for one in found:
        if one.start >= end:
            end = one.end
            yield one


def _one(match: re.Match[str], shape: str, side: str) -> Iterator[DateInWords]:
    days = dates.span(shape)
    if days is None:
        return
    first, behind = days
    after, before = {
        "since": (first, ""),
        "after": (behind, ""),
        "before": ("", first),
        "until": ("", behind),
        "till": ("", behind),
    }.get(side, (first, behind))
    start = min(match.start("said"), match.start("side")) if side else match.start("said")
    end = max(match.end("said"), match.end("side")) if side else match.end("said")
    yield DateInWords(match.start(), match.end(), match.string[start:end], after, before)


def _day(year: str | None, month: int, day: int) -> str:
    """Return a day; without a year the latest one that has come. Returns "" if there is none."""
    today = timezone.localdate()
    if year:
        years = [int(year)] if _has_come(year) else []
    else:
        # A leap day comes once in eight years at least.
        years = list(range(today.year, today.year - 9, -1))
    for number in years:
        try:
            found = date(number, month, day)
        except ValueError:
            continue
        if year or found <= today:
            return found.isoformat()
    return ""


def _has_come(year: str | None) -> bool:
    return bool(year) and _FIRST_YEAR <= int(str(year)[:4]) <= timezone.localdate().year


_TO = re.compile(r" *(?:to|through|till?|until|and|[-–—~]|到|至) *", re.IGNORECASE)


def _from_to(text: str, first: DateInWords, last: DateInWords) -> DateInWords | None:
    """Return two dates as the ends of a span: “2018 to 2020”, 2018年到2020年."""
    between = text[first.end : last.start]
    is_until = last.said.lower().startswith(("until", "till"))
    to = f"{between} until" if is_until else between
    if not (first.is_span and (last.is_span or is_until) and _TO.fullmatch(to)):
        return None
    if "and" in between.lower() and "between" not in text[first.start : first.end].lower():
        return None
    if dates.fixed(first.before) > dates.fixed(last.before):
        return None
    said = f"{first.said}{between}{last.said}"
    return DateInWords(first.start, last.end, said, first.after, last.before)


# What makes a date one of several: "July to August 2019", "14-20 july 2019", 2019到2020年.
_HALF_BEFORE = re.compile(
    rf"(?:(?:\d|\b{_MONTH}|月) *(?:to|through|[-–—~&]|到|至|and|or|和|或)|"
    rf"\b{_MONTH}|[-–/.]\d+) *$",
    re.IGNORECASE,
)
_HALF_BEHIND = re.compile(
    rf" *(?:(?:to|through|until|till|[-–—~&]|到|至) *(?:\d|{_MONTH})|"
    rf"(?:and|or|和|或) *(?:{_YEAR}(?!\d)|{_MONTH}))",
    re.IGNORECASE,
)


def _is_half(text: str, found: DateInWords) -> bool:
    before = _HALF_BEFORE.search(text, 0, found.start)
    return bool(before or _HALF_BEHIND.match(text, found.end))


_EDGES = re.compile(r"^[\s,;，；、。.]++|(?:[\s,;，；、。]|(?<=\s)(?:and|or)(?=\s*$))++$")
_PAUSE = re.compile(r"[\s,，;；]*([,，;；])")
# What is left of "my pictures from yesterday" and 昨天的照片 describes nothing.
_ANY_PICTURE = re.compile(
    r"(?:(?:show|me|my|our|all|the|some|of|from|photos?|photographs?|pictures?|images?|pics?|"
    r"snapshots?)(?: +|$))+|"
    r"(?:[我的拍在请請找 ]|我们|我們|所有|全部|一些|给我|給我|帮我|幫我|一下|看看?|显示|搜索)*"
    r"(?:照片|图片|圖片|相片|影像|照)?|"
    r"[\s!?！？…()（）【】\[\]]*",
    re.IGNORECASE,
)


def _without(text: str, found: DateInWords) -> str:
    """Return the words without a date; "" if they only say that pictures are wanted."""
    rest = f"{text[: found.start]} {text[found.end :]}"
    rest = _EDGES.sub("", _PAUSE.sub(r"\1", rest))
    return "" if _ANY_PICTURE.fullmatch(rest.replace(BREAK, "").strip()) else rest
