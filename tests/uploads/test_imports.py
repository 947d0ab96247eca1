"""Imports of many pictures from ZIP files and from addresses, through their worker."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import uuid
import zipfile
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files import File
from django.utils import timezone

from gallery import sweep, task_names, tasks
from gallery.errors import Refusal
from gallery.library import caps, service
from gallery.models import Album, Image, ImportBatch, ImportItem, ResumableUpload, User
from gallery.retryable import can_pass
from gallery.uploads import import_run, imports, remote, tus
from gallery.uploads.remote import Fetched
from gallery.work import leases
from tests import pictures
from tests.api_tools import code_of
from tests.conftest import ROOT, api, draw, wait_for, worker_environment
from tests.tus_tools import Client

pytestmark = [pytest.mark.django_db(transaction=True)]

IMPORTS = "/api/v1/imports/"


@pytest.fixture(autouse=True)
def upload_dir(tmp_path: Path, settings: Any, dispatched: Any) -> Path:
    settings.UPLOAD_DIR = str(tmp_path / "uploads")
    return tmp_path / "uploads"


def packed(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def upload_zip(owner: User, data: bytes, **wishes: str) -> str:
    """Upload a ZIP file. Return the id of its import."""
    state = Client(owner).upload(data, kind="zip", **wishes)
    assert state["state"] == "accepted", state
    return str(state["batch"])


def shown(owner: User, batch_id: str) -> dict[str, Any]:
    answer = api(owner).get(f"{IMPORTS}{batch_id}/")
    assert answer.status_code == 200
    return answer.json()


def run(owner: User, batch_id: str) -> dict[str, Any]:
    tasks.run_imports()
    return shown(owner, batch_id)


def counts(state: dict[str, Any]) -> tuple[int, ...]:
    return tuple(state[name] for name in ("total", "added", "duplicates", "failed", "pending"))


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


# --- ZIP files ------------------------------------------------------------------


def test_a_zip_file_is_added_picture_by_picture(
    alice: User, upload_dir: Path, dispatched: list[tuple[Any, ...]]
) -> None:
    album = Album.objects.create(owner=alice, title="Trip")
    data = packed(
        {
            "2024/五月/湖.jpg": draw(colour="red"),
            "2024/again.jpg": draw(colour="red"),
            "blue.png": draw(colour="blue", format="PNG"),
            "../../etc/cron.d/evil.jpg": draw(colour="green"),
            "/absolute.jpg": draw(colour="yellow"),
            "notes.txt": b"no picture",
            "__MACOSX/2024/._red.jpg": b"litter",
            ".hidden/a.jpg": draw(colour="black"),
            "2024/.DS_Store": b"litter",
            "Thumbs.db": b"litter",
            "empty/": b"",
        }
    )
    batch = upload_zip(alice, data, filename="trip.zip", visibility="public", album=str(album.pk))
    assert (task_names.RUN_IMPORTS,) in dispatched
    waiting = shown(alice, batch)
    assert (waiting["state"], waiting["kind"], waiting["name"]) == ("pending", "zip", "trip.zip")
    assert counts(waiting) == (0, 0, 0, 0, 0)

    done = run(alice, batch)

    assert (done["state"], done["error"]) == ("done", "")
    assert counts(done) == (6, 4, 1, 0, 0)
    assert (done["left_out"], done["failures"]) == (1, []), "notes.txt never was a picture"
    names = set(Image.objects.values_list("original_name", flat=True))
    assert names == {"湖.jpg", "blue.png", "evil.jpg", "absolute.jpg"}
    assert set(Image.objects.values_list("visibility", flat=True)) == {"public"}
    assert album.items.count() == 4
    assert files_in(upload_dir) == [], "the ZIP file is gone"


def test_names_of_old_chinese_programs_are_read(alice: User) -> None:
    data = packed({"XXXX.jpg": draw()}).replace(b"XXXX", "照片".encode("gb18030"))
    run(alice, upload_zip(alice, data))
    assert Image.objects.get().original_name == "照片.jpg"


def test_all_names_of_an_archive_are_read_in_one_code_page(alice: User) -> None:
    names = {"Gr__e.jpg": "Größe.jpg", "G_ste/M_ller.jpg": "Müller.jpg"}
    data = packed({name: draw(colour=(90, n * 90, 9)) for n, name in enumerate(names)})
    for sent, meant in (("Gr__e", "Größe"), ("G_ste/M_ller", "Gäste/Müller")):
        data = data.replace(sent.encode(), meant.encode("cp437"))
    run(alice, upload_zip(alice, data))
    assert set(Image.objects.values_list("original_name", flat=True)) == set(names.values())


def test_a_backslash_inside_of_a_sign_is_no_folder(alice: User) -> None:
    """In Shift-JIS the second byte of some characters is that of a backslash."""
    data = packed({"XXXXXXXX.jpg": draw()}).replace(b"XXXXXXXX", "写真の表".encode("cp932"))
    run(alice, upload_zip(alice, data))
    assert Image.objects.get().original_name == "写真の表.jpg"


def test_a_name_beside_the_name_counts_while_it_is_of_that_name(alice: User) -> None:
    """Info-ZIP's extra field 0x7075 has a checksum of the name in the entry, and the name in
    UTF-8."""
    for number, (checksum_of, expected) in enumerate(
        [(b"Mller.jpg", "Müller.jpg"), (b"other.jpg", "Mller.jpg")]
    ):
        entry = zipfile.ZipInfo("Mller.jpg")
        field = struct.pack("<BL", 1, zlib.crc32(checksum_of)) + "Müller.jpg".encode()
        entry.extra = struct.pack("<HH", 0x7075, len(field)) + field
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(entry, draw(colour=(number * 99, 9, 9)))
        run(alice, upload_zip(alice, buffer.getvalue()))
        assert Image.objects.order_by("-created_at")[0].original_name == expected


def test_what_is_no_picture_by_its_name_either_is_left_out(
    alice: User, settings: Any, dispatched: list[tuple[Any, ...]]
) -> None:
    settings.MAX_UPLOAD_BYTES = 50_000
    picture = draw()
    done = run(
        alice,
        upload_zip(
            alice,
            packed(
                {
                    "Photos/IMG_1.jpg": picture,
                    "Photos/IMG_1.jpg.json": b'{"title": "IMG_1.jpg"}',
                    "Photos/print-subscriptions.txt": b"",
                    "Photos/VID_2.mp4": pictures.film() + bytes(60_000),
                    "Photos/VID_3.mp4": bytes(4) + b"ftypisom" + bytes(9000),
                    "LICENSE": b"free",
                    "misnamed.txt": draw(colour="green"),
                    "Photos/broken.jpg": picture[: len(picture) // 9],
                    "Photos/empty.png": b"",
                    "drawing.svg": pictures.svg(),
                }
            ),
        ),
    )
    assert counts(done) == (10, 2, 0, 3, 0)
    assert done["left_out"] == 5
    failed = {failure["source"] for failure in done["failures"]}
    assert failed == {"Photos/broken.jpg", "Photos/empty.png", "drawing.svg"}
    assert done["state"] == "done"
    listed = api(alice).get("/api/v1/imports/").json()["results"][0]
    assert listed["left_out"] == 5


def test_names_twice_in_a_zip_file_are_two_entries(alice: User) -> None:
    data = packed({"a1.jpg": draw(colour="red"), "a2.jpg": draw(colour="blue")})
    done = run(alice, upload_zip(alice, data.replace(b"a2.jpg", b"a1.jpg")))
    assert counts(done) == (2, 2, 0, 0, 0)


def encrypted(data: bytes) -> bytes:
    """Set the flag for encryption, in both places of the first entry."""
    raw = bytearray(data)
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    return bytes(raw)


def damaged(data: bytes) -> bytes:
    """Change a byte of the first entry's content."""
    raw = bytearray(data)
    raw[120] ^= 0xFF
    return bytes(raw)


