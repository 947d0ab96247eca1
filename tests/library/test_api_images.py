"""Pictures through the API: upload, list, read, change, delete, files."""

from __future__ import annotations

import io
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.dateparse import parse_datetime
from PIL import Image as Picture
from rest_framework.test import APIClient

from gallery.indexing import encoding
from gallery.models import Image
from tests import pictures
from tests.api_tools import code_of
from tests.conftest import api, upload
from tests.factories import make_space, set_state, set_vector

pytestmark = pytest.mark.django_db

IMAGES = "/api/v1/images/"
EVERYBODY_SEES = {
    "id", "state", "error", "title", "description", "visibility", "width", "height",
    "content_type", "byte_size", "frames", "duration", "incomplete", "created_at", "captured_at",
    "taken_at", "camera", "exif", "rating", "placeholder", "owner", "is_owner", "favourite", "urls",
}  # fmt: skip
OWNER_SEES = {
    "original_name", "sha256", "latitude", "longitude", "captured_offset", "archived", "tags",
    "hidden", "hidden_reason", "recipe",
}  # fmt: skip


def send(client: APIClient, content: bytes, name: str = "cat.jpg", key=None, **fields):
    headers = {} if key is None else {"Idempotency-Key": key}
    file = SimpleUploadedFile(name, content, "application/octet-stream")
    return client.post(IMAGES, {"file": file, **fields}, format="multipart", headers=headers)


