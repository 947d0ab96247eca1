"""Pictures of accounts: made small and clean, and opened by addresses of pages alone."""

from __future__ import annotations

import io
import threading
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from PIL import Image as PILImage
from PIL.ExifTags import Base

from gallery.accounts import portraits
from gallery.library import thumbnails
from gallery.models import Portrait, User
from gallery.sharing import shares
from tests import pictures
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.sharing_tools import album_of
from tests.web_tools import browser

pytestmark = pytest.mark.django_db

PORTRAIT = "/api/v1/account/portrait/"


def sent(content: bytes) -> dict[str, SimpleUploadedFile]:
    return {"file": SimpleUploadedFile("me.jpg", content)}


def with_portrait(user: User, colour: str = "red") -> str:
    """Give the account a picture. Returns its address."""
    portraits.upload(user, io.BytesIO(draw(colour=colour)), "me.jpg")
    return portraits.address(user)


def test_it_is_a_small_square_without_metadata(alice: User) -> None:
    exif = pictures.exif_block(main={Base.Make: "Camera"})
    large = pictures.jpeg(900, 600, exif=exif)
    assert api(alice).put(PORTRAIT, sent(large), format="multipart").status_code == 204
    alice.refresh_from_db()
    answer = browser().get(portraits.address(alice))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "private" in answer["Cache-Control"]
    with PILImage.open(io.BytesIO(answer.content)) as square:
        assert square.size == (256, 256)
        assert not square.getexif()


def test_one_of_ones_own_pictures_serves(alice: User, bob: User) -> None:
    hers, his = upload(alice), upload(bob, draw(colour="blue"), visibility="public")
    answer = api(alice).put(PORTRAIT, {"image": str(his.pk)})
    assert (answer.status_code, code_of(answer)) == (400, "no_such_picture")
    assert api(alice).put(PORTRAIT, {"image": str(hers.pk)}).status_code == 204
    assert api(alice).get("/api/v1/account/").json()["portrait"].startswith("http://testserver/")


def test_what_is_no_picture_changes_nothing(alice: User) -> None:
    before = with_portrait(alice)
    for content in (b"nothing", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b""):
        answer = api(alice).put(PORTRAIT, sent(content), format="multipart")
        assert answer.status_code == 400
    page = browser(alice).post("/account/portrait/", sent(b"nothing"), follow=True)
    assert "This is your picture now." not in page.content.decode()
    alice.refresh_from_db()
    assert portraits.address(alice) == before
    assert browser().get(before).status_code == 200


def test_a_new_one_replaces_the_former(alice: User) -> None:
    former = with_portrait(alice)
    now = with_portrait(alice, "blue")
    assert former != now
    assert browser().get(former).status_code == 404
    assert browser().get(now).status_code == 200
    assert Portrait.objects.count() == 1


def test_it_can_be_removed(alice: User) -> None:
    address = with_portrait(alice)
    assert api(alice).delete(PORTRAIT).status_code == 204
    alice.refresh_from_db()
    assert alice.portrait_id is None
    assert browser().get(address).status_code == 404
    assert api(alice).get("/api/v1/account/").json()["portrait"] is None


def test_the_page_sets_and_removes_it(alice: User) -> None:
    client = browser(alice)
    client.post("/account/portrait/", sent(draw()))
    alice.refresh_from_db()
    assert portraits.address(alice) in client.get("/account/").content.decode()
    client.post("/account/portrait/remove/")
    assert "/portraits/" not in client.get("/account/").content.decode()


def test_only_signed_addresses_open_and_not_for_long(alice: User, monkeypatch) -> None:
    address = with_portrait(alice)
    key, pk = address.rstrip("/").split("/")[-2:]
    other = thumbnails.key_for(uuid.uuid4())
    until, _, signature = key.partition("-")
    for wrong in (other, "0-x", "-", "x", f"{int(until) + 1}-{signature}", f"{key}x", "é-é"):
        assert browser().get(f"/portraits/{wrong}/{pk}/").status_code == 404, wrong
    later = thumbnails.time.time() + thumbnails.LONGEST_SECONDS
    monkeypatch.setattr(thumbnails.time, "time", lambda: later)
    assert browser().get(address).status_code == 404


def test_those_see_it_who_see_the_account(alice: User, bob: User) -> None:
    with_portrait(alice)
    assert "/portraits/" not in browser(bob).get("/sharing/").content.decode()
    shares.share_with_person(album_of(alice, upload(alice)), "bob", "view", alice)
    assert "/portraits/" in browser(bob).get("/sharing/").content.decode()
    assert "/portraits/" in browser(bob).get("/notices/").content.decode()


def test_visitors_cannot_set_one() -> None:
    assert api().put(PORTRAIT, sent(draw()), format="multipart").status_code == 401
    assert browser().post("/account/portrait/", sent(draw())).status_code == 302


def test_it_goes_with_the_account(alice: User) -> None:
    with_portrait(alice)
    alice.delete()
    assert not Portrait.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_uploads_at_once_one_is_the_picture(alice: User) -> None:
    barrier, faults = threading.Barrier(2), []

    def choose(colour: str) -> None:
        user = User.objects.get(pk=alice.pk)
        file = io.BytesIO(draw(colour=colour))
        barrier.wait()
        try:
            portraits.upload(user, file, "me.jpg")
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=choose, args=[colour]) for colour in ("red", "blue")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    alice.refresh_from_db()
    assert Portrait.objects.get().pk == alice.portrait_id
