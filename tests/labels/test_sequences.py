"""Random sequences of edits, answers, uploads, applies, kills, undos and switches of the model,
against a naive model in plain loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.utils import timezone

from gallery.encoders.base import l2_normalise
from gallery.indexing import encoding
from gallery.labels import answers, applying, fitting, labelling, reading, sets
from gallery.labels.answers import Given
from gallery.labels.definition import CategoryForm
from gallery.models import (
    Category,
    Change,
    EmbeddingSpace,
    Image,
    Label,
    LabelFit,
    LabelJob,
    LabelSet,
    User,
)
from gallery.organising import changes
from gallery.work import ledger
from tests.factories import analyse, set_state
from tests.labels.tools import (
    DIMENSIONS,
    SCALE,
    fit_of,
    make_set,
    picture,
    vector_of_text,
    word_space,
)

pytestmark = pytest.mark.django_db

NAMES = ("dog", "cat", "bird", "red")
STEPS = 25

Pair = tuple[UUID, str]


@dataclass(frozen=True)
class Fit:
    """What a fit is to the model: its number tells it from others."""

    number: int
    mode: str
    names: tuple[str, ...]
    least: dict[str, float | None]


@dataclass
class Job:
    fit: Fit
    version: int
    space: int
    former: Job | None


@dataclass
class Model:
    """All that the product should know. A live label has the job and the fit that gave it."""

    mode: str
    names: tuple[str, ...]
    version: int = 1
    space: int = 0
    least: dict[str, float | None] = field(default_factory=dict)
    vectors: dict[UUID, Any] = field(default_factory=dict)
    said: dict[Pair, bool] = field(default_factory=dict)
    fits: dict[tuple[int, int], Fit] = field(default_factory=dict)
    modes: dict[int, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    live: dict[Pair, tuple[Job, Fit, float]] = field(default_factory=dict)
    removed: list[tuple[Pair, tuple[Job, Fit, float], Job]] = field(default_factory=list)
    applied: Job | None = None
    fresh: set[UUID] = field(default_factory=set)
    made: int = 0

    def fit(self, version: int) -> Fit:
        """The newest fit of a version in the active space; made where there is none."""
        key = (version, self.space)
        if key not in self.fits:
            self.new_fit(version)
        return self.fits[key]

    def new_fit(self, version: int) -> None:
        self.made += 1
        mode, names = self.modes[version]
        self.fits[version, self.space] = Fit(self.made, mode, names, dict(self.least))

    def wanted(self, fit: Fit, image: UUID) -> dict[str, float]:
        """The labels of a picture by a fit, with their probabilities."""
        seed = 0 if self.space == 0 else 3
        logits = {
            name: SCALE * float(vector_of_text(name, seed) @ self.vectors[image])
            for name in fit.names
        }
        usual = 0.0 if fit.mode == "one" else 0.5
        if fit.mode == "any":
            shares = {name: 1 / (1 + np.exp(-logit)) for name, logit in logits.items()}
            given = list(shares)
        else:
            whole = sum(np.exp(logit) for logit in logits.values())
            shares = {name: np.exp(logit) / whole for name, logit in logits.items()}
            given = [max(shares, key=lambda name: shares[name])]
        least = {name: usual if (set_ := fit.least.get(name)) is None else set_ for name in given}
        return {name: shares[name] for name in given if shares[name] >= least[name]}

    def is_answered(self, fit: Fit, image: UUID, name: str) -> bool:
        yes = any(self.said.get((image, other)) for other in self.names)
        return (image, name) in self.said or (fit.mode == "one" and yes)

    def write(self, job: Job, fit: Fit, image: UUID) -> None:
        wanted = self.wanted(fit, image)
        for name in NAMES:
            pair = (image, name)
            if self.is_answered(fit, image, name):
                continue
            now = self.live.get(pair)
            share = wanted.get(name)
            same_fit = now is not None and now[1].number == fit.number
            if now is not None and share is not None and same_fit and abs(now[2] - share) <= 1e-6:
                continue
            if now is not None:
                del self.live[pair]
                if now[0] is not job:
                    self.removed.append((pair, now, job))
            if share is not None:
                self.live[pair] = (job, fit, share)

    def label(self, images: set[UUID]) -> None:
        """What the analyser does."""
        job = self.applied
        if job is not None:
            fit = job.fit if job.space == self.space else self.fit(job.version)
            for image in images:
                self.write(job, fit, image)

    def undo(self) -> None:
        job = self.applied
        assert job is not None
        self.live = {pair: one for pair, one in self.live.items() if one[0] is not job}
        for pair, one, by in self.removed:
            if by is job and pair not in self.live:
                self.live[pair] = one
        self.removed = [
            (pair, one, by) for pair, one, by in self.removed if by is not job and one[0] is not job
        ]
        self.applied = job.former
        if self.applied is not None:
            self.fresh |= set(self.vectors)

    def shown(self, image: UUID) -> set[tuple[str, bool]]:
        yes = {name for name in self.names if self.said.get((image, name))}
        hides = self.mode == "one" and bool(yes)
        machine = {
            name
            for name in self.names
            if (image, name) in self.live and (image, name) not in self.said and not hides
        }
        return {(name, True) for name in yes} | {(name, False) for name in machine}


class Play:
    """The product and the model, side by side."""

    def __init__(self, seed: int, alice: User, space: EmbeddingSpace) -> None:
        self.chance = Random(seed)
        self.rng = np.random.default_rng(seed)
        self.alice, self.space = alice, space
        mode = self.chance.choice(["one", "any"])
        names = tuple(self.chance.sample(NAMES, 2))
        self.label_set = make_set(alice, *names, mode=mode)
        self.model = Model(mode, names)
        self.model.modes[1] = (mode, names)
        for _ in range(5):
            self.upload()

    def step(self) -> str:
        acts: list[Callable[[], None]] = [
            *(self.upload, self.encode_again, self.edit, self.threshold, self.answer),
            *(self.apply, self.apply, self.killed_apply, self.undo, self.analyse, self.switch),
        ]
        act = self.chance.choice(acts)
        act()
        return act.__name__

    # --- Acts -----------------------------------------------------------------

    def upload(self) -> None:
        self._encode(picture(self.alice))

    def encode_again(self) -> None:
        self._encode(self._one_of(Image.objects.order_by("pk")))

    def _encode(self, image: Image) -> None:
        vector = l2_normalise(np.abs(self.rng.normal(size=(1, DIMENSIONS))))
        encoding.keep_vectors(self.space, [image.pk], vector)
        set_state(image, encoding.name_of(self.space), "done")
        ledger.requeue([image.pk], labelling.analysers())
        self.model.vectors[image.pk] = vector[0].astype(np.float16).astype(np.float32)
        self.model.fresh.add(image.pk)

    def edit(self) -> None:
        names = tuple(self.chance.sample(NAMES, self.chance.randint(1, 3)))
        mode = self.chance.choice(["one", "any"])
        forms = [CategoryForm(name) for name in names]
        self.label_set = sets.update(self.label_set, self.alice, categories=forms, mode=mode)
        model = self.model
        if (mode, names) != (model.mode, model.names):
            model.version += 1
            model.mode, model.names = mode, names
            model.modes[model.version] = (mode, names)

    def threshold(self) -> None:
        name = self.chance.choice(self.model.names)
        least = self.chance.choice([None, 0.2, 0.6, 0.9])
        self.label_set = sets.update(self.label_set, self.alice, thresholds={name: least})
        self.model.least[name] = least
        if (self.model.version, self.model.space) in self.model.fits:
            self.model.new_fit(self.model.version)

    def answer(self) -> None:
        image = self._one_of(Image.objects.order_by("pk")).pk
        name = self.chance.choice(self.model.names)
        verdict = self.chance.choice([True, False, None])
        answers.give(self.label_set, self.alice, [Given(image, name, verdict)])
        said = self.model.said
        is_new = verdict is not None and said.get((image, name)) != verdict
        said.pop((image, name), None)
        if verdict is not None:
            said[image, name] = verdict
        if verdict and is_new and self.model.mode == "one":
            for other in NAMES:
                if other != name and said.get((image, other)):
                    del said[image, other]

    def apply(self) -> None:
        self._request()
        applying.run_waiting()

    def killed_apply(self) -> None:
        """A worker dies after the first part, another one goes on."""
        job = self._request()
        lease = applying.leases.take(applying._open(), applying.LEASE, state="running")
        assert lease is not None
        fit = LabelFit.objects.select_related("version", "space").get(pk=job.fit_id)
        assert fit.space is not None
        applying._apply_part(lease, fit, fitting.weights_of(fit), fit.space)
        past = timezone.now() - timedelta(minutes=5)
        LabelJob.objects.filter(pk=job.pk).update(claimed_until=past)
        applying.run_waiting()

    def _request(self) -> LabelJob:
        fit = fit_of(self.label_set, self.space)
        job, _change = applying.request(self.label_set, self.alice, fit)
        model = self.model
        made = Job(model.fit(model.version), model.version, model.space, model.applied)
        if model.applied is None:
            # Pictures that came while nothing was applied have no row yet: all are looked at.
            model.fresh |= set(model.vectors)
        model.applied = made
        for image in model.vectors:
            model.write(made, made.fit, image)
        return job

    def undo(self) -> None:
        done = Change.objects.filter(action="apply_labels", undone_at=None)
        if done.exists():
            changes.undo(done.latest("created_at").pk, self.alice)
            applying.run_waiting()
            self.model.undo()

    def analyse(self) -> None:
        analyse()
        self.model.label(self.model.fresh)
        self.model.fresh = set()

    def switch(self) -> None:
        """To another model, in which all pictures are encoded already. There is one switch."""
        if self.model.space:
            return
        coming = word_space("building", checksum="others")
        EmbeddingSpace.objects.filter(pk=self.space.pk).update(state="retired")
        EmbeddingSpace.objects.filter(pk=coming.pk).update(state="active", generation=2)
        self.space = EmbeddingSpace.objects.get(pk=coming.pk)
        self.model.space = 1
        for image in Image.objects.order_by("pk"):
            self._encode(image)
        self.analyse()

    def _one_of(self, rows: Any) -> Any:
        return self.chance.choice(list(rows))

    # --- Comparison -----------------------------------------------------------

    def compare(self, acts: list[str]) -> None:
        rows = Label.objects.filter(removed_by=None).values_list(
            "image_id", "category__name", "probability"
        )
        stored = {(image, name): share for image, name, share in rows}
        wanted = {pair: pytest.approx(one[2], abs=1e-4) for pair, one in self.model.live.items()}
        assert stored == wanted, acts
        for image in Image.objects.all():
            shown = {
                (one.category.name, one.is_human) for one in reading.of_picture(image, self.alice)
            }
            assert shown == self.model.shown(image.pk), acts
        assert Category.objects.count() <= len(NAMES)
        assert LabelSet.objects.count() == 1


@pytest.mark.parametrize("seed", range(12))
def test_labels_are_those_of_the_naive_model(
    seed: int, alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "PART", 3)
    monkeypatch.setattr(applying, "SMALL", seed % 2 * 1000)
    play = Play(seed, alice, space)
    acts = []
    for _ in range(STEPS):
        acts.append(play.step())
        play.compare(acts)
    play.analyse()
    play.compare([*acts, "analyse"])
