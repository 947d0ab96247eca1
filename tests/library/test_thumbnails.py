"""Signed addresses of thumbnails, valid for some minutes."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from gallery.library import renditions, service, thumbnails
from gallery.library.storage import rendition_path, rendition_path_of
from gallery.models import Image, User
from tests import pictures
from tests.conftest import upload
from tests.factories import analyse

pytestmark = pytest.mark.django_db

NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the time at which addresses are made and checked."""

    def at(seconds: float) -> None:
        monkeypatch.setattr("gallery.library.thumbnails.time.time", lambda: seconds)

    at(NOW)
    return at


@pytest.fixture
def image(alice: User) -> Image:
    kept = upload(alice, pictures.jpeg(800, 600), visibility="private")
    analyse()
    return kept


def status(address: str) -> int:
    """Return the status that a visitor gets."""
    return Client().get(address).status_code


def test_a_signed_address_opens_for_everybody_and_need_not_be_asked_again(image: Image) -> None:
    answer = Client().get(thumbnails.address(image.pk, 320))

    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "private, max-age=300, stale-while-revalidate=300"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert b"".join(answer.streaming_content)[8:12] == b"WEBP"  # type: ignore[attr-defined]
    again = Client().get(thumbnails.address(image.pk, 320), HTTP_IF_NONE_MATCH=answer["ETag"])
    assert again.status_code == 304
    assert Client().head(thumbnails.address(image.pk, 320)).status_code == 200


