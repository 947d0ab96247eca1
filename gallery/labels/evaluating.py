"""Reads labelled pictures, by which somebody evaluates a set: ids and categories as JSON, or a CSV
file with ids or file names."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
from django.contrib.auth.models import AnonymousUser
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from gallery import spelling
from gallery.encoders import client
from gallery.encoders.base import Vectors
from gallery.errors import Refusal
from gallery.indexing.selectors import visible_to
from gallery.labels import sets
from gallery.labels.files import decoded
from gallery.library.query_picture import read_query_picture
from gallery.models import Embedding, EmbeddingSpace, LabelSet, User

logger = logging.getLogger(__name__)

MOST = 20_000
_NAMES = ("image", "file", "picture", "name")


@dataclass(frozen=True)
class Labelled:
    """A picture, by its id or file name, and its category; empty: none of the set."""

    image: str
    category: str


def read_csv(data: bytes) -> list[Labelled]:
    """Read a CSV file with the columns image (or file) and category. Raises Refusal."""
    rows = list(csv.reader(io.StringIO(decoded(data))))
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    column = next((header.index(name) for name in _NAMES if name in header), None)
    if column is None or "category" not in header:
        raise Refusal(
            "bad_labels",
            _("The first line of the file names its columns: “image” and “category”."),
            "file",
        )
    category = header.index("category")
    return [
        Labelled(row[column].strip(), row[category].strip())
        for row in rows[1:]
        if len(row) > max(column, category) and row[column].strip()
    ]


@dataclass(frozen=True)
class Truths:
    """Pictures with known categories: unit vectors (n, d), `categories` (n; None: none of the
    set), `images` (n), their ids (None for pictures that are not in the gallery), and `places`
    (n), where they stand in what was given. `left_out` counts those without a vector."""

    vectors: Vectors
    categories: list[UUID | None]
    images: list[UUID | None]
    places: list[int]
    left_out: int


def vectors_of(
    labelled: Sequence[Labelled], label_set: LabelSet, user: User, space: EmbeddingSpace
) -> Truths:
    """Return the pictures that `user` may see and that are encoded. Raises Refusal
    (too_many_labels, unknown_category)."""
    if len(labelled) > MOST:
        raise Refusal(
            "too_many_labels",
            _("Give at most %(most)d labelled pictures at once.") % {"most": MOST},
            "labels",
        )
    categories = {
        name: sets.category(label_set, name, "labels").pk
        for name in {entry.category for entry in labelled if entry.category}
    }
    ids = _ids(labelled, user)
    rows = Embedding.objects.filter(space=space, part=0, image__in=_listed(ids.values()))
    known = dict(rows.values_list("image_id", "vector"))
    places = [n for n, entry in enumerate(labelled) if ids.get(entry.image) in known]
    found = [labelled[place] for place in places]
    images: list[UUID | None] = [ids[entry.image] for entry in found]
    vectors = [np.asarray(known[image], dtype=np.float32) for image in images if image]
    return Truths(
        np.array(vectors, dtype=np.float32),
        [categories.get(entry.category) for entry in found],
        images,
        places,
        len(labelled) - len(found),
    )


def folder(path: Path, label_set: LabelSet, space: EmbeddingSpace) -> Truths:
    """Return the same for a folder on the disk of the server that has a folder of pictures for
    each category; one named “none” is for none of the set. The pictures are encoded and not kept.
    Raises Refusal (no_labels, unknown_category), Unavailable."""
    vectors: list[Vectors] = []
    truths: list[UUID | None] = []
    left_out = 0
    for part in sorted(each for each in path.iterdir() if each.is_dir()):
        category = category_of_folder(label_set, part.name)
        for file in sorted(each for each in part.iterdir() if each.is_file()):
            try:
                with file.open("rb") as stream:
                    picture = read_query_picture(stream, file.name, AnonymousUser())
            except Refusal as reason:
                logger.warning("%s is left out: %s", file, reason)
                left_out += 1
                continue
            vectors.append(client.encode_picture(space, picture.packed))
            truths.append(category)
    count = len(truths)
    unknown: list[UUID | None] = [None] * count
    return Truths(
        np.array(vectors, dtype=np.float32), truths, unknown, list(range(count)), left_out
    )


def category_of_folder(label_set: LabelSet, name: str) -> UUID | None:
    """Return the category of the pictures in a folder of this name; None for “none”: they are of
    no category. Raises Refusal (unknown_category)."""
    return None if name == "none" else sets.category(label_set, name, "labels").pk


def _listed(ids: Iterable[UUID]) -> RawSQL:
    """Return ids as one parameter: thousands of them would take seconds to be written out."""
    return RawSQL("SELECT unnest(%s::uuid[])", [list(ids)])


def _ids(labelled: Sequence[Labelled], user: User) -> dict[str, UUID]:
    """Return the pictures that `user` may see by the ids, and own ones by the file names, as they
    are written."""
    by_id, names = {}, set()
    for entry in labelled:
        try:
            by_id[UUID(entry.image)] = entry.image
        except ValueError:
            names.add(spelling.clean_name(entry.image))
    seen = visible_to(user).filter(pk__in=_listed(by_id)).values_list("pk", flat=True)
    found = {by_id[pk]: pk for pk in seen}
    own = visible_to(user).filter(owner=user, original_name__in=names)
    by_name = dict(own.order_by("-created_at").values_list("original_name", "pk"))
    for entry in labelled:
        name = spelling.clean_name(entry.image)
        if entry.image not in found and name in by_name:
            found[entry.image] = by_name[name]
    return found
