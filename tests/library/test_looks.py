"""Turned and cropped pictures: what follows the recipe, what stays, undo, races and rights."""

from __future__ import annotations

import io
import threading
import uuid
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connections
from PIL import Image as Pillow

from gallery.library import rendering, renditions, thumbnails
from gallery.library.service import purge_image
from gallery.library.storage import original_of, rendition_path
from gallery.models import Analysis, Image, User
from gallery.organising import looks
from gallery.work import ledger
from tests import pictures
from tests.api_tools import code_of
from tests.conftest import api, upload
from tests.factories import analyse
from tests.library_tools import stored_files
from tests.work_tools import MadeUp, only, row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dispatched")]

LEFT_HALF = [0, 0, 0.5, 1]


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    made = MadeUp()
    only(monkeypatch, made)
    return made


def address(image: Image, rest: str = "recipe/") -> str:
    return f"/api/v1/images/{image.pk}/{rest}"


def edit(owner: User, image: Image, status: int = 200, **recipe: Any) -> dict[str, Any]:
    answer = api(owner).put(address(image), recipe)
    assert answer.status_code == status, answer.content
    image.refresh_from_db()
    found: dict[str, Any] = answer.json()
    return found


def rendered(owner: User, data: bytes | None = None) -> Image:
    image = upload(owner, data or pictures.jpeg(800, 600))
    analyse()
    image.refresh_from_db()
    return image


def original_bytes(image: Image) -> bytes:
    with default_storage.open(original_of(image)) as file:
        content: bytes = file.read()
    return content


def sent(viewer: Any, path: str) -> Pillow.Image:
    answer = viewer.get(path)
    assert answer.status_code == 200, answer.content
    return Pillow.open(io.BytesIO(b"".join(answer.streaming_content)))


# --- What follows the recipe --------------------------------------------------------


def test_everything_but_the_file_follows_the_recipe(alice, media):
    image = rendered(alice)
    before = image.palette, image.perceptual_hash, image.placeholder
    kept = original_bytes(image)
    shown = edit(alice, image, turns=1, crop=[0, 0, 1, 0.5])
    assert (shown["width"], shown["height"]) == (image.width, image.height) == (600, 400)
    assert shown["recipe"] == {"turns": 1, "crop": [0, 0, 1, 0.5]}
    assert image.placeholder == ""
    analyse()
    image.refresh_from_db()
    after = image.palette, image.perceptual_hash, image.placeholder
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert sent(api(alice), address(image, "thumbnail/?w=640")).size == (600, 400)
    assert sent(api(alice), address(image, "file/")).size == (600, 400)
    assert original_bytes(image) == kept


def test_owners_download_the_edited_picture_or_the_original(alice, bob):
    image = rendered(alice)
    Image.objects.filter(pk=image.pk).update(visibility="public", original_name="Beach.png")
    edit(alice, image, turns=1)
    answer = api(alice).get(address(image, "file/?download=1"))
    assert answer["Content-Disposition"] == 'attachment; filename="Beach.jpg"'
    jpeg = Pillow.open(io.BytesIO(b"".join(answer.streaming_content)))
    assert (jpeg.format, jpeg.size) == ("JPEG", (600, 800))
    assert sent(api(alice), address(image, "file/?download=1&original=1")).size == (800, 600)
    # Nobody else gets the file, whatever they ask for.
    assert sent(api(bob), address(image, "file/?download=1&original=1")).size == (600, 800)


def test_thumbnails_of_each_look_have_addresses_of_their_own(
    alice, client, django_capture_on_commit_callbacks
):
    image = rendered(alice)
    first = thumbnails.address(image.pk, 320, edition=image.edition)
    assert sent(client, first).size == (320, 240)
    with django_capture_on_commit_callbacks(execute=True):
        edit(alice, image, turns=1)
    analyse()
    second = thumbnails.address(image.pk, 320, edition=image.edition)
    assert second != first
    assert sent(client, second).size == (320, 427)
    assert image.edition in api(alice).get(address(image, "")).json()["urls"]["thumbnail"]
    # The former look is gone: only who may see the picture gets it, as it is now.
    assert client.get(first).status_code == 404
    forged = second.replace(image.edition, "0" * 8)
    assert client.get(forged).status_code == 404
    assert sent(api(alice), first).size == (320, 427)


