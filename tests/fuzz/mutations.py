"""Good files made bad: wrong numbers, parts that are doubled or missing, noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from tests.fuzz.anatomy import Anatomy, Field, Kind, anatomy_of, repaired

# Long enough for all mutations below. Longer files only take more time to read.
_LONGEST = 2_000_000

_EDGES = (0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536)
_EDGES += (2**24 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)
# Widths and heights near the limits of formats and of what is accepted.
_SIDES = (0, 1, 2, 63, 64, 65, 255, 256, 1_000, 3_873, 4_097, 12_247, 12_248, 16_383, 16_384)
_SIDES += (65_500, 65_535, 150_000_000, 150_000_001, 2**31 - 1, 2**32 - 1)
# Width and height together: 15 megapixels, square, long and tall; rarely the largest accepted.
_SHAPES = ((3_873, 3_873), (65_500, 229), (229, 65_500), (15_000_000, 1), (1, 1_000_000))
_LARGEST_SHAPES = ((12_247, 12_247), (65_500, 2_290), (2_290, 65_500), (150_000_000, 1))
_DEPTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 64, 255)

Mutation = Callable[[bytearray, Anatomy, Random], bytes | bytearray]


def mutated(random: Random, seeds: Sequence[bytes]) -> bytes:
    """Return one of `seeds` with one to four faults."""
    data = random.choice(seeds)
    for _ in range(random.choices((1, 2, 3, 4), (50, 30, 15, 5))[0]):
        if random.random() < 0.04:
            data = _spliced(data, random.choice(seeds), random)
            continue
        change = random.choices(*_CHANGES)[0]
        data = bytes(change(bytearray(data), anatomy_of(data), random))[:_LONGEST]
    return repaired(data) if random.random() < 0.85 else data


def _spliced(data: bytes, other: bytes, random: Random) -> bytes:
    """Return the beginning of one file and the end of another."""
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


# --- What a format says about itself ----------------------------------------------


def _set(data: bytearray, field: Field, value: int) -> None:
    size = field.size
    order = "big" if field.order == "big" else "little"
    data[field.offset : field.offset + size] = (value % 256**size).to_bytes(size, order)


def _value(data: bytearray, field: Field) -> int:
    order = "big" if field.order == "big" else "little"
    return int.from_bytes(data[field.offset : field.offset + field.size], order)


def _one_number(data: bytearray, anatomy: Anatomy, random: Random) -> bytearray:
    if not anatomy.fields:
        return _bits(data, anatomy, random)
    # Each kind is as frequent as any other, however many fields it has.
    kind = random.choice(sorted({field.kind for field in anatomy.fields}, key=lambda k: k.value))
    field = random.choice([field for field in anatomy.fields if field.kind is kind])
    near = _value(data, field) + random.choice((-1, 1, 2, -8, 8, 256))
    known = {Kind.SIDE: _SIDES, Kind.DEPTH: _DEPTHS}.get(kind, _EDGES)
    place = random.randrange(len(data) + 1)
    _set(data, field, random.choice((random.choice(known), random.choice(known), near, place)))
    return data


def _both_sides(data: bytearray, anatomy: Anatomy, random: Random) -> bytearray:
    sides = [field for field in anatomy.fields if field.kind is Kind.SIDE]
    width, height = random.choice(_LARGEST_SHAPES if random.random() < 0.04 else _SHAPES)
    if len(sides) == 1:  # both are one number in lossless WebP
        _set(data, sides[0], (width - 1) % 2**14 | (height - 1) % 2**14 << 14)
    elif sides:
        # Frames and canvas have separate sizes. The change affects all of them or one.
        first = random.randrange(0, len(sides) - 1, 2) if len(sides) > 2 else 0
        chosen = sides if random.random() < 0.5 else sides[first : first + 2]
        for number, field in enumerate(chosen):
            _set(data, field, (width, height)[number % 2])
    return data


def _part_again(data: bytearray, anatomy: Anatomy, random: Random) -> bytearray:
    if not anatomy.parts:
        return _slice_again(data, anatomy, random)
    part = random.choice(anatomy.parts)
    times = random.choice((1, 1, 2, 10, 100, 1_000))
    times = min(times, max(1, 300_000 // len(part)))
    return data[: part.stop] + data[part.start : part.stop] * times + data[part.stop :]


def _part_away(data: bytearray, anatomy: Anatomy, random: Random) -> bytearray:
    if not anatomy.parts:
        return _cut(data, anatomy, random)
    part = random.choice(anatomy.parts)
    return data[: part.start] + data[part.stop :]


def _parts_exchanged(data: bytearray, anatomy: Anatomy, random: Random) -> bytearray:
    if len(anatomy.parts) < 2:
        return _bytes(data, anatomy, random)
    first, second = sorted(random.sample(anatomy.parts, 2), key=lambda part: part.start)
    if first.stop > second.start:  # one is inside the other
        return data[: first.start] + data[second.start : second.stop] + data[first.stop :]
    return (
        data[: first.start]
        + data[second.start : second.stop]
        + data[first.stop : second.start]
        + data[first.start : first.stop]
        + data[second.stop :]
    )


def _part_shorter(data: bytearray, anatomy: Anatomy, random: Random) -> bytearray:
    if not anatomy.parts:
        return _cut(data, anatomy, random)
    part = random.choice(anatomy.parts)
    return data[: random.randrange(part.start, part.stop)] + data[part.stop :]


# --- Whatever the format ----------------------------------------------------------


def _bits(data: bytearray, _anatomy: Anatomy, random: Random) -> bytearray:
    for _ in range(random.choice((1, 2, 8, 64))):
        if data:
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return data


def _bytes(data: bytearray, _anatomy: Anatomy, random: Random) -> bytearray:
    at = random.randrange(len(data) + 1)
    size = random.choice((1, 2, 4, 16, 256))
    value = random.choice((b"\x00", b"\xff", b"\x80", b"\x7f", b"A")) * size
    data[at : at + size] = value if random.random() < 0.6 else random.randbytes(size)
    return data


def _cut(data: bytearray, _anatomy: Anatomy, random: Random) -> bytearray:
    return data[: random.randrange(len(data) + 1)]


def _slice_away(data: bytearray, _anatomy: Anatomy, random: Random) -> bytearray:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.choice((1, 2, 4, 32, 500)) :]


def _slice_again(data: bytearray, _anatomy: Anatomy, random: Random) -> bytearray:
    at = random.randrange(len(data) + 1)
    piece = data[at : at + random.choice((1, 4, 32, 500))]
    return data[:at] + piece * random.choice((1, 2, 50)) + data[at:]


def _longer(data: bytearray, _anatomy: Anatomy, random: Random) -> bytearray:
    return data + random.choice((bytes(1_000), b"\xff" * 1_000, random.randbytes(1_000)))


_CHANGES: tuple[tuple[Mutation, ...], tuple[int, ...]] = (
    (
        _one_number, _both_sides, _part_again, _part_away, _parts_exchanged, _part_shorter,
        _bits, _bytes, _cut, _slice_away, _slice_again, _longer,
    ),
    (38, 8, 7, 6, 5, 5, 10, 7, 5, 4, 3, 2),
)  # fmt: skip
