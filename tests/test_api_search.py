"""Searching through the API, with a real encoder worker where meaning counts."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from gallery.encoders import reply
from gallery.models import Image
from tests import pictures
from tests.api_tools import code_of, sample, with_worker
from tests.conftest import api, upload, wait_for
from tests.factories import make_space

SEARCH = "/api/v1/search/"
IMAGES = "/api/v1/images/"
SHAPE = {"results", "exact", "space", "next", "took_ms", "exact_copies"}


def page_of(response) -> dict:
    assert response.status_code == 200, response.content
    assert set(response.json()) == SHAPE
    return response.json()


def ids(page: dict) -> list[str]:
    return [hit["image"]["id"] for hit in page["results"]]


def by_picture(client: APIClient, content: bytes, **fields):
    file = SimpleUploadedFile("query.jpg", content)
    return client.post(SEARCH, {"file": file, **fields}, format="multipart")


@pytest.fixture
def photos(encoder_worker, alice, bob):
    """Encoded photographs by name: a cat and a rocket of alice, a coffee that bob
    shows to everybody, a temple that bob keeps for himself."""
    made = {
        "cat": upload(alice, sample("chelsea.png")),
        "rocket": upload(alice, sample("rocket.jpg")),
        "coffee": upload(bob, sample("coffee.png"), visibility="public"),
        "temple": upload(bob, sample("china.jpg")),
    }
    wait_for(
        lambda: not Image.objects.exclude(embeddings__state="encoded").exists(),
    )
    return made


# --- With the worker ------------------------------------------------------------


@with_worker
def test_words_find_ones_own_and_public_pictures_best_first(photos, alice, bob):
    page = page_of(api(alice).get(SEARCH, {"q": "a cat"}))
    assert ids(page)[0] == str(photos["cat"].pk)
    assert set(ids(page)) == {str(photos[name].pk) for name in ("cat", "rocket", "coffee")}
    scores = [hit["score"] for hit in page["results"]]
    assert scores == sorted(scores, reverse=True)
    assert all(-1 <= score <= 1 for score in scores)
    assert page["exact"] is True
    assert isinstance(page["space"], str)
    assert page["space"]
    assert page["next"] is None
    assert page["took_ms"]
    assert page["exact_copies"] == []

    of_bob = page_of(api(bob).get(SEARCH, {"q": "a cat"}))
    assert set(ids(of_bob)) == {str(photos[name].pk) for name in ("coffee", "temple")}
    of_nobody = page_of(APIClient().get(SEARCH, {"q": "a cat"}))
    assert ids(of_nobody) == [str(photos["coffee"].pk)]


@with_worker
def test_chinese_words_find_the_same(photos, alice):
    page = page_of(api(alice).get(SEARCH, {"q": "一只猫"}))
    assert ids(page)[0] == str(photos["cat"].pk)


@with_worker
def test_a_hit_is_shown_like_the_picture_itself(photos, alice):
    (best, *_) = page_of(api(alice).get(SEARCH, {"q": "a cat"}))["results"]
    assert set(best) == {"image", "score"}
    assert best["image"] == api(alice).get(f"{IMAGES}{photos['cat'].pk}/").json()
    assert best["image"]["state"] == "ready"


@with_worker
def test_a_hit_of_another_owner_hides_what_is_theirs(photos, alice):
    hits = page_of(api(alice).get(SEARCH, {"q": "coffee"}))["results"]
    (coffee,) = [hit["image"] for hit in hits if hit["image"]["id"] == str(photos["coffee"].pk)]
    assert coffee["is_owner"] is False
    assert coffee["original_name"] is coffee["sha256"] is None


@with_worker
def test_pages_follow_each_other_without_repeating(photos, alice):
    whole = ids(page_of(api(alice).get(SEARCH, {"q": "a cat"})))
    walked, address = [], f"{SEARCH}?q=a cat&limit=1"
    while address:
        page = page_of(api(alice).get(address))
        assert len(page["results"]) == 1
        walked += ids(page)
        address = page["next"]
    assert walked == whole


@with_worker
def test_a_sent_picture_finds_similar_ones_and_is_not_kept(photos, alice):
    before = Image.objects.count()
    first = page_of(by_picture(api(alice), pictures.jpeg(640, 480), limit="2"))
    assert len(first["results"]) == 2
    assert first["exact_copies"] == []
    second = page_of(api(alice).get(first["next"]))
    assert len(second["results"]) == 1
    assert not set(ids(first)) & set(ids(second))
    assert Image.objects.count() == before


@with_worker
def test_a_sent_copy_names_its_exact_copies_within_what_one_may_see(photos, alice, bob):
    page = page_of(by_picture(api(alice), sample("chelsea.png")))
    assert page["exact_copies"] == [{"id": str(photos["cat"].pk)}]
    assert page_of(by_picture(api(bob), sample("chelsea.png")))["exact_copies"] == []


@with_worker
def test_the_anonymous_search_by_picture_among_public_ones(photos):
    page = page_of(by_picture(APIClient(), sample("chelsea.png")))
    assert ids(page) == [str(photos["coffee"].pk)]


@with_worker
def test_similar_pictures_leave_out_the_picture_itself(photos, alice):
    address = f"{IMAGES}{photos['cat'].pk}/similar/"
    page = page_of(api(alice).get(address))
    assert set(ids(page)) == {str(photos[name].pk) for name in ("rocket", "coffee")}
    first = page_of(api(alice).get(address, {"limit": 1}))
    second = page_of(api(alice).get(first["next"]))
    assert ids(first) + ids(second) == ids(page)
    assert second["next"] is None


@with_worker
def test_a_cursor_is_nobody_elses(photos, alice):
    page = page_of(api(alice).get(SEARCH, {"q": "a cat", "limit": 1}))
    answer = APIClient().get(page["next"])
    assert (answer.status_code, code_of(answer)) == (410, "search_expired")


# --- Without a worker -----------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "empty_query"),
        ({"q": ""}, "empty_query"),
        ({"q": " \t\n "}, "empty_query"),
        ({"q": "\x00"}, "empty_query"),
        ({"q": "x" * 5000}, "query_too_long"),
        ({"q": "猫" * 5000}, "query_too_long"),
        *(
            ({"q": "cat", "limit": limit}, "bad_limit")
            for limit in ("0", "-1", 10**9, "abc", "1.5", "²", "\x00", "9" * 5000)
        ),
    ],
)
def test_a_senseless_search_is_refused(query, code, alice):
    answer = api(alice).get(SEARCH, query)
    assert (answer.status_code, code_of(answer)) == (400, code)


@pytest.mark.django_db
@pytest.mark.parametrize("limit", ["0", "-1", 10**9, "abc"])
def test_a_senseless_limit_is_refused_everywhere(limit, alice):
    similar = api(alice).get(f"{IMAGES}{upload(alice).pk}/similar/", {"limit": limit})
    sent = by_picture(api(alice), pictures.jpeg(), limit=limit)
    for answer in (similar, sent):
        assert (answer.status_code, code_of(answer)) == (400, "bad_limit")


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["abc", "\x00", "x" * 5000, "é"])
def test_an_unknown_cursor_says_that_the_search_has_expired(cursor, alice):
    answer = api(alice).get(SEARCH, {"cursor": cursor})
    assert (answer.status_code, code_of(answer)) == (410, "search_expired")


@pytest.mark.django_db
def test_a_worker_that_is_down_is_503_and_never_an_empty_result(alice, monkeypatch):
    monkeypatch.setattr(reply, "heartbeat", lambda: None)
    make_space()
    upload(alice)
    for answer in (
        api(alice).get(SEARCH, {"q": "nobody asked for this before"}),
        by_picture(api(alice), pictures.jpeg()),
    ):
        assert (answer.status_code, code_of(answer)) == (503, "encoder_down")
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.django_db
def test_a_picture_that_is_not_encoded_yet_has_no_similar_ones_yet(alice):
    make_space()
    answer = api(alice).get(f"{IMAGES}{upload(alice).pk}/similar/")
    assert (answer.status_code, code_of(answer)) == (400, "not_encoded_yet")
