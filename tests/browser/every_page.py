"""Every page of the site, found by its route. A new page is tested without being named.

A route is a page if it answers a GET with a whole document. `NOT_PAGES` names all others. A route
that is neither fails `of_routes`, and so the tests.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from gallery.encoders import client as encoder_client
from gallery.encoders.base import Vectors, l2_normalise
from gallery.models import (
    AlbumItem,
    EmbeddingSpace,
    ExploreMap,
    Image,
    MapCluster,
    MapPoint,
    SearchRecord,
    ShareLink,
    Tag,
    User,
)
from gallery.organising import saved_searches
from gallery.search.query import syntax
from tests.belongings import Belongings, filled
from tests.conftest import draw, upload
from tests.factories import set_vector
from tests.sharing_tools import page_of
from tests.web_tools import fake_encoder

# The administration belongs to Django, and the API answers in JSON.
_ELSEWHERE = ("admin/", "api/v1/", "api/schema/", "i18n/")
# These redirect accounts without a second factor, signed-in ones, or those with nothing to confirm.
# Their targets are pages themselves.
_MOVED = {302}
# A search for nothing is a page, too.
_SHOWN = {200, 400}
# These routes take only a POST.
_REFUSED = {405}
# Parts of pages, files, and pages that need a key out of an email.
NOT_PAGES = {
    "account_reset_password_from_key",
    "account_confirm_login_code",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_remove_webauthn",
    "mfa_edit_webauthn",
    "query_picture",
    "mfa_login_webauthn",
    "search_complete",
    "image_neighbours",
    "image_month",
    "image_filmstrip",
    "image_shuffled",
    "trash_thumbnail",
    "filter_cameras",
    "filter_owners",
    "explore_points",
    "explore_labels",
    "explore_matches",
    "account_export",
    "shared_download",
    "link_qr",
    "portrait",
}


@dataclass(frozen=True)
class Route:
    name: str
    address: str


@dataclass
class Everything:
    """A gallery with something of each kind in it. `owner` may do everything."""

    owner: User
    space: EmbeddingSpace
    things: Belongings = field(init=False)

    def __post_init__(self) -> None:
        self.things = Belongings(self.owner)
        first, twin = self.things.image, self.things.twin
        self.pictures = [first, twin, *(_named(self.owner, number) for number in range(4))]
        for number, image in enumerate(self.pictures):
            set_vector(image, self.space, (1.0, number / 10, 0.0))
        for number, image in enumerate(self.pictures[2:], 2):
            AlbumItem.objects.create(album=self.things.album, image=image, position=number)
        self.things.tag.images.add(*self.pictures)
        Tag.objects.create(owner=self.owner, name="another")
        self.picture_link = ShareLink.objects.create(created_by=self.owner, image=first)
        self.locked_link = ShareLink.objects.create(
            created_by=self.owner, album=self.things.album, password="a hash of something"
        )
        # A query of pictures, an album by its id, and words: once as saved, once as made.
        self.line = (
            f"like:{first.pk}^1.5 red -like:{twin.pk}[10,10,50,50] album:{self.things.album.pk}"
        )
        saved_searches.save(self.owner, "Like the first", syntax.parse(self.line).query)
        SearchRecord.objects.create(user=self.owner, text=self.line, searched_at=timezone.now())
        self.region = self._map()

    @classmethod
    def make(cls, owner: User, monkeypatch: pytest.MonkeyPatch) -> Everything:
        """Make the gallery. Its encoder knows every text, each as its own direction near "red"."""
        space = fake_encoder(monkeypatch)

        def encode(space: object, texts: list[str], **_: object) -> Vectors:
            aside = [[crc32(text.encode()) % 97 / 97, len(text) % 7 / 7] for text in texts]
            return l2_normalise(np.array([[1.0, *turn] for turn in aside], dtype=np.float32))

        monkeypatch.setattr(encoder_client, "encode_texts", encode)
        monkeypatch.setattr(encoder_client, "encode_own_texts", encode)
        owner.role = User.Role.ADMINISTRATOR
        owner.save()
        return cls(owner, space)

    def of_owner(self) -> list[str]:
        """Return the addresses of all pages for a signed-in user, each once."""
        first = self.things.image.pk
        pages = dict.fromkeys(route.address for route in of_routes(self))
        searches = [
            self.line,
            f"like:{first}",
            "red -green",
            "red tag:sea",
            f"album:{self.things.album.pk}",
            f"id:{first}",
            "color:nothing",
        ]
        return [
            *pages,
            *(f"/search/?q={line}" for line in searches),
            "/?scope=mine&orientation=square",
            f"/?album={self.things.album.pk}",
            "/nowhere/",
        ]

    def of_visitor(self) -> list[str]:
        """Return the addresses of all pages for a visitor, each once."""
        shown = page_of(self.things.link, f"images/{self.pictures[2].pk}/")
        links = [page_of(link) for link in (self.picture_link, self.locked_link)]
        doors = ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]
        more = ["/", f"/search/?q=like:{self.things.image.pk}", "/about/", "/search/help/"]
        return [page_of(self.things.link), shown, *links, *doors, *more]

    def _map(self) -> MapCluster:
        drawn = ExploreMap.objects.create(
            space=self.space, state="ready", built_at=timezone.now(), laid_out=100
        )
        region = MapCluster.objects.create(map=drawn, x=0.5, y=0.5, size=len(self.pictures))
        MapPoint.objects.bulk_create(
            MapPoint(map=drawn, image=image, cluster=region, x=0.4 + number / 20, y=0.5)
            for number, image in enumerate(self.pictures)
        )
        return region

    def values_of(self, address: str) -> dict[str, object]:
        values = self.things.of(address)
        if address.startswith("explore/regions"):
            return {"pk": self.region.pk}
        if address.startswith("duplicates"):
            return {"pk": self.things.change.pk}
        if "username" in values:
            return {**values, "username": self.owner.username}
        if "link_id" in values:
            return {**values, "link_id": self.things.link.pk}
        if "group_id" in values:
            return {**values, "group_id": self.things.group.pk}
        return values


def signed_in(user: User) -> Client:
    """Return a client that has just confirmed the password, which some pages ask for again."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session.save()
    return client


