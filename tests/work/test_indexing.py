"""Vectors of pictures, and the life of spaces, with a deterministic encoder: no model is needed
here. test_work.py tests the ledger itself."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.files.storage import default_storage
from django.db import close_old_connections, connection
from django.utils import timezone
from PIL import Image as PILImage

from gallery.encoders.base import ModelUnavailable, Vectors
from gallery.errors import Refusal, Unavailable
from gallery.indexing import encoding, spaces, states, vector_indexes
from gallery.library import service
from gallery.models import Analysis, Backfill, Embedding, EmbeddingSpace, Image, Outage, User
from gallery.pixels import jobs, places
from gallery.search.relevance import calibration
from gallery.search.service import search_similar, search_text
from gallery.status import readiness
from gallery.work import backfill, breakers, ledger
from gallery.work.analyser import Resource
from tests.conftest import draw, upload, wait_for
from tests.factories import ColourEncoder, analyse, make_space, set_vector, state_of

pytestmark = pytest.mark.django_db

# Indexes are built outside transactions.
with_indexes = pytest.mark.django_db(transaction=True)


class Models:
    """The models that can be loaded, by architecture: an encoder, or the sentence that says why it
    cannot be loaded."""

    def __init__(self) -> None:
        self.usual = ColourEncoder()
        self.known: dict[str, ColourEncoder | str] = {}
        self.loads: Counter[str] = Counter()

    def get(self, architecture: str, pretrained: str = "") -> ColourEncoder:
        self.loads[architecture] += 1
        found = self.known.get(architecture, self.usual)
        if isinstance(found, str):
            raise ModelUnavailable(found)
        return found


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    there = Models()
    for module in (encoding, spaces):
        monkeypatch.setattr(module, "get_encoder", there.get)
    return there


@pytest.fixture
def space(models: Models) -> EmbeddingSpace:
    return make_space()


@pytest.fixture
def indexed(space: EmbeddingSpace) -> EmbeddingSpace:
    vector_indexes.create_index(space)
    return space


def encode() -> int:
    return analyse(Resource.MODEL)


def row(image: Image, space: EmbeddingSpace) -> Analysis:
    return Analysis.objects.get(image=image, analyser=encoding.name_of(space))


def colours(count: int) -> list[tuple[int, int, int]]:
    return [(20 * i, 255 - 20 * i, 10 * i) for i in range(count)]


def damage(image: Image) -> None:
    with default_storage.open(image.file.name, "wb") as file:
        file.write(b"no picture")


def claimed(space: EmbeddingSpace) -> ledger.Claim:
    analyser = encoding.Encoding(space)
    assert analyser.open()
    claim = ledger.claim(analyser, 10)
    assert claim is not None
    return claim


def vectors(count: int) -> Vectors:
    return np.eye(3, dtype=np.float32)[:count]


# --- Encoding -------------------------------------------------------------------------


def test_every_picture_gets_its_own_vector(space: EmbeddingSpace, alice: User) -> None:
    """A shifted batch would give wrong vectors and no error. So there are more than two batches
    with a poison picture in the middle, and each vector is compared with its own picture."""
    images = [upload(alice, draw(colour=colour)) for colour in colours(11)]
    broken = images[5]
    damage(broken)

    assert encode() == 10

    for image in images:
        if image == broken:
            assert not image.embeddings.exists()
            continue
        drawn = PILImage.open(image.file)
        expected = ColourEncoder().encode_images([drawn])[0]
        entry = image.embeddings.get()
        np.testing.assert_allclose(entry.vector, expected, atol=2e-3)
        assert (entry.space, entry.part) == (space, 0)
        assert state_of(image) == "ready"
    failed = row(broken, space)
    assert (failed.state, failed.reason_code) == ("failed", "damaged")
    assert failed.sentence == encoding.DAMAGED
    assert state_of(broken) == "failed"


def test_a_picture_without_a_place_is_encoded_later(
    space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage is never the picture's fault: no try is counted."""
    image = upload(alice, draw())

    def busy(*job: Any) -> None:
        raise places.busy()

    monkeypatch.setattr(jobs, "pixels_for_encoder", busy)
    assert encode() == 0

    entry = row(image, space)
    assert (entry.state, entry.attempts, entry.reason) == ("waiting", 0, "")
    assert entry.not_before > timezone.now()