def compressed_otherwise(data: bytes) -> bytes:
    return packed({"first.jpg": draw(colour="red")}, zipfile.ZIP_BZIP2)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(encrypted, "password"), (damaged, "damaged"), (compressed_otherwise, "compressed")],
)
def test_a_bad_entry_fails_alone(alice: User, spoil: Callable[[bytes], bytes], reason: str) -> None:
    data = spoil(packed({"first.jpg": draw(colour="red")}, zipfile.ZIP_STORED))
    with zipfile.ZipFile(buffer := io.BytesIO(data), "a") as archive:
        archive.writestr("second.jpg", draw(colour="blue"))
    done = run(alice, upload_zip(alice, buffer.getvalue()))
    assert counts(done) == (2, 1, 0, 1, 0)
    assert done["failures"][0]["source"] == "first.jpg"
    assert reason in done["failures"][0]["error"]
    assert Image.objects.get().original_name == "second.jpg"


def test_an_entry_before_the_beginning_is_damaged(alice: User) -> None:
    data = bytearray(packed({"a.jpg": draw()}))
    data[-6] += 10  # the start of the directory: all offsets depend on it
    done = run(alice, upload_zip(alice, bytes(data)))
    assert (done["state"], counts(done)) == ("done", (1, 0, 0, 1, 0))
    assert "damaged" in done["failures"][0]["error"]


