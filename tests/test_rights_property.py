"""Random worlds of people, pictures, albums, groups, shares and links: everything that
the product shows, counts, searches, sends and changes is compared with a plain model of
who may see what (tests/rights_model.py)."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import hypothesis
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from pgvector import HalfVector
from rest_framework.test import APIClient

from gallery.encoders.base import l2_normalise
from gallery.models import (
    Album,
    AlbumItem,
    AlbumShare,
    Embedding,
    EmbeddingSpace,
    Favourite,
    Group,
    Image,
    ShareLink,
    Tag,
    User,
)
from tests import web_tools
from tests.conftest import draw
from tests.rights_model import Book, Circle, Link, Person, Picture, Share, Viewer, World

pytestmark = pytest.mark.django_db

PEOPLE = 4
EXAMPLES = 24
CHECKS_AT_ONCE = 4
PICTURES_AT_ONCE = 2
# How often each kind of answer was compared with the model, for those who want to know.
compared: Counter[str] = Counter()


# --- Worlds ---------------------------------------------------------------------------


def world_of(chance: Random) -> World:
    """Crowded on purpose: few people and pictures, of which much is shared."""
    people = range(PEOPLE)
    pictures = [
        Picture(
            owner=chance.choice(people),
            visibility=chance.choice(["private", "private", "unlisted", "public"]),
            in_trash=chance.random() < 0.2,
            hidden=chance.random() < 0.2,
            archived=chance.random() < 0.2,
            tagged=chance.random() < 0.5,
        )
        for _ in range(chance.randint(2, 7))
    ]
    numbers = range(len(pictures))
    books = [
        Book(
            owner=chance.choice(people),
            in_trash=chance.random() < 0.2,
            pictures=chance.sample(numbers, chance.randint(0, len(numbers))),
        )
        for _ in range(chance.randint(1, 3))
    ]
    circles = [
        Circle(chance.choice(people), set(chance.sample(people, chance.randint(0, 3))))
        for _ in range(chance.randint(0, 2))
    ]
    return World(
        users=[
            Person(),
            Person(role=chance.choice(["user", "moderator"])),
            Person(),
            Person(is_active=chance.random() < 0.7),
        ],
        pictures=pictures,
        books=books,
        circles=circles,
        shares=shares_of(chance, books, circles),
        links=[link_of(chance, books, pictures) for _ in range(chance.randint(0, 3))],
        favourites={
            (chance.choice(people), chance.choice(numbers)) for _ in range(chance.randint(0, 6))
        },
    )


def shares_of(chance: Random, books: list[Book], circles: list[Circle]) -> list[Share]:
    """Each album with each person and each group once at most."""
    shares = {}
    for _ in range(chance.randint(0, 5)):
        book = chance.randrange(len(books))
        by_group = bool(circles) and chance.random() < 0.5
        person = None if by_group else chance.randrange(PEOPLE)
        circle = chance.randrange(len(circles)) if by_group else None
        role = chance.choice(["view", "add", "manage"])
        shares[book, person, circle] = Share(book, person, circle, role)
    return list(shares.values())


def link_of(chance: Random, books: list[Book], pictures: list[Picture]) -> Link:
    """Mostly by who owned what it leads to when it was made."""
    book = chance.randrange(len(books)) if chance.random() < 0.5 else None
    picture = chance.randrange(len(pictures)) if book is None else None
    target = pictures[picture] if picture is not None else books[book or 0]
    return Link(
        book=book,
        picture=picture,
        maker=target.owner if chance.random() < 0.7 else chance.randrange(PEOPLE),
        state=chance.choice(["live", "live", "live", "revoked", "expired"]),
        allow_download=chance.random() < 0.5,
    )


class Rows:
    """The world in the database."""

    def __init__(self, world: World, space: EmbeddingSpace, file: str) -> None:
        self.world = world
        now = timezone.now()
        self.users = User.objects.bulk_create(
            User(username=f"user{n}", password="!", role=p.role, is_active=p.is_active)
            for n, p in enumerate(world.users)
        )
        self.images = Image.objects.bulk_create(
            self._image(number, picture, file, now) for number, picture in enumerate(world.pictures)
        )
        self.number = {image.pk: number for number, image in enumerate(self.images)}
        self._vectors(space)
        self._tags()
        Favourite.objects.bulk_create(
            Favourite(user=self.users[who], image=self.images[which])
            for who, which in world.favourites
        )
        self.albums = Album.objects.bulk_create(
            Album(owner=self.users[b.owner], title=f"a{n}", deleted_at=now if b.in_trash else None)
            for n, b in enumerate(world.books)
        )
        AlbumItem.objects.bulk_create(
            AlbumItem(album=album, image=self.images[which], position=float(place))
            for album, book in zip(self.albums, world.books, strict=True)
            for place, which in enumerate(book.pictures)
        )
        self.groups = Group.objects.bulk_create(
            Group(owner=self.users[circle.owner], name=f"g{n}")
            for n, circle in enumerate(world.circles)
        )
        for group, circle in zip(self.groups, world.circles, strict=True):
            group.members.set([self.users[member] for member in circle.members])
        self.shares = AlbumShare.objects.bulk_create(
            AlbumShare(
                album=self.albums[s.book],
                user=None if s.person is None else self.users[s.person],
                group=None if s.circle is None else self.groups[s.circle],
                role=s.role,
                created_by=self.users[0],
            )
            for s in world.shares
        )
        self.links = ShareLink.objects.bulk_create(
            ShareLink(
                album=None if link.book is None else self.albums[link.book],
                image=None if link.picture is None else self.images[link.picture],
                created_by=self.users[link.maker],
                allow_download=link.allow_download,
                revoked_at=now if link.state == "revoked" else None,
                expires_at=now - timedelta(1) if link.state == "expired" else None,
            )
            for link in world.links
        )

    def _image(self, number: int, picture: Picture, file: str, now: datetime) -> Image:
        return Image(
            owner=self.users[picture.owner],
            visibility=picture.visibility,
            title=f"p{number}",
            original_name=f"own-{number}.jpg",
            file=file,
            sha256=f"{number:064x}",
            byte_size=default_storage.size(file),
            content_type="image/jpeg",
            width=64,
            height=48,
            camera=f"camera {number}",
            captured_at=datetime(2020, number + 1, 1, tzinfo=UTC),
            deleted_at=now if picture.in_trash else None,
            hidden_at=now if picture.hidden else None,
            archived_at=now if picture.archived else None,
        )

    def _vectors(self, space: EmbeddingSpace) -> None:
        Embedding.objects.bulk_create(
            Embedding(
                image=image,
                space=space,
                state=Embedding.State.ENCODED,
                vector=HalfVector(l2_normalise(np.array([[1.0, number / 9, 0.1]]))[0]),
            )
            for number, image in enumerate(self.images)
        )

    def _tags(self) -> None:
        for user in self.users:
            tag = Tag.objects.create(owner=user, name="word")
            tag.images.set(
                image
                for image, picture in zip(self.images, self.world.pictures, strict=True)
                if picture.tagged and image.owner == user
            )


class Eyes:
    """What one viewer is shown, as numbers of the model."""

    def __init__(self, rows: Rows, viewer: Viewer, chance: Random) -> None:
        self.rows, self.world, self.viewer, self.chance = rows, rows.world, viewer, chance
        self.client, self.pages = APIClient(), Client()
        if viewer is not None:
            self.client.force_authenticate(rows.users[viewer])
            self.pages.force_login(rows.users[viewer])

    def same(self, what: str, got: Any, wanted: Any) -> None:
        compared[what] += 1
        assert got == wanted, f"{what} for {self.viewer} in {self.world}"

    def get(self, address: str, **query: Any) -> Any:
        answer = self.client.get(f"/api/v1/{address}", query)
        assert answer.status_code < 500, address
        return answer

    def status(self, method: str, address: str, body: Any = None) -> int:
        """Whatever it changes is taken back."""
        with transaction.atomic():
            answer = getattr(self.client, method)(f"/api/v1/{address}", body)
            transaction.set_rollback(True)
        return int(answer.status_code)

    def post(self, address: str, body: Any) -> Any:
        with transaction.atomic():
            answer = self.client.post(f"/api/v1/{address}", body)
            transaction.set_rollback(True)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def numbers(self, answer: Any) -> list[int]:
        assert answer.status_code == 200, answer.content
        return [self.number(row.get("image", row)["id"]) for row in answer.json()["results"]]

    def number(self, pk: str) -> int:
        return next(number for key, number in self.rows.number.items() if str(key) == pk)

    def found(self, address: str, **query: Any) -> list[int]:
        return sorted(self.numbers(self.get(address, **query)))

    def on_page(self, address: str) -> list[int]:
        answer = self.pages.get(address)
        assert answer.status_code == 200, address
        return sorted(self.number(pk) for pk in web_tools.tiles(answer))


# --- What is compared -------------------------------------------------------------------


def check_lists(eyes: Eyes) -> None:
    world, viewer = eyes.world, eyes.viewer
    seen, own = world.seen(viewer), world.owned(viewer)
    archived = {n for n in seen if world.pictures[n].archived}
    liked = {which for who, which in world.favourites if who == viewer}
    tagged = {n for n in own if world.pictures[n].tagged}
    public = {n for n in seen if world.pictures[n].visibility == "public"}
    for what, query, wanted in [
        ("GET images/", {}, seen),
        ("GET images/?order=taken", {"order": "taken"}, seen),
        ("GET images/?owner=me", {"owner": "me"}, own),
        ("GET images/?owner=", {"owner": "user0"}, seen & world.owned(0)),
        ("GET images/?visibility=", {"visibility": "public"}, public),
        ("GET images/?favourite=", {"favourite": "true"}, seen & liked),
        ("GET images/?tag=", {"tag": "word"}, tagged),
        ("GET images/?archived=true", {"archived": "true"}, archived & own),
        ("GET images/?archived=false", {"archived": "false"}, seen - archived),
        ("GET images/?camera=", {"camera": "camera 0"}, seen & {0}),
        (
            "GET images/?id=",
            {"id": ",".join(str(image.pk) for image in eyes.rows.images)},
            seen,
        ),
    ]:
        eyes.same(what, eyes.found("images/", **query), sorted(wanted))
    first = eyes.get("images/", limit=1)
    eyes.same("GET images/?limit=1", bool(first.json()["next"]), len(seen) > 1)
    if viewer is not None:
        deleted = world.owned(viewer, in_trash=True)
        eyes.same("GET trash/", eyes.found("trash/"), sorted(deleted))
    hidden = {n for n, p in enumerate(world.pictures) if p.hidden and not p.in_trash}
    answer = eyes.get("moderation/images/")
    if world.moderates(viewer):
        eyes.same("GET moderation/images/", sorted(eyes.numbers(answer)), sorted(hidden))
    else:
        eyes.same("GET moderation/images/", answer.status_code in (401, 404), True)


def check_counts(eyes: Eyes) -> None:
    world, viewer = eyes.world, eyes.viewer
    seen, own = world.seen(viewer), world.owned(viewer)
    size = eyes.rows.images[0].byte_size
    months = {f"2020-{n + 1:02}": 1 for n in seen if not world.pictures[n].archived}
    timeline = eyes.get("timeline/").json()
    eyes.same("GET timeline/", {m["month"]: m["count"] for m in timeline["months"]}, months)
    eyes.same("GET timeline/ total", timeline["total"], len(months))
    cameras = {row["camera"]: row["count"] for row in eyes.get("images/cameras/").json()}
    eyes.same("GET images/cameras/", cameras, {f"camera {n}": 1 for n in seen})
    everything = {"ids": [str(image.pk) for image in eyes.rows.images]}
    for what, selection in [("all", {"all": True}), ("ids", everything)]:
        counted = eyes.post("selection/count/", {"selection": selection})
        wanted = {"count": len(seen), "owned": len(own), "bytes": size * len(seen)}
        eyes.same(f"POST selection/count/ {what}", counted, wanted)
    if viewer is not None:
        rows = eyes.get("tags/").json()
        tags = {row["name"]: row["count"] for row in rows.get("results", rows)}
        tagged = sum(world.pictures[n].tagged for n in own)
        eyes.same("GET tags/", tags, {"word": tagged} if tagged else {})


def check_searches(eyes: Eyes) -> None:
    world, viewer = eyes.world, eyes.viewer
    seen = world.seen(viewer)
    for limit in (2, 100):
        answer = eyes.get("search/", q="red", limit=limit)
        found = eyes.numbers(answer)
        while following := answer.json()["next"]:
            answer = eyes.client.get(following)
            found += eyes.numbers(answer)
        eyes.same("GET search/?q=", sorted(found), sorted(seen))
    cursor = eyes.pages.get("/search/", {"q": "red"})
    page = sorted(eyes.number(pk) for pk in web_tools.tiles(cursor))
    eyes.same("page search", page, sorted(seen))


def check_each_picture(eyes: Eyes) -> None:
    """By its id: looked at, sent, searched by, classified, changed."""
    world, viewer = eyes.world, eyes.viewer
    some = eyes.chance.sample(range(len(world.pictures)), PICTURES_AT_ONCE)
    for number in some:
        image, picture = eyes.rows.images[number], world.pictures[number]
        at = f"images/{image.pk}/"
        reachable = 200 if world.reaches(number, viewer) else 404
        owned = picture.owner == viewer and not picture.in_trash
        answer = eyes.get(at)
        eyes.same("GET images/{id}/", answer.status_code, reachable)
        if reachable == 200:
            eyes.same("sha256", answer.json()["sha256"] is not None, owned)
            eyes.same("original_name", answer.json()["original_name"] is not None, owned)
            eyes.same("tags", answer.json()["tags"] is not None, owned)
            mark = (viewer, number) in world.favourites
            eyes.same("favourite", answer.json()["favourite"], mark)
            similar = eyes.found(f"{at}similar/", limit=100)
            eyes.same("GET similar/", similar, sorted(world.seen(viewer) - {number}))
            albums = {a["title"] for a in eyes.get(f"{at}albums/").json()["results"]}
            holding = {
                f"a{b}" for b in world.seen_books(viewer) if number in world.books[b].pictures
            }
            eyes.same("GET images/{id}/albums/", albums, holding)
        else:
            for rest in ("similar/", "albums/"):
                eyes.same(f"GET {rest}", eyes.get(f"{at}{rest}").status_code, 404)
        for rest in ("file/", "thumbnail/?w=320"):
            answer = eyes.client.get(f"/api/v1/{at}{rest}")
            eyes.same(f"GET {rest}", answer.status_code, reachable)
            if rest == "file/" and reachable == 200:
                original = answer["Content-Type"] == "image/jpeg"
                eyes.same("original to its owner alone", original, owned)
            cached = {"headers": {"If-None-Match": answer.get("ETag") or "*"}}
            again = eyes.client.get(f"/api/v1/{at}{rest}", **cached)
            eyes.same("304", again.status_code, 304 if reachable == 200 else 404)
        eyes.same("page", eyes.pages.get(f"/images/{image.pk}/").status_code, reachable)
        classes = {"classnames": ["red", "green"], "templates": ["{}"]}
        status = eyes.status("post", f"{at}classify/", classes)
        eyes.same("POST classify/", status, reachable)
        check_changes(eyes, number, at, owned)


def check_changes(eyes: Eyes, number: int, at: str, owned: bool) -> None:
    world, viewer = eyes.world, eyes.viewer
    for what, method, rest, body, done in [
        ("PATCH images/{id}/", "patch", "", {"title": "x"}, 200),
        ("DELETE images/{id}/", "delete", "", None, 204),
        ("PUT tags/", "put", "tags/", {"tags": ["a"]}, 200),
        ("POST retry/", "post", "retry/", None, 200),
    ]:
        eyes.same(what, eyes.status(method, f"{at}{rest}", body), done if owned else 404)
    in_trash = number in world.owned(viewer, in_trash=True)
    eyes.same("POST restore/", eyes.status("post", f"{at}restore/"), 200 if in_trash else 404)
    pk = eyes.rows.images[number].pk
    removed = eyes.status("delete", f"trash/{pk}/")
    eyes.same("DELETE trash/{id}/", removed, 204 if in_trash else 404)
    liked = eyes.status("put", f"{at}favourite/")
    if viewer is None:
        eyes.same("PUT favourite/", liked in (401, 404), True)
    else:
        eyes.same("PUT favourite/", liked, 204 if world.sees(number, viewer) else 404)
    judge = world.moderates(viewer) and world.reaches(number, viewer)
    hidden = eyes.status("post", f"{at}hide/", {"reason": "because"})
    eyes.same("POST hide/", hidden, (400 if owned else 200) if judge else 404)
    link = eyes.status("post", "links/", {"image": str(pk)})
    eyes.same("POST links/ image", link, 401 if viewer is None else 201 if owned else 400)


def check_albums(eyes: Eyes) -> None:
    world, viewer = eyes.world, eyes.viewer
    if viewer is not None:
        listed = {row["title"] for row in eyes.get("albums/").json()["results"]}
        eyes.same("GET albums/", listed, {f"a{b}" for b in world.seen_books(viewer)})
    for number, album in enumerate(eyes.rows.albums):
        at = f"albums/{album.pk}/"
        inside = world.seen_in(number, viewer)
        visible = world.sees_book(number, viewer)
        answer = eyes.get(at)
        eyes.same("GET albums/{id}/", answer.status_code, 200 if visible else 404)
        if visible:
            eyes.same("albums/{id}/ count", answer.json()["count"], len(inside))
            cover = answer.json()["cover"]
            eyes.same("album cover", cover is None or eyes.number(cover["id"]) in inside, True)
            eyes.same("GET albums/{id}/images/", eyes.numbers(eyes.get(f"{at}images/")), inside)
            eyes.same("page album", eyes.on_page(f"/albums/{album.pk}/"), sorted(inside))
        else:
            eyes.same("GET albums/{id}/images/", eyes.get(f"{at}images/").status_code, 404)
        filtered = eyes.found("images/", album=str(album.pk))
        eyes.same("GET images/?album=", filtered, sorted(inside))
        check_album_changes(eyes, number, at)


def check_album_changes(eyes: Eyes, number: int, at: str) -> None:
    world, viewer = eyes.world, eyes.viewer
    manages = world.manages(number, viewer)
    owns = "owner" in world.roles_in(number, viewer)
    for what, method, rest, body, done in [
        ("PATCH albums/{id}/", "patch", "", {"title": "x"}, 200),
        ("GET shares/", "get", "shares/", None, 200),
        ("POST albums/{id}/move/", "post", "move/", {"ids": []}, 200),
    ]:
        status = eyes.status(method, f"{at}{rest}", body)
        eyes.same(what, status in (done,) if manages else status in (403, 404), True)
    removed = eyes.status("delete", at)
    eyes.same("DELETE albums/{id}/", removed == 204 if owns else removed in (403, 404), True)
    others = world.sees_book(number, viewer) and world.books[number].owner != viewer
    eyes.same("POST leave/", eyes.status("post", f"{at}leave/"), 200 if others else 404)
    mine = [p for p in world.books[number].pictures if world.pictures[p].owner == viewer]
    withdrawn = eyes.status("post", f"{at}withdraw/")
    eyes.same("POST withdraw/", withdrawn, 200 if mine else 404)
    link = eyes.status("post", "links/", {"album": str(eyes.rows.albums[number].pk)})
    eyes.same("POST links/ album", link, 401 if viewer is None else 201 if manages else 400)


def check_bulk(eyes: Eyes) -> None:
    """Of all that can be named, only what one may change changes."""
    world, viewer = eyes.world, eyes.viewer
    if viewer is None:
        body = {"selection": {"all": True}, "action": "trash"}
        eyes.same("POST images/bulk/", eyes.status("post", "images/bulk/", body), 401)
        return
    seen, own = world.seen(viewer), world.owned(viewer)
    everything = {"ids": [str(image.pk) for image in eyes.rows.images]}

    def run(action: str, **params: Any) -> Any:
        return eyes.post("images/bulk/", {"selection": everything, "action": action, **params})

    done = run("trash")
    eyes.same("bulk trash", (done["matched"], done["changed"]), (len(seen), len(own)))
    done = run("favourite")
    liked = {which for who, which in world.favourites if who == viewer}
    eyes.same("bulk favourite", done["changed"], len(seen - liked))
    done = run("set_visibility", visibility="public")
    private = [n for n in own if world.pictures[n].visibility != "public"]
    eyes.same("bulk set_visibility", done["changed"], len(private))
    done = run("add_tags", tags=["new"])
    eyes.same("bulk add_tags", done["changed"], len(own))
    done = run("archive")
    eyes.same("bulk archive", done["changed"], sum(not world.pictures[n].archived for n in own))
    done = run("restore")
    trashed = world.owned(viewer, in_trash=True)
    eyes.same("bulk restore", done["changed"], len(trashed))
    for number, album in enumerate(eyes.rows.albums):
        book = world.books[number]
        body = {"selection": everything, "album": str(album.pk)}
        if world.may_add(number, viewer):
            done = run("add_to_album", album=str(album.pk))
            eyes.same("bulk add_to_album", done["changed"], len(own - set(book.pictures)))
        else:
            status = eyes.status("post", "images/bulk/", {**body, "action": "add_to_album"})
            eyes.same("bulk add_to_album", status, 400)
        if world.sees_book(number, viewer):
            done = run("remove_from_album", album=str(album.pk))
            mine = set(book.pictures) & (seen if world.manages(number, viewer) else own)
            eyes.same("bulk remove_from_album", done["changed"], len(mine))
        else:
            status = eyes.status("post", "images/bulk/", {**body, "action": "remove_from_album"})
            eyes.same("bulk remove_from_album", status, 400)


def check_archives(eyes: Eyes) -> None:
    """What a ZIP file really holds."""
    world, viewer = eyes.world, eyes.viewer
    if viewer is None:
        status = eyes.status("post", "downloads/", {"selection": {"all": True}})
        eyes.same("POST downloads/", status, 401)
        return
    seen = world.seen(viewer)
    with transaction.atomic():
        answer = eyes.client.post("/api/v1/downloads/", {"selection": {"all": True}})
        if seen:
            names = names_in(eyes.client.get(answer.json()["url"]))
            own = world.owned(viewer)
            wanted = [f"own-{n}.jpg" for n in own]
            wanted += [f"{eyes.rows.images[n].pk}.webp" for n in seen - own]
            eyes.same("GET downloads/{id}/", names, sorted(wanted))
        else:
            eyes.same("GET downloads/{id}/", answer.status_code, 400)
        transaction.set_rollback(True)
    mine = world.owned(viewer) | world.owned(viewer, in_trash=True)
    exported = names_in(eyes.get("account/export/"))
    eyes.same(
        "GET account/export/",
        [name for name in exported if name != "clipsite.json"],
        sorted(f"pictures/own-{n}.jpg" for n in mine),
    )


def names_in(answer: Any) -> list[str]:
    assert answer.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    return sorted(archive.namelist())


def check_pages(eyes: Eyes) -> None:
    world, viewer = eyes.world, eyes.viewer
    seen, own = world.seen(viewer), world.owned(viewer)
    kept = {n for n in seen if not world.pictures[n].archived}
    eyes.same("page home", eyes.on_page("/"), sorted(kept))
    if viewer is None:
        for address in ("/favourites/", "/archive/", "/albums/", "/tags/", "/links/", "/groups/"):
            eyes.same("pages of accounts", eyes.pages.get(address).status_code, 302)
        return
    liked = {which for who, which in world.favourites if who == viewer}
    eyes.same("page home mine", eyes.on_page("/?scope=mine"), sorted(kept & own))
    eyes.same("page favourites", eyes.on_page("/favourites/"), sorted(liked & seen))
    eyes.same("page archive", eyes.on_page("/archive/"), sorted(own - kept))
    page = eyes.pages.get("/albums/").content.decode()
    shown = {n for n, album in enumerate(eyes.rows.albums) if f"/albums/{album.pk}/" in page}
    eyes.same("page albums", shown, world.seen_books(viewer))


def check_groups(eyes: Eyes) -> None:
    world, viewer = eyes.world, eyes.viewer
    mine = world.seen_circles(viewer)
    for number, group in enumerate(eyes.rows.groups):
        at = f"groups/{group.pk}/"
        circle = world.circles[number]
        eyes.same("GET groups/{id}/", eyes.get(at).status_code, 200 if number in mine else 404)
        owns = circle.owner == viewer
        renamed = eyes.status("patch", at, {"name": "x"})
        eyes.same("PATCH groups/{id}/", renamed, 200 if owns else 404)
        leaves = number in mine and not owns
        left = eyes.status("post", f"{at}leave/")
        eyes.same("POST groups/{id}/leave/", left, 204 if leaves else 404)
    if viewer is None:
        return
    listed = {row["name"] for row in eyes.get("groups/").json()["results"]}
    eyes.same("GET groups/", listed, {f"g{n}" for n in mine})
    rows = eyes.get("contributions/").json()["results"]
    counts = {row["album"]["title"]: row["count"] for row in rows}
    wanted = {f"a{b}": count for b, count in world.contributions(viewer).items()}
    eyes.same("GET contributions/", counts, wanted)
    listed = {row["id"] for row in eyes.get("links/").json()["results"]}
    managed = {str(eyes.rows.links[n].pk) for n in world.managed_links(viewer)}
    eyes.same("GET links/", listed, managed)


def check_links(eyes: Eyes) -> None:
    """A link shows the same to everybody, whoever comes by it."""
    world = eyes.world
    for number, link in enumerate(world.links):
        row = eyes.rows.links[number]
        wanted = world.shown_by(link)
        at = f"shared/{row.token}/"
        works = 404 if wanted is None else 200
        eyes.same("GET shared/", eyes.get(at).status_code, works)
        eyes.same("page shared", eyes.pages.get(f"/s/{row.token}/").status_code, works)
        answer = eyes.get(f"{at}images/")
        eyes.same("GET shared/images/ status", answer.status_code, works)
        if wanted is not None:
            eyes.same("GET shared/images/", eyes.numbers(answer), wanted)
        for which, image in enumerate(eyes.rows.images):
            shown = 200 if wanted is not None and which in wanted else 404
            for rest in ("file/", "thumbnail/?w=320"):
                address = f"/api/v1/{at}images/{image.pk}/{rest}"
                eyes.same(f"GET shared {rest}", eyes.client.get(address).status_code, shown)
            page = eyes.pages.get(f"/s/{row.token}/images/{image.pk}/")
            eyes.same("page shared picture", page.status_code, shown)
        answer = eyes.get(f"{at}download/")
        if wanted is None or not link.allow_download:
            refused = 404 if wanted is None else 403
            eyes.same("GET shared/download/", answer.status_code, refused)
        else:
            eyes.same("GET shared/download/", len(names_in(answer)), len(wanted))
        managed = number in world.managed_links(eyes.viewer)
        revoked = eyes.status("delete", f"links/{row.pk}/")
        eyes.same("DELETE links/{id}/", revoked, 204 if managed else 404)


CHECKS: list[Callable[[Eyes], None]] = [
    check_lists,
    check_counts,
    check_searches,
    check_each_picture,
    check_albums,
    check_bulk,
    check_archives,
    check_pages,
    check_groups,
    check_links,
]


# --- The test ---------------------------------------------------------------------------


@pytest.fixture
def stage(
    monkeypatch: pytest.MonkeyPatch,
    rings: list[Any],
    caplog: pytest.LogCaptureFixture,
    settings: Any,
) -> Iterator[Callable[[World], Rows]]:
    """Worlds in the database, with a stubbed encoder: the words are beside the point."""
    space = web_tools.fake_encoder(monkeypatch)
    # Windows of two: they are widened, and the index is asked as well.
    monkeypatch.setattr("gallery.search.pages.FIRST_WINDOW", 2)
    settings.LIMITS = settings.VISITOR_LIMITS = {}
    file = default_storage.save("originals/0/picture.jpg", ContentFile(draw()))
    # Thousands of pictures that are not there are no news.
    caplog.set_level("ERROR", "django.request")
    compared.clear()
    yield lambda world: Rows(world, space, file)
    print(f"\n{sum(compared.values())} answers of {len(compared)} kinds compared with the model")
    print(json.dumps(compared.most_common()))


@pytest.mark.parametrize("exact_up_to", [5000, 1], ids=["exact", "approximate"])
def test_everybody_sees_what_the_model_says(
    stage: Callable[[World], Rows], settings: Any, exact_up_to: int
) -> None:
    settings.EXACT_SEARCH_LIMIT = exact_up_to

    @hypothesis.settings(
        max_examples=EXAMPLES,
        # A failure names its world, which is small; shrinking it would take minutes.
        phases=[Phase.generate],
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32 - 1))
    def compare(seed: int) -> None:
        chance = Random(seed)
        world = world_of(chance)
        viewers = [None, *(n for n, person in enumerate(world.users) if person.is_active)]
        with transaction.atomic():
            rows = stage(world)
            # Somebody with an account more often than not, and a part of the checks.
            eyes = Eyes(rows, chance.choice([*viewers, *viewers[1:]]), chance)
            for check in chance.sample(CHECKS, CHECKS_AT_ONCE):
                check(eyes)
            transaction.set_rollback(True)

    compare()
