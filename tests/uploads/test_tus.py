"""Resumable uploads through the API: the protocol, its errors, and the rights."""

from __future__ import annotations

import hashlib
import io
import os
import uuid
import zipfile
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.test import Client as PageClient
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gallery import sweep, task_names, tasks
from gallery.library import service
from gallery.models import Album, AlbumRole, AlbumShare, Image, ImportBatch, ResumableUpload, User
from gallery.uploads import acceptance, partial, slots, tus
from tests import pictures
from tests.api_tools import code_of
from tests.conftest import api, draw
from tests.tus_tools import PART, TUS, UPLOADS, Client, checksum, metadata, row_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def upload_dir(tmp_path: Path, settings: Any) -> Path:
    settings.UPLOAD_DIR = str(tmp_path / "uploads")
    return tmp_path / "uploads"


@pytest.fixture
def client(alice: User) -> Client:
    return Client(alice)


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


# --- The protocol ---------------------------------------------------------------


def test_a_picture_in_parts_becomes_a_picture(client: Client, media: Path) -> None:
    data = draw(300, 200)
    wishes = {"filename": "湖.jpg", "title": "The lake", "visibility": "public"}
    created = client.create(len(data), **wishes)
    assert created.status_code == 201
    assert created["Tus-Resumable"] == "1.0.0"
    assert created["Upload-Expires"].endswith("GMT")
    url = created["Location"]

    for begin in range(0, len(data), 1000):
        assert client.offset(url) == begin
        part = data[begin : begin + 1000]
        answer = client.send(url, begin, part)
        assert answer.status_code == 204
        assert answer["Upload-Offset"] == str(begin + len(part))

    state = client.state(url)
    assert (state["state"], state["offset"], state["length"]) == ("accepted", len(data), len(data))
    assert (state["duplicate"], state["restored"], state["error"]) == (False, False, None)
    assert state["image"]["title"] == "The lake"
    image = Image.objects.get()
    assert (media / image.file.name).read_bytes() == data
    assert (image.original_name, image.visibility) == ("湖.jpg", "public")


def test_head_says_what_was_sent(client: Client) -> None:
    url = client.begin(10, filename="a.jpg", filetype="image/jpeg")
    answer = client.api.head(url, headers=TUS)
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer["Upload-Offset"] == "0"
    assert answer["Upload-Length"] == "10"
    assert answer["Upload-Metadata"] == metadata(filename="a.jpg", filetype="image/jpeg")
    assert answer["Cache-Control"] == "private, no-store"


def test_options_tells_what_the_server_can_do(client: Client, settings: Any) -> None:
    for address in (UPLOADS, client.begin(10)):
        answer = client.api.options(address)
        assert answer.status_code == 204
        assert answer["Tus-Version"] == answer["Tus-Resumable"] == "1.0.0"
        assert answer["Tus-Max-Size"] == str(settings.MAX_ZIP_BYTES)
        assert answer["Tus-Checksum-Algorithm"] == "sha1,sha256"
        assert answer["Tus-Extension"] == (
            "creation,creation-with-upload,checksum,termination,expiration"
        )


def test_a_small_file_comes_with_its_creation(client: Client) -> None:
    data = draw()
    headers = {**TUS, "Upload-Length": str(len(data)), "Upload-Metadata": metadata(filename="a")}
    answer = client.api.generic("POST", UPLOADS, data, PART, headers=headers)
    assert answer.status_code == 201
    assert answer["Upload-Offset"] == str(len(data))
    assert client.state(answer["Location"])["state"] == "accepted"


def test_a_creation_with_a_damaged_part_leaves_nothing(client: Client) -> None:
    headers = {**TUS, "Upload-Length": "4", "Upload-Checksum": checksum(b"else")}
    answer = client.api.generic("POST", UPLOADS, b"data", PART, headers=headers)
    assert answer.status_code == 460
    assert not ResumableUpload.objects.exists()


