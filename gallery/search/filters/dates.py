"""Years, months and days in searches, and spans that move with the calendar: `yesterday` is another
day tomorrow.

A moving day is the name of a day, like `yesterday` or `this-week` (its Monday). It stays a name
until pictures are compared with it, so that a saved search moves, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

# 2024, 2024-05, 2024-05-03; also 2024/5, 2024.5.3 and 2024年5月3日.
_DATE = re.compile(
    r"(\d{4})年?(?:[-/.]?(?<=[-/.年])(\d{1,2})月?(?:[-/.]?(?<=[-/.月])(\d{1,2})日?)?)?"
)

_UNITS = ("week", "month", "year")
# The spans that people choose from: a name -> its first day and the first day after it.
MOVING = {
    "today": ("today", "tomorrow"),
    "yesterday": ("yesterday", "today"),
    "day-before-yesterday": ("day-before-yesterday", "yesterday"),
    **{
        name: days
        for unit in _UNITS
        for name, days in {
            f"this-{unit}": (f"this-{unit}", f"next-{unit}"),
            f"last-{unit}": (f"last-{unit}", f"this-{unit}"),
        }.items()
    },
}
_NAMES = {first: name for name, (first, _after) in MOVING.items()}
# Days back from today.
_DAYS_BACK = {"tomorrow": -1, "today": 0, "yesterday": 1, "day-before-yesterday": 2}
_UNITS_ON = {"last": -1, "this": 0, "next": 1}
_LAST_DAYS = re.compile(r"last-([1-9]\d{0,2})-days")
_DAYS_AGO = re.compile(r"(\d{1,3})-days-ago")
# Names of moving spans in Chinese.
CHINESE = {
    **{"今天": "today", "昨天": "yesterday", "前天": "day-before-yesterday"},
    **dict.fromkeys(("本周", "这周", "本週", "這週", "本星期", "这星期", "這星期"), "this-week"),
    **dict.fromkeys(("这个星期", "這個星期", "这个礼拜", "这礼拜"), "this-week"),
    **dict.fromkeys(("上周", "上週", "上星期", "上个星期", "上個星期"), "last-week"),
    **dict.fromkeys(("上礼拜", "上个礼拜", "上禮拜", "上個禮拜"), "last-week"),
    **dict.fromkeys(("本月", "这个月", "這個月", "这月"), "this-month"),
    **dict.fromkeys(("上个月", "上個月", "上月"), "last-month"),
    **{"今年": "this-year", "去年": "last-year"},
}


def span(text: str) -> tuple[str, str] | None:
    """Return the first day of a year, month, day or moving span and the first day after it: in ISO
    format or, for a moving span, as names. None if `text` is no date, or if no day comes after
    it."""
    name = _name_of(text)
    if name in MOVING:
        return MOVING[name]
    if match := _LAST_DAYS.fullmatch(name):
        return f"{int(match[1]) - 1}-days-ago", "tomorrow"
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        first = date(year or 0, 1 if month is None else month, 1 if day is None else day)
        if day is not None:
            after = first + timedelta(days=1)
        elif month is not None:
            after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        else:
            after = date(first.year + 1, 1, 1)
    except (ValueError, OverflowError):
        return None
    return first.isoformat(), after.isoformat()


def spanning(first: str, after: str) -> str | None:
    """Return the year, month, day or moving span from `first` to before `after`; None if there is
    none."""
    shapes = [first[:4], first[:7], first, _NAMES.get(first, "")]
    if match := _DAYS_AGO.fullmatch(first):
        shapes.append(f"last-{int(match[1]) + 1}-days")
    return next((shape for shape in shapes if span(shape) == (first, after)), None)


def shortest(text: str) -> str:
    """Return the shortest form that begins at this day. Other texts stay unchanged."""
    shapes = (text[:4], text[:7])
    return next((shape for shape in shapes if (s := span(shape)) and s[0] == text), text)


def fixed(text: str) -> str:
    """Return a moving day as the day that it is today, in ISO format, by the calendar of the site.
    Other texts stay unchanged."""
    name = _name_of(text)
    today = timezone.localdate()
    if (days := _days_back(name)) is not None:
        return (today - timedelta(days=days)).isoformat()
    which, _dash, unit = name.partition("-")
    if which in _UNITS_ON and unit in _UNITS:
        return _first_day(unit, _UNITS_ON[which], today).isoformat()
    return text


def all_fixed(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return filters with the days that moving days are now."""
    return {
        name: fixed(value)
        if name.endswith(("_after", "_before")) and isinstance(value, str)
        else value
        for name, value in filters.items()
    }


def is_moving(text: str) -> bool:
    return fixed(text) != text


def _name_of(text: str) -> str:
    words = text.lower().replace("_", " ").split()
    return CHINESE.get("".join(words)) or "-".join(words)


def _days_back(name: str) -> int | None:
    if match := _DAYS_AGO.fullmatch(name):
        return int(match[1])
    return _DAYS_BACK.get(name)


def _first_day(unit: str, units_on: int, today: date) -> date:
    if unit == "week":
        return today + timedelta(weeks=units_on, days=-today.weekday())
    if unit == "year":
        return date(today.year + units_on, 1, 1)
    months = today.year * 12 + today.month - 1 + units_on
    return date(months // 12, months % 12 + 1, 1)
