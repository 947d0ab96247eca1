"""Searching through the API, with a real encoder worker where meaning matters."""

from __future__ import annotations

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from PIL import Image as PILImage
from rest_framework.test import APIClient

from gallery.encoders import reply
from gallery.models import Image, Tag
from tests import pictures
from tests.api_tools import code_of, sample, with_worker
from tests.conftest import api, draw, upload, wait_for
from tests.factories import make_space

SEARCH = "/api/v1/search/"
IMAGES = "/api/v1/images/"
SHAPE = {"results", "exact", "space", "next", "took_ms", "exact_copies"}
SHAPE |= {"query", "line", "fused", "notes"}


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
    """Encoded photographs by name: a cat and a rocket of alice, a public coffee of bob, a private
    temple of bob."""
    made = {
        "cat": upload(alice, sample("chelsea.png")),
        "rocket": upload(alice, sample("rocket.jpg")),
        "coffee": upload(bob, sample("coffee.png"), visibility="public"),
        "temple": upload(bob, sample("china.jpg")),
    }
    wait_for(
        lambda: not Image.objects.filter(embeddings=None).exists(),
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
    assert set(best) == {"image", "score", "fit", "share", "by_words", "similar"}
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


@with_worker
def test_terms_and_filters_as_json(photos, alice):
    body = {
        "terms": [{"text": "a cat"}, {"text": "a rocket", "weight": -0.5}],
        "filters": {"owner": "me", "color": []},
        "limit": 1,
    }
    first = page_of(api(alice).post(SEARCH, body, format="json"))
    assert ids(first) == [str(photos["cat"].pk)]
    assert first["query"] == 'a cat -"a rocket"^0.5 owner:me'
    second = page_of(api(alice).get(first["next"]))
    assert ids(second) == [str(photos["rocket"].pk)]
    cursor = QueryDict(first["next"].partition("?")[2])["cursor"]
    assert ids(page_of(api(alice).post(SEARCH, {"cursor": cursor}))) == ids(second)
    line = page_of(api(alice).get(SEARCH, {"q": first["query"], "limit": 1}))
    assert [hit["score"] for hit in line["results"]] == [hit["score"] for hit in first["results"]]


@with_worker
def test_a_minus_pushes_away_what_it_names(photos, alice):
    coffee = str(photos["coffee"].pk)
    line = "things “a cup of coffee”"
    assert ids(page_of(api(alice).get(SEARCH, {"q": line})))[0] == coffee
    line = "things -“a cup of coffee”"
    assert ids(page_of(api(alice).get(SEARCH, {"q": line})))[-1] == coffee


@with_worker
def test_a_chinese_line_with_a_filter(photos, alice):
    page = page_of(api(alice).get(SEARCH, {"q": "「一只猫」 所有者：me"}))
    assert ids(page) == [str(photos[name].pk) for name in ("cat", "rocket")]


@with_worker
def test_a_part_of_a_sent_picture_finds_what_the_part_shows(photos, alice):
    """One picture has a cat on the left and a rocket on the right."""
    both = PILImage.new("RGB", (800, 400))
    for left, name in ((0, "chelsea.png"), (400, "rocket.jpg")):
        shown = PILImage.open(io.BytesIO(sample(name))).convert("RGB")
        both.paste(shown.resize((400, 400)), (left, 0))
    buffer = io.BytesIO()
    both.save(buffer, "PNG")
    file = SimpleUploadedFile("both.png", buffer.getvalue())
    kept = api(alice).post(f"{SEARCH}pictures/", {"file": file}, format="multipart")
    assert kept.status_code == 201
    for name, left in (("cat", 0), ("rocket", 0.5)):
        term = {"upload": kept.json()["id"], "crop": [left, 0, 0.5, 1]}
        page = page_of(api(alice).post(SEARCH, {"terms": [term]}))
        assert ids(page)[0] == str(photos[name].pk)
        assert page["results"][0]["score"] > 0.8


@with_worker
def test_a_part_of_a_stored_picture_and_words_together(photos, alice):
    terms = [
        {"image": str(photos["coffee"].pk), "crop": [0, 0, 0.6, 1], "weight": 0.5},
        {"text": "a cat"},
    ]
    page = page_of(api(alice).post(SEARCH, {"terms": terms}))
    assert ids(page) == [str(photos[name].pk) for name in ("cat", "rocket")]
    hidden = [{"image": str(photos["temple"].pk)}]
    answer = api(alice).post(SEARCH, {"terms": hidden})
    assert (answer.status_code, code_of(answer)) == (400, "no_such_picture")


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


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ([], "bad_query", None),
        ({}, "empty_query", "terms"),
        ({"terms": []}, "empty_query", "terms"),
        ({"terms": [{"text": "cat", "weight": 0}]}, "bad_weight", "terms.0.weight"),
        ({"terms": [{"text": "cat", "crop": [0, 0, 1, 1]}]}, "bad_crop", "terms.0.crop"),
        ({"terms": [{"text": "cat"}], "wieghts": []}, "unknown_name", "wieghts"),
        ({"terms": [{"text": "cat"}], "filters": {"tags": 1}}, "unknown_name", "filters.tags"),
        ({"terms": [{"text": "cat"}], "\ud800x": 1}, "unknown_name", "x"),
        ({"filters": {"album": "\ud800\x00"}}, "no_such_album", "filters.album"),
        ({"filters": {"camera": "\ud800"}}, "invalid", "filters.camera"),
        ({"terms": [{"text": "cat"}], "limit": 0}, "bad_limit", "limit"),
        ({"terms": [{"text": "cat"}], "limit": 1.5}, "bad_limit", "limit"),
        ({"terms": [{"text": "cat"}], "limit": [1]}, "bad_limit", "limit"),
        ({"terms": [{"text": "cat"}], "fold": "perhaps"}, "invalid", "fold"),
        ({"terms": ["a"]}, "bad_query", "terms.0"),
        ({"terms": [{"text": 5}]}, "bad_term", "terms.0.text"),
        ({"terms": [{"text": "\ud800"}]}, "bad_term", "terms.0.text"),
        ({"filters": {"color": [None]}}, "invalid", "filters.color"),
        ({"filters": {"album": []}}, "one_value", "filters.album"),
        ({"cursor": 5}, "bad_cursor", "cursor"),
        ({"cursor": "abc", "terms": [{"text": "cat"}]}, "cursor_with_query", "terms"),
        ({"cursor": "abc", "filters": {"tag": "sea"}}, "cursor_with_query", "filters"),
        ({"cursor": "abc", "wieghts": []}, "unknown_name", "wieghts"),
    ],
)
def test_json_that_makes_no_sense_is_refused_by_name(body, code, attr, alice):
    make_space()
    # The body is text: JSON may contain escaped halves of surrogate pairs.
    answer = api(alice).post(SEARCH, json.dumps(body), content_type="application/json")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["code"], error["attr"]) == (code, attr)