def test_methods_may_be_named_in_a_header(client: Client) -> None:
    data = draw()
    url = client.begin(len(data))
    headers = {**TUS, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert client.api.generic("POST", url, data, PART, headers=headers).status_code == 204
    headers = {**TUS, "X-HTTP-Method-Override": "DELETE"}
    assert client.api.post(url, headers=headers).status_code == 204
    assert client.api.get(url).status_code == 404
    other = client.begin(1)
    assert client.api.post(other, headers=TUS).status_code == 405


def test_the_pages_upload_with_their_session(alice: User) -> None:
    browser = PageClient(enforce_csrf_checks=True)
    browser.force_login(alice)
    headers = {**TUS, "Upload-Length": "3"}
    refused = browser.post(UPLOADS, headers=headers)
    assert (refused.status_code, code_of(refused)) == (403, "csrf_failed")
    browser.get("/upload/")
    token = browser.cookies["csrftoken"].value
    created = browser.post(UPLOADS, headers={**headers, "X-CSRFToken": token})
    assert created.status_code == 201
    small = browser.generic(
        "POST", UPLOADS, b"abc", PART, headers={**headers, "X-CSRFToken": token}
    )
    assert (small.status_code, small["Upload-Offset"]) == (201, "3")
    sent = browser.generic(
        "PATCH",
        created["Location"],
        b"abc",
        PART,
        headers={**TUS, "Upload-Offset": "0", "X-CSRFToken": token},
    )
    assert sent.status_code == 204
    assert Client(alice).state(created["Location"])["error"]["code"] == "not_a_picture"


def test_an_upload_that_is_done_answers_its_last_part_again(client: Client) -> None:
    data = draw()
    url = client.begin(len(data))
    client.send(url, 0, data)
    again = client.send(url, len(data), b"")
    assert (again.status_code, again["Upload-Offset"]) == (204, str(len(data)))
    assert client.send(url, 0, data).status_code == 409
    assert client.send(url, len(data), b"more").status_code == 413
    assert Image.objects.count() == 1


def test_an_empty_file_is_refused_at_once(client: Client) -> None:
    state = client.state(client.begin(0, filename="a.jpg"))
    assert (state["state"], state["error"]["code"]) == ("refused", "empty_file")


def test_own_unfinished_uploads_are_listed(client: Client, bob: User) -> None:
    urls = [client.begin(100, filename=f"{number}.jpg") for number in range(3)]
    client.send(urls[1], 0, b"x" * 40)
    client.upload(draw())
    listed = client.api.get(f"{UPLOADS}?limit=2").json()
    assert [upload["name"] for upload in listed["results"]] == ["2.jpg", "1.jpg"]
    assert listed["results"][1]["offset"] == 40
    assert listed["results"][1]["url"] == urls[1]
    rest = client.api.get(listed["next"]).json()
    assert [upload["name"] for upload in rest["results"]] == ["0.jpg"]
    assert Client(bob).api.get(UPLOADS).json()["results"] == []


# --- Checksums ------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_part_is_kept_only_with_its_checksum(client: Client, algorithm: str) -> None:
    data = draw()
    url = client.begin(len(data))
    wrong = client.send(url, 0, data[:50], Upload_Checksum=checksum(b"else", algorithm))
    assert (wrong.status_code, code_of(wrong)) == (460, "checksum_mismatch")
    assert client.offset(url) == 0
    right = client.send(url, 0, data[:50], Upload_Checksum=checksum(data[:50], algorithm))
    assert right.status_code == 204
    assert client.send(url, 50, data[50:]).status_code == 204
    assert client.state(url)["state"] == "accepted"


@pytest.mark.parametrize("header", ["md5 AAAA", "sha1", "sha1 a.b", "", "sha1 é"])
def test_a_checksum_that_cannot_be_read_is_refused(client: Client, header: str) -> None:
    url = client.begin(10)
    answer = client.send(url, 0, b"x", Upload_Checksum=header)
    assert (answer.status_code, code_of(answer)) == (400, "bad_checksum")
    assert client.offset(url) == 0


def test_the_whole_file_is_compared_with_its_hash(client: Client) -> None:
    data = draw()
    right = client.upload(data, sha256=hashlib.sha256(data).hexdigest().upper())
    assert right["state"] == "accepted"
    wrong = client.upload(draw(colour="blue"), sha256="0" * 64)
    assert (wrong["state"], wrong["error"]["code"]) == ("refused", "sha256_mismatch")
    assert Image.objects.count() == 1


# --- What is refused ------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412, "unsupported_version"),
        ({"Tus-Resumable": ""}, 412, "unsupported_version"),
        ({"Upload-Length": ""}, 400, "bad_header"),
        ({"Upload-Length": "-1"}, 400, "bad_header"),
        ({"Upload-Length": "1e9"}, 400, "bad_header"),
        ({"Upload-Length": "9" * 19}, 400, "bad_header"),
        ({"Upload-Length": str(2**62)}, 413, "too_large"),
        ({"Upload-Metadata": "filename a.b"}, 400, "bad_metadata"),
        ({"Upload-Metadata": "title /w=="}, 400, "bad_metadata"),
        ({"Upload-Metadata": metadata(title="x" * 201)}, 400, "title_too_long"),
        ({"Upload-Metadata": metadata(visibility="all")}, 400, "bad_visibility"),
        ({"Upload-Metadata": metadata(kind="tar")}, 400, "bad_kind"),
        ({"Upload-Metadata": metadata(sha256="12")}, 400, "bad_sha256"),
        ({"Upload-Metadata": metadata(album="12")}, 400, "bad_album"),
        ({"Upload-Metadata": metadata(album=str(uuid.uuid4()))}, 400, "bad_album"),
    ],
)
def test_a_bad_creation_is_refused(
    client: Client, headers: dict[str, str], status: int, code: str
) -> None:
    answer = client.create(10, headers)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert answer["Tus-Resumable"] == "1.0.0"
    assert ("Tus-Version" in answer) == (status == 412)
    assert not ResumableUpload.objects.exists()


