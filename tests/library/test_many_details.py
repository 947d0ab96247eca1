"""Stars, titles, dates and turns of many pictures: effects, limits to own pictures, undo."""

from __future__ import annotations

from datetime import datetime

import pytest

from gallery.models import Image
from gallery.organising import details
from tests import pictures as drawn
from tests.api_tools import code_of
from tests.conftest import api, upload
from tests.library.test_bulk import BULK, counts, do, field, ids, pictures, undo

pytestmark = pytest.mark.django_db


def taken(images) -> list[str]:
    return [moment.isoformat(" ", "minutes") for moment in field("taken_at", images)]


def date(image: Image, text: str) -> None:
    details.change(image, captured_at=datetime.fromisoformat(text))


# --- Stars --------------------------------------------------------------------------


def test_stars_are_given_to_own_pictures_and_taken_back_exactly(alice, bob):
    mine, theirs = pictures(alice), pictures(bob, 1, visibility="public")
    Image.objects.filter(pk=mine[0].pk).update(rating=4)
    Image.objects.filter(pk=mine[1].pk).update(rating=2)
    outcome = do(alice, "rate", [*mine, *theirs], rating=4)
    assert counts(outcome) == (4, 2, 1)
    assert field("rating", [*mine, *theirs]) == [4, 4, 4, 0]
    Image.objects.filter(pk=mine[2].pk).update(rating=1)  # changed since: stays
    assert undo(alice, outcome) == 1
    assert field("rating", mine) == [4, 2, 1]


@pytest.mark.parametrize("rating", [6, -1, "many", None])
def test_other_stars_are_refused(alice, rating):
    images = pictures(alice, 1)
    body = {"action": "rate", "selection": {"ids": ids(images)}, "rating": rating}
    assert api(alice).post(BULK, body).status_code == 400
    assert api(alice).patch(f"/api/v1/images/{images[0].pk}/", {"rating": 6}).status_code == 400
    assert field("rating", images) == [0]


