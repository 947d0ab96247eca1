"""The timeline: its months, their parts, and the neighbours of a picture."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from gallery.models import Album, AlbumItem, AlbumShare, Image, User
from gallery.web.lists import timeline
from tests.conftest import draw, upload
from tests.web_tools import HTMX, attributes, browser, tiles

pytestmark = pytest.mark.django_db


_shades = itertools.cycle(range(256))


def taken(owner: User, *moments: datetime, **fields: object) -> list[str]:
    """Create a picture for each moment. Return their ids."""
    found = []
    for moment in moments:
        data = draw(colour=(next(_shades), 80, 90), format="PNG")
        image = upload(owner, data, "picture.png", **fields)
        Image.objects.filter(pk=image.pk).update(captured_at=moment)
        found.append(str(image.pk))
    return found


def at(year: int, month: int, day: int, hour: int = 12) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


def part(user: User | None, month: str, **asked: object) -> list[str]:
    return tiles(browser(user).get("/timeline/", {"month": month, **asked}, headers=HTMX))


def months(user: User | None, **asked: object) -> list[tuple[str, str]]:
    response = browser(user).get("/timeline/", asked)
    assert response.status_code == 200
    # Each section and its grid state it.
    counts = [count for count in attributes(response, "data-count") if count][::2]
    return list(zip(attributes(response, "data-name"), counts, strict=True))


def test_months_are_counted_the_latest_first(alice: User) -> None:
    taken(alice, at(2024, 5, 1), at(2024, 5, 31), at(2019, 12, 31))
    assert months(alice) == [("2024-05", "2"), ("2019-12", "1")]


def test_a_month_comes_in_parts_that_meet(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "PART", 3)
    moments = [at(2024, 5, 20) - timedelta(hours=n) for n in range(8)]
    ids = taken(alice, *moments)
    parts = [part(alice, "2024-05", start=start) for start in (0, 3, 6, 9)]
    assert parts == [ids[:3], ids[3:6], ids[6:], []]


def test_a_month_begins_and_ends_where_it_should(alice: User) -> None:
    first = timezone.make_aware(datetime(2024, 12, 1))
    end = timezone.make_aware(datetime(2025, 1, 1))
    before, begin, last, after = taken(
        alice, first - timedelta(seconds=1), first, end - timedelta(seconds=1), end
    )
    assert part(alice, "2024-12") == [last, begin]
    assert part(alice, "2024-11") == [before]
    assert part(alice, "2025-01") == [after]


def test_tiles_tell_their_day(alice: User) -> None:
    taken(alice, at(2024, 5, 3))
    response = browser(alice).get("/timeline/", {"month": "2024-05"}, headers=HTMX)
    assert attributes(response, "data-section") == ["2024-05-03"]


def test_pictures_without_a_date_count_from_their_upload(alice: User) -> None:
    upload(alice)
    assert months(alice) == [(timezone.localdate().strftime("%Y-%m"), "1")]


def test_everybody_sees_what_they_may(alice: User, bob: User) -> None:
    (secret,) = taken(alice, at(2024, 5, 1))
    (public,) = taken(alice, at(2024, 5, 2), visibility="public")
    (unlisted,) = taken(alice, at(2024, 5, 3), visibility="unlisted")
    album = Album.objects.create(owner=alice, title="Ours")
    (shared,) = taken(alice, at(2024, 5, 4))
    AlbumItem.objects.create(album=album, image_id=shared, position=1)
    AlbumShare.objects.create(album=album, user=bob, role="view", created_by=alice)
    assert part(alice, "2024-05") == [shared, unlisted, public, secret]
    assert part(bob, "2024-05") == [shared, public]
    assert part(None, "2024-05") == [public]
    assert months(bob) == [("2024-05", "2")]
    assert part(bob, "2024-05", scope="mine") == []
    assert part(bob, "2024-05", scope="public") == [public]


def test_archived_and_deleted_pictures_are_left_out(alice: User) -> None:
    kept, archived, deleted = taken(alice, at(2024, 5, 3), at(2024, 5, 2), at(2024, 5, 1))
    Image.objects.filter(pk=archived).update(archived_at=timezone.now())
    Image.objects.filter(pk=deleted).update(deleted_at=timezone.now())
    assert part(alice, "2024-05") == [kept]
    assert months(alice) == [("2024-05", "1")]


def test_filters_apply_to_counts_and_parts(alice: User) -> None:
    one, _other = taken(alice, at(2024, 5, 2), at(2024, 5, 1))
    Image.objects.filter(pk=one).update(camera="Fujifilm X100V")
    asked = {"camera": "fujifilm x100v"}
    assert months(alice, **asked) == [("2024-05", "1")]
    assert part(alice, "2024-05", **asked) == [one]
    response = browser(alice).get("/timeline/", asked)
    (address,) = attributes(response, "data-parts")
    assert tiles(browser(alice).get(f"{address}0", headers=HTMX)) == [one]
    assert (
        "No picture fits these filters"
        in browser(alice).get("/timeline/?camera=leica").content.decode()
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"month": "2024-13"},
        {"month": "0000-01"},
        {"month": "9999-12"},
        {"month": "may"},
        {"month": "2024-05", "start": "-1"},
        {"month": "2024-05", "start": "x"},
    ],
)
def test_what_is_no_month_is_refused_with_a_sentence(alice: User, asked: dict[str, str]) -> None:
    response = browser(alice).get("/timeline/", asked, headers=HTMX)
    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()


def test_a_bad_filter_is_said_on_the_page(alice: User) -> None:
    response = browser(alice).get("/timeline/", {"album": "x"})
    assert response.status_code == 400
    assert "<html" in response.content.decode()


def test_the_address_of_a_part_leads_to_its_month(alice: User) -> None:
    response = browser(alice).get("/timeline/?month=2024-05&start=100&scope=mine")
    assert response.status_code == 302
    assert response.url == "/timeline/?scope=mine#month-2024-05"


def test_an_empty_timeline_says_what_to_do(alice: User) -> None:
    page = browser(alice).get("/timeline/").content.decode()
    assert "Your gallery is empty" in page
    assert reverse("upload") in page


def test_the_name_of_a_tile_has_the_date_and_the_owner_of_others(alice: User, bob: User) -> None:
    (pk,) = taken(alice, at(2024, 5, 1))
    Image.objects.filter(pk=pk).update(visibility="public")
    own = browser(alice).get(reverse("timeline")).content.decode()
    assert '<span class="visually-hidden">May 1, 2024</span>' in own
    assert '<span class="nowrap" aria-hidden="true">alice</span>' in own
    theirs = browser(bob).get(reverse("timeline")).content.decode()
    assert '<span class="visually-hidden">May 1, 2024</span>' in theirs
    assert '<span class="nowrap">alice</span>' in theirs


# --- Neighbours -------------------------------------------------------------------


def beside(user: User | None, pk: str, **asked: str) -> dict[str, str | None]:
    response = browser(user).get(reverse("image_neighbours", args=[pk]), asked)
    assert response.status_code == 200
    return {
        step: address.split("/")[2] if address else None
        for step, address in response.json().items()
    }


def test_neighbours_are_the_order_of_the_timeline(alice: User) -> None:
    same = at(2024, 5, 1)
    ids = taken(alice, at(2024, 6, 1), same, same, same, at(2023, 1, 1))
    middle = sorted(ids[1:4], reverse=True)
    ordered = [ids[0], *middle, ids[4]]
    assert part(alice, "2024-05") == middle
    for number, pk in enumerate(ordered):
        assert beside(alice, pk) == {
            "previous": ordered[number - 1] if number else None,
            "next": ordered[number + 1] if number + 1 < len(ordered) else None,
        }


def test_neighbours_are_only_what_one_may_see(alice: User, bob: User) -> None:
    first, secret, last = taken(alice, at(2024, 5, 3), at(2024, 5, 2), at(2024, 5, 1))
    Image.objects.filter(pk__in=[first, last]).update(visibility="public")
    assert beside(bob, first) == {"previous": None, "next": last}
    assert beside(alice, first) == {"previous": None, "next": secret}
    address = reverse("image_neighbours", args=[secret])
    assert browser(bob).get(address).status_code == 404
    assert browser().get(address).status_code == 404


def test_the_month_of_a_picture_counts_only_what_one_may_see(alice: User, bob: User) -> None:
    ids = taken(alice, at(2024, 6, 1), *[at(2024, 5, day) for day in (9, 8, 7)])
    Image.objects.filter(pk__in=ids[2:]).update(visibility="public")

    def month_of(user: User, pk: str) -> Any:
        return browser(user).get(reverse("image_month", args=[pk])).json()

    assert month_of(alice, ids[0]) == {"month": "2024-06", "index": 0}
    assert month_of(alice, ids[3]) == {"month": "2024-05", "index": 2}
    assert month_of(bob, ids[3]) == {"month": "2024-05", "index": 1}
    assert browser(bob).get(reverse("image_month", args=[ids[0]])).status_code == 404
    filtered = {"from": "2024-06-01"}
    assert browser(alice).get(reverse("image_month", args=[ids[3]]), filtered).status_code == 404


def test_a_picture_opened_by_its_address_names_its_neighbours(alice: User, bob: User) -> None:
    first, middle, last = taken(alice, at(2024, 5, 3), at(2024, 5, 2), at(2024, 5, 1))
    Image.objects.filter(pk=middle).update(visibility="unlisted")
    Image.objects.filter(pk=last).update(visibility="public")
    page = browser(alice).get(reverse("image", args=[middle]))
    assert attributes(page, "data-path") == [f"/images/{first}/", f"/images/{last}/"]
    # Viewers with the link learn nothing else.
    page = browser(bob).get(reverse("image", args=[middle]))
    assert attributes(page, "data-path") == [f"/images/{last}/"]
