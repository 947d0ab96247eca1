"""The fastest way to encode pictures is measured, and is never slower than the plain one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gallery import status
from gallery.encoders import reply
from gallery.encoders.open_clip_encoder import OpenClipEncoder
from gallery.encoders.pace import BUDGET_SECONDS, Pace, fastest, plain, ways


class Machine:
    """A made-up processor and its clock. One picture takes `seconds(pace)`."""

    def __init__(self, seconds: Callable[[Pace], float]) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.ran: list[Pace] = []

    def run(self, pace: Pace) -> None:
        self.ran.append(pace)
        self.now += self.seconds(pace) * pace.batch

    def fastest(self) -> tuple[Pace, float]:
        return fastest(self.run, 4, lambda: self.now)


def test_a_processor_that_gains_from_many_and_from_inner_channels_gets_them() -> None:
    machine = Machine(lambda pace: 0.04 / (2 if pace.channels_last else 1) / pace.batch**0.5)
    found, seconds = machine.fastest()
    assert (found.batch, found.channels_last) == (4, True)
    assert seconds == pytest.approx(0.01)


def test_a_processor_that_loses_by_them_does_not() -> None:
    """With AVX2 alone a picture takes 50 ms this way, and 38 ms one by one."""
    machine = Machine(lambda pace: 0.038 * (1.3 if pace.channels_last or pace.batch > 1 else 1))
    assert machine.fastest() == (plain(), pytest.approx(0.038))


def test_a_gain_that_may_be_chance_is_none() -> None:
    machine = Machine(lambda pace: 0.0399 if pace.channels_last else 0.04)
    assert machine.fastest()[0] == plain()


def test_a_large_model_is_not_measured_for_long() -> None:
    machine = Machine(lambda pace: 3.0)
    assert machine.fastest() == (plain(), 3.0)
    assert machine.now < BUDGET_SECONDS + 2 * 4 * 3.0


@pytest.fixture(scope="module")
def starter() -> OpenClipEncoder:
    return OpenClipEncoder("starter")


def test_the_starter_says_how_it_runs(starter: OpenClipEncoder) -> None:
    found = Pace(*(starter.running[name] for name in ("batch", "channels_last", "threads")))
    assert found in [plain(), *ways(4)]
    assert starter.running["milliseconds"] > 0
    assert starter.running["device"] == "cpu"


def test_vectors_are_the_same_however_it_runs(starter: OpenClipEncoder) -> None:
    pictures = [Image.effect_noise((200, 100), sigma).convert("RGB") for sigma in range(9, 70, 9)]
    before, threads = starter._pace, torch.get_num_threads()
    found = []
    try:
        for pace in dict.fromkeys([plain(), *ways(4)]):
            pace.apply(starter._model.visual)
            starter._pace = pace
            found.append(starter.encode_images(pictures))
    finally:
        starter._pace = before
        before.apply(starter._model.visual)
        torch.set_num_threads(threads)
    for vectors in found[1:]:
        assert np.abs((vectors * found[0]).sum(axis=1) - 1).max() < 1e-3


def test_ready_tells_it(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    said: dict[str, dict[str, Any]] = {
        "starter": {
            **{"batch": 4, "channels_last": True, "threads": 2, "milliseconds": 17.5},
            **{"precision": "float32", "device": "cpu"},
        },
        "ViT-B-32 laion": {"batch": 256, "precision": "float16", "device": "cuda"},
    }
    monkeypatch.setattr(reply, "heartbeat", lambda: "ready")
    monkeypatch.setattr(reply, "running", lambda: said)
    assert status.readiness()["worker"].detail == (
        "starter: 4 at a time, float32, cpu, 2 threads, channels last, 17.5 ms a picture; "
        "ViT-B-32 laion: 256 at a time, float16, cuda"
    )