@pytest.mark.django_db
def test_null_is_as_good_as_nothing(alice):
    make_space()
    wide, _tall = upload(alice), upload(alice, draw(20, 60))
    body = {"filters": {"orientation": "landscape"}, "terms": [], "fold": None, "limit": None}
    page = page_of(api(alice).post(SEARCH, {**body, "cursor": None}))
    assert ids(page) == [str(wide.pk)]
    first = page_of(api(alice).post(SEARCH, {"filters": {"owner": "me"}, "limit": 1}))
    cursor = QueryDict(first["next"].partition("?")[2])["cursor"]
    nothing = {"terms": None, "filters": None, "fold": None}
    second = page_of(api(alice).post(SEARCH, {"cursor": cursor, **nothing}))
    assert ids(second) == [str(wide.pk)]


@pytest.mark.django_db
def test_the_sentence_names_the_filter_of_a_line(alice):
    make_space()
    for line, key in [
        ("dog size:abc", "size"),
        ("after:9999-99", "after"),
        ("on:2024-02-30", "on"),
        ("before:2024-02-30", "before"),
        ("方向:zz", "orientation"),
    ]:
        for answer in (
            api(alice).get(SEARCH, {"q": line}),
            api(alice).post(f"{SEARCH}parse/", {"q": line}),
        ):
            assert answer.status_code == 400
            (error,) = answer.json()["errors"]
            assert error["attr"] == "q"
            assert error["detail"].startswith(f"“{key}:” cannot be “")


