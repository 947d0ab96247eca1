"""“More like this” and “less like this”: relevance feedback.

    q' = q + β · mean(relevant) − γ · mean(not relevant)

Source: Rocchio 1971, "Relevance feedback in information retrieval"; see Manning, Raghavan,
Schütze 2008, "Introduction to Information Retrieval", chapter 9.

The pictures become terms of the query with the weights β/n and −γ/n, so that a refined
query is one like any other: it can be read, changed, kept and sent as an address.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from gallery.search.query.query import MAX_TERMS, WEIGHT_DIGITS, Query, Term

# The book's β .75 and γ .15 are for texts alone. Measured in the scale of
# gallery.search.query.combine with the starter model on 1,000 photographs with captions: 39
# searches for one word that meant a second one too, a relevant and another picture
# named in each round; precision among the first ten that were not named yet, after one
# round and after three: .085 and .028 with the book's factors, .115 and .090 with these
# (.033 and .008 without feedback). More would push the searcher's own words aside.
BETA, GAMMA = 1.5, 0.5


def refine(query: Query, *, more: UUID | None = None, less: UUID | None = None) -> Query:
    """`query` with one more picture that is relevant, or one that is not. A picture that
    was named before changes sides; where terms are too many, the oldest of those that
    came by feedback is left out."""
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
    """The terms that came by feedback: n whole pictures, each with the weight that n of
    them have. Others were put there with a weight of their own."""
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