def test_an_entry_without_a_name_is_left_out(alice: User) -> None:
    data = packed({"X.jpg": draw(colour="red"), "a.jpg": draw(colour="blue")})
    done = run(alice, upload_zip(alice, data.replace(b"X.jpg", b"\0.jpg")))
    assert (done["state"], counts(done)) == ("done", (1, 1, 0, 0, 0))


def test_an_entry_is_measured_while_it_is_read(alice: User, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 50_000
    data = packed({"zeros.bmp": b"\0" * 50_001, "a.jpg": draw()})
    done = run(alice, upload_zip(alice, data))
    assert counts(done) == (2, 1, 0, 1, 0)
    assert "larger than" in done["failures"][0]["error"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (packed({}), "no pictures"),
        (packed({"a.jpg": b"x"})[:-30] + b"PK\x05\x06" + b"\xff" * 18, "no ZIP file"),
        (packed({f"{number}.jpg": b"" for number in range(11)}), "more than 10 files"),
        (packed({"bomb.bmp": b"\0" * 3_000_000}), "100 times"),
    ],
    ids=["empty", "damaged", "many", "bomb"],
)
def test_a_bad_zip_file_fails_as_a_whole(
    alice: User, settings: Any, upload_dir: Path, data: bytes, sentence: str
) -> None:
    settings.MAX_ZIP_ENTRIES, settings.MAX_UPLOAD_BYTES = 10, 1_000_000
    state = Client(alice).upload(data, kind="zip")
    if state["state"] == "refused":
        assert sentence in state["error"]["detail"]
    else:
        done = run(alice, state["batch"])
        assert done["state"] == "failed"
        assert sentence in done["error"]
        assert counts(done) == (0, 0, 0, 0, 0)
        again = api(alice).post(f"{IMPORTS}{state['batch']}/retry/")
        assert (again.status_code, code_of(again)) == (400, "import_file_gone")
    assert not Image.objects.exists()
    assert files_in(upload_dir) == []


def test_a_huge_list_of_entries_is_never_read(alice: User, settings: Any) -> None:
    settings.MAX_ZIP_ENTRIES = 10
    names = {f"{number:05}{'x' * 200}.jpg": b"" for number in range(6000)}
    done = run(alice, upload_zip(alice, packed(names)))
    assert (done["state"], counts(done)) == ("failed", (0, 0, 0, 0, 0))
    assert "more than 10 files" in done["error"]


# --- Addresses ------------------------------------------------------------------


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes | Refusal]:
    """The made-up web: addresses and their content."""
    files: dict[str, bytes | Refusal] = {}

    def fetch(url: str) -> Fetched:
        found = files[url]
        if isinstance(found, Refusal):
            raise found
        return Fetched(File(io.BytesIO(found), name="a"), remote.parse(url).file_name)

    monkeypatch.setattr(remote, "fetch", fetch)
    return files


def address(name: str) -> str:
    return f"https://pictures.example/{name}"


def test_addresses_are_fetched_and_failures_told(alice: User, web: Any) -> None:
    album = Album.objects.create(owner=alice, title="Trip")
    web[address("red.jpg")] = draw(colour="red")
    web[address("again.jpg")] = draw(colour="red")
    web[address("text.jpg")] = pictures.text()
    web[address("gone.jpg")] = Refusal("not_found_there", "It is not there (404).")
    urls = [*web, address("red.jpg"), " ", "ftp://pictures.example/a.jpg", "http://a:b@c.example/"]
    wishes = {"urls": urls, "visibility": "unlisted", "album": str(album.pk)}
    created = api(alice).post(IMPORTS, wishes)
    assert created.status_code == 201
    assert counts(created.json()) == (6, 0, 0, 2, 4)

    done = run(alice, created.json()["id"])

    assert (done["state"], counts(done)) == ("done", (6, 1, 1, 4, 0))
    reasons = {failure["source"]: failure["error"] for failure in done["failures"]}
    assert "not there (404)" in reasons[address("gone.jpg")]
    assert "named .jpg but holds no picture" in reasons[address("text.jpg")]
    assert "https://example.com" in reasons["ftp://pictures.example/a.jpg"]
    assert "username" in reasons["http://a:b@c.example/"]
    image = Image.objects.get()
    assert (image.original_name, image.visibility) == ("red.jpg", "unlisted")
    assert album.items.get().image == image


