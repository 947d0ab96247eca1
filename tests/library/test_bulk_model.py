"""Acts and undos in any sequence, compared with a naive model in Python."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gallery.models import Album, AlbumItem, Favourite, Image, Tag, User
from gallery.organising import albums, bulk, changes

pytestmark = pytest.mark.django_db

PICTURES = 5
Cell = tuple[str, int]

# Acts that put something into a cell, by the cell, and acts that remove it.
PUT = {
    "archive": "archived",
    "trash": "deleted",
    "favourite": "favourite",
    "add_tags": "tag",
    "add_to_album": "album",
}
TAKE = {
    "unarchive": "archived",
    "restore": "deleted",
    "unfavourite": "favourite",
    "remove_tags": "tag",
    "remove_from_album": "album",
}


@dataclass
class Model:
    """Cells of pictures. Each value is a new token, so that an undo can tell its own from that of a
    later act."""

    cells: dict[Cell, Any] = field(default_factory=dict)
    tokens: Any = field(default_factory=itertools.count)

    def act(self, action: str, pictures: set[int], visibility: str) -> list[tuple[Cell, Any, Any]]:
        """Apply an act. Return the changes: (cell, before, after)."""
        in_trash = action == "restore"
        reached = [
            number for number in sorted(pictures)
            if (self.cells.get(("deleted", number)) is not None) == in_trash
        ]  # fmt: skip
        changed = []
        for number in reached:
            if action == "set_visibility":
                cell, after = ("visibility", number), visibility
            elif action in PUT:
                cell = (PUT[action], number)
                after = self.cells.get(cell)
                after = next(self.tokens) if after is None else after
            else:
                cell, after = (TAKE[action], number), None
            before = self.cells.get(cell)
            if before != after:
                self.cells[cell] = after
                changed.append((cell, before, after))
        return changed

    def undo(self, changed: list[tuple[Cell, Any, Any]]) -> int:
        restored = 0
        for cell, before, after in changed:
            if self.cells.get(cell) == after:
                self.cells[cell] = before
                restored += 1
        return restored


def rows(owner: User) -> list[Image]:
    """Create rows without files, which are not needed here."""
    return Image.objects.bulk_create(
        Image(
            owner=owner, file="x", sha256=uuid.uuid4().hex, byte_size=1,
            content_type="image/jpeg", width=1, height=1, visibility="private",
        )
        for _number in range(PICTURES)
    )  # fmt: skip


def seen(images: list[Image], album: Album) -> dict[Cell, Any]:
    """Return the state of the database in the terms of the model, with the value of the
    visibility."""
    kept = {image.pk: image for image in Image.objects.all()}
    liked = set(Favourite.objects.values_list("image_id", flat=True))
    tagged = set(Tag.images.through.objects.values_list("image_id", flat=True))
    listed = set(AlbumItem.objects.filter(album=album).values_list("image_id", flat=True))
    cells: dict[Cell, Any] = {}
    for number, image in enumerate(images):
        cells["visibility", number] = kept[image.pk].visibility
        cells["archived", number] = kept[image.pk].archived_at is not None
        cells["deleted", number] = kept[image.pk].deleted_at is not None
        cells["favourite", number] = image.pk in liked
        cells["tag", number] = image.pk in tagged
        cells["album", number] = image.pk in listed
    return cells


def exact() -> list[Any]:
    """Return everything that acts may change, to the last digit."""
    return [
        list(Image.objects.order_by("pk").values("pk", "visibility", "archived_at", "deleted_at")),
        list(Favourite.objects.order_by("pk").values()),
        list(Tag.images.through.objects.order_by("pk").values()),
        list(AlbumItem.objects.order_by("pk").values()),
    ]


ACTS = st.tuples(
    st.sampled_from(["set_visibility", *PUT, *TAKE]),
    st.sets(st.integers(0, PICTURES - 1), min_size=1),
    st.sampled_from(Image.Visibility.values),
)
# A number undoes one of the earlier acts.
STEPS = st.lists(st.one_of(ACTS, st.integers(0, 50)), max_size=14)


def run(user: User, images: list[Image], album: Album, act: tuple[str, set[int], str]):
    action, numbers, visibility = act
    spec = {"ids": [str(images[number].pk) for number in sorted(numbers)]}
    params = {"album": album.pk, "tags": ["sea"], "visibility": visibility}
    return bulk.run(action, spec, user, **params)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_acts_and_undos_in_any_sequence_do_what_a_naive_model_does(steps, alice):
    Image.objects.all().delete()
    images, album = rows(alice), albums.create(alice, "Trip")
    model, open_acts = Model(), []
    for number in range(PICTURES):
        model.cells["visibility", number] = "private"
    for step in steps:
        if isinstance(step, int):
            if not open_acts:
                continue
            change, changed = open_acts.pop(step % len(open_acts))
            assert changes.undo(change.pk, alice) == model.undo(changed)
        else:
            outcome = run(alice, images, album, step)
            changed = model.act(*step)
            assert outcome.changed == len(changed)
            assert (outcome.undo is not None) == bool(changed)
            if outcome.undo:
                open_acts.append((outcome.undo, changed))
        for cell, value in seen(images, album).items():
            expected = model.cells.get(cell)
            assert value == (expected if cell[0] == "visibility" else expected is not None)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=st.lists(ACTS, max_size=4), acts=st.lists(ACTS, min_size=1, max_size=8))
def test_undoing_everything_backwards_gives_the_exact_state_back(before, acts, alice):
    Image.objects.all().delete()
    images, album = rows(alice), albums.create(alice, "Trip")
    for act in before:
        run(alice, images, album, act)
    start = exact()
    done = [run(alice, images, album, act) for act in acts]
    for outcome in reversed(done):
        if outcome.undo:
            changes.undo(outcome.undo.pk, alice)
    assert exact() == start