def test_nothing_is_asked_of_the_database(image: Image, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert status(thumbnails.address(image.pk, 640)) == 200
        assert status(thumbnails.address(image.pk)) == 200


def test_an_address_that_has_run_out_is_for_those_who_may_see_the_picture(
    image: Image, alice: User, bob: User, clock: Any
) -> None:
    address = thumbnails.address(image.pk, 320)
    clock(NOW + thumbnails.PERIOD - 1)
    assert status(address) == 200
    clock(NOW + thumbnails.LONGEST_SECONDS)

    assert status(address) == 404
    for user, expected in ((bob, 404), (alice, 200)):
        browser = Client()
        browser.force_login(user)
        answer = browser.get(address)
        assert answer.status_code == expected
        assert "max-age" not in answer["Cache-Control"]


@pytest.mark.parametrize("what", ["signature", "time", "picture", "width"])
def test_an_address_that_was_changed_opens_nothing(image: Image, alice: User, what: str) -> None:
    other = upload(alice, pictures.jpeg(50, 40), visibility="private")
    address = thumbnails.address(image.pk, 320)
    match = re.search(r"/(\d+)-([\w-]{22})/", address)
    assert match is not None
    until, signature = match.groups()
    changed = {
        "signature": address.replace(
            signature, ("B" if signature[0] == "A" else "A") + signature[1:]
        ),
        "time": address.replace(until, str(int(until) + 60)),
        "picture": address.replace(str(image.pk), str(other.pk)),
        "width": address.replace("w=320", "w=0"),
    }[what]
    assert changed != address
    assert status(changed) == 404


@pytest.mark.parametrize(
    "key", ["", "1", "1-", "-" * 24, "9" * 12 + "-" + "A" * 22, "٣-" + "A" * 22, "9999999999-\n"]
)
def test_what_is_no_key_opens_nothing(image: Image, key: str) -> None:
    assert status(f"/api/v1/thumbnails/{key}/{image.pk}/?w=320") == 404


def test_addresses_stay_the_same_for_a_while_and_change_in_turn(clock: Any) -> None:
    ids = [uuid.uuid4() for _ in range(50)]
    addresses = []
    for second in range(thumbnails.PERIOD + 1):
        clock(NOW + second)
        addresses.append([thumbnails.address(pk) for pk in ids])
    changes = [
        sum(before != after for before, after in zip(*pair, strict=True))
        for pair in itertools.pairwise(addresses)
    ]
    assert sum(changes) == len(ids), "each once in a period"
    assert max(changes) < 10


def test_what_is_taken_back_is_gone_from_lists_at_once_and_by_its_address_within_minutes(
    image: Image, clock: Any
) -> None:
    Image.objects.update(visibility="public")
    (shown,) = APIClient().get("/api/v1/images/").json()["results"]
    address = shown["urls"]["thumbnail"]
    Image.objects.update(visibility="private")

    assert APIClient().get("/api/v1/images/").json()["results"] == []
    assert status(reverse("api:image-thumbnail", args=[image.pk])) == 404
    assert status(address) == 200
    clock(NOW + thumbnails.LONGEST_SECONDS)
    assert status(address) == 404


def test_a_picture_that_is_deleted_for_good_has_no_thumbnail(
    image: Image, django_capture_on_commit_callbacks: Any
) -> None:
    address = thumbnails.address(image.pk, 320)
    with django_capture_on_commit_callbacks(execute=True):
        service.delete_image(image)
        service.purge_image(image)
    assert status(address) == 404


def test_what_does_not_lie_there_is_asked_for_by_those_who_may(image: Image, alice: User) -> None:
    """The picture lacks this width, or its file is lost."""
    default_storage.delete(rendition_path(image, 320))
    browser = Client()
    browser.force_login(alice)
    for width in (320, 2048):
        address = thumbnails.address(image.pk, width)
        assert status(address) == 404
        assert browser.get(address).status_code == 200
    assert status(thumbnails.address(image.pk, 320)) == 200, "made meanwhile"


def test_pictures_from_before_a_width_was_added_have_the_next_one(alice: User) -> None:
    image = upload(alice, pictures.jpeg(1000, 500), visibility="private")
    analyse()
    default_storage.delete(rendition_path(image, 480))
    answer = Client().get(thumbnails.address(image.pk, 480))
    assert answer.status_code == 200
    assert answer["ETag"] == f'"{image.pk}-640"'
    default_storage.delete(rendition_path(image, 640))
    assert status(thumbnails.address(image.pk, 480)) == 404


def test_pages_and_lists_name_addresses_that_open(image: Image, alice: User) -> None:
    browser = Client()
    browser.force_login(alice)
    page = browser.get("/").content.decode()
    sources = re.findall(r'<img src="(/api/[^"]+)"', page)
    assert [status(source) for source in sources] == [200]
    listed = browser.get("/api/v1/images/").json()["results"][0]["urls"]["thumbnail"]
    assert status(f"{listed}?w=640") == 200


@pytest.mark.parametrize(("edition", "look"), [("", ""), ("0a1b2c3d", "/0a1b2c3d")])
def test_nginx_computes_the_same_signature(edition: str, look: str) -> None:
    text = (settings.BASE_DIR / "deploy" / "nginx.conf").read_text()
    (signed,) = re.findall(r'secure_link_md5 "([^"]+)";', text)
    pk = uuid.uuid4()
    secret = thumbnails._secret(settings.THUMBNAIL_SECRET, settings.SECRET_KEY)
    key = thumbnails._key(pk, secret, edition)
    until, signature = key[:10], key[11:33]
    for name, value in {
        "$until": until,
        "$prefix$rest$look": f"{pk}{look}",
        "${THUMBNAIL_SECRET}": secret,
    }.items():
        signed = signed.replace(name, value)
    digest = base64.urlsafe_b64encode(hashlib.md5(signed.encode()).digest())
    assert signature == digest.rstrip(b"=").decode()
    (pattern,) = re.findall(r'location ~ "([^"]*thumbnails[^"]*)"', text)
    python = pattern.replace("(?<", "(?P<")
    for link in ("", "a-token"):
        path = thumbnails.address(pk, link=link, edition=edition)
        found = re.fullmatch(python, path)
        assert found is not None
        assert found["prefix"] + found["rest"] == str(pk)
        assert (found["until"], found["signature"]) == (until, signature)
        assert (found["edition"] or "") == edition
    # The name in the storage, by the maps and the variables of nginx.
    folder = re.search(r"map \$edition \$look \{(.*?)\}", text, re.DOTALL)
    assert folder is not None
    assert '"/$edition"' in folder[1]
    assert rendition_path_of(pk, 320, edition) == f"renditions/{str(pk)[:2]}/{pk}{look}-320.webp"
    assert "/$prefix/$prefix$rest$look-$thumbnail_width.webp" in text
    widths = re.search(r"map \$arg_w \$thumbnail_width \{(.*?)\}", text, re.DOTALL)
    assert widths is not None
    assert tuple(map(int, re.findall(r"^ +(\d+) ", widths[1], re.MULTILINE))) == renditions.WIDTHS


def test_nginx_sends_the_same_headers(image: Image) -> None:
    text = (settings.BASE_DIR / "deploy" / "nginx.conf").read_text()
    block = text.partition("thumbnails/(?<until>")[2].partition("location @clipsite")[0]
    said = re.findall(r'add_header ([\w-]+) "?([^";]+(?:; [^";]+)?)"?;', block)
    answer = Client().get(thumbnails.address(image.pk, 320))
    assert len(said) == 5
    assert said == [(name, answer[name]) for name, _value in said]


def test_a_secret_of_its_own_signs_otherwise(settings: Any) -> None:
    pk = uuid.uuid4()
    first = thumbnails.address(pk)
    settings.THUMBNAIL_SECRET = "another"
    assert thumbnails.opened_by(first) is None
    assert thumbnails.opened_by(thumbnails.address(pk)) == (pk, "")
