"""Finding near-duplicates: which pairs, when, by several workers, and folding them."""

from __future__ import annotations

import io
import threading
import uuid
from datetime import timedelta
from itertools import combinations

import numpy as np
import pytest
from django.db import close_old_connections, connection
from django.db.models import F
from django.db.models.functions import Now
from PIL import Image as PILImage
from PIL import ImageDraw, ImageEnhance
from skimage import data as photographs

from gallery import tasks
from gallery.indexing import comparisons, ledger, near_duplicates, spaces, vector_indexes
from gallery.indexing.near_duplicates import Progress, are_near_duplicates
from gallery.models import Comparison, Embedding, Image, NearDuplicate
from gallery.search.folding import fold
from tests.conftest import draw, upload, wait_for
from tests.factories import make_space, set_vector

NONE_IN_COMMON = 0x5555_5555_5555_5555
ALL = 0


def build_index(space) -> None:
    """As `vector_indexes.create_index`, but inside of the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE INDEX {vector_indexes.index_name(space)} ON gallery_embedding"
            f" USING hnsw ((vector::halfvec({space.dimensions})) halfvec_cosine_ops)"
            f" WHERE space_id = {space.pk}"
        )


def picture(owner, number: int, vector=None, space=None, bits: int = ALL) -> Image:
    """A picture with a vector and a perceptual hash as if workers had been there."""
    image = upload(owner, draw(colour=(number % 256, 40, 90), format="PNG"), name="picture.png")
    Image.objects.filter(pk=image.pk).update(perceptual_hash=bits)
    if space is not None:
        set_vector(image, space, vector)
    return image


def pairs() -> set[frozenset[uuid.UUID]]:
    known = NearDuplicate.objects.filter(dismissed_at=None)
    return {frozenset(row) for row in known.values_list("first_id", "second_id")}


def link(one: Image, other: Image, **facts) -> NearDuplicate:
    first, second = sorted([one.pk, other.pk])
    values = {"similarity": 0.99, "bits": 1, "difference": 5.0, **facts}
    return NearDuplicate.objects.create(first_id=first, second_id=second, **values)


@pytest.fixture
def space(db):
    made = make_space(dimensions=8)
    build_index(made)
    return made


def compare_all() -> int:
    return near_duplicates.compare_pending(seconds=30)


def encode_again(space, images, vector) -> None:
    ledger.reencode(Image.objects.filter(pk__in=[image.pk for image in images]))
    claim = ledger.claim(space, len(images))
    vectors = np.tile(vector.astype(np.float32), (len(images), 1))
    assert ledger.complete(claim, list(claim.entries), vectors) == len(images)


def time_passes(**span) -> None:
    """For what waits in the queue."""
    earlier = timedelta(**span or {"hours": 2})
    Comparison.objects.update(queued_at=F("queued_at") - earlier, due_at=F("due_at") - earlier)


# --- Finding ----------------------------------------------------------------------


def test_both_signs_have_to_agree(alice, bob, space):
    along = np.eye(8)[0]
    near = along + 0.02 * np.eye(8)[1]
    here = picture(alice, 1, along, space)
    copy = picture(alice, 2, near, space, bits=0b11)
    of_bob = picture(bob, 3, near, space)
    picture(alice, 4, near, space, bits=NONE_IN_COMMON)  # means the same, looks different
    picture(alice, 5, np.eye(8)[3], space)  # looks the same to the hash alone
    assert compare_all() == 5
    assert pairs() == {
        frozenset(two) for two in [(here.pk, copy.pk), (here.pk, of_bob.pk), (copy.pk, of_bob.pk)]
    }
    first, second = sorted([here.pk, copy.pk])
    pair = NearDuplicate.objects.get(first=first, second=second)
    assert pair.bits == 2
    assert pair.similarity == pytest.approx(1 / np.sqrt(1 + 0.02**2), abs=1e-3)
    assert not near_duplicates.has_pending()


def test_a_picture_waits_until_it_was_looked_at(alice, space):
    first = picture(alice, 1, np.eye(8)[0], space)
    late = picture(alice, 2, np.eye(8)[0], space, bits=None)
    assert compare_all() == 1
    assert not near_duplicates.has_pending()
    assert pairs() == set()
    Image.objects.filter(pk=late.pk).update(perceptual_hash=0)
    time_passes()
    assert near_duplicates.has_pending()
    assert compare_all() == 1
    assert pairs() == {frozenset([first.pk, late.pk])}
    assert not Comparison.objects.exists()


def test_pictures_that_wait_hold_up_nobody(alice, space, monkeypatch):
    monkeypatch.setattr(near_duplicates, "BATCH", 2)
    deleted = picture(alice, 1, np.eye(8)[0], space)
    Image.objects.filter(pk=deleted.pk).update(deleted_at="2026-01-01T00:00Z")
    for number in range(2, 6):
        picture(alice, number, np.eye(8)[0], space, bits=None)
    ready = [picture(alice, number, np.eye(8)[0], space).pk for number in (6, 7, 8)]
    assert compare_all() == 3, "five wait in front of them"
    assert {frozenset(two) for two in combinations(ready, 2)} <= pairs()
    assert not near_duplicates.has_pending()
    assert Comparison.objects.count() == 5

    time_passes(minutes=30)
    assert compare_all() == 0
    put_off = Comparison.objects.annotate(wait=F("due_at") - Now())
    waits = set(put_off.values_list("wait", flat=True))
    assert all(timedelta(minutes=29) < wait < timedelta(minutes=31) for wait in waits), waits
    Image.objects.filter(pk=deleted.pk).update(deleted_at=None)
    time_passes(minutes=31)
    assert compare_all() == 1
    assert Comparison.objects.count() == 4


def test_progress_counts_what_no_longer_waits(alice, space):
    picture(alice, 1, np.eye(8)[0], space)
    picture(alice, 2, np.eye(8)[1], space, bits=None)
    picture(alice, 3)
    assert near_duplicates.progress(Image.objects.all()) == Progress(0, 3)
    compare_all()
    assert near_duplicates.progress(Image.objects.all()) == Progress(1, 3)
    time_passes()
    Image.objects.update(perceptual_hash=0)
    compare_all()
    assert near_duplicates.progress(Image.objects.all()) == Progress(2, 3), "one has no vector"


def test_a_new_vector_is_compared_again_and_old_pairs_with_it(alice, space):
    one = picture(alice, 1, np.eye(8)[0], space)
    other = picture(alice, 2, np.eye(8)[0], space)
    told_apart = picture(alice, 3, np.eye(8)[0], space)
    compare_all()
    assert len(pairs()) == 3
    first, second = sorted([one.pk, told_apart.pk])
    apart = NearDuplicate.objects.filter(first=first, second=second)
    apart.update(dismissed_at="2026-01-01T00:00Z")
    ledger.reencode(Image.objects.filter(pk=one.pk))
    assert compare_all() == 0
    encode_again(space, [one], np.eye(8)[5])
    assert compare_all() == 1
    assert pairs() == {frozenset([other.pk, told_apart.pk])}
    assert apart.get().dismissed_at is not None, "what the owner said outlives the vectors"


def test_another_space_is_compared_anew(alice, space):
    newer = make_space(state="building", dimensions=4, architecture="newer")
    build_index(newer)
    one = picture(alice, 1, np.eye(8)[0], space)
    other = picture(alice, 2, np.eye(8)[0], space)
    compare_all()
    assert len(pairs()) == 1
    set_vector(one, newer, np.eye(4)[0])
    set_vector(other, newer, np.eye(4)[1])
    assert not near_duplicates.has_pending(), "a space that is being built answers nothing"
    picture(alice, 3, np.eye(8)[0], space)  # still waits, in the space that is left
    assert Comparison.objects.count() == 1
    set_vector(Image.objects.exclude(pk__in=[one.pk, other.pk]).get(), newer, np.eye(4)[2])
    spaces.activate(newer)
    waiting = Comparison.objects.values_list("embedding_id", flat=True)
    assert set(waiting) == set(newer.embeddings.values_list("pk", flat=True))
    assert near_duplicates.compare_batch(space, 1.0) is None, "a worker that still has the old one"
    assert Comparison.objects.count() == 3
    assert compare_all() == 3
    assert pairs() == set()
    assert not Comparison.objects.exists()


def test_a_vector_is_queued_once_however_often_it_is_encoded(alice, space):
    image = picture(alice, 1, np.eye(8)[0], space)
    encode_again(space, [image], np.eye(8)[1])
    encode_again(space, [image], np.eye(8)[2])
    assert Comparison.objects.get().embedding == image.embeddings.get()
    ledger.reencode(Image.objects.all())
    assert compare_all() == 0, "its next vector is on the way"
    assert not Comparison.objects.exists()
    claim = ledger.claim(space, 1)
    Embedding.objects.update(claim=uuid.uuid4())  # passed to another worker meanwhile
    assert ledger.complete(claim, list(claim.entries), np.eye(8, dtype=np.float32)[:1]) == 0
    assert not Comparison.objects.exists()


def test_vectors_of_a_space_that_is_being_built_do_not_wait(alice, space):
    newer = make_space(state="building", dimensions=8, architecture="newer")
    image = picture(alice, 1)
    claim = ledger.claim(newer, 1)
    assert ledger.complete(claim, list(claim.entries), np.eye(8, dtype=np.float32)[:1]) == 1
    assert image.embeddings.get(space=newer).state == "encoded"
    assert not Comparison.objects.exists()


def test_a_worker_that_dies_loses_nothing(alice, space, monkeypatch):
    for number in range(3):
        picture(alice, number, np.eye(8)[0], space)

    def die(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(near_duplicates, "_drop", die)  # after the pairs were stored
        with pytest.raises(KeyboardInterrupt):
            compare_all()
    assert pairs() == set()
    assert Comparison.objects.count() == 3
    assert compare_all() == 3
    assert len(pairs()) == 3


def test_what_is_removed_leaves_the_queue(alice, space):
    newer = make_space(state="building", dimensions=8, architecture="newer")
    build_index(newer)
    first, second = picture(alice, 1, np.eye(8)[0], space), picture(alice, 2, np.eye(8)[1], space)
    first.delete()
    assert Comparison.objects.get().embedding == second.embeddings.get(space=space)
    set_vector(second, newer, np.eye(8)[0])
    spaces.activate(newer)
    space.refresh_from_db()
    comparisons.put([second.embeddings.get(space=space).pk])
    spaces.remove(space)
    assert Comparison.objects.get().embedding == second.embeddings.get()


@pytest.mark.django_db(transaction=True)
def test_what_is_encoded_again_while_it_is_compared_is_compared_again(alice, monkeypatch):
    """The new vector is stored after the old one was taken out of the queue and read."""
    space = make_space(dimensions=8)
    vector_indexes.create_index(space)
    one, other = (picture(alice, number, np.eye(8)[0], space) for number in range(2))
    ledger.reencode(Image.objects.filter(pk=one.pk))
    claim = ledger.claim(space, 1)
    Embedding.objects.filter(image=one).update(state="encoded")  # the old vector serves
    stored = threading.Event()

    def store() -> None:
        try:
            ledger.complete(claim, list(claim.entries), np.eye(8, dtype=np.float32)[5:6])
            stored.set()
        finally:
            close_old_connections()

    encoder = threading.Thread(target=store)
    look = near_duplicates._candidates

    def look_while_another_stores(*args):
        judged = look(*args)
        encoder.start()
        assert not stored.wait(0.5), "it waits until the comparison is over"
        return judged

    with monkeypatch.context() as patch:
        patch.setattr(near_duplicates, "_candidates", look_while_another_stores)
        assert near_duplicates.compare_batch(space, 1.0) == 2
    encoder.join(30)
    assert pairs() == {frozenset([one.pk, other.pk])}
    assert Comparison.objects.get().embedding == one.embeddings.get()
    assert compare_all() == 1
    assert pairs() == set()


@pytest.mark.django_db(transaction=True)
def test_what_is_stored_while_the_space_becomes_active_is_compared(alice, monkeypatch):
    space = make_space(dimensions=8)
    newer = make_space(state="building", dimensions=8, architecture="newer")
    image = picture(alice, 1, np.eye(8)[0], space)
    claim = ledger.claim(newer, 1)
    stored = threading.Event()

    def store() -> None:
        try:
            ledger.complete(claim, list(claim.entries), np.eye(8, dtype=np.float32)[:1])
            stored.set()
        finally:
            close_old_connections()

    encoder = threading.Thread(target=store)
    start_over = comparisons.start_over

    def start_over_while_another_stores(*args):
        start_over(*args)
        encoder.start()
        assert not stored.wait(0.5), "it waits until the switch is done"

    monkeypatch.setattr(comparisons, "start_over", start_over_while_another_stores)
    spaces._switch_to(newer)
    encoder.join(30)
    assert Comparison.objects.get().embedding == image.embeddings.get(space=newer)


def test_nothing_is_compared_without_the_index(alice, db):
    bare = make_space(dimensions=8)
    picture(alice, 1, np.eye(8)[0], bare)
    assert near_duplicates.has_pending()
    assert compare_all() == 0


def test_the_unit_is_the_mean_distance_of_the_space(alice, space):
    assert near_duplicates.mean_distance(space) == near_duplicates.USUAL_DISTANCE
    vectors = np.abs(np.random.default_rng(3).normal(size=(12, 8)))
    for number, vector in enumerate(vectors):
        picture(alice, number, vector, space)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    mean = 1 - cosines[np.triu_indices(12, 1)].mean()
    weight = near_duplicates.USUAL_WEIGHT
    expected = (12 * mean + weight * near_duplicates.USUAL_DISTANCE) / (12 + weight)
    assert near_duplicates.mean_distance(space) == pytest.approx(expected, abs=2e-3)


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_work(alice):
    space = make_space(dimensions=8)
    vector_indexes.create_index(space)
    rng = np.random.default_rng(1)
    twins = []
    for number in range(60):
        vector = rng.normal(size=8)
        twins.append([picture(alice, 2 * number + k, vector, space) for k in range(2)])
    done = []

    def work() -> None:
        try:
            while count := near_duplicates.compare_batch(space, 1.0):
                done.append(count)
        finally:
            close_old_connections()

    near_duplicates.BATCH, usual = 8, near_duplicates.BATCH
    try:
        workers = [threading.Thread(target=work) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
    finally:
        near_duplicates.BATCH = usual
    assert sum(done) == 120, "each vector once"
    assert {frozenset(image.pk for image in two) for two in twins} <= pairs()


def variants(photo: PILImage.Image) -> dict[str, PILImage.Image]:
    """What has to be found with its original."""
    width, height = photo.size
    marked = photo.copy()
    ImageDraw.Draw(marked).text((width * 0.6, height * 0.9), "© 2024", fill="white")
    trimmed = photo.crop((width * 0.02, height * 0.02, width * 0.98, height * 0.98))
    return {
        "smaller": photo.resize((width // 2, height // 2)),
        "brighter": ImageEnhance.Brightness(photo).enhance(1.2),
        "marked": marked,
        "trimmed": trimmed,
    }


def jpeg(photo: PILImage.Image, quality: int = 90) -> bytes:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@pytest.mark.django_db(transaction=True)
def test_variants_of_photographs_are_found_by_real_workers(alice, encoder_worker, media_worker):
    """The starter model and the media worker; other photographs stay alone."""
    originals: dict[str, Image] = {}
    expected = set()
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        photo = PILImage.fromarray(getattr(photographs, name)()).convert("RGB")
        originals[name] = upload(alice, jpeg(photo))
        for kind, variant in variants(photo).items():
            image = upload(alice, jpeg(variant, quality=70), name=f"{name} {kind}.jpg")
            expected.add(frozenset([originals[name].pk, image.pk]))
    total = len(originals) + len(expected)
    looked_at = Image.objects.filter(perceptual_hash__isnull=False)
    wait_for(lambda: looked_at.count() == total, 120, "all are looked at")
    encoded = Embedding.objects.filter(state="encoded")
    wait_for(lambda: encoded.count() == total, 120, "all are encoded")
    wait_for(lambda: tasks.sweep() or not Comparison.objects.exists(), 90, "all are compared")
    found = pairs()
    assert expected <= found, f"{len(expected - found)} of {len(expected)} not found"
    names = {image.pk: name for name, image in originals.items()}
    across = [two for two in found if len({names[pk] for pk in two if pk in names}) > 1]
    assert across == []


def test_neither_sign_alone_is_enough():
    assert are_near_duplicates(1.0, 0, unit=0.8)
    assert not are_near_duplicates(0.4, 0, unit=0.8), "a flat sky hashes like any other"
    assert not are_near_duplicates(1.0, 32, unit=0.8), "as far apart as two pictures by chance"


# --- Folding ----------------------------------------------------------------------


def test_results_fold_behind_their_first(alice, db):
    a, b, c, d, e = (picture(alice, number) for number in range(5))
    link(a, c)
    link(c, d)
    link(b, e, dismissed_at="2026-01-01T00:00Z")
    ids = [image.pk for image in (a, b, c, d, e)]
    assert fold(ids) == {c.pk: a.pk, d.pk: a.pk}, "c brings d, and the dismissed stay"
    assert fold(ids[1:]) == {d.pk: c.pk}, "nothing is told of pictures that are not asked for"
    assert fold([d.pk, c.pk, a.pk]) == {c.pk: d.pk, a.pk: d.pk}
    assert fold([]) == {}


def test_a_longer_list_changes_nothing_of_its_beginning(alice, db):
    a, b, c = (picture(alice, number) for number in range(3))
    link(a, c)
    link(b, c)
    assert fold([a.pk, b.pk]) == {}
    assert fold([a.pk, b.pk, c.pk]) == {c.pk: a.pk}, "b was shown, and stays"


def test_what_was_told_apart_is_not_folded_through_a_third(alice, db):
    a, b, c = (picture(alice, number) for number in range(3))
    link(a, b)
    link(b, c)
    link(a, c, dismissed_at="2026-01-01T00:00Z")
    assert fold([a.pk, b.pk, c.pk]) == {b.pk: a.pk}
