"""A library of synthetic pictures in an empty database: rows and vectors, no files.

COPY loads it, and the product's own `create_index` indexes it. Owners, visibility, tags and
albums are random, with the shares below.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.analysed import all_done

if TYPE_CHECKING:
    from gallery.models import EmbeddingSpace

# Half of all pictures are private to one owner, a two-hundredth are private to another one, and
# the rest is public.
PRIVATE, SMALL = 0.5, 0.005
ALBUM_OF_MEMBER = 0.05
CAMERAS = {"X100": 0.05, "M10": 0.005}
TAGS = {"half": 0.5, "twentieth": 0.05, "rare": 0.005}
NEWEST = datetime(2026, 1, 1, tzinfo=UTC)
YEARS = 10
# These are as long as the blur placeholder and the camera settings of a real photograph.
PLACEHOLDER = "data:image/webp;base64," + "A" * 300
EXIF = json.dumps({"Exposure": "1/250 s", "Aperture": "f/4", "ISO": "200", "Lens": "23 mm"})


@dataclass
class Library:
    """The properties of the pictures, as arrays by picture number."""

    space: EmbeddingSpace
    ids: list[uuid.UUID]
    public: np.ndarray
    small: np.ndarray
    shared: np.ndarray
    taken: np.ndarray  # days before NEWEST
    camera: np.ndarray
    tags: dict[str, np.ndarray]
    event: np.ndarray
    landscape: np.ndarray


def draw(space: EmbeddingSpace, subjects: np.ndarray, seed: int = 1) -> Library:
    """Draw a library, which is the same for the same arguments. `event` marks pictures of few
    subjects."""
    count = len(subjects)
    rng = np.random.default_rng(seed)
    part = rng.random(count)
    camera = rng.random(count)
    names = np.full(count, "Phone", dtype=object)
    below = 0.0
    for name, share in CAMERAS.items():
        names[(camera >= below) & (camera < below + share)] = name
        below += share
    private = part < PRIVATE
    return Library(
        space=space,
        ids=[uuid.UUID(bytes=rng.bytes(16), version=4) for _ in range(count)],
        public=part >= PRIVATE + SMALL,
        small=(part >= PRIVATE) & (part < PRIVATE + SMALL),
        shared=private & (rng.random(count) < ALBUM_OF_MEMBER / PRIVATE),
        taken=rng.random(count) * 365 * YEARS,
        camera=names,
        tags={
            name: private & (rng.random(count) < share / PRIVATE) for name, share in TAGS.items()
        },
        event=private & (subjects < subjects.max() * 0.1),
        landscape=rng.random(count) < 0.5,
    )


def load(library: Library, vectors: np.ndarray, *, indexed: bool = True) -> float:
    """Write the library. Return the seconds for building the vector indexes, if they are wanted."""
    from django.db import connection

    from gallery.indexing.vector_indexes import create_index, refresh_lists
    from gallery.models import Album, AlbumShare, Tag, User

    owner, other, small, member = (
        User.objects.create_user(name, password="benchmark")
        for name in ("owner", "other", "small", "member")
    )
    _copy("gallery_image", _image_rows(library, owner.pk, other.pk, small.pk))
    _copy_vectors(library, vectors)
    all_done()
    albums = {"Shared": library.shared, "Event": library.event}
    for title, chosen in albums.items():
        album = Album.objects.create(owner=owner, title=title)
        _copy(
            "gallery_albumitem",
            (
                {"album_id": album.pk, "image_id": pk, "position": n, "added_at": NEWEST}
                for n, pk in enumerate(_chosen(library, chosen))
            ),
        )
        if title == "Shared":
            AlbumShare.objects.create(album=album, user=member)
    for name, chosen in library.tags.items():
        tag = Tag.objects.create(owner=owner, name=name)
        _copy(
            "gallery_tag_images",
            ({"tag_id": tag.pk, "image_id": pk} for pk in _chosen(library, chosen)),
        )
    start = time.perf_counter()
    if indexed:
        create_index(library.space)
        refresh_lists(library.space)
    took = time.perf_counter() - start
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return took


def _chosen(library: Library, chosen: np.ndarray) -> list[uuid.UUID]:
    return [library.ids[number] for number in np.flatnonzero(chosen)]


def _image_rows(library: Library, owner: int, other: int, small: int) -> Iterator[dict[str, Any]]:
    for n, pk in enumerate(library.ids):
        taken = NEWEST - timedelta(days=float(library.taken[n]))
        public = bool(library.public[n])
        yield {
            "id": pk,
            "owner_id": other if public else small if library.small[n] else owner,
            "title": "",
            "description": "",
            "visibility": "public" if public else "private",
            "file": f"originals/{pk}.jpg",
            "sha256": pk.hex * 2,
            "original_name": f"IMG_{n:07}.JPG",
            "byte_size": 2_000_000,
            "content_type": "image/jpeg",
            "width": 4000 if library.landscape[n] else 3000,
            "height": 3000 if library.landscape[n] else 4000,
            "facts": 1,
            "frames": 1,
            "captured_at": taken,
            "ahead_of_utc": 0,
            "is_offset_known": False,
            "camera": library.camera[n],
            "exif": EXIF,
            "placeholder": PLACEHOLDER,
            "palette": "[]",
            "colour_cells": "{}",
            "hidden_reason": "",
            "created_at": taken,
            "updated_at": taken,
        }


def _copy(table: str, rows: Iterable[dict[str, Any]]) -> None:
    from django.db import connection

    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    with connection.cursor() as cursor:
        into = f"COPY {table} ({', '.join(first)}) FROM STDIN"
        with cursor.copy(into) as copy:
            copy.write_row(list(first.values()))
            for row in rows:
                copy.write_row(list(row.values()))


def _copy_vectors(library: Library, vectors: np.ndarray) -> None:
    """Copy the vectors in PostgreSQL's binary format: a halfvec is its length, a zero and the
    halves."""
    from django.db import connection
    from pgvector import HalfVector
    from pgvector.psycopg import register_vector

    columns = "image_id, space_id, vector, encoded_at"
    connection.ensure_connection()
    # This comes before the cursor, which copies the known types.
    register_vector(connection.connection)
    into = f"COPY gallery_embedding ({columns}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        copy.set_types(["uuid", "int8", "halfvec", "timestamptz"])
        for pk, vector in zip(library.ids, vectors, strict=True):
            copy.write_row([pk, library.space.pk, HalfVector(vector), NEWEST])