def test_inner_addresses_are_not_fetched(alice: User) -> None:
    """Nothing in between is replaced."""
    urls = ["http://127.0.0.1:8001/", "http://169.254.169.254/latest/", "http://[::1]/a.jpg"]
    created = api(alice).post(IMPORTS, {"urls": urls}).json()
    done = run(alice, created["id"])
    assert counts(done) == (3, 0, 0, 3, 0)
    assert {failure["error"] for failure in done["failures"]} == {
        "There is no public server at this address. Check how it is written."
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"urls": "https://pictures.example/"}, "not_a_list"),
        ({"urls": []}, "empty"),
        ({"urls": [" "]}, "no_urls"),
        ({"urls": [1.5, {}]}, "invalid"),
        ({"urls": ["a"] * 501}, "max_length"),
        ({"urls": ["a"], "visibility": "all"}, "invalid_choice"),
        ({"urls": ["a"], "album": "12"}, "invalid"),
        ({"urls": ["a"], "album": "5b1c7b83-7bb4-4b21-8ea4-b7b95a0e1cb8"}, "bad_album"),
    ],
)
def test_a_bad_import_is_refused(alice: User, body: Any, code: str) -> None:
    answer = api(alice).post(IMPORTS, body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == code
    assert not ImportBatch.objects.exists()


def test_imports_at_once_are_limited(alice: User, bob: User) -> None:
    for _ in range(caps.IMPORTS.most):
        assert api(alice).post(IMPORTS, {"urls": [address("a")]}).status_code == 201
    assert code_of(api(alice).post(IMPORTS, {"urls": [address("a")]})) == "too_many_imports"
    assert api(bob).post(IMPORTS, {"urls": [address("a")]}).status_code == 201


# --- Whose is it ----------------------------------------------------------------


@pytest.mark.parametrize("route", ["", "cancel/", "retry/"])
@pytest.mark.parametrize("method", ["get", "head", "options", "post", "put", "patch", "delete"])
def test_imports_of_others_are_not_there(alice: User, bob: User, route: str, method: str) -> None:
    batch = upload_zip(alice, packed({"a.jpg": draw()}))
    nowhere = "5b1c7b83-7bb4-4b21-8ea4-b7b95a0e1cb8"
    for stranger in (api(bob), api()):
        answers = [getattr(stranger, method)(f"{IMPORTS}{pk}/{route}") for pk in (batch, nowhere)]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].content == answers[1].content
    assert shown(alice, batch)["state"] == "pending"


def test_imports_are_listed_for_their_owner(alice: User, bob: User) -> None:
    for number in range(3):
        upload_zip(alice, packed({"a.jpg": draw()}), filename=f"{number}.zip")
    page = api(alice).get(f"{IMPORTS}?limit=2").json()
    assert [batch["name"] for batch in page["results"]] == ["2.zip", "1.zip"]
    rest = api(alice).get(page["next"]).json()
    assert [batch["name"] for batch in rest["results"]] == ["0.zip"]
    assert api(bob).get(IMPORTS).json()["results"] == []
    assert api().get(IMPORTS).status_code == 401
    assert api().post(IMPORTS, {"urls": ["a"]}).status_code == 401


# --- Cancel, retry, turns -------------------------------------------------------


