"""Search by the words of titles, descriptions, tags and file names.

This is PostgreSQL's full-text search. A word matches literally or by its English stem. A word
without diacritics also matches the word with them. Chinese and Japanese characters match as a
phrase, and so does text in quotes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import add, or_
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection
from django.db.models import Case, F, FloatField, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from gallery import prepared, viewer_cache
from gallery.errors import Refusal
from gallery.models import Album, AlbumItem, Image, Tag, User, Viewer
from gallery.models.words import Words

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

MAX_WORDS = 30

# At most this many matches are ranked. A word that more pictures have says little.
_MOST_RANKED = 1000
# If the viewer's albums have at most this many pictures, these are read one by one.
_MOST_GATHERED = 1000
# A tag counts as much as a word of the title: the ts_rank of one word of weight A.
_TAG_RANK = 0.61

_UNITS = re.compile(r'"([^"]*)"|([^\s"]+)')
# Characters that PostgreSQL accepts in no text: NUL and surrogates.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")

# The units that are not only stop words, spaced like the texts of the pictures
# (gallery.models.words).
_SPACED = """
    SELECT spaced
    FROM unnest(%s::text[]) AS unit, gallery_spaced(unit) AS spaced
    WHERE numnode(phraseto_tsquery('english', spaced)) > 0
    LIMIT %s
"""

# The same units, and whether each occurs in a place that the viewer may search. Most sentences
# have a unit that does not, and then no further query runs. This query is cheaper than the search
# itself but does not replace it. It reads only places that the viewer may search: otherwise its
# duration would tell what others write.
# PostgreSQL plans before it knows the words and their frequencies. Without the two settings it
# may read all pictures of a large library one by one, or along an unrelated index.
_KNOWN = f"""
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_indexscan = off;
    WITH units AS MATERIALIZED ({_SPACED})
    SELECT array_agg(spaced), bool_and({{places}})
    FROM units,
         LATERAL (SELECT phraseto_tsquery('simple', spaced)
                         || phraseto_tsquery('english', spaced) AS query) AS asked
"""  # noqa: S608 - all inserted SQL is ours


class _Asked(SearchQuery):
    """The current word of _KNOWN."""

    def __init__(self) -> None:
        super().__init__("")

    def as_sql(  # type: ignore[override]
        self, compiler: Any, connection: Any, function: Any = None, template: Any = None
    ) -> tuple[str, list[Any]]:
        return "asked.query", []


@dataclass(frozen=True)
class _Word:
    """A word or phrase, and the viewer's own tags that contain it."""

    query: SearchQuery
    tags: Sequence[UUID]


def with_words(images: ImageQuerySet, text: str, viewer: Viewer) -> ImageQuerySet:
    """Return the `images` that have all words of `text` in the title or description. For the
    viewer's own pictures tags and the file name count, too. Empty if `text` has no words.

    Stop words ("the", "of") do not count, nor do words after the first MAX_WORDS.
    """
    return _matching(images, _words_of(text, viewer), viewer)


def having(ids: Collection[UUID], text: str, viewer: Viewer) -> set[UUID]:
    """Return those of `ids` that have all words of `text`. The viewer may see all of `ids`."""
    words = _words_of(text, viewer)
    if not ids or not words:
        return set()
    images = Image.objects.filter(pk__in=ids).order_by()
    for word in words:
        places = Q(words=word.query)
        if viewer.pk:
            places |= Q(owner_id=viewer.pk, name_words=word.query) | Q(pk__in=_tagged(word))
        images = images.filter(places)
    return set(images.values_list("pk", flat=True))


def ranked(images: ImageQuerySet, text: str, viewer: Viewer, limit: int) -> list[UUID]:
    """Return the first `limit` pictures of `with_words` by PostgreSQL's ts_rank, best first, ties
    by id. Titles and tags count more than descriptions, and these more than file names. Only
    _MOST_RANKED matches are ranked."""
    words = _words_of(text, viewer)
    if not words:
        return []
    some = _matching(images, words, viewer).order_by().values("pk")[:_MOST_RANKED]
    found = Image.objects.filter(pk__in=some).order_by(_rank(words, viewer).desc(), "pk")
    return list(found.values_list("pk", flat=True)[:limit])


def require_words(text: str) -> None:
    """Raise Refusal (no_words) if `text` has no word that counts."""
    if not _spaced(text):
        raise Refusal(
            "no_words",
            _("Give other words: the most common ones and signs alone do not count."),
            "words",
        )


def _words_of(text: str, viewer: Viewer) -> list[_Word]:
    spaced_words = _known(text, viewer)
    if not spaced_words:
        return []
    queries = [_query(spaced) for spaced in spaced_words]
    if not viewer.pk:
        return [_Word(query, ()) for query in queries]
    own = Tag.objects.filter(owner_id=viewer.pk).alias(words=Words("name")).order_by()
    # One query with a column for each word.
    having = {f"has_{number}": Q(words=query) for number, query in enumerate(queries)}
    tags = own.filter(words=reduce(or_, queries)).annotate(**having).values("pk", *having)
    return [
        _Word(query, [tag["pk"] for tag in tags if tag[has]])
        for query, has in zip(queries, having, strict=True)
    ]


