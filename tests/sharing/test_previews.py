"""What messengers show of an address (Open Graph): only what opens without an account."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from gallery.models import Image
from tests.conftest import draw, upload
from tests.sharing_tools import album_of, link_to, page_of, visitor
from tests.web_tools import browser

pytestmark = pytest.mark.django_db


def tags_of(page: str, client: Client | None = None) -> dict[str, str]:
    text = (client or visitor()).get(page).content.decode()
    found = re.findall(r'<meta property="og:([a-z:_]+)" content="([^"]*)">', text)
    return {name: unescape(value) for name, value in found}


def page_of_picture(image: Image) -> str:
    return reverse("image", args=[image.pk])


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
def test_a_picture_that_all_may_see_has_a_preview_whose_picture_opens(alice, visibility) -> None:
    image = upload(alice, visibility=visibility, title="Dog & “cat” <b>", name="IMG_1.jpg")
    tags = tags_of(page_of_picture(image))
    assert tags["title"] == "Dog & “cat” <b>"
    assert tags["url"] == f"http://testserver{page_of_picture(image)}"
    assert tags["image"].startswith("http://testserver/api/v1/images/")
    assert visitor().get(tags["image"]).status_code == 200


def test_a_private_picture_has_none_for_anybody(alice, bob) -> None:
    image = upload(alice, title="Secret")
    assert tags_of(page_of_picture(image), browser(alice)) == {}
    assert tags_of(page_of_picture(image), browser(bob)) == {}
    assert tags_of(page_of_picture(image)) == {}


def test_a_hidden_picture_has_none(alice) -> None:
    image = upload(alice, visibility="public", title="Hidden")
    Image.objects.filter(pk=image.pk).update(hidden_at=image.created_at)
    assert tags_of(page_of_picture(image), browser(alice)) == {}


def test_the_name_of_the_file_is_never_told(alice) -> None:
    image = upload(alice, visibility="public", name="secret-name.jpg")
    tags = tags_of(page_of_picture(image), browser(alice))
    assert tags["title"] == "Untitled"
    assert "secret-name" not in str(tags)


def test_a_link_to_an_album_shows_its_cover(alice) -> None:
    first, cover = upload(alice, title="First"), upload(alice, draw(colour="blue"), title="Cover")
    album = album_of(alice, first, cover, title="Holidays")
    link = link_to(album)
    tags = tags_of(page_of(link))
    assert (tags["title"], tags["image:alt"]) == ("Holidays", "First")
    assert tags["description"] == "2 pictures, shared by alice"
    assert visitor().get(tags["image"]).status_code == 200
    album.cover = cover
    album.save()
    assert tags_of(page_of(link))["image:alt"] == "Cover"
    assert tags_of(page_of(link, f"images/{first.pk}/"))["title"] == "First"


def test_a_cover_that_the_link_no_longer_shows_is_not_told(alice) -> None:
    cover, other = upload(alice, title="Gone"), upload(alice, draw(colour="blue"), title="Other")
    album = album_of(alice, cover, other)
    album.cover = cover
    album.save()
    Image.objects.filter(pk=cover.pk).update(hidden_at=cover.created_at)
    assert tags_of(page_of(link_to(album)))["image:alt"] == "Other"


def test_an_empty_album_has_a_title_alone(alice) -> None:
    tags = tags_of(page_of(link_to(album_of(alice, title="Empty"))))
    assert tags["title"] == "Empty"
    assert "image" not in tags


@pytest.mark.parametrize("closed", [{"password": "open sesame"}, {"max_uses": 3}])
def test_a_closed_link_tells_nothing_before_and_after_it_is_opened(alice, closed) -> None:
    link = link_to(album_of(alice, upload(alice), title="Holidays"), **closed)
    client = visitor()
    assert tags_of(page_of(link), client) == {}
    client.post(page_of(link, "unlock/"), {"password": closed.get("password", "")})
    assert "Holidays" in client.get(page_of(link)).content.decode()
    assert tags_of(page_of(link), client) == {}


def test_a_revoked_link_tells_nothing(alice) -> None:
    link = link_to(album_of(alice, upload(alice), title="Holidays"))
    link.revoked_at = link.created_at
    link.save()
    page = visitor().get(page_of(link)).content.decode()
    assert "og:" not in page
    assert "Holidays" not in page
