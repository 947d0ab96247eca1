"""The data and the searches of others do not change what is asked and stored for a viewer.
Otherwise the time of an answer would reveal them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from gallery import requester
from gallery.encoders import client
from gallery.models import Album, AlbumItem, EmbeddingSpace, Image, Tag, User
from gallery.requester import Requester
from gallery.search import service, words
from gallery.search.nearest import sample, scans, scope_size
from tests.conftest import api, draw, upload
from tests.factories import make_space, set_vector
from tests.web_tools import browser

SEARCH = "/api/v1/search/"
TEXT = "zanzibar lighthouse"


@pytest.fixture
def space(db: None, monkeypatch: pytest.MonkeyPatch) -> EmbeddingSpace:
    monkeypatch.setattr(sample, "sample_of", lambda space: None)  # it is read now and then
    return make_space(logit_scale=100)


@pytest.fixture
def encoded(space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reaches the encoder: texts, or the name of the task with a picture."""
    asked: list[str] = []

    def ask(task: str, space: Any, payload: Any, deadline: float) -> Any:
        texts = payload if isinstance(payload, list) else [task.rpartition(".")[2]]
        asked.extend(texts)
        return np.array([(1.0, 0.0, 0.0)] * len(texts), dtype=np.float32)

    monkeypatch.setattr(client, "_ask", ask)
    return asked


def rows(owner: User, count: int, **fields: Any) -> list[Image]:
    """Create pictures as rows alone."""
    start = Image.objects.count()
    facts = {"byte_size": 1, "content_type": "image/jpeg", "width": 1, "height": 1}
    return Image.objects.bulk_create(
        Image(owner=owner, sha256=f"{start + n:064}", file=f"{start + n}", **facts, **fields)
        for n in range(count)
    )


# --- Words of others --------------------------------------------------------------


def statements(viewer: Any) -> list[str]:
    """Return the statements of a search with all parameters. Savepoints are left out: they have
    changing names, and exist only because tests run in a transaction."""
    cache.delete_pattern("*")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        service.search_text(TEXT, viewer)
    return [query["sql"] for query in asked if "SAVEPOINT" not in (query["sql"] or "")]


@pytest.mark.parametrize(
    "secret",
    [
        {"title": TEXT},
        {"description": f"The {TEXT} of last summer"},
        {"original_name": f"{TEXT}.jpg"},
        {"title": TEXT, "visibility": "unlisted"},
    ],
    ids=["title", "description", "file name", "unlisted"],
)
@pytest.mark.parametrize("signed_in", [True, False], ids=["account", "visitor"])
def test_words_of_others_change_nothing_of_what_is_asked(
    encoded: list[str], alice: User, bob: User, secret: dict[str, str], signed_in: bool
) -> None:
    viewer = alice if signed_in else AnonymousUser()
    rows(alice, 3, title="a boat", visibility="public")
    statements(viewer)  # these are asked once a minute, and by each process
    before = statements(viewer)
    rows(bob, 20, **secret)
    Tag.objects.create(owner=bob, name=TEXT)
    Album.objects.create(owner=bob, title=TEXT)
    assert statements(viewer) == before
    assert words._known(TEXT, bob), "bob's own are known to bob"
    assert not words._known(TEXT, viewer)


def test_words_that_i_may_search_by_are_known(encoded: list[str], alice: User, bob: User) -> None:
    """These are the words of public pictures, of own ones in each field, and of those in shared
    albums."""
    rows(bob, 1, title="public", visibility="public")
    [shared] = rows(bob, 1, title="shared")
    [hidden] = rows(bob, 1, title="elsewhere")
    rows(alice, 1, title="titled", description="described", original_name="named.jpg")
    Tag.objects.create(owner=alice, name="tagged")
    album = Album.objects.create(owner=bob, title="Album")
    AlbumItem.objects.create(album=album, image=shared, position=1)
    album.shares.create(user=alice, role="view")
    for word in ("public", "shared", "titled", "described", "named", "tagged"):
        assert words._known(word, alice) == [word], word
        assert bool(words._known(word, AnonymousUser())) is (word == "public")
    assert words._known("elsewhere", alice) == []
    hidden.visibility = "public"
    hidden.save()
    assert words._known("elsewhere", alice) == ["elsewhere"]