def ids(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [image["id"] for image in response.json()["results"]]


# --- Upload ---------------------------------------------------------------------


def test_an_upload_is_201_and_the_same_bytes_again_200(alice, bob):
    first = send(api(alice), pictures.jpeg(), title="A cat", visibility="public")
    assert first.status_code == 201
    assert set(first.json()) == EVERYBODY_SEES | OWNER_SEES | {"duplicate", "restored"}
    assert first.json()["duplicate"] is False
    assert first.json()["state"] == "pending"
    assert first.json()["title"] == "A cat"
    assert first.json()["visibility"] == "public"
    assert first.json()["original_name"] == "cat.jpg"
    assert (first.json()["width"], first.json()["height"]) == (64, 48)

    again = send(api(alice), pictures.jpeg(), name="copy.jpg", title="Another")
    assert again.status_code == 200
    assert again.json()["duplicate"] is True
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["title"] == "A cat"

    of_another = send(api(bob), pictures.jpeg())
    assert of_another.status_code == 201
    assert of_another.json()["duplicate"] is False
    assert of_another.json()["id"] != first.json()["id"]


def test_an_upload_is_private_unless_said_otherwise(alice):
    assert send(api(alice), pictures.jpeg()).json()["visibility"] == "private"


def test_uploading_what_lies_in_the_trash_takes_it_out(alice):
    first = send(api(alice), pictures.jpeg()).json()
    api(alice).delete(f"{IMAGES}{first['id']}/")
    again = send(api(alice), pictures.jpeg())
    assert (again.status_code, again.json()["duplicate"], again.json()["restored"]) == (
        200, True, True,
    )  # fmt: skip
    assert again.json()["id"] == first["id"]


def test_the_anonymous_cannot_upload(db):
    answer = send(APIClient(), pictures.jpeg())
    assert (answer.status_code, code_of(answer)) == (401, "not_authenticated")
    assert not Image.objects.exists()


def test_an_idempotency_key_gets_the_very_first_answer(alice, bob):
    first = send(api(alice), pictures.jpeg(), key="upload-1")
    again = send(api(alice), pictures.jpeg(), key="upload-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert send(api(alice), pictures.jpeg(), key="upload-2").json()["duplicate"] is True
    # Keys of two accounts are independent.
    assert send(api(bob), pictures.png(), key="upload-1").status_code == 201


def test_an_idempotency_key_is_for_one_file(alice):
    send(api(alice), pictures.jpeg(), key="upload-1")
    answer = send(api(alice), pictures.png(), key="upload-1")
    assert (answer.status_code, code_of(answer)) == (422, "idempotency_key_reused")
    assert Image.objects.count() == 1


def test_a_refused_upload_leaves_its_idempotency_key_free(alice):
    assert send(api(alice), pictures.text(), key="upload-1").status_code == 400
    assert send(api(alice), pictures.jpeg(), key="upload-1").status_code == 201


def test_an_idempotency_key_outlives_no_deletion(alice):
    first = send(api(alice), pictures.jpeg(), key="upload-1").json()
    api(alice).delete(f"{IMAGES}{first['id']}/")
    answer = send(api(alice), pictures.jpeg(), key="upload-1")
    assert (answer.status_code, answer.json()["restored"]) == (200, True)


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_idempotency_key_has_a_sane_length(alice, key):
    answer = send(api(alice), pictures.jpeg(), key=key)
    assert (answer.status_code, code_of(answer)) == (400, "bad_idempotency_key")


# --- Who sees what --------------------------------------------------------------


def test_only_the_owner_sees_where_and_under_what_name(alice, bob):
    sent = send(api(alice), pictures.with_gps(), name="home.jpg", visibility="public").json()
    address = f"{IMAGES}{sent['id']}/"
    to_alice = api(alice).get(address).json()
    assert to_alice["is_owner"] is True
    assert to_alice["latitude"] == pytest.approx(31.2293, abs=1e-3)
    assert to_alice["longitude"] == pytest.approx(121.47, abs=1e-3)
    assert to_alice["original_name"] == "home.jpg"
    assert len(to_alice["sha256"]) == 64
    for client in (api(bob), APIClient()):
        shown = client.get(address).json()
        assert set(shown) == EVERYBODY_SEES | OWNER_SEES
        assert shown["is_owner"] is False
        assert shown["owner"] == {"username": "alice"}
        assert [shown[name] for name in sorted(OWNER_SEES)] == [None] * len(OWNER_SEES)
        (listed,) = client.get(IMAGES).json()["results"]
        assert listed == shown


def test_the_urls_of_a_picture_lead_somewhere(alice):
    urls = send(api(alice), pictures.jpeg()).json()["urls"]
    assert set(urls) == {"file", "thumbnail", "page"}
    assert all(url.startswith("http://testserver/") for url in urls.values())
    assert api(alice).get(urls["file"]).status_code == 200
    assert api(alice).get(urls["thumbnail"]).status_code == 200


# --- Change, delete, restore, retry ---------------------------------------------


def test_the_owner_changes_texts_and_visibility(alice):
    image = upload(alice, title="Old", description="Kept")
    answer = api(alice).patch(f"{IMAGES}{image.pk}/", {"title": "新", "visibility": "public"})
    assert answer.status_code == 200
    assert (answer.json()["title"], answer.json()["visibility"]) == ("新", "public")
    assert api(alice).get(f"{IMAGES}{image.pk}/").json() == answer.json()
    image.refresh_from_db()
    assert (image.title, image.description, image.visibility) == ("新", "Kept", "public")


def test_a_change_touches_nothing_else(alice, bob):
    image = upload(alice)
    before = api(alice).get(f"{IMAGES}{image.pk}/").json()
    answer = api(alice).patch(
        f"{IMAGES}{image.pk}/",
        {"owner": {"username": "bob"}, "sha256": "0", "state": "ready", "id": str(uuid.uuid4())},
    )
    assert (answer.status_code, answer.json()) == (200, before)


def test_the_owner_says_when_it_was_taken_and_where_it_is_listed(alice):
    image = upload(alice)
    address = f"{IMAGES}{image.pk}/"
    body = {"captured_at": "2024-05-01T10:00:00+02:00", "archived": True, "tags": ["sea", "Sun"]}
    changed = api(alice).patch(address, body)
    assert changed.status_code == 200
    shown = changed.json()
    assert shown["captured_at"] == shown["taken_at"] == "2024-05-01T10:00:00+02:00"
    assert shown["captured_offset"] == "+02:00"
    assert (shown["archived"], shown["tags"]) == (True, ["sea", "Sun"])
    assert api(alice).get(address).json() == shown
    back = api(alice).patch(address, {"captured_at": None, "archived": False, "tags": []}).json()
    assert (back["captured_at"], back["archived"], back["tags"]) == (None, False, [])
    assert (back["taken_at"], back["captured_offset"]) == (back["created_at"], None)


def test_archiving_again_keeps_since_when(alice):
    image = upload(alice)
    api(alice).patch(f"{IMAGES}{image.pk}/", {"archived": True})
    since = Image.objects.get().archived_at
    api(alice).patch(f"{IMAGES}{image.pk}/", {"archived": True, "title": "x"})
    assert Image.objects.get().archived_at == since


def test_moderators_and_the_owner_see_that_a_picture_is_hidden(alice, bob):
    image = upload(alice, visibility="public")
    bob.role = "moderator"
    bob.save()
    Image.objects.update(hidden_at=image.created_at, hidden_reason="Not allowed")
    for viewer in (alice, bob):
        shown = api(viewer).get(f"{IMAGES}{image.pk}/").json()
        assert (shown["hidden"], shown["hidden_reason"]) == (True, "Not allowed")
    assert APIClient().get(f"{IMAGES}{image.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({"captured_at": "yesterday"}, "captured_at"),
        ({"captured_at": "0001-01-01T00:00:00+14:00"}, "captured_at"),
        ({"captured_at": "9999-12-31T23:59:59-12:00"}, "captured_at"),
        ({"archived": "maybe"}, "archived"),
        ({"archived": None}, "archived"),
        ({"tags": "sea"}, "tags"),
        ({"tags": ["x" * 51]}, "tags.0"),
        ({"title": "x" * 201}, "title"),
        ({"description": "x" * 5001}, "description"),
        ({"title": "a\x00b"}, "title"),
        ({"title": None}, "title"),
        ({"description": ["x"]}, "description"),
        ({"visibility": "everybody"}, "visibility"),
        ({"visibility": ""}, "visibility"),
    ],
)
def test_a_bad_change_is_refused_whole(alice, body, attr):
    image = upload(alice, title="Old")
    answer = api(alice).patch(f"{IMAGES}{image.pk}/", {"title": "New", **body})
    assert answer.status_code == 400
    assert [error["attr"] for error in answer.json()["errors"]] == [attr]
    image.refresh_from_db()
    assert image.title == "Old"


def test_a_lone_surrogate_in_json_is_refused(alice):
    image = upload(alice)
    answer = api(alice).patch(
        f"{IMAGES}{image.pk}/", rb'{"title": "\ud800"}', content_type="application/json"
    )
    assert answer.status_code == 400


def test_a_deleted_picture_can_be_restored(alice):
    image = upload(alice)
    address = f"{IMAGES}{image.pk}/"
    assert api(alice).post(f"{address}restore/").status_code == 404  # not in the trash
    assert api(alice).delete(address).status_code == 204
    assert api(alice).get(address).status_code == 404
    assert api(alice).delete(address).status_code == 404
    assert api(alice).get(f"{address}file/").status_code == 404
    assert ids(api(alice).get(IMAGES)) == []

    answer = api(alice).post(f"{address}restore/")
    assert (answer.status_code, answer.json()["id"]) == (200, str(image.pk))
    assert ids(api(alice).get(IMAGES)) == [str(image.pk)]


def test_a_failed_picture_says_why_and_is_tried_again(alice):
    space = make_space()
    image = upload(alice)
    why = {"reason_code": "damaged", "reason": "The file cannot be decoded.\nOSError()"}
    row = set_state(image, encoding.name_of(space), "failed", **why, attempts=5)
    shown = api(alice).get(f"{IMAGES}{image.pk}/").json()
    assert (shown["state"], shown["error"]) == ("failed", "The file cannot be decoded.")
    assert ids(api(alice).get(f"{IMAGES}?state=failed")) == [str(image.pk)]

    answer = api(alice).post(f"{IMAGES}{image.pk}/retry/")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["error"]) == ("pending", "")
    row.refresh_from_db()
    assert (row.state, row.attempts, row.reason_code, row.reason) == ("waiting", 0, "", "")


