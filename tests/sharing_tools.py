"""Helpers that the tests of sharing share."""

from __future__ import annotations

from typing import Any

from django.test import Client

from gallery.models import Album, AlbumItem, AlbumShare, Image, ShareLink, User
from gallery.sharing import links
from tests.conftest import api


def album_of(owner: User, *images: Image, title: str = "Holidays") -> Album:
    album = Album.objects.create(owner=owner, title=title)
    put(album, *images)
    return album


def put(album: Album, *images: Image) -> None:
    start = AlbumItem.objects.filter(album=album).count()
    for place, image in enumerate(images, start):
        AlbumItem.objects.create(album=album, image=image, position=float(place))


def share(album: Album, user: User, role: str = "view") -> AlbumShare:
    return AlbumShare.objects.create(album=album, user=user, role=role, created_by=album.owner)


def link_to(target: Album | Image, by: User | None = None, **values: Any) -> ShareLink:
    kind = "album" if isinstance(target, Album) else "image"
    return links.create_link(by=by or target.owner, **{kind: target}, **values)


def page_of(link: ShareLink, rest: str = "") -> str:
    return f"/s/{link.token}/{rest}"


def shared(link: ShareLink, rest: str = "") -> str:
    return f"/api/v1/shared/{link.token}/{rest}"


def opened(link: ShareLink, password: str = "") -> tuple[Any, dict[str, str]]:
    """Return a program that has opened the link, and its header that says so."""
    client = api()
    answer = client.post(shared(link, "unlock/"), {"password": password})
    assert answer.status_code == 200, answer.content
    return client, {"X-Share-Key": answer.json()["key"]}


def visitor() -> Client:
    return Client(headers={"Accept-Language": "en"})
