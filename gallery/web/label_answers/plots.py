"""The geometry of drawings: where bars, points and cells lie. Templates draw them as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gallery.labels.learning.quality import Bin

# --- Reliability ------------------------------------------------------------------------

# The side of the plot; its labels lie outside.
SIDE = 300.0
_SMALLEST, _LARGEST = 3.0, 9.0


@dataclass(frozen=True)
class Point:
    """A group of answers in the plot. Its area grows with the answers; `low` and `high` are the
    ends of its interval."""

    bin: Bin
    x: float
    y: float
    low: float
    high: float
    radius: float


@dataclass(frozen=True)
class Tick:
    at: float
    percent: int


@dataclass(frozen=True)
class Reliability:
    points: list[Point]
    side: float = SIDE

    @property
    def columns(self) -> list[Tick]:
        return [Tick(SIDE * part / 4, part * 25) for part in range(5)]

    @property
    def rows(self) -> list[Tick]:
        return [Tick(SIDE - SIDE * part / 4, part * 25) for part in range(5)]


def reliability(bins: Sequence[Bin]) -> Reliability:
    most = max((one.count for one in bins), default=1)
    return Reliability([_point(one, most) for one in bins])


def _point(one: Bin, most: int) -> Point:
    def up(share: float) -> float:
        return round(SIDE * (1 - share), 1)

    return Point(
        bin=one,
        x=round(SIDE * one.predicted, 1),
        y=up(one.observed.value),
        low=up(one.observed.low),
        high=up(one.observed.high),
        radius=round(max(_LARGEST * math.sqrt(one.count / most), _SMALLEST), 1),
    )


# --- Histogram --------------------------------------------------------------------------


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram in percent of the drawing, and what it counts."""

    x: float
    width: float
    y: float
    height: float
    count: int
    begin: float
    end: float


def histogram(counts: Sequence[int]) -> list[Bar]:
    """Return bars whose heights are square roots: most pictures of a library are surely not of a
    category, and the others could not be seen beside them."""
    most = math.sqrt(max(counts, default=0)) or 1.0
    width = 100 / max(len(counts), 1)
    return [
        Bar(
            x=round(place * width, 3),
            width=round(width, 3),
            y=round(100 - 100 * math.sqrt(count) / most, 2),
            height=round(100 * math.sqrt(count) / most, 2),
            count=count,
            begin=place / len(counts),
            end=(place + 1) / len(counts),
        )
        for place, count in enumerate(counts)
    ]


# --- Confusion --------------------------------------------------------------------------

_CELL, _WIDEST_NAME, _LETTER = 44.0, 22, 7.2


@dataclass(frozen=True)
class Cell:
    """A cell of a confusion matrix: `count` pictures of the category `row`, named `truth`, that
    were said to be of `column`, named `said`. `share` is that of the row."""

    row: int
    column: int
    truth: str
    said: str
    count: int
    share: float
    x: float
    y: float

    @property
    def middle(self) -> float:
        return self.x + _CELL / 2

    @property
    def centre(self) -> float:
        return self.y + _CELL / 2

    @property
    def is_right(self) -> bool:
        return self.row == self.column

    @property
    def shade(self) -> float:
        """The opacity of the colour. Text must stay readable on it in both themes."""
        return self.share / 2


@dataclass(frozen=True)
class Title:
    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Confusion:
    """`rows` are the true categories, `columns` what was said."""

    width: float
    height: float
    size: float
    rows: list[Title]
    columns: list[Title]
    cells: list[Cell]


def confusion(matrix: npt.NDArray[np.int64], names: Sequence[str]) -> Confusion:
    """Lay out a matrix (k, k). The last category is left out where it has no pictures."""
    count = len(names)
    if not matrix[-1].any() and not matrix[:, -1].any():
        count -= 1
    shown = [_shortened(name) for name in names[:count]]
    margin = _LETTER * max(map(_width, shown)) + 34
    cells = [
        Cell(
            row,
            column,
            names[row],
            names[column],
            int(matrix[row, column]),
            float(matrix[row, column] / max(matrix[row].sum(), 1)),
            margin + column * _CELL,
            margin + row * _CELL,
        )
        for row in range(count)
        for column in range(count)
    ]
    half = _CELL / 2
    return Confusion(
        width=margin + count * _CELL + 8,
        height=margin + count * _CELL + 8,
        size=_CELL,
        rows=[Title(name, margin - 8, margin + n * _CELL + half) for n, name in enumerate(shown)],
        columns=[
            Title(name, margin + n * _CELL + half, margin - 8) for n, name in enumerate(shown)
        ],
        cells=cells,
    )


def _shortened(name: str) -> str:
    return name if len(name) <= _WIDEST_NAME else f"{name[: _WIDEST_NAME - 1]}…"


def _width(name: str) -> float:
    """Return the width in letters: Chinese characters are almost twice as wide."""
    return sum(1.8 if ord(letter) > 0x2E80 else 1.0 for letter in name)
