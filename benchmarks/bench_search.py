"""Searches at 10,000 to 1,000,000 pictures, next to faiss and Qdrant's `:memory:` client.

Fills an empty database (`make bench` starts one) with synthetic pictures, or measures the
library of an earlier run again. Contenders take turns of a few queries. So other load on the
machine affects all of them alike, and after its first query each one finds its own data in
the CPU caches. The ratios are more reliable than the times.

    make bench ARGS="search --pictures 100000"

To keep the pictures for another time, name a folder:

    DATA_DIR=/folder .venv/bin/python -m clipsite.embedded exec -- \
        .venv/bin/python -m benchmarks search --pictures 1000000
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from typing import TYPE_CHECKING, Any

import django
import numpy as np
from tqdm import tqdm

from benchmarks import made_up_library
from benchmarks.made_up_library import NEWEST, YEARS, Library
from benchmarks.made_up_vectors import World

if TYPE_CHECKING:
    from gallery.models import EmbeddingSpace, User

K = 10
PAGE = 40
# Queries in one turn.
TURN = 5
CAPTION = "made-up caption"
# Words for the sentences of the uncached queries; each sentence is used once.
NOUNS = ("dog", "cat", "horse", "boat", "house", "tree", "child", "bicycle", "street", "hill")
PLACES = ("beach", "forest", "city", "snow", "river", "garden", "kitchen", "field", "desert")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="search", description=__doc__)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=100, help="of each kind, for times")
    parser.add_argument("--recall-queries", type=int, default=1000, help="of each kind")
    parser.add_argument("--skip", default="", help="of qdrant,http: what to leave out")
    options = parser.parse_args(arguments)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    os.environ.setdefault("INDEX_BUILD_MEMORY", "3GB")
    django.setup()
    world = World(options.pictures)
    vectors = world.vectors()
    library = library_of(world, vectors)
    asked = {
        "text": world.texts(options.recall_queries),
        "image": world.pictures_like(vectors, options.recall_queries),
    }
    speed(library, vectors, asked, options)
    filtered(library, vectors, asked, options.queries)
    recall(library, vectors, asked)


# --- The pictures -----------------------------------------------------------------


def library_of(world: World, vectors: np.ndarray) -> Library:
    """Fill the database, or use the library of an earlier run."""
    from django.core.management import call_command

    from gallery.indexing.vector_indexes import has_index, refresh_lists
    from gallery.models import EmbeddingSpace, Image

    call_command("migrate", verbosity=0)
    space = EmbeddingSpace.objects.filter(state="active").first()
    if space is None and not Image.objects.exists():
        start = time.perf_counter()
        library = made_up_library.draw(starter_space(), world.subjects())
        built = made_up_library.load(library, vectors)
        print(
            f"{world.pictures} pictures filled in {time.perf_counter() - start:.0f} s, "
            f"of which the index took {built:.0f} s"
        )
        return library
    if space is None or not has_index(space):
        raise SystemExit("This database holds other pictures: the benchmark wants an empty one.")
    refresh_lists(space)
    library = made_up_library.draw(starter_space(space), world.subjects())
    some = library.ids[:: max(1, len(library.ids) // 100)]
    if Image.objects.count() != len(library.ids) or Image.objects.filter(
        pk__in=some
    ).count() != len(some):
        raise SystemExit("This database holds other pictures: the benchmark wants an empty one.")
    return library


def starter_space(space: EmbeddingSpace | None = None) -> EmbeddingSpace:
    """Save the active space of the bundled model, so that the encoder worker answers for it."""
    from gallery.encoders.registry import get_encoder
    from gallery.models import EmbeddingSpace

    encoder = get_encoder("starter")
    space = space or EmbeddingSpace(architecture="starter", state="active")
    space.dimensions = encoder.dimensions
    space.logit_scale = encoder.logit_scale
    space.checksum = encoder.checksum
    space.save()
    return space


# --- Times ------------------------------------------------------------------------


@dataclass
class Contender:
    """Something that answers queries, and the time of each answer in milliseconds."""

    name: str
    answer: Callable[[int], Any]
    took: list[float] = field(default_factory=list)
    # Slow contenders take part only in each `every`-th turn.
    every: int = 1

    def run(self, number: int) -> None:
        start = time.perf_counter()
        self.answer(number)
        self.took.append((time.perf_counter() - start) * 1000)

    @property
    def median(self) -> float:
        return float(np.median(self.took))

    @property
    def best(self) -> float:
        """The time without other load: the fastest tenth."""
        return float(np.quantile(self.took, 0.1))


def take_turns(contenders: list[Contender], rounds: int) -> None:
    for contender in contenders:
        for number in range(3):  # connections, caches, imports
            contender.answer(-1 - number)
    turns = range(0, rounds, TURN)
    for turn, start in enumerate(tqdm(turns, desc="times", leave=False, disable=None)):
        for contender in contenders:
            if turn % contender.every == 0:
                for number in range(start, min(start + TURN, rounds)):
                    contender.run(number)


def report(contenders: list[Contender], against: Contender, title: str) -> None:
    print(f"\n{title:<44} {'median':>9} {'best 10 %':>10} {'ratio':>7} {'of best':>8}")
    for one in contenders:
        print(
            f"{one.name:<44} {one.median:6.2f} ms {one.best:7.2f} ms"
            f" {one.median / against.median:7.2f} {one.best / against.best:8.2f}"
        )


def speed(library: Library, vectors: np.ndarray, asked: Asked, options: Any) -> None:
    import faiss

    from benchmarks.served import served
    from gallery.indexing.selectors import visible_ids
    from gallery.models import Image, User
    from gallery.search import pages
    from gallery.search.nearest import planner, scans, scope_size

    space, owner = library.space, User.objects.get(username="owner")
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    scope = scans.Scope(*visible_ids(owner), is_whole=True)  # as in a search
    window = pages.FIRST_WINDOW
    size = scope_size.measured(space, scope)

    def faiss_flat(number: int) -> None:
        flat.search(asked["text"][number][None], K)

    def by_index(kind: scans.Kind) -> Callable[[int], Any]:
        probes = size.probes(window, kind)
        return lambda n: scans.in_lists(space, asked[kind][n], scope, window, probes)

    def planned(kind: scans.Kind) -> Callable[[int], Any]:
        return lambda n: planner.nearest(
            space, asked[kind][n], Image.objects.visible_to(owner), window, kind
        )

    against = Contender("faiss IndexFlatIP, float32, one query", faiss_flat)
    contenders = [
        against,
        Contender("the statement, text", by_index("text")),
        Contender("the statement, picture", by_index("image")),
        Contender("the planner with Django, text", planned("text")),
        Contender("the planner with Django, picture", planned("image")),
    ]
    if "qdrant" not in options.skip:
        contenders.append(qdrant(vectors, asked["text"]))
    if "http" in options.skip:
        take_turns(contenders, options.queries)
    else:
        remember(space, asked["text"], owner)
        sentences = unheard()
        with served() as site:
            api = site.signed_in("owner", "benchmark")

            def cached(limit: int) -> Callable[[int], Any]:
                count = len(asked["text"])
                return lambda n: api.search(f"{CAPTION} {n % count}", limit)

            contenders += [
                Contender("HTTP, text known, limit 10", cached(K)),
                Contender(f"HTTP, text known, limit {PAGE}", cached(PAGE)),
                Contender("HTTP, text new, limit 10", lambda n: api.search(next(sentences), K)),
            ]
            take_turns(contenders, options.queries)
    report(contenders, against, f"{len(vectors)} pictures")


Asked = dict[Any, np.ndarray]


def qdrant(vectors: np.ndarray, queries: np.ndarray) -> Contender:
    """Qdrant as in tutorials: the client's local mode, without a server."""
    from qdrant_client import QdrantClient, models

    client = QdrantClient(":memory:")
    client.create_collection(
        "pictures", models.VectorParams(size=vectors.shape[1], distance=models.Distance.COSINE)
    )
    client.upload_collection("pictures", vectors, ids=range(len(vectors)), batch_size=1000)

    def answer(number: int) -> None:
        client.query_points("pictures", queries[number].tolist(), limit=K)

    return Contender("Qdrant, client in :memory:", answer, every=4)