@pytest.mark.django_db
def test_what_a_search_would_refuse_is_refused_as_a_line_alone(alice):
    address = f"{SEARCH}parse/"
    for line, code in [("album:none", "no_such_album"), ("-a " * 13, "too_many_terms")]:
        answer = api(alice).post(address, {"q": line})
        assert (answer.status_code, code_of(answer)) == (400, code)
        assert answer.json()["errors"][0]["attr"] == "q"
    (error,) = api(alice).post(address, ["cat"]).json()["errors"]
    assert (error["code"], error["attr"]) == ("bad_query", None)
    assert api(alice).post(address, {"q": ""}).json()["terms"] == []


@pytest.mark.django_db
def test_a_wrong_filter_is_named_before_the_encoder_is_asked(alice, monkeypatch):
    make_space()
    monkeypatch.setattr(reply, "heartbeat", lambda: pytest.fail("nothing is to be encoded"))
    body = {"terms": [{"text": "cat"}], "filters": {"orientation": "diagonal"}}
    (error,) = api(alice).post(SEARCH, body).json()["errors"]
    assert error["attr"] == "filters.orientation"
    (error,) = api(alice).get(SEARCH, {"q": "cat orientation:diagonal"}).json()["errors"]
    assert error["attr"] == "q"


@pytest.mark.django_db
def test_filters_alone_are_answered_without_scores(alice, bob, monkeypatch):
    make_space()
    monkeypatch.setattr(reply, "heartbeat", lambda: pytest.fail("nothing is to be encoded"))
    mine, shown = upload(alice), upload(bob, visibility="public")
    page = page_of(api(alice).get(SEARCH, {"q": "orientation:landscape"}))
    assert ids(page) == [str(shown.pk), str(mine.pk)]
    assert [hit["score"] for hit in page["results"]] == [None, None]
    assert ids(page_of(api(bob).get(SEARCH, {"q": "orientation:landscape"}))) == [str(shown.pk)]
    assert ids(page_of(api(alice).post(SEARCH, {"filters": {"orientation": "portrait"}}))) == []


@pytest.mark.django_db
def test_a_picture_to_search_with_is_checked_like_an_upload(alice):
    address = f"{SEARCH}pictures/"
    answer = api(alice).post(address, {}, format="multipart")
    assert (answer.status_code, code_of(answer)) == (400, "no_file")
    text = SimpleUploadedFile("a.jpg", b"no picture at all")
    answer = api(alice).post(address, {"file": text}, format="multipart")
    assert (answer.status_code, code_of(answer)) == (400, "not_a_picture")


@pytest.mark.django_db
def test_a_picture_that_is_no_longer_kept_is_410(alice, bob):
    make_space()
    file = SimpleUploadedFile("a.jpg", pictures.jpeg())
    kept = api(bob).post(f"{SEARCH}pictures/", {"file": file}, format="multipart").json()["id"]
    answer = api(alice).post(SEARCH, {"terms": [{"upload": kept}]})
    assert (answer.status_code, code_of(answer)) == (410, "picture_expired")
    assert answer.json()["errors"][0]["attr"] == "terms.0.upload"


@pytest.mark.django_db
def test_a_line_is_parsed_without_searching(alice):
    answer = api(alice).post(f"{SEARCH}parse/", {"q": " Beach  -people tag:sea  at 12:30"})
    assert answer.status_code == 200
    assert answer.json() == {
        "terms": [{"text": "Beach at 12:30", "weight": 1.0}, {"text": "people", "weight": -1.0}],
        "filters": {"tag": ["sea"]},
        "text": '"Beach at 12:30" -people tag:sea',
        "notes": [
            {
                "code": "unknown_key",
                "message": "“12:” is no filter: it is searched for as text.",
                "as_typed": "",
            }
        ],
    }


@pytest.mark.django_db
def test_a_line_is_completed_with_what_the_viewer_knows(alice, bob):
    Tag.objects.create(owner=alice, name="sea side").images.add(upload(alice))
    address = f"{SEARCH}complete/"
    (found,) = api(alice).get(address, {"q": "tag:se 海", "at": 6}).json()["suggestions"]
    assert found == {
        "kind": "value",
        "insert": '"sea side"',
        "detail": "1 picture",
        "text": 'tag:"sea side" 海',
        "at": 15,
        "start": 4,
        "end": 6,
    }
    assert api(bob).get(address, {"q": "tag:se"}).json() == {"suggestions": []}
    answer = api(bob).get(address, {"q": "tag:se", "at": "x"})
    assert (answer.status_code, code_of(answer)) == (400, "bad_position")
