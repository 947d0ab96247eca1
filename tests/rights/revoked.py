"""Stored data does not outlive a right: cursors, windows, caches, entity tags, downloads, query
pictures and links are checked after the right of a viewer ends. Data stored for one person is
useless for another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from tests.conftest import draw
from tests.rights import checks, counts, snapshot
from tests.rights.checks import names_in
from tests.rights.eyes import Eyes, client_of
from tests.rights.model import Link, Picture

# The checks that are repeated after a right ends.
CHECKED_AGAIN: list[Callable[[Eyes], None]] = [
    checks.check_lists,
    checks.check_searches,
    checks.check_albums,
    checks.check_pages,
    checks.check_groups,
    counts.check_counts,
    counts.check_album_summaries,
    counts.check_facets,
    counts.check_completion,
    counts.check_map,
]
CHECKED_AT_ONCE = 2
FILES = ("file/", "thumbnail/?w=320")


# --- Caches and other people ----------------------------------------------------------


def check_one_after_another(eyes: Eyes) -> None:
    """Somebody else asks the same just before. The answers stay the same."""
    if not eyes.others:
        return
    addresses = snapshot.some_addresses(eyes)
    snapshot.taken(eyes, addresses)
    other = Eyes(eyes.rows, eyes.chance.choice(eyes.others), eyes.chance)
    after = snapshot.taken(other, addresses)
    _empty_cache()
    alone = snapshot.taken(other.opened_again(), addresses)
    snapshot.compare(other, "after another", alone, after)


def check_what_belongs_to_one(eyes: Eyes) -> None:
    """Another person uses cursors, query pictures and downloads of one person."""
    other = Eyes(eyes.rows, eyes.chance.choice([None, *eyes.others]), eyes.chance)
    if other.viewer == eyes.viewer:
        return
    following = eyes.get("search/", q="red", limit=1).json()["next"]
    if following:
        cursor = following.split("cursor=")[1].split("&")[0]
        eyes.same("cursor of another", other.client.get(following).status_code, 410)
        sent = other.client.post("/api/v1/search/", {"cursor": cursor}, format="json")
        eyes.same("cursor of another, sent", sent.status_code, 410)
        page = other.pages.get("/search/", {"c": cursor}, headers={"HX-Request": "true"})
        eyes.same("cursor of another, page", page.status_code, 410)
        matches = other.pages.get("/search/", {"only": "matches", "of": cursor})
        eyes.same("cursor of another, count", matches.status_code, 410)
        selection = {"search": {"cursor": cursor, "count": 1}}
        counted = other.client.post("/api/v1/selection/count/", {"selection": selection})
        eyes.same("cursor of another, selection", counted.status_code, 410)
    file = SimpleUploadedFile("query.jpg", draw(), "image/jpeg")
    sent = eyes.client.post("/api/v1/search/pictures/", {"file": file}, format="multipart")
    picture = sent.json()["id"]
    mine = eyes.pages.get(f"/search/pictures/{picture}/").status_code
    eyes.same("query picture", mine, 200)
    theirs = other.pages.get(f"/search/pictures/{picture}/").status_code
    eyes.same("query picture of another, page", theirs, 410)
    term = {"terms": [{"upload": picture}]}
    eyes.same(
        "query picture of another", other.client.post("/api/v1/search/", term).status_code, 410
    )
    if eyes.viewer is not None and eyes.world.seen(eyes.viewer):
        noted = eyes.client.post("/api/v1/downloads/", {"selection": {"all": True}}).json()["url"]
        eyes.same("download of another", other.client.get(noted).status_code, 404)


# --- After a right has ended ------------------------------------------------------------


@dataclass
class Kept:
    """What a person and the visitors of links hold before a right ends. `seen` are the pictures
    that the viewer saw, `first` those of the first pages."""

    seen: set[int]
    next_found: str | None
    first_found: set[int]
    next_listed: str | None
    first_listed: set[int]
    tags: dict[str, str] = field(default_factory=dict)
    download: str | None = None
    visitors: list[APIClient] = field(default_factory=list)
    visited_pages: list[Client] = field(default_factory=list)


def check_after_revocation(eyes: Eyes) -> None:
    """Ask for everything, end a right, and ask again with all stored data."""
    kept = _look_around(eyes)
    addresses = snapshot.some_addresses(eyes)
    snapshot.taken(eyes, addresses)
    possible = [act for act in ACTS if act(eyes, try_only=True)]
    if not possible:
        return
    eyes.chance.choice(possible)(eyes)
    eyes.client = eyes.opened_again().client
    _check_lists_read_on(eyes, kept)
    _check_files(eyes, kept)
    _check_links(eyes, kept)
    now = snapshot.taken(eyes, addresses)
    _empty_cache()
    fresh = snapshot.taken(eyes.opened_again(), addresses)
    snapshot.compare(eyes, "after revocation", fresh, now)
    for check in eyes.chance.sample(CHECKED_AGAIN, CHECKED_AT_ONCE):
        check(eyes)


def _look_around(eyes: Eyes) -> Kept:
    found, listed = eyes.get("search/", q="red", limit=1), eyes.get("images/", limit=1)
    kept = Kept(
        seen=eyes.world.seen(eyes.viewer),
        next_found=found.json()["next"],
        first_found=set(eyes.numbers(found)),
        next_listed=listed.json()["next"],
        first_listed=set(eyes.numbers(listed)),
    )
    for address in _files(eyes):
        kept.tags[address] = eyes.client.get(address).get("ETag") or "*"
    if eyes.viewer is not None and kept.seen:
        noted = eyes.client.post("/api/v1/downloads/", {"selection": {"all": True}})
        kept.download = noted.json()["url"]
    for link in eyes.rows.links:
        visitor, pages = APIClient(), Client()
        visitor.get(f"/api/v1/shared/{link.token}/")
        pages.get(f"/s/{link.token}/")
        kept.visitors.append(visitor)
        kept.visited_pages.append(pages)
        for image in eyes.rows.images:
            for address in _shared_files(link.token, image.pk):
                kept.tags[address] = visitor.get(address).get("ETag") or "*"
    return kept


def _check_lists_read_on(eyes: Eyes, kept: Kept) -> None:
    """Check that each later page shows only new pictures that the viewer may still see."""
    seen = eyes.world.seen(eyes.viewer)
    for what, address, first in [
        ("search", kept.next_found, kept.first_found),
        ("list", kept.next_listed, kept.first_listed),
    ]:
        found: list[int] = []
        while address:
            answer = eyes.client.get(address)
            found += eyes.numbers(answer)
            address = answer.json()["next"]
        eyes.same(f"cursor after revocation: {what}", set(found) - seen, set())
        if (kept.next_found if what == "search" else kept.next_listed) and seen <= kept.seen:
            eyes.same(f"read on after revocation: {what}", set(found), seen - first)
    if kept.download is not None:
        own = eyes.world.owned(eyes.viewer)
        names = set(names_in(eyes.client.get(kept.download)))
        wanted = {f"own-{n}.jpg" for n in own & kept.seen}
        wanted |= {f"{eyes.rows.images[n].pk}.webp" for n in (seen - own) & kept.seen}
        eyes.same("download after revocation", names, wanted)


def _check_files(eyes: Eyes, kept: Kept) -> None:
    """Check that a viewer without the right gets neither the picture nor “not modified”."""
    for number, image in enumerate(eyes.rows.images):
        reaches = eyes.world.reaches(number, eyes.viewer)
        for rest in FILES:
            address = f"/api/v1/images/{image.pk}/{rest}"
            answer = eyes.client.get(address, headers={"If-None-Match": kept.tags[address]})
            # A viewer who reaches it only now has no tag for it. "*" means any.
            eyes.same("304 after revocation", answer.status_code, 304 if reaches else 404)
            answer = eyes.client.get(address)
            eyes.same("file after revocation", answer.status_code, 200 if reaches else 404)
        page = eyes.pages.get(f"/images/{image.pk}/").status_code
        eyes.same("page after revocation", page, 200 if reaches else 404)
        found = eyes.client.post("/api/v1/search/", {"terms": [{"image": str(image.pk)}]})
        eyes.same("like: after revocation", found.status_code, 200 if reaches else 400)


def _check_links(eyes: Eyes, kept: Kept) -> None:
    """Check links with the sessions of visitors who had access before."""
    for number, link in enumerate(eyes.world.links):
        visitor, pages = kept.visitors[number], kept.visited_pages[number]
        token = eyes.rows.links[number].token
        shown = eyes.world.shown_by(link)
        opened = 404 if shown is None else 200
        locked = shown is not None and link.asks
        inside = 403 if locked else opened
        # Pages lead back to the entry page of the link.
        inside_page = 302 if locked else opened
        at = f"/api/v1/shared/{token}/"
        eyes.same("visit", visitor.get(at).status_code, opened)
        eyes.same("visit, page", pages.get(f"/s/{token}/").status_code, opened)
        eyes.same("visit, pictures", visitor.get(f"{at}images/").status_code, inside)
        if inside == 200:
            listed = eyes.numbers(visitor.get(f"{at}images/"))
            eyes.same("visit, pictures listed", listed, shown)
        download = inside if inside != 200 or link.allow_download else 403
        eyes.same("visit, ZIP", visitor.get(f"{at}download/").status_code, download)
        zipped = pages.get(f"/s/{token}/download/").status_code
        eyes.same("visit, ZIP, page", zipped, inside_page if locked else download)
        for which, image in enumerate(eyes.rows.images):
            there = shown is not None and which in shown
            for address in _shared_files(token, image.pk):
                answer = visitor.get(address, headers={"If-None-Match": kept.tags[address]})
                wanted = inside if inside != 200 else 304 if there else 404
                eyes.same("visit, 304", answer.status_code, wanted)
            page = pages.get(f"/s/{token}/images/{image.pk}/").status_code
            wanted = inside_page if inside != 200 else 200 if there else 404
            eyes.same("visit, picture", page, wanted)


def _files(eyes: Eyes) -> Iterator[str]:
    for image in eyes.rows.images:
        yield from (f"/api/v1/images/{image.pk}/{rest}" for rest in FILES)


def _shared_files(token: str, pk: Any) -> Iterator[str]:
    yield from (f"/api/v1/shared/{token}/images/{pk}/{rest}" for rest in FILES)


def _empty_cache() -> None:
    # Not clear(): that would flush the broker's keys too.
    cache.delete_pattern("*")


# --- How rights end: in the product, by who may, and in the model -----------------------


def makes_private(eyes: Eyes, *, try_only: bool = False) -> bool:
    found = _shown(eyes, lambda it: it.visibility != "private")
    if found and not try_only:
        number = eyes.chance.choice(found)
        _do(eyes, _owner(eyes, number), "patch", _image(eyes, number), {"visibility": "private"})
        eyes.world.pictures[number].visibility = "private"
    return bool(found)


def puts_into_trash(eyes: Eyes, *, try_only: bool = False) -> bool:
    found = _shown(eyes)
    if found and not try_only:
        number = eyes.chance.choice(found)
        _do(eyes, _owner(eyes, number), "delete", _image(eyes, number))
        eyes.world.pictures[number].in_trash = True
    return bool(found)


def archives(eyes: Eyes, *, try_only: bool = False) -> bool:
    found = _shown(eyes, lambda it: not it.archived)
    if found and not try_only:
        number = eyes.chance.choice(found)
        _do(eyes, _owner(eyes, number), "patch", _image(eyes, number), {"archived": True})
        eyes.world.pictures[number].archived = True
    return bool(found)


def hides(eyes: Eyes, *, try_only: bool = False) -> bool:
    """A moderator hides a picture. Moderators see only pictures that are not private."""
    found = _shown(eyes, lambda it: not it.hidden and it.visibility != "private")
    if found and not try_only:
        number = eyes.chance.choice(found)
        keeper = client_of(eyes.rows.keeper)
        _check(keeper.post(f"/api/v1/{_image(eyes, number)}hide/", {"reason": "because"}))
        eyes.world.pictures[number].hidden = True
    return bool(found)


def takes_out_of_album(eyes: Eyes, *, try_only: bool = False) -> bool:
    world = eyes.world
    found = [
        (book, number)
        for book in range(len(world.books))
        for number in world.books[book].pictures
        if world.pictures[number].owner in eyes.others
        and not world.pictures[number].in_trash
        and world.sees_book(book, world.pictures[number].owner)
    ]
    if found and not try_only:
        book, number = eyes.chance.choice(found)
        body = {
            "selection": {"ids": [str(eyes.rows.images[number].pk)]},
            "action": "remove_from_album",
            "album": str(eyes.rows.albums[book].pk),
        }
        _do(eyes, _owner(eyes, number), "post", "images/bulk/", body)
        world.books[book].pictures.remove(number)
    return bool(found)


def withdraws(eyes: Eyes, *, try_only: bool = False) -> bool:
    found = [(who, book) for who in eyes.others for book in eyes.world.contributions(who)]
    if found and not try_only:
        who, book = eyes.chance.choice(found)
        _do(eyes, who, "post", f"albums/{eyes.rows.albums[book].pk}/withdraw/")
        pictures = eyes.world.books[book].pictures
        pictures[:] = [n for n in pictures if eyes.world.pictures[n].owner != who]
    return bool(found)


def unshares(eyes: Eyes, *, try_only: bool = False) -> bool:
    found = _shares(eyes)
    if found and not try_only:
        number = eyes.chance.choice(found)
        share = eyes.world.shares[number]
        _do(eyes, eyes.world.books[share.book].owner, "delete", _share(eyes, number))
        # Its row stays in `rows.shares`, so its position in the list must stay, too.
        share.person, share.circle = -1, None
    return bool(found)


def lets_only_look(eyes: Eyes, *, try_only: bool = False) -> bool:
    found = [n for n in _shares(eyes) if eyes.world.shares[n].role != "view"]
    if found and not try_only:
        number = eyes.chance.choice(found)
        share = eyes.world.shares[number]
        owner = eyes.world.books[share.book].owner
        _do(eyes, owner, "patch", _share(eyes, number), {"role": "view"})
        share.role = "view"
    return bool(found)


def takes_out_of_group(eyes: Eyes, *, try_only: bool = False) -> bool:
    found = [
        (number, member)
        for number, circle in enumerate(eyes.world.circles)
        for member in sorted(circle.members)
        if circle.owner in eyes.others
    ]
    if found and not try_only:
        number, member = eyes.chance.choice(found)
        circle = eyes.world.circles[number]
        group = eyes.rows.groups[number]
        _do(eyes, circle.owner, "delete", f"groups/{group.pk}/members/user{member}/")
        circle.members.discard(member)
    return bool(found)


def deletes_group(eyes: Eyes, *, try_only: bool = False) -> bool:
    found = [n for n, circle in enumerate(eyes.world.circles) if circle.owner in eyes.others]
    if found and not try_only:
        number = eyes.chance.choice(found)
        circle = eyes.world.circles[number]
        _do(eyes, circle.owner, "delete", f"groups/{eyes.rows.groups[number].pk}/")
        circle.owner, circle.members = -1, set()
    return bool(found)


def deletes_album(eyes: Eyes, *, try_only: bool = False) -> bool:
    found = [n for n, b in enumerate(eyes.world.books) if b.owner in eyes.others and not b.in_trash]
    if found and not try_only:
        number = eyes.chance.choice(found)
        book = eyes.world.books[number]
        _do(eyes, book.owner, "delete", f"albums/{eyes.rows.albums[number].pk}/")
        book.in_trash = True
    return bool(found)


def revokes_link(eyes: Eyes, *, try_only: bool = False) -> bool:
    found = _links(eyes, lambda link: link.maker in eyes.others)
    if found and not try_only:
        number = eyes.chance.choice(found)
        link = eyes.world.links[number]
        _do(eyes, link.maker, "delete", f"links/{eyes.rows.links[number].pk}/")
        link.state = "revoked"
    return bool(found)


def asks_for_password(eyes: Eyes, *, try_only: bool = False) -> bool:
    found = _links(eyes, lambda link: link.maker in eyes.others)
    if found and not try_only:
        number = eyes.chance.choice(found)
        link = eyes.world.links[number]
        body = {"password": "a new one"}
        _do(eyes, link.maker, "patch", f"links/{eyes.rows.links[number].pk}/", body)
        link.asks = True
    return bool(found)


def lets_link_expire(eyes: Eyes, *, try_only: bool = False) -> bool:
    found = _links(eyes)
    if found and not try_only:
        number = eyes.chance.choice(found)
        row = eyes.rows.links[number]
        row.expires_at = timezone.now() - timedelta(seconds=1)
        row.save(update_fields=["expires_at"])
        eyes.world.links[number].state = "expired"
    return bool(found)


def disables_account(eyes: Eyes, *, try_only: bool = False) -> bool:
    if eyes.others and not try_only:
        number = eyes.chance.choice(eyes.others)
        eyes.rows.users[number].is_active = False
        eyes.rows.users[number].save(update_fields=["is_active"])
        eyes.world.users[number].is_active = False
    return bool(eyes.others)


def takes_role_away(eyes: Eyes, *, try_only: bool = False) -> bool:
    if eyes.viewer is None or eyes.world.users[eyes.viewer].role != "moderator":
        return False
    if not try_only:
        eyes.rows.users[eyes.viewer].role = "user"
        eyes.rows.users[eyes.viewer].save(update_fields=["role"])
        eyes.world.users[eyes.viewer].role = "user"
    return True


ACTS = [
    makes_private,
    puts_into_trash,
    archives,
    hides,
    takes_out_of_album,
    withdraws,
    unshares,
    lets_only_look,
    takes_out_of_group,
    deletes_group,
    deletes_album,
    revokes_link,
    asks_for_password,
    lets_link_expire,
    disables_account,
    takes_role_away,
]


def _shown(eyes: Eyes, but: Callable[[Picture], bool] = lambda it: True) -> list[int]:
    """Return pictures of others that the viewer or visitors of links reach."""
    world = eyes.world
    return [
        n
        for n, it in enumerate(world.pictures)
        if it.owner in eyes.others
        and not it.in_trash
        and (world.reaches(n, eyes.viewer) or not world.unlinked(n))
        and but(it)
    ]


def _shares(eyes: Eyes) -> list[int]:
    """Return shares of albums whose owner can act."""
    world = eyes.world
    return [
        number
        for number, share in enumerate(world.shares)
        if world.books[share.book].owner in eyes.others and not world.books[share.book].in_trash
    ]


def _links(eyes: Eyes, but: Callable[[Link], bool] = lambda link: True) -> list[int]:
    """Return links that show something."""
    world = eyes.world
    return [
        n for n, link in enumerate(world.links) if world.shown_by(link) is not None and but(link)
    ]


def _owner(eyes: Eyes, number: int) -> int:
    return eyes.world.pictures[number].owner


def _image(eyes: Eyes, number: int) -> str:
    return f"images/{eyes.rows.images[number].pk}/"


def _share(eyes: Eyes, number: int) -> str:
    row = eyes.rows.shares[number]
    return f"albums/{row.album_id}/shares/{row.pk}/"


def _do(eyes: Eyes, who: int, method: str, address: str, body: object = None) -> None:
    _check(getattr(client_of(eyes.rows.users[who]), method)(f"/api/v1/{address}", body))


def _check(answer: Any) -> None:
    assert answer.status_code in (200, 204), answer.content