def test_stars_of_one_picture_are_its_owners_and_seen_by_all(alice, bob):
    (image,) = pictures(alice, 1, visibility="public")
    address = f"/api/v1/images/{image.pk}/"
    assert api(alice).patch(address, {"rating": 5}).json()["rating"] == 5
    assert api(bob).patch(address, {"rating": 1}).status_code == 404
    assert api(bob).get(address).json()["rating"] == 5


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (">=4", [4, 5]),
        ("≥4", [4, 5]),
        ("4+", [4, 5]),
        (">3", [4, 5]),
        ("<=1", [0, 1]),
        ("<1", [0]),
        ("0", [0]),
        ("3", [3]),
        ("", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_pictures_are_found_by_stars(alice, asked, found):
    for rating, image in enumerate(pictures(alice, 6)):
        Image.objects.filter(pk=image.pk).update(rating=rating)
    answer = api(alice).get("/api/v1/images/", {"rating": asked})
    assert sorted(one["rating"] for one in answer.json()["results"]) == found


@pytest.mark.parametrize("asked", ["6", "<0", ">5", "good", ">=4+", "-1"])
def test_stars_that_do_not_exist_are_refused(alice, asked):
    answer = api(alice).get("/api/v1/images/", {"rating": asked})
    assert (answer.status_code, code_of(answer)) == (400, "bad_rating")


# --- Titles -------------------------------------------------------------------------


def test_titles_are_numbered_from_the_earliest_on_and_taken_back(alice, bob):
    images, (theirs,) = pictures(alice), pictures(bob, 1, visibility="public", title="Theirs")
    for image, day in zip(images, ("2024-05-03", "2024-05-01", "2024-05-02"), strict=True):
        date(image, f"{day} 12:00")
    Image.objects.filter(pk=images[0].pk).update(title="Before")
    outcome = do(alice, "set_title", [*images, theirs], title="Trip {n}")
    assert counts(outcome) == (4, 3, 1)
    assert field("title", [*images, theirs]) == ["Trip 3", "Trip 1", "Trip 2", "Theirs"]
    Image.objects.filter(pk=images[1].pk).update(title="Mine now")
    assert undo(alice, outcome) == 2
    assert field("title", images) == ["Before", "Mine now", ""]


def test_one_title_for_all_and_none(alice):
    images = pictures(alice)
    assert counts(do(alice, "set_title", images, title="  Sea ")) == (3, 3, 0)
    assert field("title", images) == ["Sea"] * 3
    assert counts(do(alice, "set_title", images, title="")) == (3, 3, 0)
    assert field("title", images) == [""] * 3
    body = {"action": "set_title", "selection": {"ids": ids(images)}}
    assert code_of(api(alice).post(BULK, body)) == "no_title"


def test_a_title_that_is_too_long_with_its_number_changes_nothing(alice):
    images = pictures(alice, 10)
    body = {"action": "set_title", "selection": {"ids": ids(images)}, "title": "x" * 196 + " {n}"}
    # One digit fits, two do not.
    assert api(alice).post(BULK, body).status_code == 200
    body["title"] = "y" * 198 + "{n}"
    assert code_of(api(alice).post(BULK, body)) in {"title_too_long", "max_length"}
    assert all(title.startswith("x") for title in field("title", images))


# --- Dates --------------------------------------------------------------------------


def test_one_date_for_all_keeps_known_offsets(alice):
    images = pictures(alice)
    date(images[0], "2020-01-01 08:00+09:00")
    outcome = do(alice, "set_date", images, captured_at="2024-05-01T10:30:00")
    assert counts(outcome) == (3, 3, 0)
    assert taken(images) == ["2024-05-01 10:30"] * 3
    assert field("is_offset_known", images) == [True, False, False]
    assert field("ahead_of_utc", images)[0] == 9 * 3600
    assert undo(alice, outcome) == 3
    assert taken(images)[0] == "2020-01-01 08:00"
    assert field("captured_at", images)[1:] == [None, None]


def test_a_date_with_an_offset_is_that_of_the_place(alice):
    images = pictures(alice, 2)
    do(alice, "set_date", images, captured_at="2024-05-01T10:30:00-03:00")
    assert taken(images) == ["2024-05-01 10:30"] * 2
    assert field("ahead_of_utc", images) == [-3 * 3600] * 2


def test_a_day_alone_keeps_the_time_of_each_and_its_offset(alice, bob):
    images, (theirs,) = pictures(alice), pictures(bob, 1, visibility="public")
    date(images[0], "2020-01-01 23:30:15+09:00")
    date(images[1], "2019-12-31 01:00")
    before = taken(images)
    outcome = do(alice, "set_date", [*images, theirs], captured_on="2024-05-01")
    assert counts(outcome) == (4, 3, 1)
    assert outcome["days"] == {"first": "2024-05-01", "last": "2024-05-01"}
    assert taken(images) == ["2024-05-01 23:30", "2024-05-01 01:00", "2024-05-01 12:00"]
    assert field("taken_at", images)[0].second == 15
    assert field("ahead_of_utc", images)[0] == 9 * 3600
    assert undo(alice, outcome) == 3
    assert taken(images) == before


def test_an_answer_names_the_days_at_the_places_of_the_pictures(alice):
    images = pictures(alice, 2)
    # Each is on another day in UTC.
    date(images[0], "2020-01-01 02:00+09:00")
    date(images[1], "2020-03-05 23:00-08:00")
    outcome = do(alice, "shift_date", images, shift=24 * 3600)
    assert outcome["days"] == {"first": "2020-01-02", "last": "2020-03-06"}
    assert do(alice, "set_date", images, captured_at=None)["days"] is None
    assert do(alice, "rate", images, rating=1)["days"] is None


def test_an_unknown_date(alice):
    images = pictures(alice, 2)
    date(images[0], "2020-01-01 08:00")
    assert counts(do(alice, "set_date", images, captured_at=None)) == (2, 1, 0)
    assert field("captured_at", images) == [None, None]


def test_dates_move_by_the_same_and_back(alice, bob):
    images, (theirs,) = pictures(alice, 2), pictures(bob, 1, visibility="public")
    date(images[0], "2024-02-28 23:30:15+09:00")
    date(images[1], "2019-12-31 01:00")
    before = taken(images), field("taken_at", [theirs])
    outcome = do(alice, "shift_date", [*images, theirs], shift=24 * 3600 + 3600)
    assert counts(outcome) == (3, 2, 1)
    assert taken(images) == ["2024-03-01 00:30", "2020-01-01 02:00"]
    assert field("taken_at", images)[0].second == 15
    assert field("ahead_of_utc", images)[0] == 9 * 3600
    assert field("taken_at", [theirs]) == before[1]
    assert undo(alice, outcome) == 2
    assert taken(images) == before[0]


def test_a_date_that_was_changed_since_stays_at_an_undo(alice):
    images = pictures(alice, 2)
    outcome = do(alice, "set_date", images, captured_at="2024-05-01T10:30:00")
    images[0].refresh_from_db()
    date(images[0], "2001-01-01 00:00")
    assert undo(alice, outcome) == 1
    assert taken(images)[0] == "2001-01-01 00:00"


@pytest.mark.parametrize(
    ("action", "params", "code"),
    [
        ("shift_date", {}, "bad_shift"),
        ("shift_date", {"shift": 0}, "bad_shift"),
        ("shift_date", {"shift": 10**12}, "max_value"),
        ("shift_date", {"shift": -150 * 366 * 24 * 3600 * 1}, None),
        ("set_date", {}, "no_date"),
        ("set_date", {"captured_at": "yesterday"}, "invalid"),
        ("set_date", {"captured_on": "2024-02-30"}, "invalid"),
        ("set_date", {"captured_on": "2024-02-03", "captured_at": "2024-02-03T10:00"}, "two_dates"),
        ("set_date", {"captured_on": "0001-01-01"}, "bad_captured_at"),
        ("set_date", {"captured_at": "0001-01-01T00:00:00"}, "bad_captured_at"),
    ],
)
def test_bad_dates_are_refused_for_all(alice, action, params, code):
    images = pictures(alice, 2)
    date(images[0], "2024-05-01 10:00")
    before = taken(images)
    body = {"action": action, "selection": {"ids": ids(images)}, **params}
    answer = api(alice).post(BULK, body)
    if code is None:
        assert answer.status_code == 200
        return
    assert (answer.status_code, code_of(answer)) == (400, code)
    assert taken(images) == before


# --- Turns --------------------------------------------------------------------------


def test_turns_add_up_and_are_taken_back(alice, bob):
    images, (theirs,) = pictures(alice, 2), pictures(bob, 1, visibility="public")
    size = (images[0].width, images[0].height)
    first = do(alice, "rotate", [*images, theirs], turns=1)
    assert counts(first) == (3, 2, 1)
    assert (field("width", images)[0], field("height", images)[0]) == size[::-1]
    second = do(alice, "rotate", images[:1], turns=-1)
    assert field("edition", images)[0] == ""
    assert undo(alice, first) == 1, "the other one was turned back since"
    assert field("edition", images) == ["", ""]
    assert undo(alice, second) == 1


def test_animations_stay_among_pictures_that_turn(alice):
    images = [*pictures(alice, 1), upload(alice, drawn.animated_gif())]
    assert counts(do(alice, "rotate", images, turns=2)) == (2, 1, 0)
    assert field("edition", images)[1] == ""
    body = {"action": "rotate", "selection": {"ids": ids(images[1:])}, "turns": 1}
    assert code_of(api(alice).post(BULK, body)) == "animated"
    body = {"action": "rotate", "selection": {"ids": ids(images[:1])}, "turns": 0}
    assert code_of(api(alice).post(BULK, body)) == "bad_turns"


def test_all_go_back_to_their_originals(alice):
    images = pictures(alice, 2)
    do(alice, "rotate", images, turns=1)
    outcome = do(alice, "to_original", images)
    assert counts(outcome) == (2, 2, 0)
    assert field("edition", images) == ["", ""]
    assert undo(alice, outcome) == 2
    assert all(field("edition", images))


# --- Stars of other programs --------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "rating"),
    [("4", 4), ("5.0", 5), ("-1", 0), ("9", 5), ("", 0), ("many", 0), ("nan", 0), ("1e999", 0)],
)
def test_an_upload_keeps_the_stars_of_its_file(alice, written, rating):
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        f'xmp:Rating="{written}"/></rdf:RDF></x:xmpmeta>'
    )
    assert upload(alice, drawn.jpeg(xmp=xmp.encode())).rating == rating
