"""Random worlds of people, pictures, albums, groups, shares and links. Everything that the product
shows, counts, offers, searches, sends and changes is compared with a plain model of the rights
(tests/rights/model.py), or with itself before and after a change that must affect nothing, or
everything.

The suite compares a few thousand answers; `make rights` compares as many as it is told to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from random import Random, SystemRandom
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from gallery.encoders.base import l2_normalise
from gallery.indexing import concepts
from tests import web_tools
from tests.conftest import draw
from tests.rights import checks, counts, labels, revoked, unseen
from tests.rights.eyes import Eyes, compared
from tests.rights.model import World
from tests.rights.rows import Rows
from tests.rights.worlds import world_of

pytestmark = pytest.mark.django_db

# The number of answers that the suite compares.
ANSWERS = 1200
CHECKS_AT_ONCE = 6
CHECKS: list[Callable[[Eyes], None]] = [
    checks.check_lists,
    checks.check_searches,
    checks.check_each_picture,
    checks.check_albums,
    checks.check_bulk,
    checks.check_archives,
    checks.check_pages,
    checks.check_groups,
    checks.check_links,
    counts.check_counts,
    counts.check_album_summaries,
    counts.check_facets,
    counts.check_completion,
    counts.check_map,
    labels.check_labels,
    labels.check_label_reasons,
    labels.check_label_counts,
    labels.check_label_sets,
    labels.check_label_pages,
    unseen.check_the_unseen_changes_nothing,
    revoked.check_one_after_another,
    revoked.check_what_belongs_to_one,
    revoked.check_after_revocation,
]


@pytest.fixture
def stage(
    monkeypatch: pytest.MonkeyPatch,
    dispatched: list[Any],
    caplog: pytest.LogCaptureFixture,
    settings: Any,
) -> Iterator[Callable[[World], Rows]]:
    """Worlds in the database, with a stubbed encoder: the words are not relevant here."""
    space = web_tools.fake_encoder(monkeypatch)
    rng = np.random.default_rng(0)
    named = l2_normalise(rng.normal(size=(len(concepts.concepts()), 3)).astype("f4"))
    monkeypatch.setattr(concepts, "vectors", lambda space, language="en": named)
    # Windows of two are widened, and the index is asked as well.
    monkeypatch.setattr("gallery.search.pages.FIRST_WINDOW", 2)
    settings.LIMITS = settings.VISITOR_LIMITS = {}
    file = default_storage.save("originals/0/picture.jpg", ContentFile(draw()))
    # Thousands of missing pictures are expected.
    for logger in ("django.request", "gallery.api.errors"):
        caplog.set_level("ERROR", logger)
    compared.clear()
    yield lambda world: Rows(world, space, file)
    print(f"\n{compared.total()} answers of {len(compared)} kinds compared:")
    print(json.dumps(compared.most_common(), indent=1))


def test_everybody_sees_what_the_model_says(
    stage: Callable[[World], Rows], settings: Any, request: pytest.FixtureRequest
) -> None:
    for seed in _worlds(request.config):
        try:
            _compare(seed, stage, settings)
        except Exception as error:
            error.add_note(f'This world again: make rights ARGS="--world {seed}"')
            raise


def _worlds(config: pytest.Config) -> Iterator[int]:
    """Yield as many seeds as needed. The suite draws the same worlds each time."""
    if (one := config.getoption("--world")) is not None:
        yield one
        return
    seed, answers = config.getoption("--seed"), config.getoption("--answers")
    if seed is None:
        seed = 0 if answers is None else SystemRandom().getrandbits(32)
    answers = answers or ANSWERS
    again = f"--answers {answers} --seed {seed}"
    print(f'\nSeed {seed}: all of this again with make rights ARGS="{again}"', flush=True)
    chance = Random(seed)
    for number in count(1):
        yield chance.getrandbits(32)
        if number % 10 == 0:
            print(f"{number} worlds, {compared.total()} of {answers} answers", flush=True)
        if compared.total() >= answers:
            return


def _compare(seed: int, stage: Callable[[World], Rows], settings: Any) -> None:
    """Compare one world for one viewer, with a part of the checks. The seed determines all of
    it."""
    chance = Random(seed)
    settings.EXACT_SEARCH_LIMIT = chance.choice([5000, 1])
    world = world_of(chance)
    viewers = [None, *(n for n, person in enumerate(world.users) if person.is_active)]
    with transaction.atomic():
        rows = stage(world)
        # The viewer mostly has an account.
        viewer = chance.choice([*viewers, *viewers[1:]])
        for check in chance.sample(CHECKS, CHECKS_AT_ONCE):
            check(Eyes(rows, viewer, chance))
        transaction.set_rollback(True)
