"""Search and classification pages, with vectors made up; the browser tests use
the real model."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from gallery.encoders import client as encoder_client
from gallery.models import EmbeddingSpace, Image, User
from gallery.web import search
from tests.conftest import draw, upload
from tests.factories import set_vector
from tests.web_tools import HTMX, WORDS, browser, fake_encoder, next_page, tiles

pytestmark = pytest.mark.django_db


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> EmbeddingSpace:
    return fake_encoder(monkeypatch)


def encoded(owner: User, space: EmbeddingSpace, red: float, **fields: Any) -> Image:
    """A picture that is `red` (0 to 1) red and for the rest green."""
    image = upload(owner, draw(colour=(int(red * 255), 80, 0)), **fields)
    set_vector(image, space, (red, 1 - red, 0))
    return image


def as_file(data: bytes, name: str = "query.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/jpeg")


def test_results_come_best_first_and_only_what_one_may_see(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    mine = [encoded(alice, space, red) for red in (0.2, 0.9, 0.6)]
    public = encoded(bob, space, 0.7, visibility="public")
    for hidden in ("private", "unlisted"):
        encoded(bob, space, 0.95 if hidden == "private" else 0.85, visibility=hidden)
    response = browser(alice).get("/search/", {"q": "red"})
    expected = [mine[1], public, mine[2], mine[0]]
    assert tiles(response) == [str(image.pk) for image in expected]
    page = response.content.decode()
    assert 'value="red"' in page
    assert "4 pictures" in page
    assert "exact" in page


def test_scrolling_goes_through_all_results_once(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 3)
    expected = [str(encoded(alice, space, 1 - n / 10).pk) for n in range(8)]
    client = browser(alice)
    response = client.get("/search/", {"q": "red"})
    seen = tiles(response)
    while address := next_page(response):
        response = client.get(address, headers=HTMX)
        seen += tiles(response)
    assert seen == expected


def test_results_of_another_user_cannot_be_continued(
    alice: User, bob: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 1)
    for red in (0.9, 0.5):
        encoded(alice, space, red)
    address = next_page(browser(alice).get("/search/", {"q": "red"}))
    assert address is not None
    for client in (browser(bob), browser()):
        response = client.get(address, headers=HTMX)
        assert response.status_code == 410
        assert "Search again" in response.content.decode()


def test_search_by_a_picture_survives_reloading(alice: User, space: EmbeddingSpace) -> None:
    near, far = encoded(alice, space, 0.9), encoded(alice, space, 0.1)
    client = browser(alice)
    data = {"file": as_file(draw(colour="orange")), "preview": "12345"}
    response = client.post("/search/", data)
    assert response.status_code == 302
    for _ in range(2):
        page = client.get(response.url)
        assert tiles(page) == [str(near.pk), str(far.pk)]
        assert 'data-query-preview="12345"' in page.content.decode()


def test_the_very_picture_is_named(alice: User, space: EmbeddingSpace) -> None:
    data = draw(colour="purple")
    same = upload(alice, data, title="The purple one")
    set_vector(same, space, WORDS["red"])
    other = encoded(alice, space, 0.5)
    page = browser(alice).post("/search/", {"file": as_file(data)}, follow=True)
    assert "This very picture is here already" in page.content.decode()
    assert "The purple one" in page.content.decode()
    assert tiles(page) == [str(other.pk)]


def test_visitors_may_search_by_a_picture(alice: User, space: EmbeddingSpace) -> None:
    public = encoded(alice, space, 0.5, visibility="public")
    page = browser().post("/search/", {"file": as_file(draw(colour="orange"))}, follow=True)
    assert tiles(page) == [str(public.pk)]


def test_a_preview_name_is_a_number_or_nothing(alice: User, space: EmbeddingSpace) -> None:
    data = {"file": as_file(draw()), "preview": '"><script>'}
    assert "script" not in browser(alice).post("/search/", data).url


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({}, "Type what the picture should show."),
        ({"q": " \n "}, "Type what the picture should show."),
        ({"q": "x" * 5000}, "at most 1000 characters"),
    ],
)
def test_bad_queries_are_answered_in_the_page(
    alice: User, space: EmbeddingSpace, query: dict[str, str], sentence: str
) -> None:
    response = browser(alice).get("/search/", query)
    assert response.status_code == 400
    assert sentence in response.content.decode()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (None, "Choose a picture first."),
        (b"", "empty"),
        (b"this is text", "holds no picture"),
        (draw(200, 200)[:900], "damaged or incomplete"),
    ],
)
def test_bad_query_pictures_are_answered_in_the_page(
    alice: User, space: EmbeddingSpace, file: bytes | None, sentence: str
) -> None:
    data = {} if file is None else {"file": as_file(file)}
    response = browser(alice).post("/search/", data)
    assert response.status_code == 400
    assert sentence in response.content.decode()


def test_a_query_picture_that_is_too_large(
    alice: User, space: EmbeddingSpace, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 5_000
    response = browser(alice).post("/search/", {"file": as_file(b"x" * 6_000)})
    assert response.status_code == 413


def test_a_worker_that_is_down_is_said_and_can_be_tried_again(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise encoder_client.worker_down()

    monkeypatch.setattr(encoder_client, "encode_texts", down)
    response = browser(alice).get("/search/", {"q": "red"})
    assert response.status_code == 503
    assert response["Retry-After"] == "15"
    page = response.content.decode()
    assert "the encoder is not running" in page
    assert 'href="/search/?q=red"' in page


def test_similar_pictures(alice: User, bob: User, space: EmbeddingSpace) -> None:
    image = encoded(alice, space, 0.9)
    near, far = encoded(alice, space, 0.8), encoded(bob, space, 0.1, visibility="public")
    encoded(bob, space, 0.85)
    response = browser(alice).get(reverse("image_similar", args=[image.pk]), headers=HTMX)
    assert tiles(response) == [str(near.pk), str(far.pk)]


def test_similar_pictures_of_one_that_is_still_being_encoded(
    alice: User, space: EmbeddingSpace
) -> None:
    image = upload(alice)
    response = browser(alice).get(reverse("image_similar", args=[image.pk]), headers=HTMX)
    assert response.status_code == 400
    assert response["HX-Reswap"] == "innerHTML"
    assert "still being prepared" in response.content.decode()


@pytest.mark.parametrize("route", ["image_similar", "image_classify"])
def test_nobody_uses_a_hidden_picture_as_a_query(
    alice: User, bob: User, space: EmbeddingSpace, route: str
) -> None:
    image = encoded(alice, space, 0.9)
    address = reverse(route, args=[image.pk])
    for client in (browser(bob), browser()):
        send = client.post if route == "image_classify" else client.get
        assert send(address, {"classnames": "red"}, headers=HTMX).status_code == 404


@pytest.mark.parametrize("htmx", [True, False])
def test_classify_a_stored_picture(alice: User, space: EmbeddingSpace, htmx: bool) -> None:
    image = encoded(alice, space, 0.9)
    fields = {"classnames": "green，red", "template": "{}"}
    address = reverse("image_classify", args=[image.pk])
    response = browser(alice).post(address, fields, headers=HTMX if htmx else {})
    page = response.content.decode()
    assert page.index('class="name">red') < page.index('class="name">green')
    assert "100.0 %" in page
    assert ("<html" in page) is not htmx


def test_classify_a_picture_that_is_not_kept(alice: User, space: EmbeddingSpace) -> None:
    fields = {"classnames": "red\ngreen", "template": "{}", "file": as_file(draw())}
    page = browser(alice).post(reverse("classify"), fields, headers=HTMX).content.decode()
    assert page.index('class="name">red') < page.index('class="name">green')
    assert not Image.objects.exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"classnames": " , "}, "Name at least one category."),
        ({"classnames": ",".join(map(str, range(10_000)))}, "at most 1000 categories"),
        ({"classnames": "red", "template": "no place for it"}, "{}"),
    ],
)
def test_bad_categories_are_answered_in_place(
    alice: User, space: EmbeddingSpace, fields: dict[str, str], sentence: str
) -> None:
    image = encoded(alice, space, 0.9)
    address = reverse("image_classify", args=[image.pk])
    response = browser(alice).post(address, fields, headers=HTMX)
    assert response.status_code == 400
    assert response.content.decode().lstrip().startswith('<div class="alert"')
    assert sentence in response.content.decode()
