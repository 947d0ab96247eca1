"""The parts of the starter model's training, each compared with a plain computation."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import normalize

from tests.starter_model_tools import TINY, draw_data
from tools.starter_model import (
    anchors,
    categories,
    data,
    evaluate,
    losses,
    measures,
    stamps,
    training,
    trunk,
    views,
)
from tools.starter_model.__main__ import main
from tools.starter_model.errors import Unusable
from tools.starter_model.stages import Pipeline, Stage


def unit(rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    dice = torch.Generator().manual_seed(seed)
    return normalize(torch.randn(rows, columns, generator=dice), dim=1)


# --- Figures ------------------------------------------------------------------------


def test_recall_is_what_counting_by_hand_gives() -> None:
    told, shown = unit(60, 8), unit(20, 8, seed=1)
    owners = torch.arange(60) % 20
    hits = {1: 0, 5: 0, 10: 0}
    for row in range(60):
        scores = [float(told[row] @ picture) for picture in shown]
        place = sorted(range(20), key=lambda k: -scores[k]).index(int(owners[row]))
        for depth in hits:
            hits[depth] += place < depth
    expected = {f"r@{depth}": round(100 * count / 60, 1) for depth, count in hits.items()}
    assert measures.recalls(told, shown, owners) == expected


def test_a_model_that_sees_no_difference_recalls_nothing() -> None:
    same = torch.ones(30, 4) / 2
    assert measures.recalls(same, same, torch.arange(30)) == {"r@1": 0, "r@5": 0, "r@10": 0}


def test_category_accuracy_and_neighbours_by_hand() -> None:
    shown = normalize(
        torch.tensor([[1, 0.1], [1, 0.2], [1, 0.0], [0.1, 1], [0.2, 1], [0.9, 1]]), dim=1
    )
    kinds = torch.tensor([0, 0, 0, 1, 1, 0])
    assert measures.top_category(shown, torch.eye(2), kinds) == 83.3
    # The two nearest others: 1 2 | 0 2 | 0 1 | 4 5 | 3 5 | 4 3. Kind 1 has too few pictures.
    assert measures.neighbours_of_a_kind(shown, kinds, depth=2) == 75.0


# --- Losses -------------------------------------------------------------------------


def test_contrast_is_cross_entropy_both_ways() -> None:
    pictures, told = unit(3, 5), unit(3, 5, 1)
    rows = []
    for k in range(3):
        among, back = told @ pictures[k] * 7, pictures @ told[k] * 7
        rows.append(0.5 * (among.logsumexp(0) - among[k] + back.logsumexp(0) - back[k]))
    loss = losses.contrast(pictures, told, torch.tensor(7.0), 0.0)
    torch.testing.assert_close(loss, torch.stack(rows).mean())


def test_contrast_of_many_is_contrast_where_one_fits() -> None:
    pictures, told, scale = unit(4, 6), unit(4, 6, 1), torch.tensor(5.0)
    one = losses.contrast(pictures, told, scale, 0.0)
    many = losses.contrast_many(pictures, told, scale, torch.eye(4, dtype=torch.bool))
    torch.testing.assert_close(one, many)
    alike = torch.eye(4, dtype=torch.bool)
    alike[0, 1] = alike[1, 0] = True
    assert losses.contrast_many(pictures, told, scale, alike) != many


def test_nothing_is_forgotten_while_the_opinion_stays() -> None:
    logits = torch.randn(4, 9)
    assert float(losses.forgetting(logits, logits + 3)) == pytest.approx(0, abs=1e-6)
    assert float(losses.forgetting(logits, -logits)) > 0.1


# --- Pictures and anchors -----------------------------------------------------------


def test_the_cut_trunk_computes_what_the_whole_one_does() -> None:
    whole = trunk.build(TINY)
    pictures = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        entering = trunk.bottom(whole, pictures, TINY.frozen_blocks)
        pooled = trunk.top(whole, entering, TINY.frozen_blocks)
        torch.testing.assert_close(whole.classifier(pooled), whole(pictures))


def test_random_crops_show_parts_and_repeat_with_their_dice() -> None:
    ramp = Image.linear_gradient("L").convert("RGB")
    crops = [views.random_crop(ramp, random.Random(seed)) for seed in range(20)]
    again = [views.random_crop(ramp, random.Random(seed)) for seed in range(20)]
    assert [crop.tobytes() for crop in crops] == [crop.tobytes() for crop in again]
    assert len({crop.tobytes() for crop in crops}) == 20
    for crop in crops:
        column = np.asarray(crop)[:, 128, 0].astype(int)
        assert crop.size == ramp.size
        assert (column[-1] - column[0]) / 255 >= 0.85 * 0.4 * 0.8


def test_anchors_convince_the_classifier() -> None:
    classifier = torch.nn.Linear(40, 12)
    photos = torch.rand(30, 40)
    made = anchors.imagine(photos, classifier, 200, seed=3)
    likely = classifier(made.features).softmax(dim=1)[torch.arange(200), made.classes]
    assert (likely >= anchors.SURE).float().mean() > 0.9
    assert made.features.min() >= 0
    assert torch.equal(made.features, anchors.imagine(photos, classifier, 200, seed=3).features)


def test_categories_name_classes_that_show_them() -> None:
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    for english, shown in {
        "dog": "Chihuahua", "cat": "tabby", "car": "convertible", "fire engine": "fire engine",
        "pizza": "pizza", "elephant": "African elephant", "laptop": "laptop", "beach": "seashore",
    }.items():  # fmt: skip
        category = next(c for c in categories.everyday() if c.english == english)
        names = {info.index_to_description(c).split(",")[0] for c in category.classes}
        assert shown in names
    assert len(categories.zero_shot()) == 30
    own = anchors.texts_by_class()
    assert {"一张狗的照片", "一只狗", "a photo of a Chihuahua"} <= set(own[151])


# --- Stages and commands ------------------------------------------------------------


def test_a_stage_that_fails_leaves_no_output_and_keeps_its_work(tmp_path: Path) -> None:
    attempts = []

    def run(folder: Path) -> None:
        attempts.append((folder / "half").exists())
        (folder / "half").write_text("half")
        if len(attempts) == 1:
            raise KeyboardInterrupt

    stages = [Stage("slow", run)]
    with pytest.raises(KeyboardInterrupt):
        Pipeline(tmp_path, TINY, "data").run(stages, print)
    assert not (tmp_path / "slow").exists()
    Pipeline(tmp_path, TINY, "data").run(stages, print)
    assert (tmp_path / "slow" / "half").exists()
    Pipeline(tmp_path, TINY, "other data").run(stages, print)
    assert attempts == [False, True, False]


def test_the_rate_rises_and_falls_to_almost_nothing() -> None:
    rates = [training.rate_at(step, 100) for step in range(100)]
    assert max(rates) == pytest.approx(1)
    assert rates[:4] == sorted(rates[:4])
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] < 0.02


def test_a_longer_plan_does_not_change_the_level_stretch() -> None:
    short = [training.steady_rate_at(step, 200) for step in range(200)]
    long = [training.steady_rate_at(step, 300) for step in range(300)]
    assert short[:110] == long[:110]
    assert short[20:110] == [1.0] * 90
    assert short[110:] == sorted(short[110:], reverse=True)
    assert short[-1] < 0.02


def test_the_command_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "holds no photos.tar" in capsys.readouterr().err


def test_evaluation_needs_a_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = draw_data(tmp_path / "data")
    assert evaluate.main(["--package", str(tmp_path), "--data", str(folder)]) == 1
    assert "holds no package" in capsys.readouterr().err


def test_the_table_compares_times_as_a_ratio() -> None:
    printed = evaluate.table(
        {"new": {"r@1": 20, "ms a text": 6}, "old": {"r@1": 15, "ms a text": 4}}
    )
    assert "| r@1 | 20.0 | 15.0 | +5.0 |" in printed
    assert "| ms a text | 6.0 | 4.0 | × 1.50 |" in printed


def test_stamps_have_descriptions_and_kinds(tmp_path: Path) -> None:
    for inside in ("animals/birds", "animals/birds/cartoon", "clothes/hats", "symbols"):
        folder = tmp_path / inside
        folder.mkdir(parents=True)
        Image.new("RGBA", (40, 20), (255, 0, 0, 0)).save(folder / "thing.png")
        (folder / "thing.txt").write_text("A thing.\nzh_CN.utf8=东西\n", encoding="utf-8")
    found = stamps.read(tmp_path)
    kinds = [None if s.kind is None else list(stamps.KINDS)[s.kind] for s in found]
    assert kinds == ["animals/birds", "clothes", None]
    assert {(s.english, s.chinese) for s in found} == {("A thing.", "东西")}
    assert found[0].image().getpixel((0, 0)) == (255, 255, 255)
    with pytest.raises(Unusable, match="no stamps"):
        stamps.read(tmp_path / "symbols" / "nothing")


def test_captions_of_unknown_photos_are_left_out(tmp_path: Path) -> None:
    folder = draw_data(tmp_path)
    captions = json.loads((folder / "captions.json").read_text())
    captions["en"].append(["not in a split", "a ghost"])
    (folder / "captions.json").write_text(json.dumps(captions))
    for split in data.load(folder).values():
        assert "a ghost" not in split.captions["en"].texts
