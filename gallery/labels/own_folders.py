"""Evaluation with folders of somebody's own: their pictures come one by one, and are not kept.

A picture that is in the gallery already is found by its SHA-256, and its vector is known. Any
other is encoded, and its vector goes back to the sender, who sends all of them in the end: nothing
is stored between the requests.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import IO, Any
from uuid import UUID

import numpy as np
from django.core.files import File
from django.utils.translation import gettext as _

from gallery.encoders import client
from gallery.encoders.base import Vectors
from gallery.errors import Refusal
from gallery.indexing.selectors import visible_to
from gallery.labels import evaluating
from gallery.labels.evaluating import Truths
from gallery.library.query_picture import read_query_picture
from gallery.models import Embedding, EmbeddingSpace, LabelSet, User

MOST = 5_000
_DIGEST = 64
# The vectors of MOST pictures with 2,048 dimensions are smaller.
MAX_BYTES = 32 * 1024**2


def known(hashes: Sequence[str], user: User, space: EmbeddingSpace) -> dict[str, UUID]:
    """Return the encoded pictures that `user` may see by the SHA-256 of their files. The user's
    own ones come first. Raises Refusal (too_many_labels)."""
    if len(hashes) > MOST:
        raise too_many()
    digests = {one for one in hashes if len(one) == _DIGEST}
    seen = visible_to(user).filter(sha256__in=digests)
    encoded = Embedding.objects.filter(space=space, part=0).values("image_id")
    rows = list(seen.filter(pk__in=encoded).values_list("sha256", "pk", "owner_id"))
    rows.sort(key=lambda row: (row[2] == user.pk, row[1]))
    return {sha256: pk for sha256, pk, _owner in rows}


def encode(file: IO[bytes] | File[bytes], name: str, user: User, space: EmbeddingSpace) -> str:
    """Return the vector of a picture, packed as text. The picture is not kept. Raises Refusal,
    TooLarge, TooMany, Unavailable."""
    picture = read_query_picture(file, name, user)
    vector = client.encode_picture(space, picture.packed)
    return base64.b64encode(np.asarray(vector, dtype="<f2").tobytes()).decode("ascii")


def read(data: bytes, label_set: LabelSet, user: User, space: EmbeddingSpace) -> Truths:
    """Read a JSON list of pictures, each with `category`, the name of its folder, and `image`, an
    id, or `vector`, from `encode`. Raises Refusal (bad_labels, too_many_labels, unknown_category).
    """
    entries = _entries(data)
    names = {entry["category"] for entry in entries}
    categories = {name: evaluating.category_of_folder(label_set, name) for name in names}
    vectors = _vectors([entry["image"] for entry in entries if entry.get("image")], user, space)
    found: list[Vectors] = []
    truths: list[UUID | None] = []
    images: list[UUID | None] = []
    places: list[int] = []
    for place, entry in enumerate(entries):
        image = _id(entry["image"]) if entry.get("image") else None
        vector = vectors.get(image) if image else _unpacked(entry.get("vector"), space)
        if vector is not None:
            found.append(vector)
            truths.append(categories[entry["category"]])
            images.append(image)
            places.append(place)
    left_out = len(entries) - len(found)
    return Truths(np.array(found, dtype=np.float32), truths, images, places, left_out)


def too_many() -> Refusal:
    return Refusal(
        "too_many_labels",
        _("Give at most %(most)d labelled pictures at once.") % {"most": MOST},
        "labels",
    )


def _entries(data: bytes) -> list[dict[str, Any]]:
    try:
        entries = json.loads(data)
    except ValueError as error:
        raise _malformed() from error
    if not isinstance(entries, list):
        raise _malformed()
    if len(entries) > MOST:
        raise too_many()
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("category"), str):
            raise _malformed()
    return entries


def _vectors(ids: Sequence[Any], user: User, space: EmbeddingSpace) -> dict[UUID | None, Vectors]:
    seen = visible_to(user).filter(pk__in={_id(one) for one in ids}).values("pk")
    rows = Embedding.objects.filter(space=space, part=0, image__in=seen)
    return {
        image: np.asarray(vector, dtype=np.float32)
        for image, vector in rows.values_list("image_id", "vector")
    }


def _id(text: Any) -> UUID:
    try:
        return UUID(str(text))
    except ValueError as error:
        raise _malformed() from error


def _unpacked(text: Any, space: EmbeddingSpace) -> Vectors:
    """Return a unit vector (d,). Raises Refusal (bad_labels)."""
    try:
        packed = base64.b64decode(str(text), validate=True)
        vector = np.frombuffer(packed, dtype="<f2").astype(np.float32)
    except (binascii.Error, ValueError) as error:
        raise _malformed() from error
    length = float(np.linalg.norm(vector))
    # NaN is not in the interval, either. Halves are exact to three digits.
    if len(vector) != space.dimensions or not 0.9 < length < 1.1:
        raise _malformed()
    return vector / np.float32(length)


def _malformed() -> Refusal:
    return Refusal(
        "bad_labels", _("This is not what the page sends. Load it again, and repeat."), "labels"
    )
