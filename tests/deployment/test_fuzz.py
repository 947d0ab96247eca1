"""The parts of `make fuzz`. The long run is no part of the tests."""

from __future__ import annotations

import uuid
from random import Random

import pytest
from django.urls import resolve

from gallery.models import User
from tests.belongings import Belongings, filled
from tests.fuzz import requests, sockets
from tests.fuzz.anatomy import Kind, anatomy_of, repaired
from tests.fuzz.cases import Case, Drawer
from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import SEEDS
from tests.measured import BASE_BYTES, MEGABYTE, MOST_BYTES, Cost


@pytest.mark.parametrize("name", SEEDS)
def test_the_size_of_every_kind_of_picture_is_found(name: str) -> None:
    data = SEEDS[name]()
    anatomy = anatomy_of(data)
    sides = {
        int.from_bytes(data[field.offset : field.offset + field.size], field.order)  # type: ignore[arg-type]
        for field in anatomy.fields
        if field.kind is Kind.SIDE
    }
    assert anatomy.parts or name.startswith("bmp")
    # Lossless WebP packs both into one number. Other formats store them separately.
    assert sides & {64, 128, 150, 700, 63 | 47 << 14, 63 | 47 << 14 | 1 << 28}


@pytest.mark.parametrize("name", SEEDS)
def test_a_good_picture_needs_no_repair(name: str) -> None:
    data = SEEDS[name]()
    assert repaired(data) == data


def test_a_box_that_claims_to_be_endless_is_looked_at_in_the_file_alone() -> None:
    box = (2**32 - 1).to_bytes(4, "big") + b"ispe" + bytes(64)
    assert len(anatomy_of(bytes(4) + b"ftypheic" + bytes(8) + box).fields) < 1000


@pytest.fixture(scope="module")
def seeds() -> list[bytes]:
    return [draw() for draw in SEEDS.values()]


@pytest.fixture(scope="module")
def drawer(seeds: list[bytes]) -> Drawer:
    return Drawer(requests.addresses(), lambda address: {"pk": uuid.UUID(int=7)}, seeds)


def test_the_same_number_draws_the_same_cases(seeds: list[bytes], drawer: Drawer) -> None:
    for number in range(30):
        first, second = Random(f"1/{number}"), Random(f"1/{number}")
        assert mutated(first, seeds) == mutated(second, seeds)
        assert drawer.draw(first) == drawer.draw(second)
        assert sockets.drawn(first) == sockets.drawn(second)


def test_a_kept_request_is_sent_again_as_it_was(drawer: Drawer) -> None:
    for number in range(30):
        case = drawer.draw(Random(number))
        assert Case.from_json(case.to_json()) == case


@pytest.mark.django_db
def test_addresses_are_routes(alice: User) -> None:
    hers = Belongings(alice)
    for address in requests.addresses():
        if not address.startswith(("/admin/", "/accounts/")):
            resolve(filled(address, requests.values_for(hers, address)))


def test_ceilings_of_a_file() -> None:
    small, large = 1_000, 150_000_000
    assert not Cost("f", "ok", peak=BASE_BYTES, pixels=small).faults
    assert Cost("f", "ok", peak=BASE_BYTES + 9 * small, pixels=small).faults
    assert Cost("f", "ok", peak=MOST_BYTES + MEGABYTE, pixels=large).faults
    assert Cost("f", "ok", seconds=16).faults
    assert Cost("f", "MemoryError", fault="MemoryError").faults
