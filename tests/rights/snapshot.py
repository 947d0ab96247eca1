"""Everything that a viewer sees, answer by answer, so that two moments can be compared.

Values that differ between requests without a change are made equal: keys of windows and forms, the
duration of a search, and times since an event. The steps of a search stay.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction

from tests.rights.eyes import Eyes

# Address -> status and body.
Snapshot = dict[str, tuple[int, str]]

AT_ONCE = 24

# These come first: the history records the searches below.
_HISTORY = ["/api/v1/searches/history/", "/searches/history/", "/search/recent/"]
_API = [
    "images/",
    "images/?order=taken&limit=2",
    "images/?camera=camera 0",
    "images/?color=red&archived=false",
    "images/?words=p1",
    "images/?rating=>=3",
    "images/cameras/",
    "timeline/",
    "timeline/?camera=camera 1",
    "tags/",
    "albums/",
    "albums/?show=open",
    "albums/?show=trash",
    "groups/",
    "links/",
    "contributions/",
    "notices/",
    "label-sets/",
    "images/categories/",
    "images/?category=machine 0",
    "images/?category=-human 1",
    "search/complete/?q=category:",
    "trash/",
    "duplicates/",
    "searches/",
    "uploads/",
    "account/",
    "account/usage/",
    "explore/",
    "explore/points/",
    "moderation/images/",
    "search/?q=red&limit=2",
    "search/?q=red&limit=100",
    'search/?q=camera:"camera 0"',
    "search/?q=words:p0",
    "search/complete/?q=camera:",
    "search/complete/?q=album:",
    "search/complete/?q=tag:",
    "search/complete/?q=owner:",
    "search/complete/?q=wor",
]
_PAGES = [
    "/",
    "/?scope=public",
    "/?color=blue",
    "/timeline/",
    "/recent/",
    "/favourites/",
    "/archive/",
    "/albums/",
    "/albums/pick/",
    "/tags/",
    "/categories/",
    "/groups/",
    "/links/",
    "/contributions/",
    "/sharing/",
    "/sharing/by-me/",
    "/sharing/choices/",
    "/notices/",
    "/duplicates/",
    "/searches/",
    "/search/?q=red",
    '/search/?q=camera:"camera 0"',
    "/search/?only=count&camera=camera 0",
    "/search/help/",
    "/filters/cameras/",
    "/filters/owners/",
    "/explore/",
    "/explore/regions/",
    "/account/data/",
    "/trash/",
]
_OF_EACH_PICTURE = [
    "{api}images/{pk}/",
    "{api}images/{pk}/albums/",
    "{api}images/{pk}/labels/",
    "{api}images/{pk}/similar/",
]
_PAGES_OF_EACH_PICTURE = [
    "/images/{pk}/",
    "/images/{pk}/similar/",
    "/images/{pk}/neighbours/",
    "/images/{pk}/month/",
    "/images/{pk}/filmstrip/",
    "/images/{pk}/filmstrip/?list=owner",
]
_OF_EACH_ALBUM = [
    "{api}albums/{pk}/",
    "{api}albums/{pk}/images/",
    "{api}albums/{pk}/shares/",
    "{api}images/?album={pk}",
    "/albums/{pk}/",
    "/albums/{pk}/sharing/",
]
_PAGES_OF_EACH_SET = ["/categories/{pk}/", "/categories/{pk}/state/"]
_API_ROOT = "/api/v1/"

_VARYING = [
    # The key of a window, the token of a form or of htmx, the nonce of a script.
    (re.compile(r"\b[0-9a-f]{32}\b"), "WINDOW"),
    (re.compile(r'(csrfmiddlewaretoken" value="|X-CSRFToken\W+)[A-Za-z0-9]{64}'), r"\1TOKEN"),
    (re.compile(r'nonce="[^"]+"'), "nonce"),
    # The address of a thumbnail changes every few minutes.
    (re.compile(r"thumbnails/\d+-[\w-]{22}/"), "thumbnails/KEY/"),
    (re.compile(r">[0-9.,]+ m?s<"), ">TOOK<"),
    (re.compile(r"took [0-9.,]+ s\b"), "took TOOK"),
    (re.compile(r"\b(now|(\d+|an?)\s\w+ ago)\b"), "AGO"),
]


def taken(eyes: Eyes, addresses: Sequence[str]) -> Snapshot:
    """Take a snapshot. Its changes of the database are undone."""
    with transaction.atomic():
        found = {address: _asked(eyes, address) for address in addresses}
        transaction.set_rollback(True)
    return found


def some_addresses(eyes: Eyes) -> list[str]:
    """Return that many addresses. Each world takes others, so that all get their turn."""
    known = list(_addresses(eyes))
    return [known[place] for place in sorted(eyes.chance.sample(range(len(known)), AT_ONCE))]


def _addresses(eyes: Eyes) -> Iterator[str]:
    yield from _HISTORY
    yield from (f"{_API_ROOT}{address}" for address in _API)
    yield from _PAGES
    for image in eyes.rows.images[: len(eyes.world.pictures)]:
        for address in [*_OF_EACH_PICTURE, *_PAGES_OF_EACH_PICTURE]:
            yield address.format(api=_API_ROOT, pk=image.pk)
    for album in eyes.rows.albums:
        for address in _OF_EACH_ALBUM:
            yield address.format(api=_API_ROOT, pk=album.pk)
    for label_set in eyes.rows.label_sets:
        for address in _PAGES_OF_EACH_SET:
            yield address.format(pk=label_set.pk)
        for category in label_set.categories.all():
            yield f"/categories/{label_set.pk}/{category.pk}/"
    for group in eyes.rows.groups:
        yield f"{_API_ROOT}groups/{group.pk}/"


def compare(eyes: Eyes, what: str, before: Snapshot, now: Snapshot) -> None:
    """Check that each answer of `now` equals the one of `before`."""
    for address, answer in before.items():
        kind = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{id}", address)
        eyes.same(f"{what} {kind}", _difference(answer, now[address]), "")


def _asked(eyes: Eyes, address: str) -> tuple[int, str]:
    client = eyes.client if address.startswith(_API_ROOT) else eyes.pages
    answer = client.get(address)
    assert answer.status_code < 500, address
    if answer.streaming:
        return answer.status_code, ""
    if answer["Content-Type"] == "application/octet-stream":
        return answer.status_code, answer.content.hex()
    text = answer.content.decode()
    eyes.check_signed(text)
    return answer.status_code, _alike(_without_times(text))


def _without_times(text: str) -> str:
    try:
        body = json.loads(text)
    except ValueError:
        return text
    if isinstance(body, dict) and "took_ms" in body:
        body["took_ms"] = sorted(body["took_ms"])
    return json.dumps(body, indent=1)


def _alike(text: str) -> str:
    for varying, alike in _VARYING:
        text = varying.sub(alike, text)
    return text


def _difference(before: Any, now: Any) -> str:
    if before == now:
        return ""
    texts = [f"{status}\n{body}".splitlines() for status, body in (before, now)]
    return "\n".join(difflib.unified_diff(*texts, "before", "now", n=1, lineterm=""))
