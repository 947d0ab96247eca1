"""The ledger and the pipeline, with a deterministic encoder: the model is beside the point."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image as PILImage

from gallery.encoders.base import ModelUnavailable, Vectors
from gallery.errors import Refusal, Unavailable
from gallery.indexing import batch, ledger, spaces, vector_indexes
from gallery.library import service
from gallery.library.storage import DurableFileSystemStorage
from gallery.models import Embedding, EmbeddingSpace, Image, User
from gallery.pixels import jobs, places
from gallery.search.service import search_text
from gallery.status import readiness
from tests.conftest import draw, upload
from tests.factories import ColourEncoder, make_space, set_vector, state_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> ColourEncoder:
    colour = ColourEncoder()
    for module in (batch, spaces):
        monkeypatch.setattr(module, "get_encoder", lambda *key: colour)
    return colour


@pytest.fixture
def space(encoder: ColourEncoder) -> EmbeddingSpace:
    return make_space()


def expire_leases() -> None:
    Embedding.objects.filter(claimed_until__isnull=False).update(
        claimed_until=timezone.now() - timedelta(seconds=1)
    )


def colours(count: int) -> list[tuple[int, int, int]]:
    return [(20 * i, 255 - 20 * i, 10 * i) for i in range(count)]


def test_every_picture_gets_its_own_vector(space: EmbeddingSpace, alice: User) -> None:
    """A shifted batch would give wrong vectors and no error: more than two batches,
    a poison picture in the middle, each vector compared with its own picture."""
    images = [upload(alice, draw(colour=colour)) for colour in colours(11)]
    broken = images[5]
    with default_storage.open(broken.file.name, "wb") as file:
        file.write(b"no picture")

    assert batch.encode_pending() == 10

    for image in images:
        entry = image.embeddings.get()
        if image == broken:
            assert (entry.state, entry.error.splitlines()[0]) == ("failed", batch.DAMAGED)
            continue
        drawn = PILImage.open(image.file)
        expected = ColourEncoder().encode_images([drawn])[0]
        np.testing.assert_allclose(entry.vector, expected, atol=2e-3)
        assert entry.state == "encoded"
        assert entry.claim is None
        assert state_of(image) == "ready"
    assert state_of(broken) == "failed"


def test_a_picture_without_a_place_is_encoded_later(
    space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is away is never the picture's fault: no try is counted."""
    image = upload(alice, draw())

    def busy(*job: Any) -> None:
        raise places.busy()

    monkeypatch.setattr(jobs, "pixels_for_encoder", busy)
    assert batch.encode_pending() == 0

    entry = image.embeddings.get()
    assert (entry.state, entry.attempts, entry.error) == ("pending", 0, "")
    assert entry.claimed_until > timezone.now()