def test_a_batch_that_fails_as_a_whole_is_tried_one_by_one(
    space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [upload(alice, draw(colour=colour)) for colour in ("red", "green", "blue")]
    real = ColourEncoder.encode_images

    def no_green(self: ColourEncoder, pictures: Sequence[PILImage.Image]) -> Vectors:
        found = real(self, pictures)
        if (found.argmax(axis=1) == 1).any():
            raise RuntimeError("out of memory")
        return found

    monkeypatch.setattr(ColourEncoder, "encode_images", no_green)
    assert encode() == 2
    assert [state_of(image) for image in images] == ["ready", "pending", "ready"]
    assert "out of memory" in row(images[1], space).reason


def test_a_late_worker_does_not_overwrite(space: EmbeddingSpace, alice: User) -> None:
    upload(alice)
    late = claimed(space)
    Analysis.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    quick = claimed(space)
    right, wrong = vectors(3)[:1], vectors(3)[1:2]
    assert ledger.complete(quick, quick.entries, right) == 1
    assert ledger.complete(late, late.entries, wrong) == 0
    np.testing.assert_allclose(Embedding.objects.get().vector, right[0])


@pytest.mark.parametrize("change", [{"state": "retired"}, {"checksum": "of other weights"}])
def test_vectors_that_fit_the_space_no_longer_are_dropped(
    space: EmbeddingSpace, alice: User, change: dict[str, str]
) -> None:
    upload(alice)
    claim = claimed(space)
    EmbeddingSpace.objects.update(**change)
    assert ledger.complete(claim, claim.entries, vectors(1)) == 0
    assert not Embedding.objects.exists()


def test_encoding_anew_keeps_a_picture_findable(space: EmbeddingSpace, alice: User) -> None:
    image, other = upload(alice), upload(alice, draw(colour="blue"))
    encode()
    ledger.requeue([image.pk], encoding.analysers())
    assert state_of(image) == "pending"
    assert [hit.image for hit in search_similar(other, alice).hits] == [image]


def test_the_work_never_touches_a_row_of_vectors(space: EmbeddingSpace, alice: User) -> None:
    """PostgreSQL enters each changed version of a row into the indexes of vectors."""
    image = upload(alice)
    encode()

    def versions() -> list[tuple[str, str]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ctid::text, xmin::text FROM gallery_embedding")
            return cursor.fetchall()

    before = versions()
    ledger.requeue([image.pk], encoding.analysers())
    claim = claimed(space)
    ledger.postpone(claim, claim.entries[0], "unknown", "x")
    Analysis.objects.update(not_before=None)
    claim = claimed(space)
    ledger.fail(claim, claim.entries[0], "damaged", "x")
    ledger.retry_failed(Image.objects.all())
    assert versions() == before
    assert encode() == 1
    assert versions() != before


def test_only_models_for_which_work_waits_are_asked_for(models: Models, alice: User) -> None:
    """The cache holds two models. With three in turn it would load one each time."""
    make_space()
    for number in (2, 3, 4):
        make_space("building", architecture=f"colour-{number}")
    images = [upload(alice, draw(colour=colour)) for colour in colours(9)]
    assert encode() == 9 * 4
    models.loads.clear()
    late = EmbeddingSpace.objects.get(architecture="colour-3")
    ledger.requeue([image.pk for image in images], [encoding.Encoding(late)])
    assert encode() == 9
    assert set(models.loads) == {"colour-3"}


def test_each_new_picture_joins_the_space_being_built(space: EmbeddingSpace, alice: User) -> None:
    building = make_space("building", architecture="colour-2")
    retired = make_space("retired", architecture="old")
    image = upload(alice)
    encodings = image.analyses.filter(analyser__startswith="encoding-")
    names = set(encodings.values_list("analyser", flat=True))
    assert names == {encoding.name_of(space), encoding.name_of(building)}
    assert encoding.name_of(retired) not in names
    set_vector(image, building, (1, 0, 0))
    assert state_of(image) == "pending", "the state is that of the active space"


# --- The life of a space --------------------------------------------------------------


def build(architecture: str, pretrained: str = "") -> EmbeddingSpace:
    """Fill a space with all vectors that it can have, and build its index."""
    space = spaces.add_space(architecture, pretrained)
    spaces.prepare_spaces()
    encode()
    spaces.finish_spaces()
    space.refresh_from_db()
    return space


@with_indexes
def test_the_first_space_is_made_once_and_activated(
    models: Models, settings: Any, alice: User
) -> None:
    settings.CLIPSITE_MODEL, settings.CLIPSITE_PRETRAINED = "colour", ""
    first = spaces.ensure_first_space()
    assert spaces.ensure_first_space() == first
    assert spaces.active_space() is None
    spaces.prepare_spaces()
    active = spaces.active_space()
    assert active == first
    assert (active.dimensions, active.logit_scale, active.checksum) == (3, 100.0, "colour")
    assert vector_indexes.has_index(active)


@with_indexes
def test_a_second_space_is_built_beside_and_switched_to(
    indexed: EmbeddingSpace, alice: User
) -> None:
    image = upload(alice)
    encode()
    second = spaces.add_space("colour-2")
    with pytest.raises(Refusal, match="No encoder has loaded this model yet"):
        spaces.activate(second)
    spaces.prepare_spaces()
    assert spaces.active_space() == indexed
    with pytest.raises(Refusal, match="1 picture that is found now has no vector"):
        spaces.activate(second)
    encode()
    with pytest.raises(Refusal, match="index of this model is still being built"):
        spaces.activate(second)
    spaces.finish_spaces()
    spaces.activate(second)
    assert spaces.active_space() == second

    later = upload(alice, draw(colour="blue"))
    encode()
    assert spaces.roll_back() == indexed
    assert {entry.space_id for entry in image.embeddings.all()} == {indexed.pk, second.pk}
    # Pictures that came while the first space was retired are encoded in it now.
    assert state_of(later) == "pending"
    assert encode() == 1
    assert state_of(later) == "ready"


def test_adding_a_space_writes_no_row_for_each_picture(
    space: EmbeddingSpace, alice: User, django_assert_max_num_queries: Any
) -> None:
    """An administrator's request does it. Workers add the pictures."""
    for colour in colours(5):
        upload(alice, draw(colour=colour))
    encode()
    rows = Analysis.objects.count()
    with django_assert_max_num_queries(6):
        added = spaces.add_space("colour-2")
    assert Analysis.objects.count() == rows
    spaces.prepare_spaces()
    assert encode() == 5
    assert states.counts(added) == {"done": 5}


@with_indexes
def test_a_switch_loses_no_picture_that_nobody_gave_up(
    indexed: EmbeddingSpace, alice: User
) -> None:
    """Two pictures are damaged after the first model has encoded them. The second one never
    will."""
    images = [upload(alice, draw(colour=colour)) for colour in colours(5)]
    encode()
    for image in images[:2]:
        damage(image)
    second = build("colour-2")
    assert states.counts(second) == {"done": 3, "failed": 2}
    assert spaces.missing_after(second) == 2
    for agreed in (0, 1):
        with pytest.raises(Refusal, match="2 pictures that are found now") as refused:
            spaces.activate(second, missing=agreed)
        assert refused.value.code == "space_not_ready"
    assert spaces.active_space() == indexed
    spaces.activate(second, missing=2)
    assert spaces.active_space() == second


@with_indexes
def test_what_no_model_can_see_holds_up_no_switch(indexed: EmbeddingSpace, alice: User) -> None:
    damage(upload(alice))
    upload(alice, draw(colour="blue"))
    encode()
    second = build("colour-2")
    assert spaces.missing_after(second) == 0
    spaces.activate(second)
    assert spaces.active_space() == second


@with_indexes
def test_the_trash_holds_up_no_switch(indexed: EmbeddingSpace, alice: User) -> None:
    deleted = upload(alice)
    encode()
    service.delete_image(deleted)
    spaces.activate(build("colour-2"))
    service.restore_image(deleted)
    assert state_of(deleted) == "pending"
    assert encode() == 1


@pytest.fixture
def at_the_switch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], None]], Any]]:
    """Begin something in another thread while a switch is being made."""
    threads: list[threading.Thread] = []

    def begin(work: Callable[[], None]) -> list[Exception | None]:
        ended: list[Exception | None] = []

        def run() -> None:
            try:
                work()
                ended.append(None)
            except Exception as error:  # the test reads it
                ended.append(error)
            finally:
                close_old_connections()

        def record(*args: Any, **kwargs: Any) -> None:
            if not threads:
                threads.append(threading.Thread(target=run))
                threads[0].start()
                threads[0].join(0.5)
                assert threads[0].is_alive(), "it waits until the switch is made"

        monkeypatch.setattr(spaces.trail, "record", record)
        return ended

    yield begin
    for thread in threads:
        thread.join(30)


