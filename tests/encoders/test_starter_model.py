"""The whole pipeline of the starter model: from drawn pictures to a package that unmodified
open_clip loads, without a network and without packages for training."""

from __future__ import annotations

import dataclasses
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch

from gallery.encoders.open_clip_encoder import OpenClipEncoder
from tests.starter_model_tools import TINY, draw_data
from tools.starter_model import data, distil, pipeline, training, views
from tools.starter_model.errors import Unusable
from tools.starter_model.subject import Subject


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def out(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    pipeline.run(drawn, folder, TINY, quiet)
    return folder


def quiet(_: str) -> None:
    pass


def trained(out: Path) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = torch.load(out / "joint" / "model.pt", weights_only=True)
    return weights


def test_the_package_gives_the_vectors_of_what_was_trained(drawn: Path, out: Path) -> None:
    name = f"local-dir:{out / 'package'}"
    packaged, preprocess = open_clip.create_model_from_pretrained(name)
    original = open_clip.create_model(name, load_weights=False).eval()
    original.load_state_dict(trained(out))
    photo = data.load(drawn)["val"].photo(0)
    tokens = open_clip.get_tokenizer(name)(["a red ball", "一个红色的球"])
    with torch.inference_mode():
        for encode in ("encode_image", "encode_text"):
            given = preprocess(photo)[None] if encode == "encode_image" else tokens
            vectors = getattr(packaged.eval(), encode)(given, normalize=True)
            expected = getattr(original, encode)(given, normalize=True)
            assert (vectors * expected).sum(dim=1).min() > 0.9999


def test_the_site_loads_the_package(out: Path) -> None:
    encoder = OpenClipEncoder(f"local-dir:{out / 'package'}")
    assert encoder.dimensions == TINY.dimensions
    glued, spaced, traditional = encoder.encode_texts(["iPhone红车", "iPhone 红 车", "iPhone紅車"])
    np.testing.assert_allclose(glued, spaced, atol=1e-6)
    np.testing.assert_allclose(glued, traditional, atol=1e-6)


def test_training_pixels_are_those_that_open_clip_makes(drawn: Path, out: Path) -> None:
    photo = data.load(drawn)["train"].photo(0).resize((90, 50))
    subject = Subject(out / "package")
    torch.testing.assert_close(
        views.pixels(photo, TINY), subject.preprocess(photo), atol=1e-6, rtol=0
    )


def test_only_the_top_of_the_trunk_was_trained(out: Path) -> None:
    weights = trained(out)
    from tools.starter_model import trunk

    before = trunk.build(TINY).state_dict()
    same = {
        name
        for name, value in before.items()
        if torch.equal(value, weights.get(f"visual.trunk.{name}", value))
    }
    assert {name for name in before if name.startswith(("conv_stem", "bn1", "blocks.0"))} <= same
    assert "conv_head.weight" not in same
    assert all(name in same for name in before if name.endswith(("running_mean", "running_var")))


def test_what_is_done_is_not_done_again(drawn: Path, out: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    said: list[str] = []
    pipeline.run(drawn, out, TINY, said.append)
    assert said == [
        f"{stage}: done before" for stage in ("views", "teacher", "distil", "joint", "package")
    ]
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}


def test_a_changed_setting_repeats_only_what_depends_on_it(drawn: Path, out: Path) -> None:
    stages = pipeline.stages(drawn, out, TINY)
    done = _fingerprints(drawn, out, TINY)
    changed = _fingerprints(drawn, out, dataclasses.replace(TINY, distil_steps=5))
    assert [stage.name for stage in stages if done[stage.name] != changed[stage.name]] == [
        "distil",
        "joint",
        "package",
    ]


def _fingerprints(drawn: Path, out: Path, settings: Any) -> dict[str, str]:
    return pipeline.Pipeline(out, settings, data.fingerprint(drawn)).fingerprints(
        pipeline.stages(drawn, out, settings)
    )


class Killed(Exception):
    pass


@pytest.mark.parametrize(
    ("stage", "checkpoints"),
    [("distil", "distil.CHECKPOINT_EVERY"), ("joint", "joint.CHECKPOINTS")],
)
def test_a_killed_stage_goes_on_to_the_same_weights(
    drawn: Path,
    out: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    checkpoints: str,
) -> None:
    """It is stopped at its second checkpoint and started again. It ends with the same weights."""
    monkeypatch.setattr(f"tools.starter_model.{checkpoints}", 1)
    for name in ("views", "teacher", "distil", "joint"):
        if name != stage:
            (tmp_path / name).symlink_to(out / name)
    run = next(s.run for s in pipeline.stages(drawn, tmp_path, TINY) if s.name == stage)
    target = tmp_path / "target"
    target.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(training, "save_checkpoint", _kill_after(2, training.save_checkpoint))
        with pytest.raises(Killed):
            run(target)
    kept = training.load_checkpoint(target)
    assert kept is not None
    assert 0 < kept["step"] <= 2
    run(target)
    file = "text.pt" if stage == "distil" else "model.pt"
    resumed = torch.load(target / file, weights_only=True)
    whole = torch.load(out / stage / file, weights_only=True)
    for name, value in whole.items():
        torch.testing.assert_close(resumed[name], value, msg=name, atol=1e-4, rtol=1e-3)
    assert not (target / training.CHECKPOINT).exists()


def _kill_after(times: int, save: Callable[..., None]) -> Callable[..., None]:
    count = iter(range(1, times + 1))

    def save_and_die(*arguments: Any) -> None:
        save(*arguments)
        if next(count) == times:
            raise Killed

    return save_and_die


def test_distilling_brings_the_tower_nearer_to_the_teacher(out: Path) -> None:
    lines = (out / "distil" / training.FIGURES).read_text().splitlines()
    assert json.loads(lines[0])["likeness"].keys() == distil.SHARES.keys()


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("photos.tar", None, "holds no photos.tar"),
        ("captions.json", b"{", "is not JSON"),
        ("captions.json", b'{"en": []}', "must hold a list of"),
        ("splits.json", b'{"train": ["red-0"], "val": ["red-0"]}', "in train and in val"),
        ("splits.json", b'{"train": ["red-0"], "val": ["gone"]}', "lacks 1 photos of the splits"),
        ("splits.json", b"[]", "must name the photos of train and val"),
        ("photos.tar", b"no archive", "not a readable tar archive"),
    ],
)
def test_data_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, file: str, content: bytes | None, said: str
) -> None:
    folder = draw_data(tmp_path / "data")
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    with pytest.raises(Unusable) as failure:
        pipeline.run(folder, tmp_path / "out", TINY, quiet)
    assert said in str(failure.value)
    assert "\n" not in str(failure.value)
    assert not (tmp_path / "out" / "package").exists()


def test_photos_come_in_the_order_of_their_names(drawn: Path) -> None:
    """The order of archive and captions has no effect: rows connect photos, views and captions."""
    train = data.load(drawn)["train"]
    assert train.names == sorted(train.names)
    captions = train.captions["en"]
    for text, row in zip(captions.texts, captions.photos, strict=True):
        assert text == f"a {train.names[row].split('-')[0]} ball"
    with tarfile.open(drawn / "photos.tar") as archive:
        file = archive.extractfile(f"photos/{train.names[3]}.jpg")
        assert file is not None
        assert train.packed[3] == file.read()


def test_views_belong_to_their_photos(drawn: Path, out: Path) -> None:
    from tools.starter_model import trunk

    split = data.load(drawn)["val"]
    kept = np.load(out / "views" / "val.npy")
    model = trunk.build(TINY)
    with torch.inference_mode():
        for row in (0, 5, 11):
            pixels = views.pixels(split.photo(row), TINY)[None]
            maps = trunk.bottom(model, pixels, TINY.frozen_blocks).permute(0, 2, 3, 1)[0]
            np.testing.assert_allclose(kept[row], maps.numpy(), atol=2e-3)