def test_a_batch_that_fails_as_a_whole_is_tried_one_by_one(
    encoder: ColourEncoder, space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [upload(alice, draw(colour=colour)) for colour in ("red", "green", "blue")]
    real = ColourEncoder.encode_images

    def no_green(self: ColourEncoder, pictures: Sequence[PILImage.Image]) -> Vectors:
        vectors = real(self, pictures)
        if (vectors.argmax(axis=1) == 1).any():
            raise RuntimeError("out of memory")
        return vectors

    monkeypatch.setattr(ColourEncoder, "encode_images", no_green)
    assert batch.encode_pending() == 2
    assert [state_of(image) for image in images] == ["ready", "pending", "ready"]
    for _ in range(ledger.MAX_ATTEMPTS - 1):
        expire_leases()
        batch.encode_pending()
    entry = images[1].embeddings.get()
    assert (entry.state, entry.error.splitlines()[0]) == ("failed", batch.NOT_ENCODED)


def test_a_lost_claim_loses_no_work(space: EmbeddingSpace, alice: User) -> None:
    image = upload(alice)
    assert ledger.claim(space, 10) is not None  # and the worker dies here
    assert ledger.claim(space, 10) is None
    expire_leases()
    assert batch.encode_pending() == 1
    assert state_of(image) == "ready"


def test_a_worker_that_starts_again_takes_its_claims_back_at_once(
    space: EmbeddingSpace, alice: User
) -> None:
    image = upload(alice)
    assert ledger.claim(space, 10, "encoder@here") is not None  # and it is killed
    assert ledger.release_claims_of("encoder@elsewhere") == 0
    assert ledger.claim(space, 10, "encoder@here") is None
    assert ledger.release_claims_of("encoder@here") == 1
    assert batch.encode_pending() == 1
    assert state_of(image) == "ready"


def test_two_workers_never_hold_the_same_row(space: EmbeddingSpace, alice: User) -> None:
    for colour in colours(6):
        upload(alice, draw(colour=colour))
    first, second = ledger.claim(space, 4), ledger.claim(space, 4)
    assert first is not None
    assert second is not None
    held = [entry.embedding_id for claim in (first, second) for entry in claim.entries]
    assert len(held) == len(set(held)) == 6


def test_a_late_worker_does_not_overwrite(space: EmbeddingSpace, alice: User) -> None:
    upload(alice)
    late = ledger.claim(space, 1)
    expire_leases()
    quick = ledger.claim(space, 1)
    assert late is not None
    assert quick is not None
    right, wrong = np.eye(3, dtype=np.float32)[:1], np.eye(3, dtype=np.float32)[1:2]
    assert ledger.complete(quick, list(quick.entries), right) == 1
    assert ledger.complete(late, list(late.entries), wrong) == 0
    np.testing.assert_allclose(Embedding.objects.get().vector, right[0])


def test_vectors_must_match_the_pictures_one_to_one(space: EmbeddingSpace, alice: User) -> None:
    upload(alice)
    claim = ledger.claim(space, 1)
    assert claim is not None
    with pytest.raises(ValueError, match="1 pictures but 2 vectors"):
        ledger.complete(claim, list(claim.entries), np.eye(3, dtype=np.float32)[:2])


def test_results_for_a_retired_space_are_dropped(space: EmbeddingSpace, alice: User) -> None:
    upload(alice)
    claim = ledger.claim(space, 1)
    assert claim is not None
    EmbeddingSpace.objects.update(state="retired")
    assert ledger.complete(claim, list(claim.entries), np.eye(3, dtype=np.float32)[:1]) == 0


def test_a_picture_that_kills_the_worker_is_isolated_and_given_up(
    space: EmbeddingSpace, alice: User
) -> None:
    """Each claim below stands for a process that died while it held it."""
    killer = upload(alice, draw(colour="black"))
    innocent = upload(alice, draw(colour="red"))
    for _ in range(ledger.ISOLATE_AFTER):
        claim = ledger.claim(space, 10)
        assert claim is not None
        assert len(claim.entries) == 2
        expire_leases()
    alone = ledger.claim(space, 10)
    assert alone is not None
    assert [entry.image_id for entry in alone.entries] == [killer.pk]
    # The innocent one is not held up by it.
    assert batch.encode_pending() == 1
    assert state_of(innocent) == "ready"
    expire_leases()
    assert ledger.claim(space, 10) is None
    entry = killer.embeddings.get()
    assert (entry.state, entry.error) == ("failed", ledger.CRASHED)


def test_a_missing_original_waits_and_then_fails(space: EmbeddingSpace, alice: User) -> None:
    image = upload(alice)
    default_storage.delete(image.file.name)
    batch.encode_pending()
    entry = image.embeddings.get()
    assert (entry.state, entry.error) == ("pending", batch.MISSING)
    assert entry.claimed_until > timezone.now()


def test_a_storage_that_fails_is_not_a_damaged_picture(
    space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = upload(alice)

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("an S3 client's own exception")

    monkeypatch.setattr(DurableFileSystemStorage, "open", broken)
    assert batch.encode_pending() == 0
    entry = image.embeddings.get()
    assert (entry.state, entry.error.splitlines()[0]) == ("pending", batch.STORAGE_DOWN)


def test_deleted_pictures_wait_until_they_are_restored(space: EmbeddingSpace, alice: User) -> None:
    image = upload(alice)
    service.delete_image(image)
    assert batch.encode_pending() == 0
    service.restore_image(image)
    assert batch.encode_pending() == 1


def test_failed_ones_are_retried_on_request(space: EmbeddingSpace, alice: User) -> None:
    image = upload(alice)
    Embedding.objects.update(state="failed", error="because", attempts=3)
    assert ledger.retry_failed(Image.objects.filter(pk=image.pk)) == 1
    assert batch.encode_pending() == 1


def test_reencoding_keeps_a_picture_findable(space: EmbeddingSpace, alice: User) -> None:
    image = upload(alice)
    batch.encode_pending()
    ledger.reencode(Image.objects.filter(pk=image.pk))
    entry = image.embeddings.get()
    assert entry.state == "pending"
    assert entry.vector is not None


# --- Spaces -----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_first_space_is_made_once_and_activated(
    encoder: ColourEncoder, settings: Any, alice: User
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


@pytest.mark.django_db(transaction=True)
def test_a_second_space_is_built_beside_and_switched_to(space: EmbeddingSpace, alice: User) -> None:
    image = upload(alice)
    batch.encode_pending()
    second = spaces.add_space("colour-2")
    assert spaces.active_space() == space
    spaces.prepare_spaces()
    second.refresh_from_db()
    with pytest.raises(Refusal, match="1 pictures are still to be encoded"):
        spaces.activate(second)
    batch.encode_pending()
    with pytest.raises(Refusal, match="index of this model is still being built"):
        spaces.activate(second)
    spaces.finish_spaces()
    spaces.activate(second)
    assert spaces.active_space() == second

    later = upload(alice, draw(colour="blue"))
    batch.encode_pending()
    assert spaces.roll_back() == space
    assert {entry.space_id for entry in image.embeddings.all()} == {space.pk, second.pk}
    # What came while the first space was retired is encoded in it now.
    assert state_of(later) == "pending"
    batch.encode_pending()
    assert state_of(later) == "ready"


@pytest.mark.django_db(transaction=True)
def test_the_trash_holds_up_no_switch(space: EmbeddingSpace, alice: User) -> None:
    deleted = upload(alice)
    service.delete_image(deleted)
    second = spaces.add_space("colour-2")
    spaces.prepare_spaces()
    batch.encode_pending()
    spaces.finish_spaces()
    second.refresh_from_db()
    spaces.activate(second)
    assert spaces.active_space() == second


@pytest.mark.django_db(transaction=True)
def test_an_unreachable_model_leaves_the_active_space_serving(
    space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = upload(alice)
    batch.encode_pending()
    colour = ColourEncoder()

    def only_colour(architecture: str, pretrained: str = "") -> ColourEncoder:
        if architecture != "colour":
            raise ModelUnavailable("The model cannot be fetched.")
        return colour

    for module in (batch, spaces):
        monkeypatch.setattr(module, "get_encoder", only_colour)
    wrong = spaces.add_space("wrong", "tag")
    spaces.prepare_spaces()
    wrong.refresh_from_db()
    assert (wrong.state, wrong.error) == ("failed", "The model cannot be fetched.")
    assert spaces.active_space() == space
    assert state_of(image) == "ready"
    upload(alice, draw(colour="blue"))
    assert batch.encode_pending() == 1
    spaces.remove(wrong)
    with pytest.raises(Refusal):
        spaces.remove(space)


def test_an_active_model_that_loads_again_is_no_longer_called_broken(
    space: EmbeddingSpace,
) -> None:
    EmbeddingSpace.objects.update(error="The hub was down.")
    spaces.prepare_spaces()
    space.refresh_from_db()
    assert (space.state, space.error) == ("active", "")


def test_a_first_model_that_cannot_be_loaded_is_said_where_people_look(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_model(*key: str) -> ColourEncoder:
        raise ModelUnavailable("open_clip knows no such architecture.")

    monkeypatch.setattr(spaces, "get_encoder", no_model)
    first = spaces.add_space("wrong")
    spaces.prepare_spaces()
    image = upload(alice)
    assert readiness()["space"].detail == "open_clip knows no such architecture."
    with pytest.raises(Unavailable, match="could not be loaded"):
        search_text("a dog", alice)
    assert not image.embeddings.exists()
    spaces.retry(first)
    assert image.embeddings.get().space == first, "what came meanwhile is queued"


@pytest.mark.django_db(transaction=True)
def test_changed_weights_are_noticed_and_everything_encoded_again(
    encoder: ColourEncoder, space: EmbeddingSpace, alice: User
) -> None:
    image = upload(alice)
    batch.encode_pending()
    encoder.checksum = "other weights"
    ledger.reencode(Image.objects.all())
    assert batch.encode_pending() == 0, "no vectors of two kinds in one space"
    spaces.prepare_spaces()
    entry = image.embeddings.get()
    assert entry.vector is None
    spaces.finish_spaces()
    assert not vector_indexes.has_index(space), "the index comes after the vectors"
    assert batch.encode_pending() == 1
    space.refresh_from_db()
    assert space.checksum == "other weights"


def test_the_same_model_is_not_added_twice(space: EmbeddingSpace) -> None:
    with pytest.raises(Refusal):
        spaces.add_space("colour")


def test_each_new_picture_joins_the_space_being_built(space: EmbeddingSpace, alice: User) -> None:
    building = make_space("building", architecture="colour-2")
    make_space("retired", architecture="old")
    image = upload(alice)
    assert set(image.embeddings.values_list("space", flat=True)) == {space.pk, building.pk}
    set_vector(image, building, (1, 0, 0))
    assert state_of(image) == "pending", "the state is that of the active space"


def test_nothing_is_claimed_twice_by_a_ring_during_work(space: EmbeddingSpace, alice: User) -> None:
    upload(alice)
    with batch._running:
        batch.drain()  # another thread works: this one only leaves word
    assert ledger.has_pending()
    batch.drain()
    assert not ledger.has_pending()


def test_a_worker_that_stops_gives_its_next_batch_back(
    space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for colour in colours(9):
        upload(alice, draw(colour=colour))
    real = ColourEncoder.encode_images

    def stop_now(self: ColourEncoder, pictures: Sequence[PILImage.Image]) -> Vectors:
        batch.stopping.set()
        return real(self, pictures)

    monkeypatch.setattr(ColourEncoder, "encode_images", stop_now)
    try:
        assert batch.encode_pending() == ColourEncoder.batch_size
    finally:
        batch.stopping.clear()
    assert not Embedding.objects.filter(claim__isnull=False).exists()
    assert set(Embedding.objects.filter(state="pending").values_list("attempts", flat=True)) == {0}


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
        cwd=Path(__file__).resolve().parent.parent,
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