def test_nothing_of_a_former_look_is_left_in_the_storage(
    alice, media, django_capture_on_commit_callbacks
):
    image = rendered(alice)
    renditions.ensure_clean_copy(image)
    with django_capture_on_commit_callbacks(execute=True):
        edit(alice, image, turns=0, crop=LEFT_HALF)
    assert stored_files(media) == [original_of(image)]
    analyse()
    first = {rendition_path(image, width) for width in renditions.widths_of(image)}
    assert set(stored_files(media)) == {original_of(image), *first}
    with django_capture_on_commit_callbacks(execute=True):
        edit(alice, image, turns=1, crop=LEFT_HALF)
    analyse()
    assert first.isdisjoint(stored_files(media))
    with django_capture_on_commit_callbacks(execute=True):
        assert api(alice).delete(address(image)).status_code == 200
    analyse()
    image.refresh_from_db()
    assert set(stored_files(media)) == {
        original_of(image), *(rendition_path(image, w) for w in renditions.widths_of(image))
    }  # fmt: skip


def test_the_worker_removes_the_former_looks_of_very_many(
    alice, media, monkeypatch, django_capture_on_commit_callbacks
):
    image = rendered(alice)
    former = rendition_path(image, 640)
    monkeypatch.setattr(looks, "REMOVED_AT_ONCE", 0)
    with django_capture_on_commit_callbacks(execute=True):
        edit(alice, image, turns=1)
    assert former in stored_files(media)
    with django_capture_on_commit_callbacks(execute=True):
        analyse()
    assert former not in stored_files(media)
    assert rendition_path(image, 640) in stored_files(media)


def test_purging_removes_all_looks(alice, media, django_capture_on_commit_callbacks):
    image = rendered(alice)
    edit(alice, image, turns=1)
    analyse()
    with django_capture_on_commit_callbacks(execute=True):
        purge_image(image)
    assert stored_files(media) == []


# --- Undo ---------------------------------------------------------------------------


def test_an_edit_is_undone_and_redone_from_the_original(alice):
    image = rendered(alice)
    first = edit(alice, image, turns=1)
    second = edit(alice, image, turns=1, crop=LEFT_HALF)
    assert (image.width, image.height) == (300, 800)
    assert api(alice).post(second["undo"]).json() == {"restored": 1}
    image.refresh_from_db()
    assert (image.width, image.height, image.recipe["turns"]) == (600, 800, 1)
    # The second act has replaced the first one only for a while.
    assert api(alice).post(first["undo"]).json() == {"restored": 1}
    image.refresh_from_db()
    assert (image.width, image.height, image.recipe, image.edition) == (800, 600, {}, "")


def test_an_undo_leaves_later_edits_alone(alice):
    image = rendered(alice)
    first = edit(alice, image, turns=1)
    edit(alice, image, turns=2)
    assert api(alice).post(first["undo"]).json() == {"restored": 0}
    image.refresh_from_db()
    assert image.recipe["turns"] == 2


def test_the_same_recipe_again_changes_nothing(alice):
    image = rendered(alice)
    edit(alice, image, turns=1)
    analyse()
    assert edit(alice, image, turns=1)["undo"] is None
    assert not Analysis.objects.filter(image=image, analyser="renditions", state="waiting")


def test_back_to_the_original(alice):
    image = rendered(alice)
    edit(alice, image, turns=3, crop=LEFT_HALF)
    answer = api(alice).delete(address(image)).json()
    assert (answer["recipe"], answer["width"], answer["height"]) == (None, 800, 600)
    assert api(alice).post(answer["undo"]).json() == {"restored": 1}
    image.refresh_from_db()
    assert (image.width, image.height) == (300, 800)


# --- Races --------------------------------------------------------------------------


def test_a_result_of_a_former_look_is_never_stored(alice, made_up):
    image = upload(alice)
    stale = ledger.claim(made_up, 10)
    assert stale is not None
    edit(alice, image, turns=1)
    assert ledger.complete(stale, stale.entries, [1]) == 0
    assert row(image).state == "waiting"
    fresh = ledger.claim(made_up, 10)
    assert fresh is not None
    assert [entry.edition for entry in fresh.entries] == [image.edition]
    assert (fresh.entries[0].width, fresh.entries[0].height) == (image.width, image.height)
    assert ledger.complete(fresh, fresh.entries, [2]) == 1
    assert [result for _pk, result in made_up.kept] == [2]


def test_a_failed_claim_of_a_former_look_does_not_fail_the_new_one(alice, made_up):
    image = upload(alice)
    stale = ledger.claim(made_up, 10)
    edit(alice, image, turns=1)
    ledger.fail(stale, stale.entries[0], "damaged", "It is damaged.")
    assert row(image).state == "waiting"


