"""The home page of members, and the way to the places of the library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from gallery.library import quota
from gallery.models import Image, User
from gallery.web import places
from gallery.web.lists import timeline
from tests.conftest import draw, upload
from tests.factories import make_space
from tests.web_tools import HTMX, attributes, browser, tiles

pytestmark = pytest.mark.django_db

LARGE_SEARCH = "Find a picture by what it shows"


def taken(owner: User, moment: datetime, **fields: object) -> str:
    shade = (moment.year % 256, moment.month * 20, moment.day)
    image = upload(owner, draw(colour=shade), **fields)
    Image.objects.filter(pk=image.pk).update(captured_at=moment)
    return str(image.pk)


# --- Home ---------------------------------------------------------------------------


def test_home_is_the_timeline_and_its_parts_go_on_where_the_page_ends(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "FIRST", 3)
    begin = datetime(2024, 5, 20, 12, tzinfo=UTC)
    ids = [taken(alice, begin - timedelta(days=15 * number)) for number in range(5)]
    page = browser(alice).get("/")
    assert attributes(page, "data-name") == ["2024-05", "2024-04", "2024-03"]
    assert tiles(page) == ids[:3]
    assert attributes(page, "data-section") == ["2024-05-20", "2024-05-05", "2024-04-20"]
    april = attributes(page, "data-parts")[1]
    assert tiles(browser(alice).get(f"{april}1", headers=HTMX)) == ids[3:4]


def test_visitors_and_empty_galleries_have_the_large_search(alice: User) -> None:
    make_space()
    for user in (None, alice):
        page = browser(user).get("/").content.decode()
        assert LARGE_SEARCH in page
        assert 'class="example"' in page
    upload(alice, visibility="public")
    assert LARGE_SEARCH in browser().get("/").content.decode()
    assert LARGE_SEARCH not in browser(alice).get("/").content.decode()


def test_a_search_for_nothing_yet_is_the_large_search(alice: User) -> None:
    response = browser(alice).get(reverse("search"))
    assert response.status_code == 200
    assert LARGE_SEARCH in response.content.decode()
    assert browser(alice).get(reverse("search"), {"q": ""}).status_code == 400


def test_without_scripts_a_link_leads_to_all_pictures(alice: User, bob: User) -> None:
    old = taken(alice, datetime(2001, 1, 1, tzinfo=UTC))
    public = taken(bob, datetime(2020, 1, 1, tzinfo=UTC), visibility="public")
    taken(bob, datetime(2021, 1, 1, tzinfo=UTC))
    new = taken(alice, datetime(1999, 1, 1, tzinfo=UTC))
    page = browser(alice).get("/", {"scope": "mine"})
    assert f"{reverse('recent')}?scope=mine" in attributes(page, "href")
    assert tiles(browser(alice).get(reverse("recent"))) == [new, public, old]
    assert tiles(browser(alice).get(reverse("recent"), {"scope": "mine"})) == [new, old]
    assert tiles(browser().get(reverse("recent"))) == [public]


def test_home_asks_the_database_no_more_with_more_months(
    alice: User, django_assert_max_num_queries: object
) -> None:
    for year in range(2000, 2012):
        taken(alice, datetime(year, 1, 1, tzinfo=UTC))
    client = browser(alice)
    client.get("/")
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        client.get("/")


# --- Memories -----------------------------------------------------------------------


@pytest.fixture
def memory(alice: User) -> str:
    """The id of a public picture that alice took on this day three years ago."""
    today = timezone.localtime().replace(hour=12)
    day = today.replace(year=today.year - 3, day=min(today.day, 28))
    return taken(alice, day, visibility="public")


def test_memories_stand_above_the_timeline_of_their_owner(
    alice: User, bob: User, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = Image.objects.get(pk=memory).taken_at.date()
    monkeypatch.setattr(timezone, "localdate", lambda: day.replace(year=day.year + 3))
    page = browser(alice).get("/")
    assert "3 years ago" in page.content.decode()
    (address,) = [href for href in attributes(page, "href") if f"to={day}" in href]
    assert tiles(browser(alice).get(address)) == [memory]
    for other in (browser(alice).get("/?scope=public"), browser(bob).get("/")):
        assert memory in tiles(other)
        assert "3 years ago" not in other.content.decode()


# --- The note about the starter model -----------------------------------------------


def test_the_starter_model_is_named_to_administrators_until_they_dismiss_it(
    alice: User, bob: User
) -> None:
    space = make_space(architecture="starter")
    upload(alice, visibility="public")
    User.objects.filter(pk=alice.pk).update(role=User.Role.ADMINISTRATOR)
    note = "starter model is active"
    client = browser(alice)
    assert note in client.get("/").content.decode()
    assert note not in browser(bob).get("/").content.decode()
    assert note not in browser().get("/").content.decode()
    assert client.post(reverse("starter_note")).url == "/"
    assert note not in client.get("/").content.decode()
    assert note in browser(alice).get("/").content.decode(), "another browser"
    type(space).objects.update(architecture="ViT-B-32")
    assert note not in browser(alice).get("/").content.decode()


# --- The rail -----------------------------------------------------------------------

PLACES = (
    *("home", "explore", "albums", "favourites", "shared_with_me", "searches", "tags"),
    *("label_sets", "duplicates", "archive", "trash"),
)


def test_each_place_is_a_link_on_each_page_of_members(alice: User) -> None:
    for name in PLACES:
        page = browser(alice).get(reverse(name))
        found = attributes(page, "href")
        assert {reverse(place) for place in PLACES} <= set(found)
        assert "page" in attributes(page, "aria-current")
    assert reverse("trash") not in attributes(browser().get("/"), "href")


def test_a_page_below_a_place_belongs_to_it() -> None:
    assert places.place_of("/albums/new/") == "albums"
    assert not places.is_place_itself("/albums/new/")
    assert places.place_of("/groups/") == "sharing"
    assert places.place_of("/notices/") == ""  # the bell leads there
    assert places.place_of("/") == places.place_of("/timeline/") == "photos"
    assert places.is_place_itself("/")
    assert places.place_of("/images/1/") == ""


def test_the_rail_tells_how_much_is_stored(alice: User, bob: User) -> None:
    image = upload(alice)
    User.objects.filter(pk=alice.pk).update(quota_bytes=10 * image.byte_size)
    alice.refresh_from_db()
    page = browser(alice).get(reverse("about"))
    assert str(10 * image.byte_size) in attributes(page, "max")
    assert str(image.byte_size) in attributes(page, "value")
    assert quota.recent_usage(bob).bytes == 0
    upload(alice, draw(colour="navy"))
    assert quota.recent_usage(alice).images == 1, "it is of at most a minute ago"
    assert quota.usage(alice).images == 2
