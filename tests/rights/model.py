"""Who may see what, in the plainest form: lists and loops, no SQL.

The property test (tests/sharing/test_rights_property.py) compares the product with it. Ids are the
positions in the lists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

# A position in `World.users`, or None for a visitor without an account.
Viewer = int | None


@dataclass
class Person:
    role: Literal["user", "moderator", "administrator"] = "user"
    is_active: bool = True


@dataclass
class Picture:
    owner: int
    visibility: Literal["private", "unlisted", "public"]
    in_trash: bool
    hidden: bool
    archived: bool
    tagged: bool
    # The values of facets. They are few, so that visible and invisible pictures share them.
    camera: int = 0
    month: int = 1
    colour: Literal["red", "blue"] = "red"


@dataclass
class Book:
    """An album. `pictures` are in its order, whether its owner sees them now or not."""

    owner: int
    in_trash: bool
    pictures: list[int]


@dataclass
class Circle:
    """A group."""

    owner: int
    members: set[int]


@dataclass
class Share:
    """A share with one person or one group."""

    book: int
    person: int | None
    circle: int | None
    role: Literal["view", "add", "manage"]


@dataclass
class Link:
    """To an album or a picture."""

    book: int | None
    picture: int | None
    maker: int
    state: Literal["live", "revoked", "expired", "used up"]
    allow_download: bool
    # Whether it asks for a password. Nobody has entered it yet.
    asks: bool = False


@dataclass
class Sorting:
    """A label set: the pictures that a machine labelled, whether its owner still sees them or
    not, and those of which a person said yes. Without an owner it is of the site."""

    owner: Viewer
    labelled: set[int]
    said: set[int]


@dataclass
class World:
    users: list[Person]
    pictures: list[Picture]
    books: list[Book] = field(default_factory=list)
    circles: list[Circle] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    # (user, picture)
    favourites: set[tuple[int, int]] = field(default_factory=set)
    sortings: list[Sorting] = field(default_factory=list)

    # --- Label sets ---------------------------------------------------------------

    def seen_sortings(self, viewer: Viewer) -> set[int]:
        return {
            number
            for number, sorting in enumerate(self.sortings)
            if sorting.owner is None or sorting.owner == viewer
        }

    def labels_of(self, picture: int, viewer: Viewer) -> set[str]:
        """The names of the categories that somebody who reaches the picture is shown."""
        found = set()
        for number in self.seen_sortings(viewer):
            if picture in self.sortings[number].labelled:
                found.add(f"machine {number}")
            if picture in self.sortings[number].said:
                found.add(f"human {number}")
        return found

    # --- Albums -------------------------------------------------------------------

    def roles_in(self, book: int, viewer: Viewer) -> set[str]:
        album = self.books[book]
        if viewer is None or album.in_trash:
            return set()
        roles = {"owner"} if album.owner == viewer else set()
        for share in self.shares:
            if share.book != book:
                continue
            if share.circle is not None:
                if viewer in self.circles[share.circle].members:
                    roles.add(share.role)
            elif share.person == viewer:
                roles.add(share.role)
        return roles

    def sees_book(self, book: int, viewer: Viewer) -> bool:
        return bool(self.roles_in(book, viewer))

    def manages(self, book: int, viewer: Viewer) -> bool:
        return bool(self.roles_in(book, viewer) & {"owner", "manage"})

    def may_add(self, book: int, viewer: Viewer) -> bool:
        return bool(self.roles_in(book, viewer) & {"owner", "manage", "add"})

    def seen_books(self, viewer: Viewer) -> set[int]:
        return {book for book in range(len(self.books)) if self.sees_book(book, viewer)}

    # --- Pictures -----------------------------------------------------------------

    def sees(self, picture: int, viewer: Viewer) -> bool:
        """Return whether lists, searches and counts show the picture."""
        it = self.pictures[picture]
        if it.in_trash:
            return False
        if it.owner == viewer:
            return True
        if it.hidden:
            return False
        if it.visibility == "public":
            return True
        return any(
            picture in self.books[book].pictures and self.sees_book(book, viewer)
            for book in range(len(self.books))
        )

    def reaches(self, picture: int, viewer: Viewer) -> bool:
        """Return whether the picture can be reached by its id."""
        it = self.pictures[picture]
        if self.sees(picture, viewer):
            return True
        if it.in_trash:
            return False
        if it.hidden:
            return self.moderates(viewer)
        return it.visibility == "unlisted"

    def seen(self, viewer: Viewer) -> set[int]:
        return {number for number in range(len(self.pictures)) if self.sees(number, viewer)}

    def owned(self, viewer: Viewer, *, in_trash: bool = False) -> set[int]:
        return {
            number
            for number, it in enumerate(self.pictures)
            if it.owner == viewer and it.in_trash == in_trash
        }

    def seen_in(self, book: int, viewer: Viewer) -> list[int]:
        """Return the pictures that the viewer sees in an album, in its order."""
        if not self.sees_book(book, viewer):
            return []
        return [picture for picture in self.books[book].pictures if self.sees(picture, viewer)]

    def moderates(self, viewer: Viewer) -> bool:
        return viewer is not None and self.users[viewer].role != "user"

    # --- Groups and links -----------------------------------------------------------

    def seen_circles(self, viewer: Viewer) -> set[int]:
        return {
            number
            for number, circle in enumerate(self.circles)
            if viewer is not None and (circle.owner == viewer or viewer in circle.members)
        }

    def shown_by(self, link: Link) -> list[int] | None:
        """Return what a link shows to a new visitor, or None if it does not work."""
        if link.state != "live" or not self.users[link.maker].is_active:
            return None
        if link.picture is not None:
            it = self.pictures[link.picture]
            gone = it.in_trash or it.hidden or it.owner != link.maker
            return None if gone else [link.picture]
        assert link.book is not None
        if not self.manages(link.book, link.maker):
            return None
        return [
            number
            for number in self.books[link.book].pictures
            if not self.pictures[number].in_trash and not self.pictures[number].hidden
        ]

    def unlinked(self, picture: int) -> bool:
        """Return whether no link shows it: then only `reaches` gives access."""
        return not any(picture in (self.shown_by(link) or ()) for link in self.links)

    def managed_links(self, viewer: Viewer) -> set[int]:
        return {
            number
            for number, link in enumerate(self.links)
            if viewer is not None
            and (
                link.maker == viewer or (link.book is not None and self.manages(link.book, viewer))
            )
        }

    def contributions(self, viewer: Viewer) -> dict[int, int]:
        """Return albums of others with own pictures, and their number."""
        found = {}
        for number, book in enumerate(self.books):
            mine = [p for p in book.pictures if self.pictures[p].owner == viewer]
            if mine and book.owner != viewer and not book.in_trash:
                found[number] = len(mine)
        return found
