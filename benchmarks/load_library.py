"""Accounts with pictures for the load benchmark. A few thousand rows share the files of some
photographs; their vectors lie around those of the photographs."""

from __future__ import annotations

import io
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PILImage
from PIL import ImageEnhance

from benchmarks.analysed import all_done

if TYPE_CHECKING:
    from gallery.models import Image, User

CAMERAS = ("X100", "R5", "Phone", "M10", "")
YEARS = 10
# The spread of vectors around those of their photographs.
SCATTER = 0.02
SETTLED_SECONDS = 300.0
MAP_SECONDS = 120.0
ALBUM = 40


@dataclass
class Account:
    """An account with a session for the pages and a token for the API."""

    username: str
    session: str
    token: str


def fill(people: int, pictures: int, seed: int) -> list[Account]:
    """Fill the empty database of a running site with accounts. Each gets its share of the
    pictures, half of them public, and an album shared with the next account."""
    from gallery.models import Image, User

    if Image.objects.exists():
        raise SystemExit("This database holds pictures: the benchmark wants an empty one.")
    rng = random.Random(seed)
    keeper = User.objects.create_user("keeper")
    kinds = [_kept(keeper, data, f"{n}.jpg") for n, data in enumerate(photographs(seed))]
    _await_settled()
    for kind in kinds:
        kind.refresh_from_db()
    users = User.objects.bulk_create(User(username=f"person{n}") for n in range(people))
    owners = users or [keeper]
    rows = [_copy(rng.choice(kinds), owners[n % len(owners)], rng) for n in range(pictures)]
    Image.objects.bulk_create(rows, batch_size=1000)
    _encode(rows, seed)
    _albums(users, rows)
    _vacuum()
    return [_signed_in(user) for user in users]


def photographs(seed: int) -> list[bytes]:
    """The sample photographs, each also in a darker and a lighter version."""
    from gallery.library.samples import SAMPLES

    found = []
    for sample in SAMPLES:
        with PILImage.open(sample.path()) as opened:
            picture = opened.convert("RGB")
        found += [varied(picture, light) for light in (0.8, 1.0, 1.2)]
    return found


def varied(picture: PILImage.Image, light: float, crop: int = 0) -> bytes:
    """Return a JPEG of a variant: brightness times `light`, and `crop` pixels narrower."""
    width, height = picture.size
    part = picture.crop((crop, 0, width, height))
    buffer = io.BytesIO()
    ImageEnhance.Brightness(part).enhance(light).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _kept(owner: User, data: bytes, name: str) -> Image:
    from django.core.files.base import ContentFile

    from gallery.library.service import add_image

    return add_image(owner=owner, file=ContentFile(data), name=name).image


def _copy(kind: Image, owner: User, rng: random.Random) -> Image:
    from benchmarks.grid import copy_of

    taken = datetime.now(UTC) - timedelta(days=365 * YEARS * rng.random() ** 2)
    copy = copy_of(kind, owner, taken)
    copy.title = f"Picture {rng.randrange(10_000)}"
    copy.camera = rng.choice(CAMERAS)
    copy.visibility = rng.choice(["private", "public"])
    copy.palette, copy.colour_cells = kind.palette, kind.colour_cells
    copy.like = kind.pk  # type: ignore[attr-defined]  # its vector lies around that of `like`
    return copy


def _encode(rows: Sequence[Any], seed: int) -> None:
    from gallery.encoders.base import l2_normalise
    from gallery.indexing.encoding import keep_vectors
    from gallery.models import Embedding, EmbeddingSpace

    space = EmbeddingSpace.objects.get(state="active")
    known = {
        entry.image_id: np.array(entry.vector, dtype=np.float32)
        for entry in Embedding.objects.filter(space=space)
    }
    rng = np.random.default_rng(seed)
    noise = rng.normal(scale=SCATTER, size=(len(rows), space.dimensions)).astype(np.float32)
    vectors = l2_normalise(np.stack([known[row.like] for row in rows]) + noise)
    for start in range(0, len(rows), 1000):
        some = rows[start : start + 1000]
        keep_vectors(space, [row.pk for row in some], vectors[start : start + 1000])
    all_done()


def _albums(users: Sequence[User], rows: Sequence[Image]) -> None:
    """Create an album for each user, shared with the next one."""
    from gallery.models import Album, AlbumItem, AlbumShare

    albums = Album.objects.bulk_create(Album(owner=user, title="Best of") for user in users)
    own: dict[int, list[Image]] = {user.pk: [] for user in users}
    for row in rows:
        own[row.owner_id].append(row)
    AlbumItem.objects.bulk_create(
        AlbumItem(album=album, image=row, position=float(place))
        for album in albums
        for place, row in enumerate(own[album.owner_id][:ALBUM])
    )
    AlbumShare.objects.bulk_create(
        AlbumShare(album=album, user=users[(number + 1) % len(users)], role="view")
        for number, album in enumerate(albums)
        if len(users) > 1
    )


def _signed_in(user: User) -> Account:
    from django.test import Client

    from gallery.accounts import tokens

    browser = Client()
    browser.force_login(user)
    _row, token = tokens.sign_in(user)
    return Account(user.username, browser.cookies["sessionid"].value, token)


def _await_settled() -> None:
    """Wait until workers have done all waiting work."""
    from gallery.models import Analysis

    waiting = Analysis.objects.filter(state="waiting")
    if not _is_soon(lambda: not waiting.exists(), SETTLED_SECONDS):
        raise SystemExit(f"{waiting.count()} analyses of photographs are not done yet.")


def await_map(pictures: int) -> None:
    """Wait until the map is drawn, which takes a core for some time and is no part of the load.
    Delete a map of the photographs alone: it would be drawn again during the load."""
    from gallery.models import ExploreMap

    ExploreMap.objects.filter(laid_out__lt=pictures).delete()
    drawn = ExploreMap.objects.filter(state="ready", laid_out__gte=pictures)
    if not _is_soon(drawn.exists, MAP_SECONDS):
        print(f"After {MAP_SECONDS:.0f} seconds the map is still being drawn, beside the load.")


def _is_soon(done: Callable[[], bool], seconds: float) -> bool:
    """Wait until `done`, for at most `seconds`. Return whether it came true."""
    deadline = time.monotonic() + seconds
    while not (found := done()) and time.monotonic() < deadline:
        time.sleep(1)
    return found


def _vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def fresh_upload(photos: Sequence[PILImage.Image], rng: random.Random) -> bytes:
    """Return a photograph that nobody has uploaded yet."""
    return varied(rng.choice(photos), rng.uniform(0.7, 1.3), rng.randrange(60))


def opened_samples() -> list[PILImage.Image]:
    from gallery.library.samples import SAMPLES

    return [PILImage.open(sample.path()).convert("RGB") for sample in SAMPLES]


def new_name() -> str:
    return f"{uuid.uuid4().hex}.jpg"
