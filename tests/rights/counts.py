"""Checks everything that is counted and offered: totals, months, facets, the values of filters, and
completions of the search line. A count over more than the viewer sees would reveal the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.rights.eyes import Eyes
from tests.rights.model import Picture

COLOURS = ("red", "blue", "green")


def check_counts(eyes: Eyes) -> None:
    world, viewer = eyes.world, eyes.viewer
    seen, own = world.seen(viewer), world.owned(viewer)
    size = eyes.rows.images[0].byte_size
    kept = [picture for picture in _of(eyes, seen) if not picture.archived]
    months = Counter(_month(picture) for picture in kept)
    timeline = eyes.get("timeline/").json()
    eyes.same("GET timeline/", {m["month"]: m["count"] for m in timeline["months"]}, months)
    eyes.same("GET timeline/ total", timeline["total"], len(kept))
    red = Counter(_month(picture) for picture in kept if picture.colour == "red")
    timeline = eyes.get("timeline/", color="red").json()
    eyes.same("GET timeline/?color=", {m["month"]: m["count"] for m in timeline["months"]}, red)
    everything = {"ids": [str(image.pk) for image in eyes.rows.images]}
    for what, selection in [("all", {"all": True}), ("ids", everything)]:
        counted = eyes.post("selection/count/", {"selection": selection})
        wanted = {"count": len(seen), "owned": len(own), "bytes": size * len(seen)}
        eyes.same(f"POST selection/count/ {what}", counted, wanted)
    for book in world.seen_books(viewer):
        album = str(eyes.rows.albums[book].pk)
        selection = {"all": True, "filters": {"album": album}}
        counted = eyes.post("selection/count/", {"selection": selection})
        eyes.same("POST selection/count/ album", counted["count"], len(world.seen_in(book, viewer)))
    if viewer is None:
        eyes.same("GET account/usage/", eyes.get("account/usage/").status_code, 401)
        return
    usage = eyes.get("account/usage/").json()
    count = len(own) + len(world.owned(viewer, in_trash=True))
    eyes.same("GET account/usage/", (usage["images"], usage["bytes"]), (count, count * size))
    rows = eyes.get("tags/").json()
    tags = {row["name"]: row["count"] for row in rows.get("results", rows)}
    tagged = sum(world.pictures[n].tagged for n in own)
    eyes.same("GET tags/", tags, {"word": tagged} if tagged else {})


def check_album_summaries(eyes: Eyes) -> None:
    """Check how many pictures an album has, and their first and last date, for its viewer."""
    world, viewer = eyes.world, eyes.viewer
    if viewer is None:
        return
    for row in eyes.get("albums/").json()["results"]:
        inside = world.seen_in(int(row["title"][1:]), viewer)
        taken = sorted(eyes.rows.images[n].captured_at.isoformat() for n in inside)
        eyes.same("albums/ count", row["count"], len(inside))
        told = [_utc(row[name]) for name in ("first_taken_at", "last_taken_at")]
        eyes.same("albums/ taken", told, [taken[0], taken[-1]] if taken else [None, None])


def check_facets(eyes: Eyes) -> None:
    """Check cameras, owners, colours and words, with their counts."""
    world, viewer = eyes.world, eyes.viewer
    seen, own = world.seen(viewer), world.owned(viewer)
    cameras = Counter(f"camera {picture.camera}" for picture in _of(eyes, seen))
    listed = {row["camera"]: row["count"] for row in eyes.get("images/cameras/").json()}
    eyes.same("GET images/cameras/", listed, cameras)
    owners = {f"user{picture.owner}" for picture in _of(eyes, seen)}
    eyes.same("page filters/cameras/", eyes.values("/filters/cameras/"), set(cameras))
    eyes.same("page filters/owners/", eyes.values("/filters/owners/"), owners)
    for colour in COLOURS:
        wanted = [n for n in seen if world.pictures[n].colour == colour]
        eyes.same("GET images/?color=", eyes.found("images/", color=colour), sorted(wanted))
        counted = eyes.counted(f"/search/?only=count&color={colour}")
        eyes.same("page search/?only=count", counted, len(wanted))
    for number in range(len(world.pictures)):
        found = eyes.found("images/", words=f"p{number}")
        eyes.same("GET images/?words= title", found, sorted(seen & {number}))
    eyes.same("GET images/?words= file name", eyes.found("images/", words="jpg"), sorted(own))
    tagged = [n for n in own if world.pictures[n].tagged]
    eyes.same("GET images/?words= tag", eyes.found("images/", words="word"), sorted(tagged))
    for name, line in [("camera", 'camera:"camera 1"'), ("color", "color:blue")]:
        facet = {"camera": lambda p: p.camera == 1, "color": lambda p: p.colour == "blue"}[name]
        wanted = sorted(n for n in seen if facet(world.pictures[n]))
        eyes.same(f"GET search/?q={name}:", eyes.found("search/", q=line, limit=100), wanted)
        eyes.same(f"page search/?q={name}:", eyes.on_page(f"/search/?q={line}"), wanted)


def check_completion(eyes: Eyes) -> None:
    """Check the completions of the search line, by API and page."""
    world, viewer = eyes.world, eyes.viewer
    seen, own = world.seen(viewer), world.owned(viewer)
    cameras = Counter(f'"camera {picture.camera}"' for picture in _of(eyes, seen))
    tagged = sum(world.pictures[n].tagged for n in own)
    me = set() if viewer is None else {"me"}
    for line, wanted in [
        ("camera:", {(camera, _counted(count)) for camera, count in cameras.items()}),
        ("tag:", {("word", _counted(tagged))} if tagged else set()),
        ("wor", {("tag:word", _counted(tagged))} if tagged else set()),
        ("album:", {(f"a{book}", "") for book in world.seen_books(viewer)}),
        ("owner:u", {(f"user{picture.owner}", "") for picture in _of(eyes, seen)}),
        ("owner:m", {(name, "your own pictures") for name in me}),
    ]:
        offered = eyes.get("search/complete/", q=line).json()["suggestions"]
        found = {(one["insert"], one["detail"]) for one in offered if one["kind"] == "value"}
        eyes.same(f"GET search/complete/ {line}", found, wanted)
        options = eyes.pages.get("/search/complete/", {"q": line}).json()["options"]
        found = {(one["label"], one["hint"]) for one in options if not one["goes_on"]}
        eyes.same(f"page search/complete/ {line}", found, wanted)


def check_map(eyes: Eyes) -> None:
    """Check the points of the map, and the regions with their counts and samples."""
    seen = eyes.world.seen(eyes.viewer)
    points = eyes.get("explore/points/").json()["points"]
    eyes.same("GET explore/points/", sorted(eyes.number(p["image"]) for p in points), sorted(seen))
    explored = eyes.get("explore/").json()
    eyes.same("GET explore/ placed", (explored["placed"], explored["unplaced"]), (len(seen), 0))
    sizes = sorted(region["count"] for region in explored["clusters"])
    wanted = sorted(Counter(number % 2 for number in seen).values())
    eyes.same("GET explore/ clusters", sizes, wanted)
    packed = eyes.pages.get("/explore/points/")
    kept = {n for n in seen if not eyes.world.pictures[n].archived}
    eyes.same("page explore/points/", len(packed.content) // 32, len(kept))
    page = eyes.pages.get("/explore/regions/").content.decode()
    shown = {n for n, image in enumerate(eyes.rows.images) if str(image.pk) in page}
    eyes.same("page explore/regions/", shown <= kept, True)


def _of(eyes: Eyes, numbers: Iterable[int]) -> list[Picture]:
    return [eyes.world.pictures[number] for number in numbers]


def _month(picture: Picture) -> str:
    return f"2020-{picture.month:02}"


def _counted(count: int) -> str:
    return f"{count} picture" if count == 1 else f"{count} pictures"


def _utc(moment: Any) -> Any:
    return None if moment is None else moment.replace("Z", "+00:00")