def wait_for_end(ended: list[Exception | None]) -> Exception | None:
    wait_for(lambda: ended, what="the other side is through")
    return ended[0]


@with_indexes
def test_the_later_of_two_activations_counts(
    indexed: EmbeddingSpace, alice: User, at_the_switch: Any
) -> None:
    upload(alice)
    encode()
    second, third = build("colour-2"), build("colour-3")
    ended = at_the_switch(lambda: spaces.activate(third))
    spaces.activate(second)
    assert wait_for_end(ended) is None
    assert spaces.active_space() == third
    assert EmbeddingSpace.objects.filter(state="retired").count() == 2
    generations = EmbeddingSpace.objects.values_list("generation", flat=True)
    assert len(set(generations)) == 3


@with_indexes
def test_the_later_of_two_activations_decides_on_what_is_true_then(
    indexed: EmbeddingSpace, alice: User, at_the_switch: Any
) -> None:
    """Compared with the first space it would be allowed. Compared with the second it loses a
    picture."""
    image = upload(alice)
    second, third = build("colour-2"), build("colour-3")
    indexed.embeddings.all().delete()
    third.embeddings.filter(image=image).delete()
    ended = at_the_switch(lambda: spaces.activate(third))
    spaces.activate(second)
    assert isinstance(wait_for_end(ended), Refusal)
    assert spaces.active_space() == second


