"""Pictures by the words of their titles, descriptions, tags and file names.

PostgreSQL's full-text search: a word matches as it stands or by its English stem,
Chinese and Japanese signs match as a phrase, and so does what stands in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add, or_
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection
from django.db.models import Case, F, FloatField, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.models import Image, Tag, User
from gallery.models.words import JOINTS, SIGNS, Words

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

Viewer = User | AnonymousUser

MAX_WORDS = 30

# Of so many matches the best are sought: a word that more pictures have says little.
_MOST_RANKED = 1000
# A tag counts as much as a word of the title: what ts_rank gives one of weight A.
_TAG_RANK = 0.61

_UNITS = re.compile(r'"([^"]*)"|([^\s"]+)')
# What PostgreSQL takes in no text: NUL, and halves of surrogate pairs.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")

# The units that are words and no stop words, spaced as the texts of the pictures are
# (gallery.models.words).
_SPACED = """
    SELECT spaced
    FROM unnest(%s::text[]) AS unit,
         regexp_replace(regexp_replace(unit, %s, ' ', 'g'), %s, ' \\1 ', 'g') AS spaced
    WHERE numnode(phraseto_tsquery('english', spaced)) > 0
    LIMIT %s
"""

# The same, and whether each of them is anywhere at all. Most sentences have one that is
# not: then nothing else is asked. Cheaper than the question itself, which it never answers.
# PostgreSQL knows the words too late to know how rare they are: in a large library it would
# read all pictures one by one for one that has them.
_KNOWN = f"""
    SET LOCAL enable_seqscan = off;
    WITH units AS MATERIALIZED ({_SPACED})
    SELECT array_agg(spaced), bool_and(
        EXISTS (SELECT FROM gallery_image WHERE words @@ query)
        OR EXISTS (SELECT FROM gallery_image WHERE name_words @@ query)
        OR EXISTS (
            SELECT FROM gallery_tag,
                 regexp_replace(regexp_replace(name, %s, ' ', 'g'), %s, ' \\1 ', 'g') AS named
            WHERE owner_id = %s AND (
                to_tsvector('simple', named) || to_tsvector('english', named)
            ) @@ query
        )
    )
    FROM units,
         LATERAL (SELECT phraseto_tsquery('simple', spaced)
                         || phraseto_tsquery('english', spaced) AS query) AS asked
"""  # noqa: S608 - what is put in is ours


@dataclass(frozen=True)
class _Word:
    """A word or phrase, and the viewer's own tags that have it."""

    query: SearchQuery
    tags: Sequence[UUID]


def with_words(images: ImageQuerySet, text: str, viewer: Viewer) -> ImageQuerySet:
    """`images` that have all the words of `text`: in title or description or, of the
    viewer's own, also in tags or the file name. None where `text` has no words.

    Stop words ("the", "of") do not count, nor does what follows MAX_WORDS words.
    """
    return _matching(images, _words_of(text, viewer), viewer)


def ranked(images: ImageQuerySet, text: str, viewer: Viewer, limit: int) -> list[UUID]:
    """The first `limit` of `with_words`, the best match first: by PostgreSQL's ts_rank,
    for which a title or a tag counts more than a description, and that more than the
    name of a file. Equal ones by id."""
    words = _words_of(text, viewer)
    if not words:
        return []
    some = _matching(images, words, viewer).order_by().values("pk")[:_MOST_RANKED]
    found = Image.objects.filter(pk__in=some).order_by(_rank(words, viewer).desc(), "pk")
    return list(found.values_list("pk", flat=True)[:limit])


def require_words(text: str) -> None:
    """Raises Refusal where `text` has no word that counts."""
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
    # One column for each word, in one question.
    having = {f"has_{number}": Q(words=query) for number, query in enumerate(queries)}
    tags = own.filter(words=reduce(or_, queries)).annotate(**having).values("pk", *having)
    return [
        _Word(query, [tag["pk"] for tag in tags if tag[has]])
        for query, has in zip(queries, having, strict=True)
    ]


def _spaced(text: str) -> list[str]:
    """The different words and phrases of `text` that count."""
    with connection.cursor() as cursor:
        cursor.execute(_SPACED, _units(text))
        return [spaced for (spaced,) in cursor.fetchall()]


def _known(text: str, viewer: Viewer) -> list[str]:
    """The same; none where no picture can have them all."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [*_units(text), JOINTS, f"([{SIGNS}])", viewer.pk or 0])
        cursor.nextset()
        spaced_words, are_known = cursor.fetchone()
        return spaced_words if are_known else []


def _units(text: str) -> list[Any]:
    """The parameters of _SPACED."""
    clean = _NO_TEXT.sub(" ", text)
    units = dict.fromkeys(quoted or plain for quoted, plain in _UNITS.findall(clean))
    return [list(units), JOINTS, f"([{SIGNS}])", MAX_WORDS]


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
    """The word in one of its places, each of which has an index of its own."""
    shown = Q(words=word.query)
    if not viewer.pk:
        return shown
    named = Q(owner_id=viewer.pk, name_words=word.query)
    if not word.tags:
        return shown | named
    # Beside a join, the database would no longer unite what the indexes find.
    places = [Image.objects.filter(place).order_by().values("pk") for place in (shown, named)]
    return Q(pk__in=_tagged(word).union(*places, all=True))


def _tagged(word: _Word) -> QuerySet[Any, Any]:
    return Tag.images.through.objects.filter(tag__in=word.tags).values("image_id")


def _rank(words: list[_Word], viewer: Viewer) -> Any:
    """Each picture has all words: where they stand tells one from another."""
    some = reduce(or_, (word.query for word in words))
    shown = SearchRank(F("words"), some)
    if not viewer.pk:
        return shown
    named = _if(Q(owner_id=viewer.pk), SearchRank(F("name_words"), some))
    tagged = [_if(Q(pk__in=_tagged(word)), Value(_TAG_RANK)) for word in words if word.tags]
    return reduce(add, [shown, named, *tagged])


def _if(condition: Q, then: Any) -> Case:
    return Case(When(condition, then=then), default=0.0, output_field=FloatField())