def test_a_retry_is_of_all_that_failed_and_of_nothing_else(alice, dispatched):
    space, building = make_space(), make_space("building", architecture="other")
    retired = make_space("retired", architecture="former")
    image, other = upload(alice), upload(alice, pictures.jpeg(99, 50))
    set_vector(image, space, [1, 0, 0])
    failed = [encoding.name_of(building), "renditions", "visual_features", "comparison"]
    for name in [*failed, encoding.name_of(retired)]:
        set_state(image, name, "failed", reason_code="crashed", attempts=5)
    set_state(other, "visual_features", "failed")
    dispatched.clear()

    assert api(alice).post(f"{IMAGES}{image.pk}/retry/").status_code == 200

    states = dict(image.analyses.values_list("analyser", "state"))
    assert {name for name in states if states[name] == "waiting"} == set(failed)
    assert states[encoding.name_of(space)] == "done"
    assert states[encoding.name_of(retired)] == "failed", "nobody wants that any more"
    assert other.analyses.get(analyser="visual_features").state == "failed"
    assert sorted(dispatched) == [
        ("gallery.tasks.analyse_pending",),
        ("gallery.tasks.index_pending",),
    ]


def test_nobody_else_has_a_picture_tried_again(alice, bob):
    image = upload(alice, visibility="public")
    row = set_state(image, "renditions", "failed", reason_code="crashed")
    assert api(bob).post(f"{IMAGES}{image.pk}/retry/").status_code == 404
    row.refresh_from_db()
    assert row.state == "failed"