@with_indexes
def test_a_space_that_becomes_active_meanwhile_is_not_removed(
    indexed: EmbeddingSpace, alice: User, at_the_switch: Any
) -> None:
    upload(alice)
    second = build("colour-2")
    ended = at_the_switch(lambda: spaces.remove(second))
    spaces.activate(second)
    refused = wait_for_end(ended)
    assert isinstance(refused, Refusal)
    assert refused.code == "space_active"
    assert spaces.active_space() == second
    assert vector_indexes.has_index(second)
    assert second.embeddings.count() == 1


@with_indexes
def test_a_space_that_is_gone_is_not_activated(indexed: EmbeddingSpace, alice: User) -> None:
    upload(alice)
    second = build("colour-2")
    spaces.remove(EmbeddingSpace.objects.get(pk=second.pk))
    with pytest.raises(Refusal) as refused:
        spaces.activate(second)
    assert refused.value.code == "space_gone"
    assert spaces.active_space() == indexed


@with_indexes
def test_what_belongs_to_a_space_goes_with_it(indexed: EmbeddingSpace, alice: User) -> None:
    image = upload(alice)
    second = build("colour-2")
    with pytest.raises(Refusal, match="active model cannot be removed"):
        spaces.remove(indexed)
    name, number = encoding.name_of(second), second.pk
    spaces.remove(second)
    assert not vector_indexes.has_index(EmbeddingSpace(pk=number))
    assert not Analysis.objects.filter(analyser=name).exists()
    assert not Backfill.objects.filter(pk=name).exists()
    assert image.embeddings.get().space == indexed


def test_the_same_model_is_not_added_twice(space: EmbeddingSpace) -> None:
    with pytest.raises(Refusal):
        spaces.add_space("colour")


# --- Models that cannot be loaded -----------------------------------------------------