def _spaced(text: str) -> list[str]:
    """Return the distinct words and phrases of `text` that count."""
    with connection.cursor() as cursor:
        cursor.execute(_SPACED, _units(text))
        return [spaced for (spaced,) in cursor.fetchall()]


def _known(text: str, viewer: Viewer) -> list[str]:
    """Return the same, or nothing if one of them occurs nowhere that the viewer may search."""
    places, params = _places(viewer, _gathers(viewer))
    with prepared.settings_ending(), connection.cursor() as cursor:
        cursor.execute(_KNOWN.format(places=places), [*_units(text), *params])
        cursor.nextset()
        cursor.nextset()
        spaced_words, are_known = cursor.fetchone()
        return spaced_words if are_known else []


def _gathers(viewer: Viewer) -> bool:
    """Whether the viewer's albums are small enough to read them for each word, without an index of
    words that covers other users' pictures."""
    return isinstance(viewer, User) and _has_few_in_albums(viewer, int(time.time() / 60))


@lru_cache(maxsize=viewer_cache.MAX_VIEWERS)
def _has_few_in_albums(viewer: User, minute: int) -> bool:
    """The same for a user; `minute` makes the cache expire."""
    albums = Album.objects.visible_to(viewer).order_by().values("pk")
    items = AlbumItem.objects.filter(album__in=albums).order_by().values("pk")
    return items[: _MOST_GATHERED + 1].count() <= _MOST_GATHERED


@lru_cache(maxsize=viewer_cache.MAX_VIEWERS)
def _places(viewer: Viewer, gathered: bool) -> tuple[str, tuple[Any, ...]]:
    """Return the SQL condition, with its parameters, that the current word of _KNOWN occurs in a
    place that the viewer may search. It is built once for each viewer."""
    asked = _Asked()
    found: list[QuerySet[Any]] = _places_with(asked, viewer, gathered)
    if viewer.pk:
        own_tags = Tag.objects.filter(owner_id=viewer.pk).alias(words=Words("name"))
        found.append(own_tags.filter(words=asked))
    compiled = [places.order_by().values("pk").query.sql_with_params() for places in found]
    sql = " OR ".join(f"EXISTS ({statement})" for statement, _params in compiled)
    return sql, tuple(param for _statement, params in compiled for param in params)


def _places_with(query: Any, viewer: Viewer, gathered: bool) -> list[QuerySet[Any]]:
    """Return one queryset of pictures with the word for each place that the viewer may search."""
    parts = Image.objects.parts_visible_to(viewer, gathered=gathered)
    shown = [part.filter(words=query) for part in parts]
    if not viewer.pk:
        return [*shown]
    return [*shown, Image.objects.owned_by(viewer).filter(name_words=query)]


def _units(text: str) -> list[Any]:
    """Return the parameters of _SPACED."""
    clean = _NO_TEXT.sub(" ", text)
    units = dict.fromkeys(quoted or plain for quoted, plain in _UNITS.findall(clean))
    return [list(units), MAX_WORDS]


def _query(spaced: str) -> SearchQuery:
    as_it_stands = SearchQuery(spaced, config="simple", search_type="phrase")
    return as_it_stands | SearchQuery(spaced, config="english", search_type="phrase")


def _matching(images: ImageQuerySet, words: list[_Word], viewer: Viewer) -> ImageQuerySet:
    if not words:
        return images.none()
    for word in words:
        images = images.filter(_somewhere(word, viewer))
    return images


def _somewhere(word: _Word, viewer: Viewer) -> Q:
    """Return the condition that the word occurs in one of its places. Each place has its own
    index, and no pictures that the viewer may not see are read."""
    first, *others = [
        places.order_by().values("pk")
        for places in _places_with(word.query, viewer, _gathers(viewer))
    ]
    if word.tags:
        others.append(_tagged(word))
    return Q(pk__in=first.union(*others, all=True) if others else first)


def _tagged(word: _Word) -> QuerySet[Any, Any]:
    return Tag.images.through.objects.filter(tag__in=word.tags).values("image_id")


def _rank(words: list[_Word], viewer: Viewer) -> Any:
    """Return the rank. All pictures have all words and differ in the places of the words."""
    some = reduce(or_, (word.query for word in words))
    shown = SearchRank(F("words"), some)
    if not viewer.pk:
        return shown
    named = _if(Q(owner_id=viewer.pk), SearchRank(F("name_words"), some))
    tagged = [_if(Q(pk__in=_tagged(word)), Value(_TAG_RANK)) for word in words if word.tags]
    return reduce(add, [shown, named, *tagged])


def _if(condition: Q, then: Any) -> Case:
    return Case(When(condition, then=then), default=0.0, output_field=FloatField())