def remember(space: EmbeddingSpace, texts: np.ndarray, owner: User) -> None:
    """Cache the synthetic vectors as if the owner had searched for these texts before."""
    from django.core.cache import cache

    from gallery.encoders import client
    from gallery.requester import Requester

    memory = Requester(account=owner.pk).cache_scope
    cache.set_many(
        {
            client._cache_key(space, f"{CAPTION} {number}", memory): text.astype("<f4").tobytes()
            for number, text in enumerate(texts)
        },
        24 * 3600,
    )


def unheard() -> Iterator[str]:
    """Sentences that are in no cache."""
    pairs = cycle((noun, place) for noun in NOUNS for place in PLACES)
    run = int(time.time())
    for number, (noun, place) in enumerate(pairs):
        yield f"a {noun} near the {place} {run} {number}"


# --- Filters ----------------------------------------------------------------------


def filtered(library: Library, vectors: np.ndarray, asked: Asked, queries: int) -> None:
    """Measure times, full pages and recall of the planner with filters of 50, 5 and 0.5 %."""
    from gallery.models import Album, Image, User
    from gallery.search import pages
    from gallery.search.filters import image_filter
    from gallery.search.nearest import planner

    owner = User.objects.get(username="owner")
    half_way = NEWEST - timedelta(days=365 * YEARS / 2)
    month = NEWEST - timedelta(days=365 * YEARS * 0.05)
    event = Album.objects.get(title="Event")
    mine = ~library.public & ~library.small
    seen = library.public | mine
    cases: dict[str, tuple[dict[str, Any], np.ndarray]] = {
        "none": ({}, seen),
        "owner": ({"owner": "me"}, mine),
        "orientation": ({"orientation": "portrait"}, seen & ~library.landscape),
        "taken, half": (
            {"taken_after": half_way.isoformat()},
            seen & (library.taken <= 365 * YEARS / 2),
        ),
        "taken, 5 %": (
            {"taken_after": month.isoformat()},
            seen & (library.taken <= 365 * YEARS * 0.05),
        ),
        "album of few subjects": ({"album": str(event.pk)}, library.event),
        **{f"camera {name}": ({"camera": name}, seen & (library.camera == name))
           for name in made_up_library.CAMERAS},
        **{f"tag {name}": ({"tag": [name]}, chosen) for name, chosen in library.tags.items()},
    }  # fmt: skip
    print(
        f"\n{'filter':<24} {'share':>7} {'kind':<6} {'median':>9} {'ratio':>6} {'full':>5}"
        f" {'recall@10':>9} {'worst':>6} exact"
    )
    medians: dict[str, float] = {}
    for name, (wanted, mask) in cases.items():
        scope = image_filter.narrow(Image.objects.visible_to(owner), wanted, owner)
        for kind in ("text", "image"):
            took, found, exact = [], [], 0
            for query in asked[kind][:queries]:
                start = time.perf_counter()
                ranking = planner.nearest(
                    library.space, query, scope.all(), pages.FIRST_WINDOW, kind
                )
                took.append((time.perf_counter() - start) * 1000)
                found.append(ranking.ids)
                exact += ranking.exact
            full = all(len(ids) == min(pages.FIRST_WINDOW, mask.sum()) for ids in found)
            recalls = recalled(library, vectors, asked[kind][:queries], mask, found)
            medians.setdefault(kind, float(np.median(took)))
            print(
                f"{name:<24} {mask.mean():6.2%} {kind:<6} {np.median(took):6.2f} ms"
                f" {np.median(took) / medians[kind]:6.2f} {'yes' if full else 'NO':>5}"
                f" {np.mean(recalls):9.3f} {min(recalls):6.1f} {exact / len(took):5.0%}"
            )


