"""With real workers: probabilities next to open_clip, new pictures, a worker that is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image as PILImage

from gallery.encoders.open_clip_encoder import STARTER_FOLDER
from gallery.indexing.spaces import require_active_space
from gallery.labels import applying, fitting, maintenance, sets
from gallery.labels.definition import CategoryForm, checked
from gallery.library.samples import SAMPLES
from gallery.models import Analysis, Backfill, Image, Label, LabelJob, User
from gallery.work.clock import from_now
from tests.api_tools import with_worker
from tests.conftest import ROOT, api, upload, wait_for, worker_environment
from tests.labels.tools import apply, fake_encoder, fit_of, make_set, picture, word_space

NAMES = ["cat", "rocket", "cup of coffee", "brick wall", "horse", "flower"]
TEMPLATES = ["a photo of a {}", "a picture of one {}", "{}"]


def reference(paths: list[Path], temperature: float) -> np.ndarray:
    """(n, k) The probabilities of pictures by unmodified open_clip, with a prompt ensemble."""
    name = f"local-dir:{STARTER_FOLDER}"
    model, _train, preprocess = open_clip.create_model_and_transforms(name)
    tokenizer = open_clip.get_tokenizer(name)
    model.eval()
    with torch.inference_mode():
        classes = []
        for category in NAMES:
            texts = tokenizer([template.format(category) for template in TEMPLATES])
            vectors = torch.nn.functional.normalize(model.encode_text(texts), dim=-1)
            classes.append(torch.nn.functional.normalize(vectors.mean(dim=0), dim=-1))
        pixels = torch.stack([preprocess(PILImage.open(path).convert("RGB")) for path in paths])
        pictures = torch.nn.functional.normalize(model.encode_image(pixels), dim=-1)
        logits = model.logit_scale.exp() * pictures @ torch.stack(classes).T
        found: np.ndarray = torch.softmax(logits / temperature, dim=-1).numpy()
    return found


@with_worker
def test_probabilities_are_those_of_open_clip(encoder_worker, alice: User) -> None:
    # The colours of the rocket are converted to sRGB, which open_clip does not do.
    samples = [sample for sample in SAMPLES if sample.file != "rocket.jpg"]
    images = [upload(alice, sample.path().read_bytes(), sample.file) for sample in samples]
    wait_for(lambda: sum(image.embeddings.exists() for image in images) == len(images))
    space = require_active_space()
    forms = [CategoryForm(name) for name in NAMES]
    definition = checked(categories=forms, templates=TEMPLATES, none_of_these=False)
    label_set = sets.create(alice, "Things", definition)
    apply(label_set, alice, space)
    fit = fitting.current(label_set, space)
    assert fit is not None
    paths = [sample.path() for sample in samples]
    wanted = reference(paths, fit.temperature)
    for image, shares in zip(images, wanted, strict=True):
        label = Label.objects.get(image=image)
        assert label.category.name == NAMES[shares.argmax()], image.original_name
        assert label.probability == pytest.approx(shares.max(), abs=1e-3)
    # One picture at a time, with the model's own scale.
    wanted = reference(paths[:2], 1.0)
    body = {"classnames": NAMES, "templates": TEMPLATES, "mode": "one"}
    for image, shares in zip(images, wanted, strict=False):
        answer = api(alice).post(f"/api/v1/images/{image.pk}/classify/", body).json()
        got = {row["classname"]: row["probability"] for row in answer["results"]}
        for name, share in zip(NAMES, shares, strict=True):
            assert got[name] == pytest.approx(share, abs=1e-3)


@with_worker
def test_new_pictures_are_labelled_by_workers(encoder_worker, media_worker, alice: User) -> None:
    forms = [CategoryForm(name) for name in NAMES]
    label_set = sets.create(alice, "Things", checked(categories=forms))
    maintenance.maintain()
    applied = api(alice).post(f"/api/v1/label-sets/{label_set.pk}/apply/").json()
    wait_for(lambda: LabelJob.objects.get(pk=applied["job"]).state == "done", what="the job")
    (cat,) = [sample for sample in SAMPLES if sample.file == "chelsea.png"]
    image = upload(alice, cat.path().read_bytes())
    label = wait_for(lambda: Label.objects.filter(image=image).first(), what="a label")
    assert label.category.name == "cat"


# Labels two pictures at a time, and tells when it has done so.
_WORKER = """
import time, django
django.setup()
from gallery.labels import applying
applying.PART, whole = 2, applying._apply_part
def part(*arguments):
    done = whole(*arguments)
    print("part", flush=True)
    time.sleep(0.2)
    return done
applying._apply_part = part
applying.run_waiting()
"""


@pytest.mark.django_db(transaction=True)
def test_kill_9_amid_a_job_loses_and_doubles_nothing(
    alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_encoder(monkeypatch)
    space = word_space()
    images = {picture(alice, space, dog=1).pk for _ in range(12)}
    label_set = make_set(alice, "dog", "cat")
    job, _change = applying.request(label_set, alice, fit_of(label_set, space))
    # Workers of earlier tests must not label the pictures as new ones.
    Analysis.objects.all().delete()
    Backfill.objects.all().delete()
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", _WORKER],
            cwd=ROOT,
            env=worker_environment(tmp_path),
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            for _ in range(2):
                assert process.stdout.readline() == b"part\n"
            process.send_signal(signal.SIGKILL)
        LabelJob.objects.update(claimed_until=from_now(-applying.LEASE))

    def agree() -> bool:
        job.refresh_from_db()
        return Label.objects.count() == job.done

    # What the killed worker has sent last may still be on its way.
    wait_for(agree, what="labels and progress agree")
    assert job.state == "running"
    assert 8 <= job.done < 12
    applying.run_waiting()
    job.refresh_from_db()
    assert (job.state, job.done, job.added) == ("done", 12, 12)
    assert set(Label.objects.values_list("image", flat=True)) == images
    assert Label.objects.count() == 12
    assert Image.objects.count() == 12
