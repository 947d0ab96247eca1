"""What pages and API show of the results of a search."""

from __future__ import annotations

from dataclasses import dataclass

from gallery.models import Image, Viewer
from gallery.search.relevance.relevance import Fit
from gallery.search.results import Results


@dataclass(frozen=True)
class ShownHit:
    """A result as one viewer is shown it.

    `name` is the title or, for the owner of an untitled picture, the file name. `is_match` is
    `Results.is_match`. All other fields are those of the Hit.
    """

    image: Image
    name: str
    score: float | None
    fit: Fit | None
    share: float
    by_words: bool
    is_match: bool
    similar: list[Image]


def shown_hits(results: Results, viewer: Viewer) -> list[ShownHit]:
    """Return the hits of a page, in their order."""
    return [
        ShownHit(
            image=hit.image,
            name=hit.image.name_for(viewer),
            score=hit.score,
            fit=hit.fit,
            share=hit.share,
            by_words=hit.by_words,
            is_match=results.is_match(hit),
            similar=hit.similar,
        )
        for hit in results.hits
    ]