# --- Recall -----------------------------------------------------------------------


def recall(library: Library, vectors: np.ndarray, asked: Asked) -> None:
    """Measure recall by kind and viewer, with the worst query of each, which averages hide."""
    from django.contrib.auth.models import AnonymousUser

    from gallery.models import Image, User
    from gallery.search import pages
    from gallery.search.nearest import planner

    users = {user.username: user for user in User.objects.all()}
    scopes: dict[str, tuple[Any, np.ndarray]] = {
        "nearly all": (users["owner"], ~library.small),
        "what is public": (AnonymousUser(), library.public),
        "own or public": (users["small"], library.public | library.small),
        "albums shared with me": (users["member"], library.public | library.shared),
    }
    print(
        f"\n{'viewer':<24} {'pictures':>9} {'kind':<6} {'queries':>7} {'recall@10':>9}"
        f" {'worst':>6} none of ten  exact"
    )
    for name, (viewer, mask) in scopes.items():
        for kind, queries in asked.items():
            rankings = [
                planner.nearest(
                    library.space, query, Image.objects.visible_to(viewer), pages.FIRST_WINDOW, kind
                )
                for query in tqdm(queries, desc=name, leave=False, disable=None)
            ]
            recalls = recalled(library, vectors, queries, mask, [one.ids for one in rankings])
            exact = np.mean([one.exact for one in rankings])
            print(
                f"{name:<24} {mask.sum():>9} {kind:<6} {len(queries):>7} {np.mean(recalls):9.4f}"
                f" {min(recalls):6.1f} {sum(one == 0 for one in recalls):>11}  {exact:5.0%}"
            )


def recalled(
    library: Library,
    vectors: np.ndarray,
    queries: np.ndarray,
    mask: np.ndarray,
    found: list[list[Any]],
) -> list[float]:
    """For each query, the share of its true ten nearest (by brute force) among the first ten
    found."""
    import faiss

    rows = np.flatnonzero(mask)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors[rows])
    _, best = flat.search(queries, min(K, len(rows)))
    truth = [{library.ids[rows[place]] for place in places} for places in best]
    return [
        len(set(ids[:K]) & wanted) / len(wanted) for ids, wanted in zip(found, truth, strict=True)
    ]