def of_routes(everything: Everything) -> list[Route]:
    """Return the pages among the routes, for the owner. Fail for an unknown route that is no
    page."""
    client = signed_in(everything.owner)
    found, unknown = [], []
    for name, pattern in _routes(get_resolver()):
        if name in NOT_PAGES:
            continue
        address = "/" + filled(pattern, everything.values_of(pattern))
        answer = client.get(address)
        content = b"" if answer.streaming else answer.content
        if answer.status_code in _SHOWN and b"<html" in content:
            found.append(Route(name, address))
        elif answer.status_code not in _MOVED | _REFUSED and not _is_part(answer, content):
            unknown.append((name, address, answer.status_code))
    assert unknown == [], f"give these what they need, or name them in NOT_PAGES: {unknown}"
    return found


def _is_part(answer: object, content: bytes) -> bool:
    """Return whether the answer is a part of a page: markup without a document."""
    kind = answer.headers.get("Content-Type", "")  # type: ignore[attr-defined]
    return answer.status_code == 200 and kind.startswith("text/html")  # type: ignore[attr-defined]


def _routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, str]]:
    """Return (name, pattern) of each route. The patterns have no signs of regular expressions."""
    for entry in resolver.url_patterns:
        pattern = before + str(entry.pattern)
        if pattern.startswith(_ELSEWHERE):
            continue
        if isinstance(entry, URLPattern):
            if entry.name:
                yield entry.name, _plain(pattern)
        else:
            yield from _routes(entry, pattern)


def _plain(pattern: str) -> str:
    """Return a plain pattern. Those of allauth are regular expressions."""
    return re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", pattern).replace("^", "").replace("$", "")


def _named(owner: User, number: int) -> Image:
    return upload(owner, draw(300, 200, (40 * number, 80, 60)), title=f"Picture {number}")