def test_a_file_name_may_be_in_the_code_page_of_the_client(client: Client) -> None:
    name = b64encode("Müller.jpg".encode("latin-1")).decode()
    assert client.create(10, {"Upload-Metadata": f"filename {name}"}).status_code == 201
    assert ResumableUpload.objects.get().name == "Müller.jpg"


def test_texts_that_the_database_would_refuse_are_cleaned(client: Client) -> None:
    state = client.upload(draw(), filename="a\0b.jpg", title="x\0y", nonsense="\0")
    assert state["image"]["title"] == "x y"
    assert state["image"]["original_name"] == "ab.jpg"


@pytest.mark.parametrize(
    ("offset", "data", "status", "code"),
    [
        ("", b"x", 400, "bad_header"),
        ("x", b"x", 400, "bad_header"),
        ("1", b"x", 409, "wrong_offset"),
        ("0", b"x" * 11, 413, "too_long"),
    ],
)
def test_a_bad_part_is_refused(
    client: Client, offset: str, data: bytes, status: int, code: str
) -> None:
    url = client.begin(10)
    answer = client.send(url, 0, data, Upload_Offset=offset)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert client.offset(url) == 0


def test_a_part_of_another_type_is_refused(client: Client) -> None:
    url = client.begin(10)
    headers = {**TUS, "Upload-Offset": "0"}
    for content_type in ("application/json", "application/octet-stream", ""):
        answer = client.api.generic("PATCH", url, b"{}", content_type, headers=headers)
        assert (answer.status_code, code_of(answer)) == (415, "unsupported_media_type")


def test_every_method_but_get_needs_the_version(client: Client) -> None:
    url = client.begin(10)
    for method in ("head", "patch", "delete", "post"):
        answer = getattr(client.api, method)(url)
        assert answer.status_code == 412
        assert answer["Tus-Version"] == "1.0.0"
    assert client.api.get(url).status_code == 200