@with_indexes
def test_an_unreachable_model_leaves_the_active_space_serving(
    models: Models, indexed: EmbeddingSpace, alice: User
) -> None:
    image = upload(alice)
    encode()
    models.known["wrong"] = "The model cannot be fetched."
    wrong = spaces.add_space("wrong", "tag")
    spaces.prepare_spaces()
    wrong.refresh_from_db()
    assert (wrong.state, wrong.error) == ("failed", "The model cannot be fetched.")
    assert spaces.active_space() == indexed
    assert state_of(image) == "ready"
    upload(alice, draw(colour="blue"))
    assert encode() == 1
    spaces.remove(wrong)


def test_a_first_model_that_cannot_be_loaded_is_said_where_people_look(
    models: Models, alice: User
) -> None:
    models.known["wrong"] = "open_clip knows no such architecture."
    first = spaces.add_space("wrong")
    spaces.prepare_spaces()
    image = upload(alice)
    assert readiness()["space"].detail == "open_clip knows no such architecture."
    with pytest.raises(Unavailable, match="could not be loaded"):
        search_text("a dog", alice)
    assert not image.analyses.filter(analyser=encoding.name_of(first)).exists()
    spaces.retry(first)
    encode()
    assert row(image, first).state == "waiting", "what came meanwhile is queued"
    assert row(image, first).attempts == 0


@with_indexes
def test_a_load_error_that_passes_leaves_nothing_behind(
    models: Models, indexed: EmbeddingSpace, alice: User
) -> None:
    """Once it stayed in `ready/` until a restart, and stopped the calibration."""
    first = upload(alice)
    encode()
    models.known["colour"] = "The hub is down."
    spaces.prepare_spaces()
    later = upload(alice, draw(colour="blue"))
    assert encode() == 0
    assert breakers.is_away(encoding.model_of(indexed))
    indexed.refresh_from_db()
    assert (indexed.state, indexed.error) == ("active", "")
    assert indexed in calibration._due_spaces()
    assert (state_of(first), state_of(later)) == ("ready", "pending")
    assert row(later, indexed).attempts == 0

    del models.known["colour"]
    Outage.objects.update(ask_at=timezone.now() - timedelta(seconds=1))
    assert encode() == 1
    assert not Outage.objects.exists()
    assert readiness()["space"].ok


# --- Weights that have changed --------------------------------------------------------


@pytest.fixture
def upgraded(
    models: Models, indexed: EmbeddingSpace, alice: User
) -> tuple[EmbeddingSpace, EmbeddingSpace, list[Image]]:
    """The active space, whose weights are gone; the space beside it, with the new weights; and the
    pictures, encoded in the first one. Workers have just restarted."""
    images = [upload(alice, draw(colour=colour)) for colour in colours(3)]
    encode()
    models.usual.checksum = "other weights"
    spaces.prepare_spaces()
    heir = EmbeddingSpace.objects.exclude(pk=indexed.pk).get()
    return indexed, heir, images


@with_indexes
def test_changed_weights_get_a_space_of_their_own(
    upgraded: tuple[EmbeddingSpace, EmbeddingSpace, list[Image]], alice: User
) -> None:
    active, heir, images = upgraded
    assert spaces.active_space() == active
    active.refresh_from_db()
    assert (active.checksum, heir.checksum) == ("colour", "other weights")
    assert (heir.architecture, heir.pretrained) == (active.architecture, active.pretrained)
    assert heir.state == "building"
    assert active.embeddings.count() == 3, "what was found is found until the heir takes over"
    assert len(search_similar(images[0], alice).hits) == 2
    spaces.prepare_spaces()
    assert EmbeddingSpace.objects.count() == 2, "one heir is enough"


@with_indexes
def test_it_takes_over_by_itself_when_it_finds_as_much(
    upgraded: tuple[EmbeddingSpace, EmbeddingSpace, list[Image]], alice: User
) -> None:
    active, heir, images = upgraded
    spaces.finish_spaces()
    assert spaces.active_space() == active
    late = upload(alice, draw(colour="white"))
    assert encode() == 4, "none in the space whose weights are gone"
    assert {entry.space for entry in late.embeddings.all()} == {heir}
    spaces.finish_spaces()
    assert spaces.active_space() == heir
    active.refresh_from_db()
    assert active.state == "retired"
    assert not Outage.objects.exists()
    assert [state_of(image) for image in [*images, late]] == ["ready"] * 4


