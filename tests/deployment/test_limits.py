"""Rate limits of an account or an address. Pages and API share one counter."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import redis
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.urls import reverse
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.test import APIClient

from gallery import checks, rate_limits, requester
from gallery.encoders import client
from gallery.models import Image, SavedSearch, User
from gallery.pixels import isolation
from gallery.requester import Requester
from tests.conftest import api, draw, upload
from tests.factories import make_space, set_vector
from tests.web_tools import HTMX, browser, fake_encoder

SEARCH = "/api/v1/search/"
ELSEWHERE = "192.0.2.7"


@pytest.fixture
def rates(settings: Any) -> Callable[..., None]:
    """Sets rates; all others are off. They are per day, so nothing is refilled during a test."""

    def replace(visitor: dict[str, str] | None = None, **rates: str) -> None:
        settings.LIMITS = rates
        settings.VISITOR_LIMITS = visitor or {}

    return replace


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch, alice: User) -> Image:
    """A public picture of alice that can be searched and classified."""
    monkeypatch.setattr("gallery.search.folding.fold", lambda ids: {})
    space = make_space(logit_scale=100)
    image = upload(alice, visibility="public")
    set_vector(image, space, (1.0, 0.0, 0.0))
    return image


@pytest.fixture
def encoded(gallery: Image, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that reach the encoder, after the cache and the charge."""
    asked: list[str] = []

    def ask(task: str, space: Any, texts: list[str], deadline: float) -> Any:
        asked.extend(texts)
        return np.array([(1.0, 0.0, 0.0)] * len(texts), dtype=np.float32)

    monkeypatch.setattr(client, "_ask", ask)
    return asked


def assert_refused(answer: Any) -> None:
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 10 * 86400
    assert answer.headers["Cache-Control"].endswith("no-store")


# --- One counter ------------------------------------------------------------------


def test_pages_and_api_share_the_counter_of_an_account(
    encoded: list[str], alice: User, bob: User, rates: Callable[..., None]
) -> None:
    rates(search="2/day")
    assert browser(alice).get("/search/", {"q": "a"}).status_code == 200
    assert api(alice).get(SEARCH, {"q": "b"}).status_code == 200
    assert_refused(browser(alice).get("/search/", {"q": "c"}))
    assert_refused(api(alice).get(SEARCH, {"q": "c"}))
    assert encoded == ["a", "b"], "what is refused is not encoded"
    assert api(bob).get(SEARCH, {"q": "c"}).status_code == 200


def test_pages_and_api_share_the_counter_of_an_address(
    encoded: list[str], rates: Callable[..., None]
) -> None:
    rates(search="1000/day", visitor={"search": "2/day"})
    assert browser().get("/search/", {"q": "a"}).status_code == 200
    assert APIClient().get(SEARCH, {"q": "b"}).status_code == 200
    assert_refused(browser().get("/search/", {"q": "c"}))
    assert_refused(APIClient().get(SEARCH, {"q": "c"}))
    assert APIClient(REMOTE_ADDR=ELSEWHERE).get(SEARCH, {"q": "c"}).status_code == 200


def test_an_account_is_one_whatever_its_address_and_token(
    encoded: list[str], alice: User, rates: Callable[..., None]
) -> None:
    rates(search="1/day")
    first, second = api(alice), api(alice)
    second.defaults["REMOTE_ADDR"] = ELSEWHERE
    assert first.get(SEARCH, {"q": "a"}).status_code == 200
    assert_refused(second.get(SEARCH, {"q": "b"}))


def test_a_network_of_ipv6_is_one_address(encoded: list[str], rates: Callable[..., None]) -> None:
    rates(search="1/day")
    hosts = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"]
    answers = [
        APIClient(REMOTE_ADDR=host).get(SEARCH, {"q": text}).status_code
        for host, text in zip(hosts, "abc", strict=True)
    ]
    assert answers == [200, 429, 200]


def test_a_visitor_cannot_write_its_own_address(
    encoded: list[str], rates: Callable[..., None]
) -> None:
    rates(anonymous="1/day")
    answers = [
        browser().get("/", headers={"X-Forwarded-For": host}).status_code
        for host in ("192.0.2.1", "192.0.2.2")
    ]
    assert answers == [200, 429]


def test_behind_a_proxy_addresses_are_the_visitors(
    db: None, rates: Callable[..., None], settings: Any
) -> None:
    settings.PROXY_COUNT = 1
    rates(anonymous="1/day")
    answers = [
        browser().get("/", headers={"X-Forwarded-For": f"198.51.100.9, {host}"}).status_code
        for host in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
    ]
    assert answers == [200, 429, 200]


# --- What is counted --------------------------------------------------------------


