"""The home page and the page of a picture: what they show, and to whom."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from gallery.models import Image, User
from gallery.web.lists import listing
from tests.conftest import draw, upload
from tests.factories import make_space
from tests.web_tools import HTMX, browser, next_page, tiles

pytestmark = pytest.mark.django_db


@pytest.fixture
def pictures(alice: User, bob: User) -> dict[str, str]:
    """Pictures of each visibility of both users: name -> id."""
    found = {}
    for number, owner in enumerate((alice, bob)):
        for shade, visibility in enumerate(Image.Visibility.values):
            colour = (40 * number, 40 * shade, 100)
            image = upload(owner, draw(colour=colour), visibility=visibility)
            found[f"{owner.username} {visibility}"] = str(image.pk)
    return found


@pytest.mark.parametrize(
    ("scope", "shown"),
    [
        ("", ["bob public", "alice public", "alice unlisted", "alice private"]),
        ("all", ["bob public", "alice public", "alice unlisted", "alice private"]),
        ("mine", ["alice public", "alice unlisted", "alice private"]),
        ("public", ["bob public", "alice public"]),
        ("nonsense", ["bob public", "alice public", "alice unlisted", "alice private"]),
    ],
)
def test_home_shows_own_and_public_pictures_newest_first(
    alice: User, pictures: dict[str, str], scope: str, shown: list[str]
) -> None:
    response = browser(alice).get("/", {"scope": scope} if scope else {})
    assert tiles(response) == [pictures[name] for name in shown]


@pytest.mark.parametrize("scope", ["all", "mine"])
def test_visitors_see_public_pictures_only(pictures: dict[str, str], scope: str) -> None:
    response = browser().get("/", {"scope": scope})
    assert tiles(response) == [pictures["bob public"], pictures["alice public"]]
    assert reverse("account_signup") in response.content.decode()


def test_scrolling_neither_repeats_nor_skips(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    mine = [str(upload(alice, draw(colour=(n, 0, 0))).pk) for n in range(8)]
    # Several pictures share a moment, as in one batch.
    Image.objects.filter(pk__in=mine[2:6]).update(created_at=timezone.now())
    client = browser(alice)
    expected = [str(image.pk) for image in Image.objects.order_by("-created_at", "-pk")]

    response = client.get("/recent/")
    seen = tiles(response)
    upload(alice, draw(colour="blue"))  # arrives while the visitor scrolls
    while address := next_page(response):
        response = client.get(address, headers=HTMX)
        assert b"<html" not in response.content
        seen += tiles(response)
    assert seen == expected


@pytest.mark.parametrize("cursor", ["x", "2024-01-01~", "2024-01-01T00:00:00~no-uuid", "~", "\x00"])
def test_a_broken_cursor_is_refused_with_a_sentence(alice: User, cursor: str) -> None:
    response = browser(alice).get("/recent/", {"after": cursor})
    assert response.status_code == 400
    assert "Start again from the first one" in response.content.decode()


def test_a_new_user_is_led_to_upload(alice: User) -> None:
    page = browser(alice).get("/").content.decode()
    assert "Your gallery is empty" in page
    assert reverse("upload") in page


def test_states_are_told_to_the_owner_only(alice: User, bob: User) -> None:
    make_space()
    upload(alice, visibility="public")
    assert "Processing" in browser(alice).get("/").content.decode()
    assert "Processing" not in browser(bob).get("/").content.decode()


def test_the_file_name_is_told_to_the_owner_only(alice: User, bob: User) -> None:
    image = upload(alice, name="secret place.jpg", visibility="public")
    for path in ("/", reverse("image", args=[image.pk])):
        assert "secret place" in browser(alice).get(path).content.decode()
        assert "secret place" not in browser(bob).get(path).content.decode()
        assert "Untitled" in browser(bob).get(path).content.decode()


@pytest.mark.parametrize(
    ("visibility", "status"), [("private", 404), ("unlisted", 200), ("public", 200)]
)
def test_who_may_open_a_picture(alice: User, bob: User, visibility: str, status: int) -> None:
    image = upload(alice, visibility=visibility)
    page = reverse("image", args=[image.pk])
    assert browser(alice).get(page).status_code == 200
    assert browser(bob).get(page).status_code == status
    assert browser().get(page).status_code == status


def test_the_place_is_told_to_the_owner_only(alice: User, bob: User) -> None:
    image = upload(alice, visibility="public")
    Image.objects.filter(pk=image.pk).update(latitude=48.1416667, longitude=11.57)
    page = reverse("image", args=[image.pk])
    assert "48.1416667, 11.57" in browser(alice).get(page).content.decode()
    assert "48.14" not in browser(bob).get(page).content.decode()


def test_texts_of_users_are_escaped(alice: User) -> None:
    image = upload(alice, title="<script>alert(1)</script>", description="<img src=x>")
    for path in ("/", reverse("image", args=[image.pk])):
        page = browser(alice).get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x>" not in page


@pytest.mark.parametrize("name", ["upload", "classify", "trash"])
def test_pages_of_members_ask_visitors_to_sign_in(name: str) -> None:
    response = browser().get(reverse(name))
    assert response.status_code == 302
    assert response.url == f"{reverse('account_login')}?next={reverse(name)}"


@pytest.mark.parametrize("name", ["home", "upload", "classify", "trash", "about"])
def test_pages_open(alice: User, name: str) -> None:
    make_space(architecture="starter")
    assert browser(alice).get(reverse(name)).status_code == 200
