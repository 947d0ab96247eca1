"""Finding near-duplicates: which pairs, when, by several workers; and folding them."""

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
from django.utils import timezone
from PIL import Image as PILImage
from PIL import ImageDraw, ImageEnhance
from skimage import data as photographs

from gallery.indexing import encoding, near_duplicates, spaces, vector_indexes
from gallery.indexing.near_duplicates import Comparison, Progress, are_near_duplicates
from gallery.library.visual_features import VisualFeatures
from gallery.models import Analysis, Image, NearDuplicate
from gallery.search.folding import fold
from gallery.work import analyser, ledger
from tests.conftest import draw, upload, wait_for
from tests.factories import ColourEncoder, analyse, make_space, set_state, set_vector

NONE_IN_COMMON = 0x5555_5555_5555_5555
ALL = 0


@pytest.fixture
def alone(monkeypatch):
    """Remove all other analysers: their results are made up."""
    monkeypatch.setattr(analyser, "_providers", [near_duplicates.analysers])


def build_index(space) -> None:
    """Create the index like `vector_indexes.create_index`, but inside the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE INDEX {vector_indexes.index_name(space)} ON gallery_embedding"
            f" USING hnsw ((vector::halfvec({space.dimensions})) halfvec_cosine_ops)"
            f" WHERE space_id = {space.pk}"
        )


def picture(owner, number: int, vector=None, space=None, bits: int | None = ALL) -> Image:
    """Create a picture with a vector and a perceptual hash, as after the workers. Without `bits` it
    has no hash yet."""
    image = upload(owner, draw(colour=(number % 256, 40, 90), format="PNG"), name="picture.png")
    set_state(image, "renditions", "done")
    if bits is None:
        set_state(image, "visual_features", "waiting")
    else:
        Image.objects.filter(pk=image.pk).update(perceptual_hash=bits)
        set_state(image, "visual_features", "done")
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
def space(db, alone):
    made = make_space(dimensions=8)
    build_index(made)
    return made


def compare_all() -> int:
    """Compare with the loop of the media worker. Return how many were compared."""
    return analyse()


def waiting():
    return ledger.waiting(near_duplicates.ANALYSER)


def encoder_of(space) -> encoding.Encoding:
    made = encoding.Encoding(space)
    made.encoder = ColourEncoder()
    return made


def claim_to_encode(space, images) -> ledger.Claim:
    claim = ledger.claim(encoder_of(space), len(images))
    assert {entry.image_id for entry in claim.entries} == {image.pk for image in images}
    return claim


def store(claim: ledger.Claim, vector) -> int:
    vectors = np.tile(vector.astype(np.float32), (len(claim.entries), 1))
    return ledger.complete(claim, claim.entries, vectors)


def to_encode(space, *images) -> None:
    ledger.requeue([image.pk for image in images], [encoder_of(space)])


def encode_again(space, images, vector) -> None:
    to_encode(space, *images)
    assert store(claim_to_encode(space, images), vector) == len(images)


def encode_beside(space, images, vectors) -> None:
    """Store vectors in a space that is being built."""
    encoding.keep_vectors(space, [image.pk for image in images], vectors)
    for image in images:
        set_state(image, encoding.name_of(space), "done")


def look_at(*images: Image) -> None:
    claim = ledger.claim(VisualFeatures(), len(images))
    assert {entry.image_id for entry in claim.entries} == {image.pk for image in images}
    seen = {"palette": [], "colour_cells": [], "perceptual_hash": ALL}
    assert ledger.complete(claim, claim.entries, [seen] * len(images)) == len(images)


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
    assert not waiting().exists()


def test_a_picture_waits_until_it_was_looked_at(alice, space):
    first = picture(alice, 1, np.eye(8)[0], space)
    late = picture(alice, 2, np.eye(8)[0], space, bits=None)
    assert compare_all() == 1
    assert compare_all() == 0
    assert pairs() == set()
    look_at(late)
    assert compare_all() == 1, "who looked at it woke it"
    assert pairs() == {frozenset([first.pk, late.pk])}
    assert not waiting().exists()


def test_pictures_that_wait_hold_up_nobody(alice, space, monkeypatch):
    monkeypatch.setattr(Comparison, "batch_size", 2)
    deleted = picture(alice, 1, np.eye(8)[0], space)
    Image.objects.filter(pk=deleted.pk).update(deleted_at="2026-01-01T00:00Z")
    early = [picture(alice, number, np.eye(8)[0], space, bits=None) for number in range(2, 6)]
    ready = [picture(alice, number, np.eye(8)[0], space).pk for number in (6, 7, 8)]
    assert compare_all() == 3, "five wait in front of them"
    assert {frozenset(two) for two in combinations(ready, 2)} <= pairs()
    put_off = Analysis.objects.filter(analyser=near_duplicates.ANALYSER, state="waiting")
    assert set(put_off.values_list("attempts", flat=True)) == {0}, "waiting is no try"
    assert put_off.count() == 5

    waits = waiting().filter(image__in=early)
    waits.update(not_before=F("not_before") - ledger.NEEDS_DELAY)
    assert compare_all() == 0
    later = timezone.now() + ledger.NEEDS_DELAY - timedelta(minutes=1)
    assert waits.filter(not_before__gt=later).count() == 4
    Image.objects.filter(pk=deleted.pk).update(deleted_at=None)
    assert compare_all() == 1
    assert put_off.count() == 4


def test_progress_counts_what_no_longer_waits(alice, space):
    picture(alice, 1, np.eye(8)[0], space)
    unseen = picture(alice, 2, np.eye(8)[1], space, bits=None)
    third = picture(alice, 3)
    assert near_duplicates.progress(Image.objects.all()) == Progress(0, 3)
    compare_all()
    assert near_duplicates.progress(Image.objects.all()) == Progress(1, 3)
    look_at(unseen)
    compare_all()
    assert near_duplicates.progress(Image.objects.all()) == Progress(2, 3), "one has no vector"
    set_state(third, encoding.name_of(space), "failed")
    assert near_duplicates.progress(Image.objects.all()) == Progress(2, 2), "and never will"


def test_what_cannot_be_encoded_is_not_waited_for(alice, space):
    lost = picture(alice, 1)
    set_state(lost, encoding.name_of(space), "failed", reason_code="damaged")
    assert compare_all() == 0
    row = lost.analyses.get(analyser=near_duplicates.ANALYSER)
    assert (row.state, row.reason_code) == ("failed", "needs")
    encode_again(space, [lost], np.eye(8)[0])
    assert compare_all() == 1, "its vector has come after all"


def test_a_new_vector_is_compared_again_and_old_pairs_with_it(alice, space):
    one = picture(alice, 1, np.eye(8)[0], space)
    other = picture(alice, 2, np.eye(8)[0], space)
    told_apart = picture(alice, 3, np.eye(8)[0], space)
    compare_all()
    assert len(pairs()) == 3
    first, second = sorted([one.pk, told_apart.pk])
    apart = NearDuplicate.objects.filter(first=first, second=second)
    apart.update(dismissed_at="2026-01-01T00:00Z")
    to_encode(space, one)
    assert compare_all() == 0
    assert store(claim_to_encode(space, [one]), np.eye(8)[5]) == 1
    assert compare_all() == 1
    assert pairs() == {frozenset([other.pk, told_apart.pk])}
    assert apart.get().dismissed_at is not None, "what the owner said outlives the vectors"


def test_another_space_is_compared_anew(alice, space):
    newer = make_space(state="building", dimensions=4, architecture="newer")
    build_index(newer)
    images = [picture(alice, number, np.eye(8)[0], space) for number in range(3)]
    compare_all()
    assert len(pairs()) == 3
    encode_beside(newer, images, np.eye(4)[:3])
    assert compare_all() == 0, "a space that is being built answers nothing"
    spaces.activate(newer)
    late = Comparison(space)
    held = ledger.claim(late, 10)
    assert held is None, "whoever still has the old one finds nothing to do"
    assert near_duplicates.progress(Image.objects.all()) == Progress(0, 3)
    assert compare_all() == 3
    assert pairs() == set()
    assert not waiting().exists()


def test_pairs_of_a_space_that_is_active_no_longer_are_dropped(alice, space):
    newer = make_space(state="building", dimensions=8, architecture="newer")
    build_index(newer)
    images = [picture(alice, number, np.eye(8)[0], space) for number in range(2)]
    late = Comparison(space)
    assert late.open()
    claim = ledger.claim(late, 10)
    found = late.run(claim.entries)
    encode_beside(newer, images, np.eye(8)[:2])
    spaces.activate(newer)
    assert ledger.complete(claim, claim.entries, found) == 0
    assert pairs() == set()
    ledger.release(claim, claim.entries)
    assert compare_all() == 2
    assert pairs() == set()


def test_a_vector_is_queued_once_however_often_it_is_encoded(alice, space):
    image = picture(alice, 1, np.eye(8)[0], space)
    encode_again(space, [image], np.eye(8)[1])
    encode_again(space, [image], np.eye(8)[2])
    assert waiting().get().image == image
    assert compare_all() == 1
    to_encode(space, image)
    claim = claim_to_encode(space, [image])
    # Another worker has the claim meanwhile.
    image.analyses.filter(claim=claim.id).update(claim=uuid.uuid4())
    assert store(claim, np.eye(8)[0]) == 0
    assert not waiting().exists()


def test_vectors_of_a_space_that_is_being_built_are_not_compared(alice, space):
    newer = make_space(state="building", dimensions=8, architecture="newer")
    image = picture(alice, 1, np.eye(8)[0], space)
    assert compare_all() == 1
    encode_again(newer, [image], np.eye(8)[0])
    assert image.embeddings.count() == 2
    assert not waiting().exists()


def test_a_worker_that_dies_loses_nothing(alice, space, monkeypatch):
    for number in range(3):
        picture(alice, number, np.eye(8)[0], space)

    def die(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(near_duplicates, "_drop", die)  # after the pairs are stored
        with pytest.raises(KeyboardInterrupt):
            compare_all()
    assert pairs() == set()
    assert waiting().count() == 3
    ledger.release_claims_of("")
    assert compare_all() == 3
    assert len(pairs()) == 3


def test_what_is_removed_leaves_the_queue(alice, space):
    first, second = picture(alice, 1, np.eye(8)[0], space), picture(alice, 2, np.eye(8)[1], space)
    first.delete()
    assert waiting().get().image == second


def test_what_is_encoded_again_while_it_is_compared_is_compared_again(alice, space, monkeypatch):
    """The new vector is stored after the old one was claimed and read."""
    one, other = (picture(alice, number, np.eye(8)[0], space) for number in range(2))
    look = near_duplicates.candidates
    compared = []

    def look_while_another_stores(*args):
        judged = look(*args)
        if not compared:
            encode_again(space, [one], np.eye(8)[5])
        compared.append(args[1])
        return judged

    monkeypatch.setattr(near_duplicates, "candidates", look_while_another_stores)
    assert compare_all() == 2
    assert [len(ids) for ids in compared] == [2, 1], "the old vector counts for the other alone"
    assert compared[1] == [one.pk]
    assert other.analyses.get(analyser=near_duplicates.ANALYSER).state == "done"
    assert pairs() == set()


@pytest.mark.django_db(transaction=True)
def test_what_is_stored_while_the_space_becomes_active_is_compared(alice, alone, monkeypatch):
    space = make_space(dimensions=8)
    newer = make_space(state="building", dimensions=8, architecture="newer")
    vector_indexes.create_index(space)
    vector_indexes.create_index(newer)
    image = picture(alice, 1, np.eye(8)[0], space)
    assert compare_all() == 1
    to_encode(newer, image)
    claim = claim_to_encode(newer, [image])
    stored = threading.Event()

    def store_meanwhile() -> None:
        try:
            assert store(claim, np.eye(8)[0]) == 1
            stored.set()
        finally:
            close_old_connections()

    encoder = threading.Thread(target=store_meanwhile)

    def record_while_another_stores(*args, **kwargs):
        encoder.start()
        assert not stored.wait(0.5), "it waits until the switch is done"

    monkeypatch.setattr(spaces.trail, "record", record_while_another_stores)
    spaces.activate(newer, missing=1)
    encoder.join(30)
    assert stored.is_set()
    newer.refresh_from_db()
    assert waiting().get().version == newer.generation
    assert compare_all() == 1


def test_nothing_is_compared_without_the_index(alice, db, alone):
    bare = make_space(dimensions=8)
    picture(alice, 1, np.eye(8)[0], bare)
    assert compare_all() == 0
    assert waiting().get().attempts == 0


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
def test_two_workers_share_the_work(alice, alone, monkeypatch):
    monkeypatch.setattr(Comparison, "batch_size", 8)
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
            done.append(compare_all())
        finally:
            close_old_connections()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sum(done) == 120, "each vector once"
    assert {frozenset(image.pk for image in two) for two in twins} <= pairs()


def variants(photo: PILImage.Image) -> dict[str, PILImage.Image]:
    """Return variants that must be found with their original."""
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
    """The starter model and the media worker find them. Other photographs stay alone."""
    originals: dict[str, Image] = {}
    expected = set()
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        photo = PILImage.fromarray(getattr(photographs, name)()).convert("RGB")
        originals[name] = upload(alice, jpeg(photo))
        for kind, variant in variants(photo).items():
            image = upload(alice, jpeg(variant, quality=70), name=f"{name} {kind}.jpg")
            expected.add(frozenset([originals[name].pk, image.pk]))
    total = len(originals) + len(expected)
    left = Analysis.objects.exclude(state="done")
    wait_for(lambda: not left.exists(), 240, "all are encoded, looked at and compared")
    assert Analysis.objects.filter(analyser=near_duplicates.ANALYSER).count() == total
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
