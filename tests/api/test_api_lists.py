"""Lists of pictures through the API: filters and pages."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.test import APIClient

from gallery.models import Image
from tests.api_tools import code_of
from tests.conftest import api, draw, upload

pytestmark = pytest.mark.django_db

IMAGES = "/api/v1/images/"
ID = str(uuid.UUID(int=0))
BAD_CURSORS = [
    "abc",
    "~",
    "é~é",
    "%00",
    "x" * 5000,
    f"2024-01-01T00:00:00~{ID}",  # no time zone
    f"0001-01-01T00:00:00%2B01:00~{ID}",  # before the first year in UTC
]


def ids(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [image["id"] for image in response.json()["results"]]


@pytest.fixture
def library(alice, bob):
    """Pictures of two owners by name, in the order of upload."""
    made = {}
    for number, (name, owner, visibility) in enumerate(
        [
            ("private", alice, "private"),
            ("unlisted", alice, "unlisted"),
            ("public", alice, "public"),
            ("bobs private", bob, "private"),
            ("bobs unlisted", bob, "unlisted"),
            ("bobs public", bob, "public"),
        ]
    ):
        made[name] = upload(owner, draw(colour=(number * 40, 9, 9)), visibility=visibility)
    return made


def named(library, *names: str) -> list[str]:
    """Return the ids, newest first."""
    return [str(library[name].pk) for name in reversed(names)]


def test_a_list_shows_ones_own_and_public_pictures_newest_first(library, alice, bob):
    assert ids(api(alice).get(IMAGES)) == named(
        library, "private", "unlisted", "public", "bobs public"
    )
    assert ids(api(bob).get(IMAGES)) == named(
        library, "public", "bobs private", "bobs unlisted", "bobs public"
    )
    assert ids(APIClient().get(IMAGES)) == named(library, "public", "bobs public")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("owner=me", ["private", "unlisted", "public"]),
        ("owner=alice", ["private", "unlisted", "public"]),
        ("owner=bob", ["bobs public"]),
        ("owner=nobody", []),
        ("visibility=public", ["public", "bobs public"]),
        ("visibility=unlisted", ["unlisted"]),
        ("state=pending&owner=me", ["private", "unlisted", "public"]),
        ("state=ready", []),
        ("owner=me&visibility=private", ["private"]),
    ],
)
def test_a_list_is_filtered_within_what_one_may_see(library, alice, query, names):
    assert ids(api(alice).get(f"{IMAGES}?{query}")) == named(library, *names)


def test_owner_me_is_nobody_for_the_anonymous(library):
    assert ids(APIClient().get(f"{IMAGES}?owner=me")) == []


def test_a_list_by_ids_answers_those_one_may_see(library, alice):
    wanted = [str(image.pk) for image in library.values()] + [str(uuid.uuid4())]
    repeated = "&".join(f"id={pk}" for pk in wanted)
    expected = named(library, "private", "unlisted", "public", "bobs public")
    assert ids(api(alice).get(f"{IMAGES}?{repeated}")) == expected
    assert ids(api(alice).get(f"{IMAGES}?id={','.join(wanted)}")) == expected


def test_a_list_by_times(library, alice):
    now = datetime.now(UTC)
    for days, name in enumerate(["private", "unlisted", "public"]):
        moment = now - timedelta(days=days)
        Image.objects.filter(pk=library[name].pk).update(created_at=moment, captured_at=moment)
    day_ago = (now - timedelta(days=1)).isoformat()

    def found(**query):
        return set(ids(api(alice).get(IMAGES, {"owner": "me", **query})))

    assert found(created_after=day_ago) == set(named(library, "private", "unlisted"))
    assert found(created_before=day_ago) == set(named(library, "public"))
    assert found(captured_after=day_ago) == set(named(library, "private", "unlisted"))
    assert found(captured_before=day_ago) == set(named(library, "public"))


def test_pages_neither_repeat_nor_skip(library, alice):
    """This holds for equal times, too, and while pictures are added and removed."""
    Image.objects.update(created_at=datetime(2024, 1, 1, tzinfo=UTC))
    whole = ids(api(alice).get(IMAGES))
    assert len(whole) == 4

    first = api(alice).get(f"{IMAGES}?limit=2")
    assert ids(first) == whole[:2]
    upload(alice)
    Image.objects.filter(pk=whole[0]).delete()
    second = api(alice).get(first.json()["next"])
    assert ids(second) == whole[2:]
    assert second.json()["next"] is None


@pytest.mark.parametrize("who", ["alice", "bob", None])
@pytest.mark.parametrize("moments", [1, 3])
def test_a_list_without_filters_is_that_of_the_filters_that_leave_all(
    library, alice, bob, who, moments
):
    """A list without filters has its own statement. Several pictures share a moment."""
    for number, image in enumerate(library.values()):
        moment = datetime(2024, 1, 1 + number % moments, tzinfo=UTC)
        Image.objects.filter(pk=image.pk).update(created_at=moment)
    client = api({"alice": alice, "bob": bob}[who]) if who else APIClient()

    def pages(address: str | None) -> list[list[dict]]:
        found = []
        while address:
            answer = client.get(address).json()
            found.append([{**row, "urls": None} for row in answer["results"]])
            address = answer["next"]
        return found

    for size in (1, 2, 3, 50):
        all_of_them = pages(f"{IMAGES}?limit={size}")
        assert all_of_them == pages(f"{IMAGES}?limit={size}&order=created")
        assert sum(map(len, all_of_them)) == (4 if who else 2)
        assert all(all_of_them)


def test_what_is_taken_back_is_gone_from_the_next_list(library, alice, bob):
    """The rule for a viewer is compiled once. Its result is read each time."""
    for act in (
        lambda image: Image.objects.filter(pk=image.pk).update(visibility="private"),
        lambda image: Image.objects.filter(pk=image.pk).update(hidden_at=datetime.now(UTC)),
        lambda image: Image.objects.filter(pk=image.pk).update(deleted_at=datetime.now(UTC)),
    ):
        shown = upload(bob, draw(colour=(1, 2, 3)), visibility="public")
        for client in (api(alice), APIClient()):
            assert str(shown.pk) == ids(client.get(IMAGES))[0]
        act(shown)
        for client in (api(alice), APIClient()):
            assert str(shown.pk) not in ids(client.get(IMAGES))
        Image.objects.filter(pk=shown.pk).delete()


def test_a_list_takes_any_offset_of_a_time(library, alice):
    """PostgreSQL accepts no offset of a day or more."""
    query = {"owner": "me", "created_after": "2001-01-01T00:00:00-23:59"}
    assert len(ids(api(alice).get(IMAGES, query))) == 3
    cursor = f"2999-01-01T00:00:00-23:59~{ID}"
    assert len(ids(api(alice).get(IMAGES, {"owner": "me", "cursor": cursor}))) == 3


def test_a_next_page_keeps_the_filters(library, alice):
    first = api(alice).get(f"{IMAGES}?owner=me&limit=2")
    second = api(alice).get(first.json()["next"])
    assert ids(first) + ids(second) == named(library, "private", "unlisted", "public")


def test_a_list_costs_as_many_queries_as_one_picture(
    library, alice, django_assert_num_queries, django_assert_max_num_queries
):
    client = api(alice)
    with django_assert_max_num_queries(4) as few:
        client.get(f"{IMAGES}?limit=1")
    with django_assert_num_queries(len(few)):
        client.get(f"{IMAGES}?limit=4")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        *((f"limit={limit}", "bad_limit") for limit in ("0", "-1", "201", "1e9", "abc", "²")),
        (f"limit={10**9}", "bad_limit"),
        *((f"cursor={text}", "bad_cursor") for text in BAD_CURSORS),
        ("id=abc", "bad_id"),
        ("id=%00", "bad_id"),
        ("&".join([f"id={ID}"] * 201), "too_many_ids"),
        ("visibility=secret", "invalid_choice"),
        ("state=lost", "invalid_choice"),
        ("created_after=someday", "invalid"),
        ("created_after=0001-01-01T00:00:00%2B01:00", "invalid"),
        ("owner=a%00b", "null_characters_not_allowed"),
    ],
)
def test_a_list_refuses_what_it_does_not_understand(alice, query, code):
    answer = api(alice).get(f"{IMAGES}?{query}")
    assert (answer.status_code, code_of(answer)) == (400, code)
    assert answer.json()["errors"][0]["attr"] == query.split("=")[0]