def test_a_cancelled_import_stops_and_keeps_what_it_added(
    alice: User, upload_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = packed({f"{number}.jpg": pictures.jpeg(64 + number, 64) for number in range(5)})
    batch = upload_zip(alice, data)
    add_image = service.add_image

    def cancel_after_two(**fields: Any) -> Any:
        if Image.objects.count() == 1:
            assert api(alice).post(f"{IMPORTS}{batch}/cancel/").json()["state"] == "cancelled"
        return add_image(**fields)

    monkeypatch.setattr(service, "add_image", cancel_after_two)
    state = run(alice, batch)
    assert (state["state"], counts(state)) == ("cancelled", (5, 2, 0, 0, 3))
    assert state["finished_at"]
    assert files_in(upload_dir) == []
    assert run(alice, batch)["state"] == "cancelled"
    assert api(alice).post(f"{IMPORTS}{batch}/cancel/").status_code == 200


def test_what_failed_is_tried_again(alice: User, web: Any) -> None:
    web[address("a.jpg")] = draw(colour="red")
    web[address("b.jpg")] = Refusal("too_slow", "Too slow.")
    batch = api(alice).post(IMPORTS, {"urls": list(web)}).json()["id"]
    assert counts(run(alice, batch)) == (2, 1, 0, 1, 0)
    web[address("b.jpg")] = draw(colour="blue")
    again = api(alice).post(f"{IMPORTS}{batch}/retry/").json()
    assert (again["state"], counts(again)) == ("pending", (2, 1, 0, 0, 1))
    done = run(alice, batch)
    assert (done["state"], counts(done)) == ("done", (2, 2, 0, 0, 0))
    unchanged = api(alice).post(f"{IMPORTS}{batch}/retry/").json()
    assert unchanged["state"] == "done", "there is nothing to try"


def test_what_can_never_be_taken_is_not_tried_again(alice: User, web: Any) -> None:
    """Only files that may succeed are tried again. If there are none, no retry is offered."""
    web[address("slow.jpg")] = Refusal("too_slow", "Too slow.")
    web[address("text.jpg")] = b"no picture at all"
    batch = api(alice).post(IMPORTS, {"urls": list(web)}).json()["id"]
    done = run(alice, batch)
    assert (counts(done), done["can_retry"]) == ((2, 0, 0, 2, 0), True)
    assert "Too slow." in [failure["error"] for failure in done["failures"]]
    assert not any("\n" in failure["error"] for failure in done["failures"])
    again = api(alice).post(f"{IMPORTS}{batch}/retry/").json()
    assert counts(again) == (2, 0, 0, 1, 1)
    web[address("slow.jpg")] = draw(colour="blue")
    done = run(alice, batch)
    assert (counts(done), done["can_retry"]) == ((2, 1, 0, 1, 0), False)
    still = api(alice).post(f"{IMPORTS}{batch}/retry/").json()
    assert still["state"] == "done"


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        ("quota_exceeded", True),
        ("not_reached", True),
        ("storage_unavailable", True),
        ("damaged_picture", False),
        ("unsupported_format", False),
        ("too_many_pixels", False),
        ("bad_url", False),
    ],
)
def test_which_failures_can_pass(code: str, passes: bool) -> None:
    assert can_pass(code) is passes


def test_a_full_gallery_fails_the_rest_until_there_is_room(alice: User, upload_dir: Path) -> None:
    User.objects.filter(pk=alice.pk).update(quota_images=1)
    data = packed({"a.jpg": draw(colour="red"), "b.jpg": draw(colour="blue")})
    batch = upload_zip(alice, data)
    done = run(alice, batch)
    assert (done["state"], counts(done)) == ("done", (2, 1, 0, 1, 0))
    assert "1 of 1 pictures" in done["error"]
    assert len(files_in(upload_dir)) == 1, "kept for a retry"
    tus.expire()
    assert len(files_in(upload_dir)) == 1

    User.objects.filter(pk=alice.pk).update(quota_images=2)
    api(alice).post(f"{IMPORTS}{batch}/retry/")
    done = run(alice, batch)
    assert (done["state"], done["error"], counts(done)) == ("done", "", (2, 2, 0, 0, 0))
    assert files_in(upload_dir) == []