@with_indexes
def test_it_does_not_take_over_what_it_would_lose(
    models: Models, indexed: EmbeddingSpace, alice: User
) -> None:
    lost, *_others = [upload(alice, draw(colour=colour)) for colour in colours(3)]
    encode()
    damage(lost)
    models.usual.checksum = "other weights"
    spaces.prepare_spaces()
    encode()
    spaces.finish_spaces()
    assert spaces.active_space() == indexed
    heir = EmbeddingSpace.objects.get(checksum="other weights")
    assert vector_indexes.has_index(heir)
    service.delete_image(lost)
    spaces.finish_spaces()
    assert spaces.active_space() == heir


@with_indexes
def test_another_model_beside_takes_nobodys_place(
    models: Models, indexed: EmbeddingSpace, alice: User
) -> None:
    """An administrator tries out another model while the active one cannot be loaded."""
    upload(alice)
    encode()
    other = build("colour-2")
    models.known["colour"] = "The disk with the weights is away."
    spaces.prepare_spaces()
    spaces.finish_spaces()
    assert spaces.active_space() == indexed
    other.refresh_from_db()
    assert other.state == "building"


@with_indexes
def test_weights_that_change_under_a_worker_encode_nothing(
    models: Models, indexed: EmbeddingSpace, alice: User
) -> None:
    image = upload(alice)
    models.usual.checksum = "other weights"
    assert encode() == 0, "no vectors of two kinds in one space"
    assert (row(image, indexed).state, row(image, indexed).attempts) == ("waiting", 0)
    assert breakers.is_away(encoding.model_of(indexed))


@with_indexes
def test_a_downgrade_finds_what_came_meanwhile(
    models: Models,
    upgraded: tuple[EmbeddingSpace, EmbeddingSpace, list[Image]],
    alice: User,
) -> None:
    """The old weights are back, and their space with them."""
    former, heir, images = upgraded
    encode()
    spaces.finish_spaces()
    assert spaces.active_space() == heir
    later = upload(alice, draw(colour="white"))
    assert encode() == 1

    models.usual.checksum = "colour"
    spaces.prepare_spaces()
    assert spaces.active_space() == heir
    assert encode() == 1, "the first three have their vectors"
    spaces.finish_spaces()
    assert spaces.active_space() == former
    assert EmbeddingSpace.objects.count() == 2
    assert [state_of(image) for image in [*images, later]] == ["ready"] * 4


@with_indexes
def test_an_outage_goes_with_its_space(
    models: Models, indexed: EmbeddingSpace, alice: User
) -> None:
    upload(alice)
    second = build("colour-2")
    models.known["colour-2"] = "The disk with the weights is away."
    spaces.prepare_spaces()
    assert breakers.is_away(encoding.model_of(second))
    spaces.remove(second)
    assert not Outage.objects.exists(), "nobody would ever ask for it again"


@with_indexes
def test_the_index_comes_after_the_vectors(indexed: EmbeddingSpace, alice: User) -> None:
    """One bulk build takes a third of the time of as many insertions."""
    for colour in colours(3):
        upload(alice, draw(colour=colour))
    encode()
    second = spaces.add_space("colour-2")
    spaces.prepare_spaces()
    spaces.finish_spaces()
    assert not vector_indexes.has_index(second), "nobody has brought the pictures in yet"
    backfill.advance(Resource.MODEL)
    spaces.finish_spaces()
    assert not vector_indexes.has_index(second)
    assert encode() == 3
    spaces.finish_spaces()
    assert vector_indexes.has_index(second)


def test_the_web_process_does_not_import_torch() -> None:
    import subprocess
    import sys

    code = (
        "import django, sys; django.setup();"
        "from django.urls import get_resolver; get_resolver().url_patterns;"
        "import gallery.tasks, clipsite.wsgi;"
        "loaded = {'torch', 'open_clip', 'torchvision', 'timm'} & set(sys.modules);"
        "sys.exit(f'imported: {loaded}' if loaded else 0)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[2],
        env={
            "DJANGO_SETTINGS_MODULE": "clipsite.settings",
            "SECRET_KEY": django_settings.SECRET_KEY,
            "PATH": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
