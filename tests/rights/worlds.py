"""Random worlds, small and crowded: few people and pictures, and many shares."""

from __future__ import annotations

from random import Random

from tests.rights.model import Book, Circle, Link, Person, Picture, Share, Sorting, World

PEOPLE = 4
CAMERAS = 3
MONTHS = 3


def world_of(chance: Random) -> World:
    people = range(PEOPLE)
    pictures = [
        Picture(
            owner=chance.choice(people),
            visibility=chance.choice(["private", "private", "unlisted", "public"]),
            in_trash=chance.random() < 0.2,
            hidden=chance.random() < 0.2,
            archived=chance.random() < 0.2,
            tagged=chance.random() < 0.5,
            camera=chance.randrange(CAMERAS),
            month=chance.randint(1, MONTHS),
            colour=chance.choice(["red", "blue"]),
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
        sortings=[
            Sorting(
                owner=None if chance.random() < 0.4 else chance.choice(people),
                labelled=set(chance.sample(numbers, chance.randint(0, len(numbers)))),
                said=set(chance.sample(numbers, chance.randint(0, 2))),
            )
            for _ in range(chance.randint(0, 3))
        ],
    )


def shares_of(chance: Random, books: list[Book], circles: list[Circle]) -> list[Share]:
    """Return shares. Each album has each person and each group at most once."""
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
    """Return a link. Its maker mostly owned its target when it was made."""
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
