"""The map of the library: drawing it, placing new pictures, and what each viewer sees of it."""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError
from django.test import Client
from django.utils import timezone, translation

from gallery.explore import build, layout, maps, placement, points, regions
from gallery.explore.status import status
from gallery.indexing import concepts, encoding
from gallery.library.service import add_image
from gallery.models import EmbeddingSpace, ExploreMap, Image, MapCluster, MapPoint, Tag, User
from gallery.search.relevance import relevance
from gallery.work import leases
from tests.conftest import ROOT, api, wait_for
from tests.factories import make_space, set_state, set_vector

pytestmark = pytest.mark.django_db

EXPLORE = "/api/v1/explore/"
POINTS = "/api/v1/explore/points/"
AXES = np.eye(3)
# The made-up spaces know one word for each axis.
WORDS = ("dogs", "cats", "boats")


@pytest.fixture
def space() -> EmbeddingSpace:
    return make_space()


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder with three concepts, each the name of one axis."""
    known = concepts.concepts()
    vectors = np.tile(-np.ones(3, dtype="f4") / 3**0.5, (len(known), 1))
    for axis, word in enumerate(WORDS):
        row = next(row for row, concept in enumerate(known) if concept.english == word)
        vectors[row] = AXES[axis]
    monkeypatch.setattr(concepts, "vectors", lambda space, language="en": vectors)
    # With three dimensions and three words, nothing is beyond chance.
    monkeypatch.setattr(relevance, "lines", lambda space, texts: None)


def make_images(owner: User, count: int, **fields: Any) -> list[Image]:
    """Create rows without files: the map opens none."""
    return Image.objects.bulk_create(
        Image(
            owner=owner,
            file="none",
            sha256=uuid.uuid4().hex,
            byte_size=1,
            content_type="image/jpeg",
            width=4,
            height=3,
            **fields,
        )
        for _ in range(count)
    )


def encode(images: list[Image], space: EmbeddingSpace, axis: int, seed: int = 0) -> None:
    """Store vectors around one axis, all of them different."""
    rng = np.random.default_rng(seed + axis)
    for image in images:
        set_vector(image, space, AXES[axis] + rng.normal(scale=0.05, size=3))
    encoded = space.embeddings.filter(image__in=images)
    encoded.update(encoded_at=timezone.now())


def three_groups(owner: User, space: EmbeddingSpace, each: int = 5) -> list[list[Image]]:
    groups = [make_images(owner, each) for _ in AXES]
    for axis, images in enumerate(groups):
        encode(images, space, axis)
    return groups


def make_map(space: EmbeddingSpace, count: int = 100) -> ExploreMap:
    return ExploreMap.objects.create(
        space=space, state="ready", progress=1, laid_out=count, built_at=timezone.now()
    )


def put(drawn: ExploreMap, images: list[Image], x: float, y: float) -> MapCluster:
    """Place one region around (x, y)."""
    region = MapCluster.objects.create(map=drawn, x=x, y=y, size=len(images))
    MapPoint.objects.bulk_create(
        MapPoint(map=drawn, image=image, cluster=region, x=x + n / 1000, y=y)
        for n, image in enumerate(images)
    )
    return region


def places(drawn: ExploreMap) -> dict[uuid.UUID, tuple[float, float, int]]:
    rows = drawn.points.values_list("image_id", "x", "y", "cluster_id")
    return {pk: (x, y, region) for pk, x, y, region in rows}


# --- Layout -----------------------------------------------------------------------


def test_what_is_alike_lies_together_and_the_same_way_each_time():
    rng = np.random.default_rng(1)
    centres = np.repeat(rng.normal(size=(3, 32)), 40, axis=0)
    vectors = (centres + rng.normal(scale=0.3, size=centres.shape)).astype("f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = layout.fit(vectors)
    assert np.array_equal(found, layout.fit(vectors))
    assert found.min() >= 0
    assert found.max() <= 1
    assert np.ptp(found, axis=0).max() > 0.9  # the map fills its square
    distances = np.linalg.norm(found[:, None] - found[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) // 40 == np.arange(120) // 40).all()
    labels = layout.regions(found)
    for region in np.unique(labels):
        assert len({number // 40 for number in np.flatnonzero(labels == region)}) == 1


@pytest.mark.parametrize("count", [1, 2, 10, layout.LEAST_FOR_UMAP - 1])
def test_a_few_pictures_have_a_layout_too(count):
    vectors = np.random.default_rng(2).normal(size=(count, 8)).astype("f4")
    found = layout.fit(vectors)
    assert found.shape == (count, 2)
    assert np.isfinite(found).all()
    assert len(np.unique(found, axis=0)) == count
    assert len(layout.regions(found)) == count


def test_the_web_process_never_imports_the_layout_library():
    code = (
        "import django, sys; django.setup(); import clipsite.urls, gallery.tasks;"
        "print([name for name in ('umap', 'numba', 'sklearn') if name in sys.modules])"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "clipsite.settings"}
    run = [sys.executable, "-c", code]
    found = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, check=True)
    assert found.stdout.strip() == b"[]"


# --- Drawing ----------------------------------------------------------------------


def test_a_map_is_drawn_of_everybodys_pictures(alice, bob, space):
    groups = three_groups(alice, space)
    encode(hers := make_images(bob, 3), space, axis=0, seed=9)
    trashed = make_images(alice, 1, deleted_at=timezone.now())
    encode(trashed, space, axis=0)
    assert maps.due() == space
    assert build.draw(space)
    drawn = maps.shown()
    assert (drawn.state, drawn.laid_out, drawn.error) == ("ready", 18, "")
    found = places(drawn)
    assert set(found) == {image.pk for group in [*groups, hers] for image in group}
    middles = [np.mean([found[image.pk][:2] for image in group], axis=0) for group in groups]
    for axis, group in enumerate([*groups, hers]):
        for image in group:
            away = [np.linalg.norm(found[image.pk][:2] - middle) for middle in middles]
            assert int(np.argmin(away)) == axis % 3
    assert maps.due() is None
    # The same pictures give the same map.
    ExploreMap.objects.update(state="waiting")
    assert build.draw(space)
    again = places(maps.shown())
    assert {pk: found[pk][:2] for pk in found} == {pk: again[pk][:2] for pk in again}


def test_what_the_sample_leaves_out_is_fitted_in_at_once(alice, space, monkeypatch):
    monkeypatch.setattr(build, "SAMPLE", 20)
    monkeypatch.setattr(build, "BLOCK", 8)
    groups = three_groups(alice, space, each=15)
    assert build.draw(space)
    found = places(maps.shown())
    assert len(found) == 45
    assert len(set(found.values())) == 45  # no picture on top of another
    for group in groups:
        spots = np.array([found[image.pk][:2] for image in group])
        others = [found[pk][:2] for pk in found if pk not in {image.pk for image in group}]
        apart = np.linalg.norm(spots.mean(axis=0) - np.array(others), axis=1).min()
        assert np.linalg.norm(spots - spots.mean(axis=0), axis=1).mean() < apart


def test_nothing_is_drawn_of_too_few(alice, space):
    encode(make_images(alice, maps.LEAST_PICTURES - 1), space, axis=0)
    assert maps.due() is None
    assert status().state == "too_few"
    assert not build.draw(space)
    assert maps.shown() is None
    page = Client().get("/explore/", headers={"HX-Request": "true"})
    assert b"Too few pictures" in page.content


def test_it_is_drawn_anew_when_half_as_many_have_come(alice, space):
    encode(make_images(alice, 10), space, axis=0)
    drawn = make_map(space, count=10)
    space.embeddings.update(encoded_at=drawn.built_at - timedelta(seconds=1))
    encode(make_images(alice, 4), space, axis=1)
    assert maps.due() is None
    encode(make_images(alice, 1), space, axis=2)
    assert maps.due() == space
    # While more pictures arrive, the map is not drawn all the time.
    set_state(make_images(alice, 1)[0], encoding.name_of(space), "waiting")
    assert maps.due() is None
    ExploreMap.objects.update(built_at=timezone.now() - maps.PATIENCE)
    space.embeddings.update(encoded_at=timezone.now())
    assert maps.due() == space


def test_one_worker_draws_and_a_dead_one_is_replaced(alice, space):
    encode(make_images(alice, 10), space, axis=0)
    first = maps.claim(space)
    first.keep(progress=0.4)
    assert maps.claim(space) is None
    assert maps.due() is None
    assert (status().state, status().percent) == ("building", 40)
    ExploreMap.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))  # kill -9
    assert maps.due() == space
    second = maps.claim(space)
    assert second is not None
    with pytest.raises(leases.Lost):
        first.keep(progress=0.5)
    with pytest.raises(leases.Lost):
        maps.fail(first, "too late to say")
    with pytest.raises(leases.Lost):
        first.release()
    second.keep(progress=0.6)
    assert status().percent == 60


def test_a_layout_that_is_killed_leaves_the_old_map_and_a_reason(alice, space, monkeypatch):
    three_groups(alice, space)
    drawn = make_map(space, count=15)
    region = put(drawn, list(Image.objects.all()), 0.5, 0.5)
    started = []
    popen = subprocess.Popen

    def start(*args, **kwargs):
        process = popen(*args, **kwargs)
        os.kill(process.pid, signal.SIGKILL)
        started.append(process)
        return process

    monkeypatch.setattr(build.subprocess, "Popen", start)
    assert not build.draw(space)
    drawn.refresh_from_db()
    assert drawn.state == "failed"
    assert "signal 9" in drawn.error
    assert drawn.points.filter(cluster=region).count() == 15
    assert status().state == "ready"  # the old map is still shown
    assert maps.due() is None  # and the next attempt comes later,
    ExploreMap.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    assert maps.due() == space
    maps.draw_again(space)  # or on request
    assert maps.due() == space
    assert started[0].returncode == -signal.SIGKILL


def test_the_old_spaces_map_is_shown_until_the_new_one_is_drawn(alice, space):
    three_groups(alice, space)
    old = make_map(space)
    put(old, list(Image.objects.all()), 0.5, 0.5)
    EmbeddingSpace.objects.update(state="retired")
    new = make_space(architecture="other")
    for axis, images in enumerate(np.array_split(list(Image.objects.all()), 3)):
        encode(list(images), new, axis)
    assert maps.shown() == old
    assert maps.due() == new
    build.build_due()
    assert maps.shown().space == new
    assert not ExploreMap.objects.filter(space=space).exists()


def test_a_database_that_is_away_does_not_fail_a_map(space, monkeypatch):
    """Once the map was not drawn for six hours because a connection had broken."""

    def cut(*args):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(build, "_draw", cut)
    with pytest.raises(OperationalError):
        build.draw(space)
    drawn = ExploreMap.objects.get(space=space)
    assert (drawn.state, drawn.not_before, drawn.error) == ("building", None, "")
    ExploreMap.objects.update(claimed_until=timezone.now())
    assert maps.claim(space) is not None


def test_an_administrator_sees_why_and_has_it_drawn_anew(alice, space):
    encode(make_images(alice, 10), space, axis=0)
    maps.fail(maps.claim(space), "too little memory")
    assert maps.due() is None
    User.objects.create_superuser("root", "root@example.org", "root-password")
    client = Client()
    client.force_login(User.objects.get(username="root"))
    address = "/admin/gallery/exploremap/"
    assert b"too little memory" in client.get(address).content
    drawn = ExploreMap.objects.get()
    chosen = {"action": "draw_again", "_selected_action": [drawn.pk]}
    client.force_login(alice)
    assert client.post(address, chosen).status_code == 302  # to the sign-in page
    assert maps.due() is None
    client.force_login(User.objects.get(username="root"))
    client.post(address, chosen)
    assert maps.due() == space


# --- Fitting in -------------------------------------------------------------------


def test_new_pictures_find_their_place_among_those_like_them(alice, space):
    groups = three_groups(alice, space)
    drawn = make_map(space, count=15)
    spots = [(0.1, 0.1), (0.9, 0.1), (0.5, 0.9)]
    found = [put(drawn, group, *spot) for group, spot in zip(groups, spots, strict=True)]
    new = make_images(alice, 4)
    encode(new, space, axis=2, seed=5)
    trashed = make_images(alice, 1, deleted_at=timezone.now())
    encode(trashed, space, axis=2)
    assert points.unplaced(drawn, Image.objects.visible_to(alice)) == 4
    build.build_due()
    where = places(drawn)
    assert len(where) == 19
    for image in new:
        x, y, region = where[image.pk]
        assert region == found[2].pk
        assert abs(x - 0.5) < 0.05
        assert abs(y - 0.9) < 0.05
    assert len({where[image.pk][:2] for image in new}) == 4
    assert points.unplaced(drawn, Image.objects.visible_to(alice)) == 0
    assert placement.place_new(drawn) == 0


def test_a_place_between_two_regions_lies_in_one_of_them():
    here = [placement.Neighbour(0.1, 0.1, 1, 0.9), placement.Neighbour(0.12, 0.1, 1, 0.88)]
    there = [placement.Neighbour(0.9, 0.9, 2, 0.89)] * 8
    x, y, region = placement.place(uuid.uuid4(), [here[0], *there, here[1]])
    assert region == 1
    assert abs(x - 0.11) < 0.02
    assert abs(y - 0.1) < 0.02


# --- What each viewer sees --------------------------------------------------------


def test_points_regions_counts_and_names_are_of_what_one_may_see(alice, bob, space, words):
    dogs, cats = make_images(alice, 4), make_images(alice, 2, visibility="public")
    boats = make_images(bob, 3)
    drawn = make_map(space)
    for axis, images in enumerate([dogs, cats, boats]):
        encode(images, space, axis)
    shared = put(drawn, [*dogs, *cats], 0.2, 0.2)
    bobs = put(drawn, boats, 0.8, 0.8)

    def seen(client) -> dict[int, tuple[int, str]]:
        body = client.get(EXPLORE).json()
        assert body["state"] == "ready"
        assert body["named"]
        assert body["placed"] == sum(one["count"] for one in body["clusters"])
        return {one["id"]: (one["count"], one["name"]) for one in body["clusters"]}

    def shown(client) -> set[str]:
        return {point["image"] for point in client.get(POINTS).json()["points"]}

    assert seen(api(alice)) == {shared.pk: (6, "Dogs")}
    # Only alice sees the dogs: for bob the same region shows cats.
    assert seen(api(bob)) == {bobs.pk: (3, "Boats"), shared.pk: (2, "Cats")}
    assert seen(api()) == {shared.pk: (2, "Cats")}
    public = {str(image.pk) for image in cats}
    assert shown(api(alice)) == public | {str(image.pk) for image in dogs}
    assert shown(api(bob)) == public | {str(image.pk) for image in boats}
    assert shown(api()) == public
    samples = api(bob).get(EXPLORE).json()["clusters"][1]["samples"]
    assert set(samples) == public
    # The position of a region depends on the visible pictures.
    middles = {one["id"]: one["x"] for one in api(bob).get(EXPLORE).json()["clusters"]}
    assert middles[shared.pk] == pytest.approx(0.2045)
    # A picture that is no longer public is gone at once, and so is the name.
    Image.objects.filter(pk=cats[0].pk).update(visibility="private")
    assert seen(api()) == {shared.pk: (1, "Cats")}
    Image.objects.filter(pk=cats[1].pk).update(deleted_at=timezone.now())
    assert seen(api()) == {}


def test_names_are_in_the_viewers_language_and_none_is_given_twice(alice, space, words):
    drawn = make_map(space)
    groups = [make_images(alice, 3) for _ in range(4)]
    for axis, images in zip([0, 0, 1, 2], groups, strict=True):
        encode(images, space, axis, seed=len(images))
    found = [put(drawn, images, n / 4, 0.5) for n, images in enumerate(groups)]
    visible = Image.objects.visible_to(alice)
    names = [one.name for one in regions.seen(drawn, visible, alice.pk)]
    assert len(set(names)) == 4
    assert {"Dogs", "Cats", "Boats"} < set(names)
    with translation.override("zh-hans"):
        assert {"狗", "猫", "小船"} < {one.name for one in regions.seen(drawn, visible, alice.pk)}
    assert len(found) == 4


def a_region(*weights: float, count: int = 10) -> np.ndarray:
    """Return `count` pictures of a region, around a mean of the four axes with these weights."""
    rng = np.random.default_rng(3)
    return np.array(weights, dtype="f4") + rng.normal(scale=0.02, size=(count, 4)).astype("f4")


def test_a_region_has_no_name_where_none_fits():
    """The concept that sets a region apart most is its name only if it fits most of its pictures:
    their scores are at least the relevance line of the word."""
    texts = np.eye(4, dtype="f4")
    groups = [a_region(0.9, 0.1, 0, 0), a_region(0.1, 0.4, 0.1, 0.3), a_region(0.1, 0.8, 0, 0.3)]
    assert regions.fitting(groups, texts)[1], "something always comes first"
    lines = np.full(4, 0.6, dtype="f4")
    assert regions.fitting(groups, texts, lines) == {0: (0,), 2: (1,)}
    # A concept with high scores by chance needs a higher score. No other one takes its place,
    # though the fourth fits.
    lines[[1, 3]] = 0.85, 0.2
    assert regions.fitting(groups, texts, lines) == {0: (0,)}


def test_a_name_fits_most_pictures_of_a_region_not_only_their_mean():
    texts, lines = np.eye(4, dtype="f4"), np.full(4, 0.5, dtype="f4")
    other = a_region(0, 0.9, 0, 0)
    one_in_two = np.concatenate([a_region(1, 0, 0, 0), a_region(0.3, 0, 0, 0)])
    assert one_in_two.mean(axis=0)[0] > lines[0]
    assert regions.fitting([one_in_two, other], texts, lines) == {1: (1,)}
    most = one_in_two[:15]
    assert regions.fitting([most, other], texts, lines) == {0: (0,), 1: (1,)}


def test_a_name_fits_a_region_better_than_the_others():
    """A word that fits all alike, as “birthdays” fits coins and rockets, is no name."""
    texts, lines = np.eye(4, dtype="f4"), np.array([0.2, 0.5, 0.5, 0.5], dtype="f4")
    groups = [a_region(0.9, 0, 0, 0), a_region(0.3, 0.9, 0, 0), a_region(0.3, 0, 0.9, 0)]
    assert regions.fitting(groups, texts, lines) == {1: (1,), 2: (2,)}
    lines[0] = 0.5
    assert regions.fitting(groups, texts, lines) == {0: (0,), 1: (1,), 2: (2,)}


def test_regions_of_one_kind_have_the_same_words_where_nothing_sets_them_apart():
    texts, lines = np.eye(4, dtype="f4"), np.full(4, 0.5, dtype="f4")
    groups = [a_region(1, 0, 0, 0), a_region(0.9, 0.3, 0, 0), a_region(0.9, 0, 0.7, 0)]
    others = [a_region(0, 0.4, 0.4, 0.9, count=30)]
    found = regions.fitting([*groups, *others], texts, lines)
    # The second has a little of the second word, but less than its line.
    assert found == {0: (0,), 1: (0,), 2: (0, 2), 3: (3,)}


def test_a_map_of_few_pictures_has_no_regions(alice, space, words):
    images = make_images(alice, 3)
    encode(images, space, axis=0)
    drawn = make_map(space, count=regions.LEAST_FOR_REGIONS - 1)
    put(drawn, images, 0.5, 0.5)
    assert api(alice).get(EXPLORE).json()["clusters"] == []
    client = Client()
    client.force_login(alice)
    page = client.get("/explore/regions/").content.decode()
    assert f"from {regions.LEAST_FOR_REGIONS} pictures on" in page
    ExploreMap.objects.update(laid_out=regions.LEAST_FOR_REGIONS)
    assert [one["name"] for one in api(alice).get(EXPLORE).json()["clusters"]] == ["Dogs"]


def test_what_no_word_fits_is_other_or_has_the_viewers_own_tag(
    alice, bob, space, words, monkeypatch
):
    lines = np.full(len(concepts.concepts()), np.inf, dtype="f4")
    monkeypatch.setattr(relevance, "lines", lambda space, texts: lines)
    drawn = make_map(space)
    coins, rockets, shells = (
        make_images(alice, 4, visibility="public"),
        make_images(alice, 3, visibility="public"),
        make_images(alice, 2, visibility="public"),
    )
    for axis, images in enumerate([coins, rockets, shells]):
        encode(images, space, axis)
        put(drawn, images, axis / 2, 0.5)
    mine = Tag.objects.create(owner=alice, name="My coins")
    mine.images.set([*coins[:3], rockets[0]])
    seldom = Tag.objects.create(owner=alice, name="Seldom")
    seldom.images.set([shells[0]])

    def shown(user) -> list[str]:
        client = Client()
        client.force_login(user)
        page = client.get("/explore/regions/").content.decode()
        # On the map stand only the names that say something.
        assert page.count("data-on-map") == page.count("data-name=") - page.count(
            'data-name="Other'
        )
        return re.findall(r'data-name="([^"]*)"', page)

    assert shown(alice) == ["My coins", "Other 1", "Other 2"]
    # Nobody sees the tags of others.
    assert shown(bob) == ["Other 1", "Other 2", "Other 3"]
    assert [one["name"] for one in api(alice).get(EXPLORE).json()["clusters"]] == [
        "My coins",
        "",
        "",
    ]
    Image.objects.filter(pk__in=[image.pk for image in rockets]).update(visibility="private")
    assert shown(bob) == ["Other 1", "Other 2"]
    Image.objects.filter(pk__in=[image.pk for image in shells]).update(visibility="private")
    assert shown(bob) == ["Other"]


def test_without_words_there_are_regions_without_names(alice, space):
    images = make_images(alice, 3)
    encode(images, space, axis=0)
    put(make_map(space), images, 0.5, 0.5)

    body = api(alice).get(EXPLORE).json()
    assert not body["named"]
    assert [(one["count"], one["name"]) for one in body["clusters"]] == [(3, "")]
    client = Client()
    client.force_login(alice)
    page = client.get("/explore/regions/").content.decode()
    assert "Region 1" in page
    assert "a worker is encoding the words" in page


def test_the_list_of_concepts_is_whole():
    known = concepts.concepts()
    assert len(known) >= 300
    for side in ("english", "chinese"):
        words = [getattr(concept, side) for concept in known]
        assert all(words)
        assert len(set(words)) == len(words)


@pytest.mark.worker
@pytest.mark.django_db(transaction=True)
def test_real_pictures_get_fitting_names(encoder_worker, alice):
    from skimage import data
    from sklearn.datasets import load_sample_image

    from gallery.indexing.spaces import active_space
    from tests.conftest import PILImage, io

    flower = load_sample_image("flower.jpg")
    found = {}
    for name, pixels in (("coffee", data.coffee()), ("cat", data.chelsea()), ("flower", flower)):
        buffer = io.BytesIO()
        PILImage.fromarray(pixels).save(buffer, "JPEG")
        file = ContentFile(buffer.getvalue(), name=f"{name}.jpg")
        found[name] = add_image(owner=alice, file=file, name=file.name).image
    space = active_space()
    wait_for(lambda: space.embeddings.count() == 3, what="vectors")
    drawn = make_map(space)
    keys = {name: put(drawn, [image], 0.5, 0.5).pk for name, image in found.items()}
    names = {
        one.id: one.name for one in regions.seen(drawn, Image.objects.visible_to(alice), alice.pk)
    }
    assert names[keys["coffee"]] in {"Coffee", "Cups", "Drinks", "Food", "Breakfast"}
    assert names[keys["cat"]] in {"Cats", "Kittens"}
    assert names[keys["flower"]] in {"Flowers", "Cherry blossom"}


# --- Answers ----------------------------------------------------------------------


def test_points_of_a_part_and_their_packed_form(alice, space):
    images = make_images(alice, 3)
    Image.objects.filter(pk=images[0].pk).update(palette=[["#c0392b", 0.5], ["#ffffff", 0.2]])
    drawn = make_map(space)
    region = put(drawn, images, 0.25, 0.5)
    client = api(alice)
    body = client.get(POINTS, {"left": 0.2505, "limit": 1}).json()
    assert len(body["points"]) == 1
    assert body["more"]
    assert client.get(POINTS, {"right": 0.2}).json() == {"points": [], "more": False}
    first = client.get(POINTS, {"right": 0.25}).json()["points"]
    assert first == [
        {
            "image": str(images[0].pk),
            "x": 0.25,
            "y": 0.5,
            "cluster": region.pk,
            "colour": "#c0392b",
        }
    ]
    raw = points.packed(points.within(drawn, Image.objects.visible_to(alice)))
    assert len(raw) == 3 * points.PACKED_BYTES
    records = [struct.unpack(">ffi4B16s", raw[at : at + 32]) for at in range(0, 96, 32)]
    by_id = {uuid.UUID(bytes=record[-1]): record for record in records}
    assert list(by_id) == sorted(by_id)
    assert by_id[images[0].pk][:7] == (0.25, 0.5, region.pk, 0xC0, 0x39, 0x2B, 1)
    assert by_id[images[1].pk][3:7] == (0, 0, 0, 0)


def test_filters_narrow_the_map(alice, bob, space, words):
    own, other = make_images(alice, 2), make_images(bob, 3, visibility="public")
    drawn = make_map(space)
    for axis, images in enumerate([own, other]):
        encode(images, space, axis)
        put(drawn, images, axis / 2, 0.5)
    assert api(alice).get(EXPLORE, {"owner": "me"}).json()["placed"] == 2
    assert len(api(alice).get(POINTS, {"owner": "me"}).json()["points"]) == 2
    client = Client()
    client.force_login(alice)
    assert len(client.get("/explore/points/?scope=mine").content) == 2 * 32
    assert len(client.get("/explore/points/").content) == 5 * 32


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"left": "x"}, "bad_box"),
        ({"top": "-0.1"}, "bad_box"),
        ({"right": "nan"}, "bad_box"),
        ({"bottom": "1e9"}, "bad_box"),
        ({"limit": "0"}, "bad_limit"),
        ({"limit": "99999999999999999999"}, "bad_limit"),
        ({"visibility": "none"}, "invalid_choice"),
    ],
)
def test_bad_input_is_refused(alice, space, query, code):
    make_map(space)
    answer = api(alice).get(POINTS, query)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == code


def test_without_a_map(alice, space):
    encode(make_images(alice, 10), space, axis=0)
    body = api(alice).get(EXPLORE).json()
    assert (body["state"], body["clusters"], body["built_at"]) == ("waiting", [], None)
    assert api(alice).get(POINTS).status_code == 404
    client = Client()
    client.force_login(alice)
    assert b"begins within a minute" in client.get("/explore/").content
    for address in ("/explore/points/", "/explore/regions/", "/explore/regions/1/"):
        assert client.get(address).status_code == 404
    claim = maps.claim(space)
    claim.keep(progress=0.4)
    assert "40 %" in client.get("/explore/").content.decode()
    make_images(alice, 1)
    drawn = ExploreMap.objects.get()
    ExploreMap.objects.update(state="ready", built_at=timezone.now(), claimed_until=None)
    fragment = client.get("/explore/", headers={"HX-Request": "true"})
    assert fragment["HX-Refresh"] == "true"
    assert client.get("/explore/points/")["X-Unplaced"] == "10"
    assert drawn.points.count() == 0


def test_a_region_is_a_list_of_what_one_may_see(alice, bob, space, words):
    private, public = make_images(alice, 2), make_images(alice, 1, visibility="public")
    encode([*private, *public], space, axis=0)
    drawn = make_map(space)
    hers = put(drawn, private, 0.2, 0.2)
    both = put(drawn, public, 0.6, 0.6)
    client = Client()
    client.force_login(bob)
    assert client.get(f"/explore/regions/{hers.pk}/").status_code == 404
    page = client.get(f"/explore/regions/{both.pk}/").content.decode()
    assert str(public[0].pk) in page
    listed = client.get("/explore/regions/").content.decode()
    assert f"/explore/regions/{both.pk}/" in listed
    assert f"/explore/regions/{hers.pk}/" not in listed
    assert not any(str(image.pk) in listed for image in private)
    client.force_login(alice)
    assert client.get(f"/explore/regions/{hers.pk}/").status_code == 200
    assert client.get(f"/explore/regions/{2**70}/").status_code == 404


def test_the_layout_ends_with_the_worker_that_asked():
    sleeper = "import sys, time; from gallery.explore import layout;"
    sleeper += "layout.end_with(int(sys.argv[1])); time.sleep(300)"
    parent = (
        "import os, signal, subprocess, sys;"
        f"run = [sys.executable, '-c', {sleeper!r}, str(os.getpid())];"
        "child = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        "print(child.pid, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", parent], cwd=ROOT, capture_output=True)
    child = int(ended.stdout)
    wait_for(lambda: not _is_alive(child), timeout=30, what="the layout ends")


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