def test_a_search_costs_its_texts_and_what_is_known_a_tenth(
    encoded: list[str], alice: User, rates: Callable[..., None]
) -> None:
    rates(search="4/day")
    client = api(alice)
    three = {"terms": [{"text": text} for text in ("a", "b", "c")]}
    for _ in range(5):
        assert client.post(SEARCH, three).status_code == 200
    assert encoded == ["a", "b", "c"]
    assert client.post(SEARCH, {"terms": [{"text": "d"}]}).status_code == 200
    assert_refused(client.post(SEARCH, {"terms": [{"text": "e"}]}))


def test_scrolling_suggestions_and_similar_pictures_are_no_searches(
    encoded: list[str], gallery: Image, alice: User, rates: Callable[..., None]
) -> None:
    space = gallery.embeddings.get().space
    for _ in range(5):
        set_vector(upload(alice, draw(colour=(9, 9, 40 * _))), space, (0.9, 0.1, 0.0))
    rates(search="4/day")
    pages, client = 0, api(alice)
    address: str | None = f"{SEARCH}?q=a&limit=1"
    while address:
        answer = client.get(address)
        assert answer.status_code == 200
        address, pages = answer.json()["next"], pages + 1
    assert pages == 6
    for _ in range(10):
        assert client.get("/api/v1/search/complete/", {"q": "tag:"}).status_code == 200
        assert client.get(f"/api/v1/images/{gallery.pk}/similar/").status_code == 200


def test_a_classification_counts_by_names_and_templates(
    encoded: list[str], gallery: Image, alice: User, rates: Callable[..., None]
) -> None:
    rates(classify="4/day")
    page, address = browser(alice), f"/api/v1/images/{gallery.pk}/classify/"
    names = [f"thing {number}" for number in range(75)]
    asked = {"classnames": names, "templates": ["a {}", "the {}"]}  # 150 texts cost three
    assert api(alice).post(address, asked).status_code == 200
    assert page.post(f"/images/{gallery.pk}/classify/", {"classnames": "x, y"}).status_code == 200
    assert_refused(page.post(f"/images/{gallery.pk}/classify/", {"classnames": "z"}))
    assert_refused(api(alice).post(address, {"classnames": ["z"]}))
    assert len(encoded) == 152


def test_what_costs_more_than_there_is_is_done_and_waited_for(
    encoded: list[str], gallery: Image, alice: User, rates: Callable[..., None]
) -> None:
    rates(classify="2/min")
    client, address = api(alice), f"/api/v1/images/{gallery.pk}/classify/"
    names = [f"thing {number}" for number in range(500)]
    assert client.post(address, {"classnames": names}).status_code == 200
    refused = client.post(address, {"classnames": ["z"]})
    assert refused.status_code == 429
    assert 200 <= int(refused.headers["Retry-After"]) <= 244  # ten of two a minute


def test_visitors_name_fewer_categories(encoded: list[str], gallery: Image, alice: User) -> None:
    address = f"/api/v1/images/{gallery.pk}/classify/"
    names = [f"thing {number}" for number in range(51)]
    assert APIClient().post(address, {"classnames": names[:50]}).status_code == 200
    refused = APIClient().post(address, {"classnames": names})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (
        400,
        "too_many_classnames",
    )
    wide = {"classnames": names[:50], "templates": [f"{n} {{}}" for n in range(6)]}
    assert APIClient().post(address, wide).status_code == 400
    assert api(alice).post(address, {"classnames": names}).status_code == 200