def test_a_file_kept_for_a_retry_is_gone_after_a_day(
    alice: User, upload_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(pk=alice.pk).update(quota_images=1)
    batch = upload_zip(alice, packed({"a.jpg": draw(colour="red"), "b.jpg": draw(colour="blue")}))
    run(alice, batch)
    yesterday = timezone.now() - timedelta(hours=25)
    ImportBatch.objects.update(finished_at=yesterday)
    ResumableUpload.objects.update(expires_at=yesterday)
    tasks.expire_uploads()
    assert files_in(upload_dir) == []
    assert code_of(api(alice).post(f"{IMPORTS}{batch}/retry/")) == "import_file_gone"


def test_imports_of_long_ago_are_forgotten(alice: User) -> None:
    batch = upload_zip(alice, packed({"a.jpg": draw()}))
    run(alice, batch)
    ImportBatch.objects.update(finished_at=timezone.now() - timedelta(days=31))
    tasks.expire_uploads()
    assert not ImportBatch.objects.exists()
    assert Image.objects.count() == 1


def test_a_long_import_lets_others_have_their_turn(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = packed({f"{number}.jpg": pictures.jpeg(64 + number, 64) for number in range(3)})
    batch = upload_zip(alice, data)
    monkeypatch.setattr(import_run, "_SLICE_SECONDS", 0.0)
    bobs = upload_zip(bob, packed({"b.jpg": draw(colour="blue"), "c.jpg": draw(colour="green")}))
    order: list[str] = []
    add_image = service.add_image

    def add(**fields: Any) -> Any:
        order.append(fields["owner"].username)
        return add_image(**fields)

    monkeypatch.setattr(service, "add_image", add)
    assert counts(run(alice, batch)) == (3, 3, 0, 0, 0)
    assert counts(shown(bob, bobs)) == (2, 2, 0, 0, 0)
    assert order == ["alice", "bob", "alice", "bob", "alice"], (
        "one picture, and the next one's turn"
    )


# --- Workers that die -----------------------------------------------------------


def claims_end() -> None:
    ImportBatch.objects.update(claimed_until=timezone.now() - timedelta(minutes=2))


def test_one_worker_at_a_time_has_an_import(alice: User) -> None:
    batch = upload_zip(alice, packed({"a.jpg": draw()}))
    assert leases.take(imports.waiting(), import_run.LEASE, state="running")
    assert counts(run(alice, batch)) == (0, 0, 0, 0, 0)
    assert not imports.waiting().exists()
    assert task_names.RUN_IMPORTS not in sweep.waiting()
    claims_end()
    assert [str(each.pk) for each in imports.waiting()] == [batch]
    assert task_names.RUN_IMPORTS in sweep.waiting({"chores"}), "also without any ring"
    assert counts(run(alice, batch)) == (1, 1, 0, 0, 0)


def test_a_worker_that_lost_its_claim_writes_nothing_more(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = packed({"a.jpg": draw(colour="red"), "b.jpg": draw(colour="blue")})
    batch = upload_zip(alice, data)
    add_image = service.add_image

    def lose(**fields: Any) -> Any:
        ImportBatch.objects.update(claim=uuid.uuid4())
        return add_image(**fields)

    monkeypatch.setattr(service, "add_image", lose)
    state = run(alice, batch)
    assert (state["state"], counts(state)) == ("running", (2, 1, 0, 0, 1))


def test_an_entry_that_kills_its_worker_is_given_up(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    data = packed({"bad.jpg": draw(colour="red"), "good.jpg": draw(colour="blue")})
    batch = upload_zip(alice, data)
    add_image = service.add_image

    def die(**fields: Any) -> Any:
        if fields["name"] == "bad.jpg":
            raise Killed
        return add_image(**fields)

    monkeypatch.setattr(service, "add_image", die)
    for _ in range(2):
        with pytest.raises(Killed):
            tasks.run_imports()
        claims_end()
    done = run(alice, batch)
    assert (done["state"], counts(done)) == ("done", (2, 1, 0, 1, 0))
    assert done["failures"] == [
        {"source": "bad.jpg", "error": "The import broke off at this file."}
    ]


# Tries again like the sweep: a worker that was just killed may still hold the row.
RUN_IMPORTS = """
import time
import django
django.setup()
from gallery import tasks
while True:
    tasks.run_imports()
    time.sleep(0.1)
"""


def test_kill_9_amid_an_import_loses_and_repeats_nothing(
    alice: User, media: Path, upload_dir: Path
) -> None:
    entries = {f"{number}.png": pictures.png(700 + number, 500) for number in range(40)}
    batch = upload_zip(alice, packed(entries, zipfile.ZIP_STORED))
    command = [sys.executable, "-c", RUN_IMPORTS]
    environment = worker_environment(media, UPLOAD_DIR=str(upload_dir))
    for wanted in (5, 12):
        process = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            wait_for(lambda wanted=wanted: Image.objects.count() >= wanted, 120, "some pictures")
        finally:
            process.kill()
            process.wait(10)
        claims_end()
    assert Image.objects.count() < 40
    wait_for(lambda: run(alice, batch)["state"] == "done", 60, "the rest is imported")
    done = shown(alice, batch)
    assert (done["state"], counts(done)) == ("done", (40, 40, 0, 0, 0))
    assert Image.objects.count() == 40
    assert ImportItem.objects.exclude(image__isnull=False).count() == 0
    assert files_in(upload_dir) == []