def test_a_worker_that_writes_an_old_look_removes_it_again(
    alice, media, django_capture_on_commit_callbacks
):
    """The picture is edited while its renditions are drawn."""
    image = upload(alice, pictures.jpeg(800, 600))
    claim = ledger.claim(rendering.Renditions(), 1)
    looks.edit(image, 1, looks.WHOLE, alice)
    result = rendering.Renditions().prepare(claim.entries[0])
    assert len(stored_files(media)) > 1
    with django_capture_on_commit_callbacks(execute=True):
        assert ledger.complete(claim, claim.entries, [result]) == 0
    assert stored_files(media) == [original_of(image)]
    image.refresh_from_db()
    analyse()
    assert rendition_path(image, 640) in stored_files(media)


# --- Rights and bad input -----------------------------------------------------------


def test_only_the_owner_edits_and_sees_the_recipe(alice, bob):
    image = rendered(alice)
    Image.objects.filter(pk=image.pk).update(visibility="public")
    assert api(bob).put(address(image), {"turns": 1}).status_code == 404
    assert api(bob).delete(address(image)).status_code == 404
    assert api().put(address(image), {"turns": 1}).status_code == 404
    edit(alice, image, turns=1)
    seen = api(bob).get(address(image, "")).json()
    assert (seen["recipe"], seen["width"]) == (None, 600)


@pytest.mark.parametrize(
    ("recipe", "code"),
    [
        ({"turns": 4}, "max_value"),
        ({"turns": "left"}, "invalid"),
        ({"crop": [0, 0, 1]}, "min_length"),
        ({"crop": [0.6, 0, 0.5, 1]}, "bad_crop"),
        ({"crop": [0, 0, 0, 1]}, "bad_crop"),
        ({"crop": ["nan", 0, 1, 1]}, "invalid"),
        ({"crop": [0, "nan", 1, 1]}, "invalid"),
        ({"crop": [0, 0, 1, "nan"]}, "invalid"),
        ({"crop": [0, 0, "inf", 1]}, "invalid"),
        ({"crop": [0, 0, 0.011, 1]}, "bad_crop"),
        ({"crop": ["a", 0, 1, 1]}, "invalid"),
        ({"crop": [float("nan"), 0, 1, 1]}, None),
    ],
)
def test_bad_recipes_are_refused_and_nothing_changes(alice, recipe, code):
    image = rendered(alice)
    if code is None:
        body = '{"crop": [NaN, 0, 1, 1]}'
        answer = api(alice).generic("PUT", address(image), body, content_type="application/json")
        assert answer.status_code == 400
    else:
        answer = api(alice).put(address(image), recipe)
        assert (answer.status_code, code_of(answer)) == (400, code)
    image.refresh_from_db()
    assert (image.recipe, image.width) == ({}, 800)


def test_animations_are_not_edited(alice):
    image = rendered(alice, pictures.animated_gif())
    assert image.is_animated
    answer = api(alice).put(address(image), {"turns": 1})
    assert (answer.status_code, code_of(answer)) == (400, "animated")
    image.refresh_from_db()
    assert image.edition == ""


def test_a_missing_picture_is_404(alice):
    assert api(alice).put(f"/api/v1/images/{uuid.uuid4()}/recipe/", {}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_an_edit_and_a_worker_that_stores_wait_for_each_other(alice, monkeypatch):
    """Whatever the order of the rows: those that follow may be older than those they need."""
    last = MadeUp("b-needed")
    first = MadeUp("a-follows", needs=("b-needed",))
    only(monkeypatch, first, last)
    image = upload(alice)
    claim = ledger.claim(last, 1)
    assert claim is not None
    storing, edited, errors = threading.Event(), threading.Event(), []

    def edit_meanwhile() -> None:
        try:
            assert storing.wait(10)
            looks.edit(image, 1, looks.WHOLE, alice)
        except BaseException as error:
            errors.append(error)
        finally:
            edited.set()
            connections.close_all()

    def store(*_args: Any) -> None:
        storing.set()
        edited.wait(0.5)  # it waits for this transaction

    monkeypatch.setattr(last, "store", store)
    other = threading.Thread(target=edit_meanwhile)
    other.start()
    assert ledger.complete(claim, claim.entries, [1]) == 1
    other.join(10)
    assert errors == []
    image.refresh_from_db()
    assert image.width < image.height
    assert {row(image, name).state for name in ("a-follows", "b-needed")} == {"waiting"}
