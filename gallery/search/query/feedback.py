"""“More like this” and “less like this”: relevance feedback.

    q' = q + β · mean(relevant) − γ · mean(not relevant)

Source: Rocchio 1971, "Relevance feedback in information retrieval"; see Manning, Raghavan,
Schütze 2008, "Introduction to Information Retrieval", chapter 9.

The pictures become terms of the query with the weights β/n and −γ/n. A refined query is therefore
an ordinary query: it can be read, changed, saved and sent as an address.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from gallery.search.query.query import MAX_TERMS, WEIGHT_DIGITS, Query, Term

# The book's β .75 and γ .15 are for text retrieval. These were measured in the scale of
# gallery.search.query.combine, with the starter model on 1,000 photographs with captions. 39
# searches for one word also meant a second word; each round marked one relevant and one other
# picture. Precision at 10 among pictures not yet marked, after one round and after three: .085 and
# .028 with the book's factors, .115 and .090 with these (.033 and .008 without feedback). Larger
# factors would outweigh the searcher's own words.
BETA, GAMMA = 1.5, 0.5


def refine(query: Query, *, more: UUID | None = None, less: UUID | None = None) -> Query:
    """Return `query` with one more relevant picture (`more`) or one more that is not (`less`). A
    picture that was marked before changes sides. If there are more than MAX_TERMS terms, the oldest
    feedback term of the larger side is dropped."""
    picked = more or less
    kept = [term for term in query.terms if not (term.image == picked and term.crop is None)]
    known = _feedback(query)
    relevant = [term for term in kept if term in known and term.weight > 0]
    others = [term for term in kept if term in known and term.weight < 0]
    base = [term for term in kept if term not in known]
    if picked is not None:
        (relevant if more else others).append(Term(image=picked))
    while len(base) + len(relevant) + len(others) > MAX_TERMS and relevant + others:
        (relevant if len(relevant) >= len(others) else others).pop(0)
    if not base and not others and len(relevant) == 1:
        return replace(query, terms=(replace(relevant[0], weight=1.0),))
    weighted = [*_weighted(relevant, BETA), *_weighted(others, -GAMMA)]
    return replace(query, terms=(*base, *weighted))


def _feedback(query: Query) -> set[Term]:
    """Return the feedback terms: n whole pictures that all have the weight of n feedback terms.
    Pictures with other weights are the searcher's own terms."""
    found: set[Term] = set()
    for factor in (BETA, -GAMMA):
        pictures = [term for term in query.terms if term.image is not None and term.crop is None]
        for count in range(1, len(pictures) + 1):
            same = [term for term in pictures if term.weight == _share(factor, count)]
            if len(same) == count:
                found.update(same)
                break
    return found


def _weighted(terms: list[Term], factor: float) -> list[Term]:
    return [replace(term, weight=_share(factor, len(terms))) for term in terms]


def _share(factor: float, count: int) -> float:
    return round(factor / count, WEIGHT_DIGITS)
