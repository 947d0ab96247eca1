"""Searches of random worlds, compared with brute force in NumPy. Exact answers equal it, those of
the index find nearly all, no answer shows an invisible picture, and all pages together are the
whole list."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gallery.indexing import encoding, vector_indexes
from gallery.models import (
    Album,
    AlbumItem,
    AlbumShare,
    EmbeddingSpace,
    Favourite,
    Image,
    Tag,
    User,
    Viewer,
)
from gallery.search import pages
from gallery.search.filters.narrowed import Narrowed
from gallery.search.nearest import scope_size
from gallery.search.plan import Plan
from gallery.search.results import Clock, Hit
from tests.factories import make_space

PICTURES, DIMENSIONS, K = 3000, 24, 10
START = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class World:
    """Pictures as rows and as arrays. `recalls` are those of all approximate answers, by kind."""

    space: EmbeddingSpace
    users: list[User]
    images: list[Image]
    vectors: np.ndarray
    shared: set[uuid.UUID]
    tagged: set[uuid.UUID]
    liked: set[uuid.UUID]
    seen: Counter[str] = field(default_factory=Counter)
    recalls: dict[str, list[float]] = field(default_factory=lambda: {"text": [], "image": []})

    def __post_init__(self) -> None:
        self.places = {image.pk: place for place, image in enumerate(self.images)}

    def visible(self, viewer: Viewer) -> list[int]:
        """Return the positions in `images` of the visible pictures, by plain rules."""
        return [
            place
            for place, image in enumerate(self.images)
            if image.deleted_at is None
            and (
                image.owner_id == viewer.pk
                or (image.visibility == "public" and image.hidden_at is None)
                # A picture hidden by a moderator is not visible through albums either.
                or (viewer == self.users[1] and image.pk in self.shared and not image.hidden_at)
            )
        ]

    def narrowed(self, places: list[int], viewer: Viewer, wanted: dict[str, Any]) -> list[int]:
        checks = {
            "owner": lambda image, _: image.owner_id == viewer.pk,
            "orientation": lambda image, _: image.width > image.height,
            "camera": lambda image, name: image.camera == name,
            "taken_after": lambda image, day: image.captured_at.date().isoformat() >= day,
            "tag": lambda image, _: viewer == self.users[0] and image.pk in self.tagged,
            "favourite": lambda image, _: viewer == self.users[0] and image.pk in self.liked,
            "album": lambda image, _: viewer in self.users[:2] and image.pk in self.shared,
        }
        return [
            place
            for place in places
            if all(checks[name](self.images[place], value) for name, value in wanted.items())
        ]


@pytest.fixture
def world(transactional_db: None, settings: Any) -> World:
    """Four users and 3,000 pictures in clusters; some are shared, tagged, favourites, hidden or
    deleted."""
    rng = np.random.default_rng(11)
    space = make_space(dimensions=DIMENSIONS)
    users = [User.objects.create_user(name) for name in ("ann", "ben", "cai", "dee")]
    centres = rng.normal(size=(25, DIMENSIONS))
    vectors = centres[rng.integers(0, 25, PICTURES)] + 0.5 * rng.normal(size=(PICTURES, DIMENSIONS))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    images = Image.objects.bulk_create(
        Image(
            # The last user has almost nothing.
            owner=users[3 if place % 300 == 7 else place % 3],
            visibility=rng.choice(["public", "private", "unlisted"], p=[0.5, 0.4, 0.1]),
            hidden_at=START if rng.random() < 0.05 else None,
            deleted_at=START if rng.random() < 0.05 else None,
            file="none",
            sha256=uuid.uuid4().hex,
            byte_size=1,
            content_type="image/jpeg",
            camera=rng.choice(["X100", "Phone"], p=[0.05, 0.95]),
            captured_at=START + timedelta(days=int(rng.integers(0, 1000))),
            width=int(rng.integers(1, 3)),
            height=1,
        )
        for place in range(PICTURES)
    )
    encoding.keep_vectors(space, [image.pk for image in images], vectors)
    anns = [image for image in images if image.owner_id == users[0].pk]
    album = Album.objects.create(owner=users[0], title="Shown to Ben")
    shared = [image for image in anns if rng.random() < 0.3]
    AlbumItem.objects.bulk_create(
        AlbumItem(album=album, image=image, position=place) for place, image in enumerate(shared)
    )
    AlbumShare.objects.create(album=album, user=users[1])
    tag = Tag.objects.create(owner=users[0], name="few")
    tagged = [image for image in anns if rng.random() < 0.05]
    tag.images.set(tagged)
    liked = [image for image in images if rng.random() < 0.1]
    Favourite.objects.bulk_create(Favourite(user=users[0], image=image) for image in liked)
    vector_indexes.create_index(space)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return World(
        space,
        users,
        images,
        vectors.astype(np.float32),
        {image.pk for image in shared},
        {image.pk for image in tagged},
        {image.pk for image in liked},
    )


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "owner": st.just("me"),
        "orientation": st.just("landscape"),
        "camera": st.sampled_from(["X100", "Phone"]),
        "taken_after": st.sampled_from(["2020-06-01", "2022-01-01", "2022-09-20"]),
        "tag": st.just(["few"]),
        "favourite": st.just(True),
        "album": st.just("Shown to Ben"),
    },
)


def test_searches_equal_brute_force(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_indexes, "LISTED_FROM", PICTURES // 2)
    monkeypatch.setattr(scope_size, "LISTED", {"text": 900, "image": 300})
    vector_indexes.refresh_lists(world.space)
    assert vector_indexes.indexed(world.space).lists > 100

    @hypothesis_settings(
        max_examples=50,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        _check(world, data, settings)

    check()
    # The searches took both ways of the planner.
    assert world.seen["exact"] >= 10
    assert world.seen["index"] >= 10
    for kind, recalls in world.recalls.items():
        assert np.mean(recalls) >= 0.97, kind
        assert min(recalls) > 0, kind


def _check(world: World, data: st.DataObject, settings: Any) -> None:
    settings.EXACT_SEARCH_LIMIT = data.draw(st.sampled_from([100, 100, 5000]), "limit")
    viewer: Viewer = data.draw(st.sampled_from([*world.users, AnonymousUser()]), "viewer")
    wanted = data.draw(st.one_of(st.just({}), FILTERS), "filters")
    if not viewer.pk:
        wanted.pop("owner", None)
    if "album" in wanted:
        wanted["album"] = str(Album.objects.get().pk)
    kind = data.draw(st.sampled_from(["text", "image"]), "kind")
    size = data.draw(st.sampled_from([5, 10, 60, 500]), "page")
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), "seed"))
    near = world.vectors[rng.integers(0, PICTURES)] if kind == "image" else 0
    query = near + (0.1 if kind == "image" else 1.0) * rng.normal(size=DIMENSIONS)
    query = (query / np.linalg.norm(query)).astype(np.float32)

    plan = Plan(Narrowed(viewer, wanted), world.space, vector=query, kind=kind)
    page = pages.first(plan, size, Clock())
    first, exact = list(page.hits), page.exact
    hits = list(first)
    while page.next:
        page = pages.continued(page.next, viewer, max(size, 200))
        hits += page.hits

    places = world.narrowed(world.visible(viewer), viewer, wanted)
    cosines = world.vectors @ query
    order = sorted(places, key=lambda place: -cosines[place])
    assert Counter(hit.image.pk for hit in hits) == Counter(world.images[n].pk for n in places)
    assert_falling(first)
    if exact:
        world.seen["exact"] += 1
        # The order is the same, except for pictures that are equally far in half precision.
        mine = cosines[[world.places[hit.image.pk] for hit in hits]]
        assert mine == pytest.approx(cosines[order], abs=2e-3)
        assert [hit.score for hit in hits] == pytest.approx(mine, abs=2e-3)
    else:
        world.seen["index"] += 1
        truth = {world.images[place].pk for place in order[: min(K, len(first))]}
        shown = {hit.image.pk for hit in first[: len(truth)]}
        world.recalls[kind].append(len(truth & shown) / len(truth))


def assert_falling(hits: list[Hit]) -> None:
    scores = [hit.score for hit in hits]
    assert all(score is not None for score in scores)
    assert scores == sorted(scores, key=lambda score: -(score or 0.0))