@pytest.mark.parametrize(
    "send",
    [
        lambda client, file: client.post(SEARCH, {"file": file}, format="multipart"),
        lambda client, file: client.post(f"{SEARCH}pictures/", {"file": file}, format="multipart"),
        lambda client, file: client.post(
            "/api/v1/classify/", {"file": file, "classnames": "a"}, format="multipart"
        ),
        lambda client, file: client.post("/search/", {"file": file}, format="multipart"),
        lambda client, file: client.post(
            "/classify/", {"file": file, "classnames": "a"}, format="multipart"
        ),
    ],
    ids=["search", "kept", "classify", "search page", "classify page"],
)
def test_a_sent_picture_counts_by_its_pixels_before_it_is_decoded(
    send: Callable[..., Any],
    alice: User,
    rates: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake_encoder(monkeypatch)
    rates(search="20/day")
    decoded: list[Any] = []
    monkeypatch.setattr(isolation, "run", lambda *job, **_arguments: decoded.append(job))
    # 40,000,000 pixels in a kilobyte: four searches.
    wide = draw(8000, 5000, format="PNG")
    with requester.on_behalf_of(Requester(account=alice.pk)):
        rate_limits.charge("search", 19)
    client = APIClient(raise_request_exception=False)  # nothing was decoded, after all
    client.force_login(alice)
    send(client, SimpleUploadedFile("a.png", wide))
    assert len(decoded) == 1, "one was left"
    assert_refused(send(client, SimpleUploadedFile("a.png", wide)))
    assert len(decoded) == 1
    with (
        requester.on_behalf_of(Requester(account=alice.pk)),
        pytest.raises(rate_limits.TooMany) as refused,
    ):
        rate_limits.charge("search")
    assert 3 * 4320 < refused.value.retry_after < 4 * 4320  # 23 of 20 a day


def test_a_page_of_thumbnails_is_never_refused(
    gallery: Image, rates: Callable[..., None], media: Any
) -> None:
    rates(anonymous="2/day")
    for _ in range(5):
        assert APIClient().get(f"/api/v1/images/{gallery.pk}/thumbnail/").status_code == 200
        assert APIClient().get(f"/api/v1/images/{gallery.pk}/file/").status_code == 200
    assert APIClient().get("/api/v1/images/").status_code == 200
    assert browser().get("/").status_code == 200
    assert_refused(APIClient().get("/api/v1/images/"))
    assert_refused(browser().get("/"))
    assert APIClient().get(f"/api/v1/images/{gallery.pk}/thumbnail/").status_code == 200


def test_a_signed_in_user_is_no_visitor(alice: User, rates: Callable[..., None]) -> None:
    rates(anonymous="1/day")
    for _ in range(3):
        assert browser(alice).get("/").status_code == 200
        assert api(alice).get("/api/v1/images/").status_code == 200


# --- How it is said ---------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_refusal_is_a_sentence_in_pages_parts_and_the_api(
    encoded: list[str], rates: Callable[..., None], language: str
) -> None:
    rates(search="1/day")
    page = browser(language=language)
    page.get("/search/", {"q": "a"})
    sentence = re.compile(r"Try again in \d+ second" if language == "en" else r"\d+ 秒")
    shown = page.get("/search/", {"q": "b"})
    part = page.get(f"/images/{Image.objects.get().pk}/similar/", headers=HTMX)
    said = APIClient().get(SEARCH, {"q": "b"}, headers={"Accept-Language": language})
    glance = glance_of(language)
    for answer in (shown, part, said, glance):
        assert_refused(answer)
        assert sentence.search(answer.content.decode()), answer.content.decode()
    assert said.json()["errors"][0]["code"] == "throttled"
    assert "<html" not in part.content.decode()


def glance_of(language: str) -> Any:
    """Return the row of a saved search after the limit is used up."""
    owner = User.objects.get(username="alice")
    saved = SavedSearch.objects.create(owner=owner, name="a", query={"terms": [{"text": "a"}]})
    with requester.on_behalf_of(Requester(account=owner.pk)):
        rate_limits.charge("search", 5)
    address = reverse("saved_search_glance", args=[saved.pk])
    return browser(owner, language).get(address, headers=HTMX)


def test_nothing_left_means_nothing_counted(alice: User, rates: Callable[..., None]) -> None:
    rates(search="1/day")
    with requester.on_behalf_of(Requester(account=alice.pk)):
        rate_limits.charge("search")
        waits = []
        for _ in range(5):
            with pytest.raises(rate_limits.TooMany) as refused:
                rate_limits.charge("search")
            waits.append(refused.value.retry_after)
    assert max(waits) <= 86400


# --- Off, and down ----------------------------------------------------------------


@pytest.mark.parametrize("off", ["", "0", "0/min"])
def test_no_rate_means_no_limit(encoded: list[str], rates: Callable[..., None], off: str) -> None:
    rates(search=off)
    answers = [APIClient().get(SEARCH, {"q": text}).status_code for text in "abcde"]
    assert answers == [200] * 5


def test_without_the_cache_requests_go_through(
    encoded: list[str], rates: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rates(search="1/day", anonymous="1/day")
    # Without tries again, as in the cache of the product.
    nobody = redis.Redis(port=1, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(rate_limits, "get_redis_connection", lambda name: nobody)
    answers = [APIClient().get(SEARCH, {"q": text}).status_code for text in "abc"]
    assert answers == [200] * 3


def test_what_is_no_rate_is_told_at_the_start(rates: Callable[..., None]) -> None:
    rates(search="often")
    assert [error.id for error in checks.limits_are_rates()] == ["gallery.E006"]
    rates(search="120/min", classify="", anonymous="3/hour", upload="5/s")
    assert checks.limits_are_rates() == []
    assert rate_limits.rate("3/hour") == rate_limits.Rate(3, 3600)


def test_workers_are_not_counted(db: None, rates: Callable[..., None]) -> None:
    rates(search="1/day")
    for _ in range(3):
        rate_limits.charge("search")
    assert not cache.keys("limit:*")


def test_who_has_a_network_of_ipv6_is_one_visitor() -> None:
    def asked(address: str) -> str:
        return requester.network_of(RequestFactory().get("/", REMOTE_ADDR=address))

    assert asked("2001:db8::1") == asked("2001:db8::ffff:2") != asked("2001:db8:0:1::1")
    assert asked("::ffff:192.0.2.7") == asked("192.0.2.7") == "192.0.2.7"
