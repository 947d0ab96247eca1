"""Compares what the product shows, sends and changes with the model."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from django.db import transaction

from tests import web_tools
from tests.rights.eyes import Eyes

PICTURES_AT_ONCE = 2


def check_lists(eyes: Eyes) -> None:
    world, viewer = eyes.world, eyes.viewer
    seen, own = world.seen(viewer), world.owned(viewer)
    archived = {n for n in seen if world.pictures[n].archived}
    liked = {which for who, which in world.favourites if who == viewer}
    tagged = {n for n in own if world.pictures[n].tagged}
    public = {n for n in seen if world.pictures[n].visibility == "public"}
    of_camera = {n for n in seen if world.pictures[n].camera == 0}
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
        ("GET images/?camera=", {"camera": "camera 0"}, of_camera),
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
    page = eyes.pages.get("/search/", {"q": "red"})
    tiles = web_tools.tiles(page)
    while further := web_tools.next_page(page):  # weak matches are behind a button
        page = eyes.pages.get(further, headers=web_tools.HTMX)
        tiles += web_tools.tiles(page)
    eyes.same("page search", sorted(eyes.number(pk) for pk in tiles), sorted(seen))


def check_each_picture(eyes: Eyes) -> None:
    """Check each picture by its id: viewing, sending, searching, classifying, changing."""
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
        ("PATCH rating", "patch", "", {"rating": 3}, 200),
        ("PUT recipe/", "put", "recipe/", {"turns": 1}, 200),
        ("DELETE recipe/", "delete", "recipe/", None, 200),
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
    """Check that bulk actions change only what the viewer may change, among all that can be
    named."""
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
    for action, params in {
        "rate": {"rating": 2},
        "set_title": {"title": "n{n}"},
        "shift_date": {"shift": 3600},
        "rotate": {"turns": 1},
    }.items():
        done = run(action, **params)
        eyes.same(f"bulk {action}", done["changed"], len(own))
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
    """Check the real content of ZIP files."""
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
    eyes.same("page recent", eyes.on_page("/recent/"), sorted(kept))
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
    """Check that a link shows the same to everybody."""
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