def test_a_retry_leaves_a_ready_picture_alone(alice):
    space = make_space()
    image = upload(alice)
    set_vector(image, space, [1, 0, 0])
    answer = api(alice).post(f"{IMAGES}{image.pk}/retry/")
    assert (answer.status_code, answer.json()["state"]) == (200, "ready")


# --- Files ----------------------------------------------------------------------


def body(response) -> bytes:
    return response.getvalue() if response.streaming else response.content


def test_the_owner_gets_the_original_and_others_a_copy_without_metadata(alice, bob):
    original = pictures.with_gps()
    sent = send(api(alice), original, visibility="unlisted").json()
    answer = api(alice).get(sent["urls"]["file"])
    assert (answer.status_code, body(answer)) == (200, original)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"

    copy = api(bob).get(sent["urls"]["file"])
    assert copy.status_code == 200
    with Picture.open(io.BytesIO(body(copy))) as shown:
        assert shown.size == (64, 48)
        assert not shown.getexif()


def test_a_download_has_a_name(alice):
    sent = send(api(alice), pictures.jpeg(), name="cat.jpg").json()
    answer = api(alice).get(sent["urls"]["file"] + "?download=1")
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("wanted", ["", "?w=1", "?w=320", "?w=9999"])
def test_a_thumbnail_is_a_picture(alice, wanted):
    sent = send(api(alice), pictures.jpeg(800, 600)).json()
    answer = api(alice).get(sent["urls"]["thumbnail"] + wanted)
    assert answer.status_code == 200
    with Picture.open(io.BytesIO(body(answer))) as shown:
        assert shown.width <= 800
        assert not shown.getexif()


@pytest.mark.parametrize("width", ["0", "-1", "abc", str(10**9), "10001", "1.5", ""])
def test_a_thumbnail_of_a_senseless_width_is_refused(alice, width):
    sent = send(api(alice), pictures.jpeg()).json()
    answer = api(alice).get(sent["urls"]["thumbnail"], {"w": width})
    assert (answer.status_code, code_of(answer)) == (400, "bad_width")


@pytest.mark.parametrize("accept", ["image/*", "text/html", "application/xml", "nonsense"])
def test_an_answer_does_not_depend_on_the_accept_header(alice, accept):
    sent = send(api(alice), pictures.jpeg()).json()
    client = api(alice)
    assert client.get(sent["urls"]["thumbnail"], HTTP_ACCEPT=accept).status_code == 200
    listed = client.get(IMAGES, HTTP_ACCEPT=accept)
    assert listed.headers["Content-Type"] == "application/json"


def test_times_carry_their_zone(alice):
    sent = send(api(alice), pictures.jpeg()).json()
    assert parse_datetime(sent["created_at"]).tzinfo is not None
