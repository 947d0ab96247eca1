"""Data that a viewer may not see never changes what they see.

The test asks for everything, changes something out of their sight, and asks again: every answer is
the same to the letter, with dates and counts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from django.db import transaction

from gallery.models import (
    AlbumItem,
    AlbumShare,
    Favourite,
    Group,
    NearDuplicate,
    SavedSearch,
    Tag,
)
from tests.rights import snapshot
from tests.rights.eyes import Eyes, client_of
from tests.rights.model import Picture


def check_the_unseen_changes_nothing(eyes: Eyes) -> None:
    addresses = snapshot.some_addresses(eyes)
    before = snapshot.taken(eyes, addresses)
    for act in [nothing, *ACTS]:
        with transaction.atomic():
            if act(eyes):
                now = snapshot.taken(eyes, addresses)
                snapshot.compare(eyes, f"unseen: {act.__name__}", before, now)
            transaction.set_rollback(True)


# --- What is done out of sight: each says whether there was something to do -----------


def nothing(eyes: Eyes) -> bool:
    """Do nothing. The same question twice must have the same answer, or the other checks mean
    nothing."""
    return True


def uploads(eyes: Eyes) -> bool:
    """Somebody uploads a private picture that resembles the viewer's pictures in everything
    counted, searched and compared, and adds it to an own album."""
    rows, world = eyes.rows, eyes.world
    if not eyes.others:
        return False
    owner = eyes.chance.choice(eyes.others)
    like = eyes.chance.choice(world.pictures)
    picture = Picture(
        owner, "private", False, False, False, True, like.camera, like.month, like.colour
    )
    image = rows.image(len(rows.images), picture)
    image.sha256 = f"{0 if world.pictures[0].owner != owner else len(rows.images):064x}"
    image.title, image.camera = "p0", eyes.chance.choice([image.camera, "camera 9"])
    image.save()
    rows.encode([image])
    rows.place([image])
    Tag.objects.get(owner=rows.users[owner], name="word").images.add(image)
    for number, book in enumerate(world.books):
        if book.owner == owner and not world.sees_book(number, eyes.viewer):
            AlbumItem.objects.create(album=rows.albums[number], image=image, position=-1)
    return True


def edits(eyes: Eyes) -> bool:
    """The owner of an invisible picture changes its texts."""
    number = _unseen_picture(eyes)
    if number is None:
        return False
    changes = {
        "title": "p0",
        "description": "beach",
        "captured_at": datetime(2019, 1, 1, tzinfo=UTC),
        "tags": ["new"],
        "archived": True,
    }
    return _done(eyes, eyes.world.pictures[number].owner, "patch", _image(eyes, number), changes)


def deletes(eyes: Eyes) -> bool:
    number = _unseen_picture(eyes)
    if number is None:
        return False
    return _done(eyes, eyes.world.pictures[number].owner, "delete", _image(eyes, number))


def purges(eyes: Eyes) -> bool:
    """Another user's trash is emptied for good."""
    world = eyes.world
    gone = [n for n, it in enumerate(world.pictures) if it.in_trash and it.owner in eyes.others]
    if not gone:
        return False
    number = eyes.chance.choice(gone)
    address = f"trash/{eyes.rows.images[number].pk}/"
    return _done(eyes, world.pictures[number].owner, "delete", address)


def takes_out(eyes: Eyes) -> bool:
    """An invisible picture leaves a visible album."""
    world = eyes.world
    inside = [
        (book, number)
        for book in world.seen_books(eyes.viewer)
        for number in world.books[book].pictures
        if not world.reaches(number, eyes.viewer)
        and world.pictures[number].owner in eyes.others
        and not world.pictures[number].in_trash
        and world.sees_book(book, world.pictures[number].owner)
    ]
    if not inside:
        return False
    book, number = eyes.chance.choice(inside)
    body = {
        "selection": {"ids": [str(eyes.rows.images[number].pk)]},
        "action": "remove_from_album",
        "album": str(eyes.rows.albums[book].pk),
    }
    return _done(eyes, world.pictures[number].owner, "post", "images/bulk/", body)


def renames_album(eyes: Eyes) -> bool:
    """Somebody renames an album that the viewer does not see and that has none of their
    pictures."""
    world, viewer = eyes.world, eyes.viewer
    unseen = [
        number
        for number, book in enumerate(world.books)
        if not world.sees_book(number, viewer)
        and number not in world.contributions(viewer)
        and book.owner in eyes.others
        and not book.in_trash
    ]
    if not unseen:
        return False
    number = eyes.chance.choice(unseen)
    address = f"albums/{eyes.rows.albums[number].pk}/"
    return _done(eyes, world.books[number].owner, "patch", address, {"title": "p0 red"})


