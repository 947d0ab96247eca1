"""The combination of a query's terms into one vector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from django.utils.translation import gettext as _

from gallery import rate_limits
from gallery.encoders import client
from gallery.encoders.base import Vectors
from gallery.errors import Expired, Refusal
from gallery.indexing.vectors import stored_vector
from gallery.library.query_picture import SmallPicture
from gallery.models import EmbeddingSpace, Image, Viewer
from gallery.search.nearest import sample
from gallery.search.nearest.scans import Kind
from gallery.search.query import query_pictures
from gallery.search.query.query import Query, Term
from gallery.search.relevance.emoji import in_words
from gallery.search.relevance.relevance import Part

# The factor of texts in a query that also has pictures: a text says one thing, a picture many.
# Measured with the starter model on 1,000 photographs with captions (171 queries of a picture and
# a word that does not apply to it; precision at 10 for pictures with both): plain sum .151, by
# spread .201, and with this factor .243, the best from 1 to 2.
TEXT_GAIN = 1.5
# The spreads of those photographs, for libraries that are too small to measure.
TEXT_SPREAD, PICTURE_SPREAD = 0.094, 0.136
# The spread of fewer pictures says little.
_ENOUGH = 30
_LEAST_SPREAD = 1e-3
# A sum that is shorter than this share of its parts has no direction.
_NOTHING = 1e-3


@dataclass(frozen=True)
class Combined:
    """The unit vector (d,) of a query. Its kind determines its usual distance from pictures.
    `exclude_ids` are the stored pictures among the terms, `exclude_sha256s` the hashes of all
    pictures among the terms, `copies_of` the hashes of those with a positive weight."""

    vector: Vectors
    kind: Kind
    parts: Sequence[Part] = ()
    exclude_ids: list[UUID] = field(default_factory=list)
    exclude_sha256s: list[str] = field(default_factory=list)
    copies_of: list[str] = field(default_factory=list)


def combined(
    query: Query, space: EmbeddingSpace, viewer: Viewer, checked: Iterable[Image] = ()
) -> Combined:
    """Return the vector of a query with at least one term. The viewer is known to reach the
    pictures in `checked`.

    Raises Refusal, naming a field like `terms.0.image`, for a picture that the viewer may not reach
    or that has no vector yet, and for terms that cancel each other out. Raises Expired for a query
    picture that is no longer kept, Unavailable if the encoder or the cache is down, and TooMany.
    """
    known = {image.pk: image for image in checked}
    sources = [_source(term, number, viewer, known) for number, term in enumerate(query.terms)]
    vectors = _encode(query.terms, sources, space)
    texts = [term.is_text for term in query.terms]
    weights = [term.weight for term in query.terms]
    pictures = [
        (source.sha256, weight)
        for source, weight in zip(sources, weights, strict=True)
        if source is not None
    ]
    shares = shares_of(vectors, texts, weights, space)
    return Combined(
        vector=shares @ vectors,
        kind="text" if any(texts) else "image",
        parts=[
            Part(vector, "text" if is_text else "image", float(share))
            for vector, is_text, share in zip(vectors, texts, shares, strict=True)
        ],
        exclude_ids=[source.pk for source in sources if isinstance(source, Image)],
        exclude_sha256s=[sha256 for sha256, _weight in pictures],
        copies_of=[sha256 for sha256, weight in pictures if weight > 0],
    )


def shares_of(
    vectors: Vectors, texts: Sequence[bool], weights: Sequence[float], space: EmbeddingSpace
) -> Vectors:
    """Return the shares (n,) of the unit vectors (n, d) of terms in the unit vector of their query.
    `texts` (n) tells which terms are texts.

    The vector of each term is divided by the spread of its scores over a sample of pictures.
    Pictures and texts lie in two cones (Liang et al. 2022, "Mind the gap"): cosines between
    pictures spread wider than cosines with texts, so a picture would dominate a text in a plain
    sum. A constant offset between the scores of two terms does not affect the order.
    Raises Refusal (terms_cancel_out) if the sum has no direction.
    """
    if len(vectors) == 1:
        return np.sign(np.asarray(weights, dtype=np.float32))
    is_text = np.asarray(texts)
    factors = np.asarray(weights, dtype=np.float32) / _spreads(vectors, is_text, space)
    if 0 < is_text.sum() < len(is_text):
        factors = np.where(is_text, TEXT_GAIN * factors, factors)
    length = np.linalg.norm(factors @ vectors)
    if length < _NOTHING * np.abs(factors).sum():
        raise Refusal(
            "terms_cancel_out",
            _("These terms cancel each other out: give them other weights."),
            "terms",
        )
    shares: Vectors = (factors / length).astype(np.float32)
    return shares


def _spreads(vectors: Vectors, is_text: np.ndarray, space: EmbeddingSpace) -> Vectors:
    """Return the standard deviation (n,) of each term's cosines with pictures."""
    pictures = sample.sample_of(space)
    if pictures is None or len(pictures.vectors) < _ENOUGH:
        return np.where(is_text, TEXT_SPREAD, PICTURE_SPREAD).astype(np.float32)
    return np.maximum((pictures.vectors @ vectors.T).std(axis=0), _LEAST_SPREAD)


# --- Vectors of terms -------------------------------------------------------------


def _source(
    term: Term, number: int, viewer: Viewer, known: Mapping[UUID, Image]
) -> Image | SmallPicture | None:
    """Return the picture of a term; None for a text. Raises Refusal (no_such_picture) if the
    picture does not exist or is not for this viewer, without telling which, and Expired for a query
    picture that is no longer kept."""
    if term.image is not None:
        reachable = Image.objects.reachable_by(viewer)
        image = known.get(term.image) or reachable.filter(pk=term.image).first()
        if image is None:
            raise Refusal(
                "no_such_picture",
                _("There is no such picture, or it is not shared with you."),
                f"terms.{number}.image",
            )
        return image
    if term.upload:
        try:
            return query_pictures.load(term.upload, viewer)
        except Expired as expired:
            expired.field = f"terms.{number}.upload"
            raise
    return None


def _encode(
    terms: Sequence[Term], sources: Sequence[Image | SmallPicture | None], space: EmbeddingSpace
) -> Vectors:
    """Return the unit vectors (n, d) of the terms. All texts are encoded in one message."""
    vectors = np.zeros((len(terms), space.dimensions or 0), dtype=np.float32)
    texts = [number for number, term in enumerate(terms) if term.is_text]
    if texts:
        vectors[texts] = client.encode_texts(
            space,
            [in_words(terms[number].text) for number in texts],
            charge=rate_limits.charge_texts,
        )
    for number, (term, source) in enumerate(zip(terms, sources, strict=True)):
        if isinstance(source, Image) and term.crop is None:
            vectors[number] = stored_vector(source, space, f"terms.{number}.image")
        elif isinstance(source, Image) and term.crop is not None:
            vectors[number] = query_pictures.vector_of_part(source, term.crop, space)
        elif isinstance(source, SmallPicture):
            vectors[number] = query_pictures.vector_of(source, term.crop, space)
    return vectors