def test_a_file_that_is_no_picture_is_told_by_get(client: Client, upload_dir: Path) -> None:
    state = client.upload(pictures.text(), filename="a.jpg")
    assert state["state"] == "refused"
    assert state["error"]["code"] == "not_a_picture"
    assert "JPEG" in state["error"]["detail"]
    assert state["image"] is None


def test_sizes_are_limited_by_kind(client: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES, settings.MAX_ZIP_BYTES = 10, 20
    assert client.create(10).status_code == 201
    assert code_of(client.create(11)) == "too_large"
    assert client.create(20, kind="zip").status_code == 201
    assert code_of(client.create(21, kind="zip")) == "too_large"


def test_unfinished_uploads_are_limited(client: Client, bob: User, settings: Any) -> None:
    settings.MAX_UNFINISHED_UPLOADS = 2
    first = client.begin(10)
    client.begin(10)
    assert code_of(client.create(10)) == "too_many_uploads"
    assert Client(bob).create(10).status_code == 201
    client.api.delete(first, headers=TUS)
    assert client.create(10).status_code == 201


def test_a_full_disk_is_said_before_and_while_sending(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.api.raise_request_exception = False
    url = client.begin(10)
    with monkeypatch.context() as patch:
        patch.setattr(partial, "has_room_for", lambda more: False)
        for answer in (client.create(10), client.send(url, 0, b"x")):
            assert (answer.status_code, code_of(answer)) == (507, "no_space")

    def fail(self: partial.Tail, piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(partial.Tail, "write", fail)
        answer = client.send(url, 0, b"x")
    assert (answer.status_code, code_of(answer)) == (507, "no_space")
    assert client.offset(url) == 0
    assert client.send(url, 0, b"x").status_code == 204


def test_only_so_many_are_waited_for_at_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.api.raise_request_exception = False
    url = client.begin(10)
    with monkeypatch.context() as patch:
        patch.setattr(slots, "slots", slots.Slots(1, 1))
        with slots.slot(0):
            created = client.api.generic(
                "POST", UPLOADS, b"x", PART, headers={**TUS, "Upload-Length": "10"}
            )
            for answer in (client.send(url, 0, b"x"), created):
                assert (answer.status_code, code_of(answer)) == (503, "uploads_busy")
                assert answer["Retry-After"] == "5"
        assert client.send(url, 0, b"x").status_code == 204
    assert ResumableUpload.objects.count() == 1, "a client that knows no address begins again"


# --- Whose is it ----------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head", "options", "post", "put", "patch", "delete"])
def test_uploads_of_others_are_not_there(alice: User, bob: User, method: str) -> None:
    url = Client(alice).begin(10)
    nowhere = f"{UPLOADS}{uuid.uuid4()}/"
    for stranger in (api(bob), api()):
        headers = {**TUS, "Upload-Offset": "0"}
        answers = [
            getattr(stranger, method)(address, headers=headers) for address in (url, nowhere)
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].content == answers[1].content
        assert dict(answers[0].headers) == dict(answers[1].headers)
    assert Client(alice).offset(url) == 0


def test_visitors_upload_nothing(db: None) -> None:
    assert Client(None).create(10).status_code == 401
    assert api().get(UPLOADS).status_code == 401


def test_an_album_is_filled_by_whom_it_is_open_to(alice: User, bob: User) -> None:
    album = Album.objects.create(owner=alice, title="Trip")
    assert code_of(Client(bob).create(10, album=str(album.pk))) == "bad_album"
    AlbumShare.objects.create(album=album, user=bob, role=AlbumRole.VIEW)
    assert code_of(Client(bob).create(10, album=str(album.pk))) == "bad_album"
    AlbumShare.objects.update(role=AlbumRole.ADD)
    state = Client(bob).upload(draw(), album=str(album.pk))
    assert state["error"] is None
    assert [str(item.image_id) for item in album.items.all()] == [state["image"]["id"]]


def test_an_album_that_closes_meanwhile_costs_no_picture(alice: User, bob: User) -> None:
    album = Album.objects.create(owner=alice, title="Trip")
    share = AlbumShare.objects.create(album=album, user=bob, role=AlbumRole.ADD)
    client, data = Client(bob), draw()
    url = client.begin(len(data), album=str(album.pk))
    share.delete()
    client.send(url, 0, data)
    state = client.state(url)
    assert (state["state"], state["error"]["code"]) == ("accepted", "album_closed")
    assert state["image"]["is_owner"]
    assert not album.items.exists()


# --- The same bytes again -------------------------------------------------------


def test_duplicates_are_told(client: Client, bob: User) -> None:
    data = draw()
    first = client.upload(data, title="First")
    again = client.upload(data, title="Second")
    assert (again["duplicate"], again["restored"]) == (True, False)
    assert again["image"]["id"] == first["image"]["id"]
    assert again["image"]["title"] == "First"
    service.delete_image(Image.objects.get())
    back = client.upload(data)
    assert (back["duplicate"], back["restored"]) == (True, True)
    assert not Client(bob).upload(data)["duplicate"]


def test_known_files_need_not_be_sent(client: Client, bob: User) -> None:
    kept = client.upload(draw(colour="red"))["image"]
    trashed = client.upload(draw(colour="blue"))["image"]
    service.delete_image(Image.objects.get(pk=trashed["id"]))
    other = Client(bob).upload(draw(colour="green"))["image"]
    hashes = [kept["sha256"].upper(), trashed["sha256"], other["sha256"], "0" * 64]
    answer = client.api.post("/api/v1/images/known/", {"sha256": hashes})
    assert answer.json() == {
        "known": {
            kept["sha256"]: {"id": kept["id"], "in_trash": False},
            trashed["sha256"]: {"id": trashed["id"], "in_trash": True},
        }
    }
    for bad in ([], ["x"], ["0" * 64] * 1001, "0" * 64):
        status = 200 if bad == [] else 400
        assert client.api.post("/api/v1/images/known/", {"sha256": bad}).status_code == status
    assert api().post("/api/v1/images/known/", {"sha256": []}).status_code == 401


# --- What is left behind --------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
def test_nothing_is_left_on_the_disk(client: Client, upload_dir: Path, media: Path) -> None:
    client.upload(draw())
    client.upload(b"no picture")
    url = client.begin(10)
    client.send(url, 0, b"12345")
    assert len(files_in(upload_dir)) == 1
    assert client.api.delete(url, headers=TUS).status_code == 204
    assert client.api.get(url).status_code == 404
    assert files_in(upload_dir) == []
    assert not list(media.rglob("*.part"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
def test_what_nobody_finishes_expires(client: Client, upload_dir: Path, settings: Any) -> None:
    url = client.begin(10)
    client.send(url, 0, b"12345")
    row = row_of(url)
    week = timezone.now() + timedelta(days=settings.UPLOAD_EXPIRY_DAYS)
    assert abs(row.expires_at - week) < timedelta(minutes=1)

    ResumableUpload.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
    tasks.expire_uploads()
    client.send(url, 5, b"6")
    assert row_of(url).expires_at > week - timedelta(minutes=1), "a part extends it"

    ResumableUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.api.get(UPLOADS).json()["results"] == []
    tasks.expire_uploads()
    assert client.api.head(url, headers=TUS).status_code == 404
    assert files_in(upload_dir) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
def test_results_are_kept_for_a_day(client: Client) -> None:
    state = client.upload(draw())
    row = row_of(state["url"])
    assert abs(row.expires_at - timezone.now() - timedelta(hours=24)) < timedelta(minutes=1)
    ResumableUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    tasks.expire_uploads()
    assert client.api.get(state["url"]).status_code == 404
    assert Image.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_files_without_an_upload_are_swept(alice: User, client: Client, upload_dir: Path) -> None:
    url = client.begin(10)
    client.send(url, 0, b"12345")
    stray = partial.path_of(uuid.uuid4())
    stray.write_bytes(b"left")
    (upload_dir / "somebody's.part").write_bytes(b"not ours")
    long_ago = timezone.now().timestamp() - 7200
    for path in files_in(upload_dir):
        os.utime(path, (long_ago, long_ago))
    tus.expire()
    assert not stray.exists()
    assert len(files_in(upload_dir)) == 2
    alice.delete()
    tus.expire()
    assert [path.name for path in files_in(upload_dir)] == ["somebody's.part"]


# --- Deaths between two steps ---------------------------------------------------


class Killed(BaseException):
    pass


def die(*_args: Any, **_fields: Any) -> None:
    raise Killed


def test_a_torn_tail_is_cut_off(client: Client) -> None:
    """The process dies after it has written and before it commits."""
    data = draw()
    url = client.begin(len(data))
    client.send(url, 0, data[:100])
    with partial.path_of(row_of(url).pk).open("ab") as file:
        file.write(b"garbage" * 1000)
    assert client.offset(url) == 100
    client.send(url, 100, data[100:])
    assert client.state(url)["state"] == "accepted"


def test_a_file_that_was_lost_begins_anew(client: Client) -> None:
    data = draw()
    url = client.begin(len(data))
    client.send(url, 0, data[:100])
    partial.remove(row_of(url).pk)
    assert client.offset(url) == 0
    assert client.send(url, 100, data[100:]).status_code == 409
    client.send(url, 0, data)
    assert client.state(url)["state"] == "accepted"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
@pytest.mark.parametrize("finisher", ["get", "head", "patch", "sweep"])
def test_a_death_before_the_registration_is_made_up_for(
    client: Client, upload_dir: Path, monkeypatch: pytest.MonkeyPatch, finisher: str
) -> None:
    data = draw()
    url = client.begin(len(data))

    with monkeypatch.context() as patch:
        patch.setattr(tus, "finish", die)
        with pytest.raises(Killed):
            client.send(url, 0, data)
    assert row_of(url).state == "receiving"
    assert not Image.objects.exists()

    if finisher == "sweep":
        assert task_names.FINISH_UPLOADS not in sweep.waiting()
        tasks.finish_uploads()
        assert not Image.objects.exists(), "somebody may still be at it"
        ResumableUpload.objects.update(updated_at=timezone.now() - timedelta(minutes=2))
        assert task_names.FINISH_UPLOADS in sweep.waiting({"chores"})
        tasks.finish_uploads()
    elif finisher == "patch":
        assert client.send(url, len(data), b"").status_code == 204
    else:
        assert getattr(client.api, finisher)(url, headers=TUS).status_code == 200
    state = client.state(url)
    assert (state["state"], state["duplicate"]) == ("accepted", False)
    assert files_in(upload_dir) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
def test_a_death_amid_the_registration_registers_once(
    client: Client, upload_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture is stored, and the process dies before the commit."""
    data = draw()
    url = client.begin(len(data))

    with monkeypatch.context() as patch:
        patch.setattr(acceptance, "put_into_album", die)
        with pytest.raises(Killed):
            client.send(url, 0, data)
    assert len(files_in(upload_dir)) == 1
    state = client.state(url)
    assert (state["state"], state["duplicate"]) == ("accepted", False)
    assert Image.objects.count() == 1
    assert files_in(upload_dir) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
def test_a_storage_that_is_down_loses_nothing(
    client: Client, upload_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = draw()
    url = client.begin(len(data))

    def fail(name: str, content: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(service, "replace_stored", fail)
        answer = client.send(url, 0, data)
    assert (answer.status_code, code_of(answer)) == (503, "storage_unavailable")
    assert len(files_in(upload_dir)) == 1
    assert client.state(url)["state"] == "accepted"


def test_the_sweep_finishes_the_others_where_one_fails(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for colour in ("red", "blue"):
        data = draw(colour=colour)
        row = row_of(client.begin(len(data)))
        with partial.appending(row.pk, 0) as tail:
            tail.write(data)
    old = timezone.now() - timedelta(minutes=2)
    ResumableUpload.objects.update(offset=F("length"), updated_at=old)
    failing = [True]
    add_image = service.add_image

    def fail_once(**fields: Any) -> Any:
        if failing.pop() if failing else False:
            raise RuntimeError("a bug")
        return add_image(**fields)

    monkeypatch.setattr(service, "add_image", fail_once)
    assert acceptance.finish_interrupted() == 2
    assert Image.objects.count() == 1
    assert "cannot be finished yet" in caplog.text
    assert acceptance.finish_interrupted() == 1
    assert Image.objects.count() == 2


# --- ZIP files ------------------------------------------------------------------


def test_a_zip_file_becomes_an_import(client: Client) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.jpg", draw())
    state = client.upload(buffer.getvalue(), kind="zip", filename="trip.zip", visibility="public")
    assert (state["state"], state["image"]) == ("accepted", None)
    batch = ImportBatch.objects.get(pk=state["batch"])
    assert (batch.kind, batch.name, batch.visibility) == ("zip", "trip.zip", "public")
    assert partial.path_of(batch.pk).exists(), "the import reads it"
    refused = client.upload(b"PK no zip", kind="zip")
    assert (refused["state"], refused["error"]["code"]) == ("refused", "not_a_zip")


# --- Any parts, any cuts --------------------------------------------------------


class Dribble:
    """A body that breaks off after some bytes, read in pieces of any size."""

    def __init__(self, data: bytes, announced: int | None = None) -> None:
        self._data = io.BytesIO(data)
        self.left: int | None = len(data) if announced is None else announced

    def read(self, size: int) -> bytes:
        piece = self._data.read(size)
        if self.left is not None:
            self.left -= len(piece)
        return piece


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_random_parts_and_cuts_give_the_file(
    data: st.DataObject, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts have any size, and any number of their bytes arrives. Some requests die before they
    commit."""
    monkeypatch.setattr(tus, "_COMMIT_BYTES", data.draw(st.integers(100, 3000), "commit"))
    monkeypatch.setattr(tus, "_PIECE", data.draw(st.integers(50, 2000), "piece"))
    picture = draw(120, 90, colour=data.draw(st.tuples(*[st.integers(0, 255)] * 3), "colour"))
    upload = tus.create(alice, len(picture), "")
    offset = steps = 0
    while offset < len(picture):
        steps += 1
        size = len(picture) if steps > 30 else data.draw(st.integers(0, len(picture) - offset))
        part = picture[offset : offset + size]
        arrived = part[: len(part) if steps > 30 else data.draw(st.integers(0, len(part)))]
        body = Dribble(arrived, data.draw(st.sampled_from([len(part), None])))
        if data.draw(st.integers(0, 5)) == 0 and steps <= 30:
            with monkeypatch.context() as patch:
                patch.setattr(tus, "_commit", die)
                with pytest.raises(Killed):
                    tus.receive(upload, offset, body)
        else:
            tus.receive(upload, offset, body)
            assert row_of(str(upload.pk)).offset == offset + len(arrived)
        offset = row_of(str(upload.pk)).offset
    row = row_of(str(upload.pk))
    assert row.state == "accepted"
    assert row.image is not None
    with row.image.file.open("rb") as file:
        assert file.read() == picture


def test_places_are_shared_and_given_back() -> None:
    places = slots.Slots(3, 2)
    took = [places.take(account) for account in (1, 1, 1, 2, 2, 3)]
    assert took == [True, True, False, True, False, False]
    places.give_back(1)
    assert places.take(3)
    for account in (1, 2, 3):
        places.give_back(account)
    assert not places._taken, "nobody is remembered"