def notes_for_themselves(eyes: Eyes) -> bool:
    """Somebody adds a favourite, a saved search and a search."""
    if not eyes.others:
        return False
    other = eyes.chance.choice(eyes.others)
    user = eyes.rows.users[other]
    liked = Favourite.objects.filter(user=user).values("image_id")
    for number in eyes.world.seen(other):
        if eyes.rows.images[number].pk not in {row["image_id"] for row in liked}:
            Favourite.objects.create(user=user, image=eyes.rows.images[number])
    SavedSearch.objects.create(owner=user, name="Mine", query={"terms": [{"text": "red"}]})
    return _done(eyes, other, "get", "search/?q=green", status=200)


def labels_for_themselves(eyes: Eyes) -> bool:
    """Somebody says of pictures what they are, in a set of their own."""
    own = [
        number for number, sorting in enumerate(eyes.world.sortings) if sorting.owner in eyes.others
    ]
    if not own:
        return False
    number = eyes.chance.choice(own)
    owner = eyes.world.sortings[number].owner
    assert owner is not None
    seen = eyes.world.seen(owner)
    if not seen:
        return False
    said = [
        {"image": str(eyes.rows.images[n].pk), "category": f"human {number}", "verdict": True}
        for n in seen
    ]
    address = f"label-sets/{eyes.rows.label_sets[number].pk}/answers/"
    return _done(eyes, owner, "post", address, {"answers": said})


def visits(eyes: Eyes) -> bool:
    """Somebody visits a link that the viewer does not manage."""
    world = eyes.world
    managed = world.managed_links(eyes.viewer)
    open_ones = [
        number
        for number, link in enumerate(world.links)
        if number not in managed and world.shown_by(link) is not None
    ]
    if not open_ones:
        return False
    token = eyes.rows.links[eyes.chance.choice(open_ones)].token
    answer = client_of(None).get(f"/api/v1/shared/{token}/")
    return bool(answer.status_code == 200)


def groups_up(eyes: Eyes) -> bool:
    """Somebody shares an album that the viewer does not see with a group without them."""
    world, rows = eyes.world, eyes.rows
    if not eyes.others:
        return False
    owner = eyes.chance.choice(eyes.others)
    group = Group.objects.create(owner=rows.users[owner], name="g0 too")
    group.members.set([rows.users[other] for other in eyes.others])
    for number, book in enumerate(world.books):
        if book.owner == owner and not world.sees_book(number, eyes.viewer):
            AlbumShare.objects.create(album=rows.albums[number], group=group, role="manage")
    return True


def finds_copies(eyes: Eyes) -> bool:
    """An invisible picture becomes a near-duplicate of a visible one."""
    unseen = _unseen_picture(eyes)
    seen = eyes.world.seen(eyes.viewer)
    if unseen is None or not seen:
        return False
    pair = sorted([eyes.rows.images[unseen].pk, eyes.rows.images[min(seen)].pk])
    NearDuplicate.objects.create(first_id=pair[0], second_id=pair[1], similarity=0.99, bits=1)
    return True


ACTS: list[Callable[[Eyes], bool]] = [
    uploads,
    edits,
    deletes,
    purges,
    takes_out,
    renames_album,
    notes_for_themselves,
    labels_for_themselves,
    visits,
    groups_up,
    finds_copies,
]


def _unseen_picture(eyes: Eyes) -> int | None:
    """Return a picture that the viewer cannot reach, of an owner who can act. Its albums may be
    visible."""
    world = eyes.world
    found = [
        number
        for number, it in enumerate(world.pictures)
        if it.owner in eyes.others and not it.in_trash and not world.reaches(number, eyes.viewer)
    ]
    return eyes.chance.choice(found) if found else None


def _image(eyes: Eyes, number: int) -> str:
    return f"images/{eyes.rows.images[number].pk}/"


def _done(
    eyes: Eyes, who: int, method: str, address: str, body: object = None, status: int | None = None
) -> bool:
    answer = getattr(client_of(eyes.rows.users[who]), method)(f"/api/v1/{address}", body)
    wanted = (status,) if status else (200, 204)
    assert answer.status_code in wanted, (address, answer.status_code, answer.content)
    return True