def test_all_parts_together_are_what_one_may_see(alice: User, bob: User) -> None:
    rows(bob, 2, visibility="public")
    rows(bob, 2)
    rows(alice, 2)
    [shared] = rows(bob, 1)
    album = Album.objects.create(owner=alice, title="Album")
    AlbumItem.objects.create(album=album, image=shared, position=1)
    for viewer in (alice, bob, AnonymousUser()):
        parts = Image.objects.parts_visible_to(viewer)
        together = {pk for part in parts for pk in part.values_list("pk", flat=True)}
        assert together == set(Image.objects.visible_to(viewer).values_list("pk", flat=True))


def test_few_pictures_are_not_found_by_way_of_the_many_of_others(alice: User, bob: User) -> None:
    """Thousands of pictures of others have the word, or none: the number of read rows stays the
    same."""
    rows(alice, 30, title="a boat")
    rows(bob, 3000, title="a boat")
    assert rows_read(alice, "boat") <= 5 * 30
    Image.objects.filter(owner=bob).update(title=TEXT, description="boat")
    assert rows_read(alice, "boat") <= 5 * 30
    assert rows_read(alice, TEXT) <= 5 * 30


def rows_read(viewer: User, text: str) -> int:
    """Return how many rows of pictures the statements for words read."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE gallery_image")
    with CaptureQueriesContext(connection) as asked:
        words.ranked(Image.objects.visible_to(viewer), text, viewer, 200)
    total = 0
    with connection.cursor() as cursor:
        for query in asked:
            if "SAVEPOINT" in query["sql"]:
                continue
            *settings, question = re.split(r";\s*(?=SET|WITH)", query["sql"])
            for setting in settings:
                cursor.execute(setting)
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {question}")
            (plan,) = cursor.fetchone()
            total += _read(plan[0]["Plan"] if isinstance(plan, list) else json.loads(plan))
    return total


def _read(node: dict[str, Any]) -> int:
    own = 0
    if node.get("Relation Name") == "gallery_image":
        kept = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        own = int(node["Actual Loops"] * (kept + node.get("Rows Removed by Index Recheck", 0)))
    return own + sum(_read(part) for part in node.get("Plans", []))


# --- What others have searched ----------------------------------------------------


def test_a_text_is_kept_for_its_account_alone(encoded: list[str], alice: User, bob: User) -> None:
    for _ in range(2):
        assert api(alice).get(SEARCH, {"q": TEXT}).status_code == 200
    assert encoded == [TEXT]
    assert api(bob).get(SEARCH, {"q": TEXT}).status_code == 200
    assert APIClient().get(SEARCH, {"q": TEXT}).status_code == 200
    assert encoded == [TEXT] * 3
    assert browser(alice).get("/search/", {"q": TEXT}).status_code == 200, "page and API"
    assert encoded == [TEXT] * 3


def test_visitors_have_what_their_browser_asked_for(encoded: list[str]) -> None:
    first, second = browser(), browser()
    first.get("/")
    second.get("/")
    for visitor in (first, second, first, second):
        assert visitor.get("/search/", {"q": TEXT}).status_code == 200
    assert encoded == [TEXT] * 2
    for _ in range(2):  # no browser, and nothing that tells them apart
        assert APIClient().get(SEARCH, {"q": TEXT}).status_code == 200
    assert encoded == [TEXT] * 4


def test_categories_are_kept_for_their_account_alone(
    encoded: list[str], space: EmbeddingSpace, alice: User, bob: User
) -> None:
    image = upload(alice, visibility="public")
    set_vector(image, space, (1.0, 0.0, 0.0))
    address = f"/api/v1/images/{image.pk}/classify/"
    for user in (alice, alice, bob):
        assert api(user).post(address, {"classnames": ["cat"]}).status_code == 200
    assert encoded == ["a photo of a cat"] * 2


def test_texts_of_the_product_are_kept_apart_from_those_of_users(
    encoded: list[str], space: EmbeddingSpace, alice: User
) -> None:
    with requester.on_behalf_of(Requester(account=alice.pk)):
        client.encode_own_texts(space, ["a photo of dogs"])
        client.encode_texts(space, ["a photo of dogs"])
    client.encode_own_texts(space, ["a photo of dogs"])
    assert encoded == ["a photo of dogs"] * 2


def test_parts_of_pictures_are_kept_for_who_asked(
    encoded: list[str], space: EmbeddingSpace, alice: User, bob: User
) -> None:
    image = upload(alice, draw(400, 400), visibility="public")
    set_vector(image, space, (1.0, 0.0, 0.0))
    part = {"terms": [{"image": str(image.pk), "crop": [0, 0, 0.5, 0.5]}]}
    for user in (alice, alice, bob, None, None):
        assert api(user).post(SEARCH, part).status_code == 200
    assert len(encoded) == 4


def test_a_sent_picture_tells_nothing_of_those_of_others(
    encoded: list[str], alice: User, bob: User
) -> None:
    """It reveals neither their number nor whether somebody else sent the same one."""
    ids = [keep(user) for user in (None, alice, bob, None, None)]
    assert all(re.fullmatch("[0-9a-f]{32}", picture) for picture in ids)
    for user, picture in zip((alice, bob), ids[1:3], strict=True):
        assert api(user).post(SEARCH, {"terms": [{"upload": picture}]}).status_code == 200
    assert len(encoded) == 2
    crossed = api(alice).post(SEARCH, {"terms": [{"upload": ids[2]}]})
    never = api(alice).post(SEARCH, {"terms": [{"upload": "0" * 32}]})
    assert (crossed.status_code, crossed.json()) == (never.status_code, never.json())


def keep(user: User | None) -> str:
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("query.png", draw(format="PNG"))
    answer = api(user).post(f"{SEARCH}pictures/", {"file": file}, format="multipart")
    assert answer.status_code == 201
    picture: str = answer.json()["id"]
    return picture


def test_sizes_of_filtered_scopes_are_kept_for_who_asked(
    space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[Any] = []
    real = scope_size._counted
    monkeypatch.setattr(scope_size, "_counted", lambda *all_: counted.append(1) or real(*all_))
    filtered = scans.Scope.from_images(
        Image.objects.visible_to(AnonymousUser()).filter(camera="X100")
    )
    asking = [Requester(browser="a"), Requester(browser="b"), Requester(), Requester()]
    for who in (*asking, *asking):
        with requester.on_behalf_of(who):
            scope_size.measured(space, filtered)
    assert len(counted) == 2 + 4, "once for each browser, each time where none is known"


# --- Times that are told ----------------------------------------------------------


def test_times_are_told_in_tenths_of_a_second(encoded: list[str], alice: User, bob: User) -> None:
    bob.role = User.Role.ADMINISTRATOR
    bob.save()
    rows(alice, 3, visibility="public")
    for user in (alice, None):
        for _ in range(2):
            took = api(user).get(SEARCH, {"q": TEXT}).json()["took_ms"]
            assert took.keys() == {"encode", "search", "total"}
            assert all(ms % 100 == 0 for ms in took.values()), took
            assert took["encode"] == 100, "a hit rounds up to as much"
    exact = api(bob).get(SEARCH, {"q": TEXT}).json()["took_ms"]
    assert any(ms % 100 for ms in exact.values())
    page = browser(alice).get("/search/", {"q": TEXT}).content.decode()
    assert re.search(r"took \d\.\d s\.<", page)
    assert not re.search(r"\d ms", page)


def test_no_header_tells_times(encoded: list[str], alice: User) -> None:
    ways: list[Callable[[], Any]] = [
        lambda: browser(alice).get("/search/", {"q": TEXT}),
        lambda: api(alice).get(SEARCH, {"q": TEXT}),
    ]
    for ask in ways:
        assert not {"Server-Timing", "X-Runtime", "X-Response-Time"} & set(ask().headers)
