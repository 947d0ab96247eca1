"""Filters and orders of lists. The pages together are the whole list."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from gallery import keyset
from gallery.errors import Refusal
from gallery.indexing import encoding
from gallery.models import AlbumShare, Favourite, Image
from gallery.organising import albums, selection, tags
from gallery.search.filters import image_filter
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.factories import make_space, set_state, set_vector
from tests.web_tools import browser

pytestmark = pytest.mark.django_db

IMAGES = "/api/v1/images/"


@pytest.fixture
def images(alice) -> list[Image]:
    sizes = [(60, 40), (40, 60), (50, 50)]
    return [
        upload(alice, draw(*size, colour=(80 * number, 9, 9))) for number, size in enumerate(sizes)
    ]


def narrowed(viewer, params) -> set:
    found = image_filter.narrow(Image.objects.visible_to(viewer), params, viewer)
    return set(found.values_list("pk", flat=True))


def some(images, *numbers: int) -> set:
    return {images[number].pk for number in numbers}


def test_by_the_time_of_capture_or_else_of_upload(alice, images):
    moment = datetime(2024, 5, 1, tzinfo=UTC)
    Image.objects.filter(pk=images[0].pk).update(captured_at=moment)
    Image.objects.filter(pk=images[1].pk).update(captured_at=moment - timedelta(seconds=1))
    assert narrowed(alice, {"taken_after": "2024-05-01"}) == some(images, 0, 2)
    assert narrowed(alice, {"taken_before": "2024-05-01"}) == some(images, 1)
    assert narrowed(alice, {"taken_before": "2024-05-01T00:00:01Z"}) == some(images, 0, 1)
    assert narrowed(alice, {"taken_after": "2024-05-01T08:00:00+08:00"}) == some(images, 0, 2)


def test_by_camera_in_any_case_and_by_a_part_of_its_name(alice, images):
    for image, camera in zip(
        images, ["Canon EOS R5", "Canon EOS R5 C", "FUJIFILM X100V"], strict=True
    ):
        Image.objects.filter(pk=image.pk).update(camera=camera)
    assert narrowed(alice, {"camera": "canon eos r5 c"}) == some(images, 1)
    assert narrowed(alice, {"camera": "x100"}) == some(images, 2)
    assert narrowed(alice, {"camera": "canon"}) == some(images, 0, 1)
    assert narrowed(alice, {"camera": "Canon EOS R_"}) == set()
    assert narrowed(alice, {"camera": ""}) == some(images, 0, 1, 2)


def test_the_exact_name_of_a_camera_comes_before_parts_of_others(alice, bob, images):
    Image.objects.filter(pk=images[0].pk).update(camera="Canon EOS R5")
    Image.objects.filter(pk__in=some(images, 1, 2)).update(camera="Canon EOS R5 C")
    assert narrowed(alice, {"camera": "canon eos r5"}) == some(images, 0)
    # Other filters do not change that. Invisible pictures stay out.
    assert narrowed(alice, {"camera": "canon eos r5", "orientation": "square"}) == set()
    Image.objects.filter(pk__in=some(images, 1, 2)).update(visibility="public")
    assert narrowed(bob, {"camera": "canon eos r5"}) == some(images, 1, 2)


def test_by_size_in_megapixels(alice, images):
    for image, sides in zip(images, [(1000, 1000), (65_000, 65_000), (4000, 2000)], strict=True):
        Image.objects.filter(pk=image.pk).update(width=sides[0], height=sides[1])
    assert narrowed(alice, {"size_min": 8}) == some(images, 1, 2)
    assert narrowed(alice, {"size_max": 8}) == some(images, 0)
    assert narrowed(alice, {"size_min": 1, "size_max": "8.1"}) == some(images, 0, 2)
    assert narrowed(alice, {"size_min": 0.9999, "size_max": 1}) == set()
    assert narrowed(alice, {"size_min": "4225"}) == some(images, 1)


def test_by_words_of_what_one_may_search(alice, bob, images):
    Image.objects.filter(pk=images[0].pk).update(
        title="A red car", description="at the pier", visibility="public"
    )
    Image.objects.filter(pk=images[1].pk).update(original_name="Lisbon_pier.jpg")
    tags.set_tags(images[2], ["pier"])
    assert narrowed(alice, {"words": "piers"}) == some(images, 0, 1, 2)
    assert narrowed(alice, {"words": '"red car" pier'}) == some(images, 0)
    assert narrowed(bob, {"words": "pier"}) == some(images, 0)
    assert narrowed(AnonymousUser(), {"words": "pier"}) == some(images, 0)
    assert narrowed(alice, {"words": ""}) == some(images, 0, 1, 2)


def test_selections_take_the_same_filters(alice, images):
    """“All of this list” then means the pictures that the list shows."""
    Image.objects.filter(pk=images[0].pk).update(title="A red car")
    wanted = {"words": "car", "size_max": 8, "camera": ""}
    chosen = selection.resolve({"all": True, "filters": wanted}, alice)
    assert {image.pk for image in chosen} == some(images, 0)


@pytest.mark.parametrize(("shape", "number"), [("landscape", 0), ("portrait", 1), ("square", 2)])
def test_by_orientation(shape, number, alice, images):
    assert narrowed(alice, {"orientation": shape}) == some(images, number)


def test_by_tags_which_must_all_be_there(alice, bob, images):
    tags.set_tags(images[0], ["sea", "sun"])
    tags.set_tags(images[1], ["Sea"])
    tags.set_tags(upload(bob, visibility="public"), ["sea"])
    assert narrowed(alice, {"tag": "SEA"}) == some(images, 0, 1)
    assert narrowed(alice, {"tag": ["sea", "sun"]}) == some(images, 0)
    assert narrowed(alice, QueryDict("tag=sea&tag=sun")) == some(images, 0)
    assert narrowed(alice, {"tag": ["sea", "snow"]}) == set()
    assert narrowed(AnonymousUser(), {"tag": "sea"}) == set()


def test_by_album_within_the_right_to_see_it(alice, bob, images):
    album = albums.create(alice, "Trip")
    albums.add_images(album, Image.objects.filter(pk__in=some(images, 0, 1)), alice)
    Image.objects.update(visibility="public")
    for params in ({"album": str(album.pk)}, {"album": str(album.pk), "order": "album"}):
        assert narrowed(alice, params) == some(images, 0, 1)
        assert narrowed(bob, params) == set()
        assert narrowed(AnonymousUser(), params) == set()
        assert api(bob).get(IMAGES, params).json()["results"] == []
    share = AlbumShare.objects.create(album=album, user=bob, role="view")
    assert narrowed(bob, {"album": album.pk.hex}) == some(images, 0, 1)
    share.delete()
    albums.trash(album)
    assert narrowed(alice, {"album": str(album.pk)}) == set()


def test_by_archive_which_is_the_owners(alice, bob, images):
    Image.objects.update(visibility="public")
    Image.objects.filter(pk=images[0].pk).update(archived_at=timezone.now())
    assert narrowed(alice, {"archived": True}) == some(images, 0)
    assert narrowed(alice, {"archived": False}) == some(images, 1, 2)
    assert narrowed(bob, {"archived": True}) == set()
    assert narrowed(alice, {}) == narrowed(bob, {}) == some(images, 0, 1, 2)


def test_by_state_as_each_picture_tells_it(alice, images):
    space = make_space()
    set_vector(images[0], space, [1, 0, 0])
    set_state(images[1], encoding.name_of(space), "failed")
    images[2].analyses.all().delete()
    for state, number in [("ready", 0), ("failed", 1), ("pending", 2)]:
        assert narrowed(alice, {"state": state}) == some(images, number)
        (shown,) = api(alice).get(IMAGES, {"state": state}).json()["results"]
        assert shown["state"] == state


def test_by_state_before_there_is_any_model(alice, images):
    assert narrowed(alice, {"state": "pending"}) == some(images, 0, 1, 2)
    assert narrowed(alice, {"state": "ready"}) == set()


def test_filters_together_leave_what_each_of_them_leaves(alice, images):
    tags.set_tags(images[0], ["sea"])
    Favourite.objects.create(user=alice, image=images[0])
    Favourite.objects.create(user=alice, image=images[1])
    params = {"tag": "sea", "favourite": "true", "archived": "0", "owner": "me"}
    assert narrowed(alice, params) == some(images, 0)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"taken_after": "someday"}, "taken_after"),
        ({"taken_before": "2024-13-01"}, "taken_before"),
        ({"orientation": "diagonal"}, "orientation"),
        ({"album": "trip"}, "album"),
        ({"favourite": "maybe"}, "favourite"),
        ({"archived": "2"}, "archived"),
        ({"order": "random"}, "order"),
        ({"order": "album"}, "order"),
        ({"camera": "x" * 201}, "camera"),
        ({"camera": "a\x00"}, "camera"),
        ({"camera": "\ud800"}, "camera"),
        ({"words": "of the"}, "words"),
        ({"words": "x" * 1001}, "words"),
        ({"words": "a\x00"}, "words"),
        ({"size_min": "big"}, "size_min"),
        ({"size_min": -1}, "size_min"),
        ({"size_max": "NaN"}, "size_max"),
        ({"size_max": "1e9"}, "size_max"),
        ({"color": "reddish"}, "color"),
        ({"tag": ["x"] * 21}, "tag"),
        ({"tag": "x" * 51}, "tag"),
        ({"tag": "a\x00"}, "tag"),
        ({"tag": [["a"]]}, "tag"),
        ({"owner": {"name": "me"}}, "owner"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_field(params, field, alice):
    with pytest.raises(Refusal) as refused:
        image_filter.narrow(Image.objects.all(), params, alice)
    assert refused.value.field == field
    assert str(refused.value)


@pytest.mark.parametrize(
    ("params", "begin", "takes"),
    [
        ({"size_min": "abc"}, "“size:” cannot be “abc”", ">4mp"),
        ({"size_max": -1}, "“size:” cannot be “-1”", "0 to 100000"),
        ({"taken_after": "9999-99"}, "“after:” cannot be “9999-99”", "2024-05-31"),
        ({"taken_before": "x\x00" * 50}, f"“before:” cannot be “{'x' * 50}”", "2024-05-31"),
        ({"created_after": "x"}, "“created_after:” cannot be “x”", "2024-05-31"),
        ({"orientation": "zz"}, "“orientation:” cannot be “zz”", "landscape, portrait, square"),
        ({"visibility": "all"}, "“visibility:” cannot be “all”", "private, unlisted, public"),
        ({"favourite": "maybe"}, "“favourite:” cannot be “maybe”", "true or false"),
        ({"album": "nope"}, "“album:” cannot be “nope”", "id of an album"),
        ({"camera": "x" * 201}, "“camera:” has at most 200 characters", ""),
        ({"camera": "a\x00"}, "“camera:” cannot hold null characters", ""),
        ({"tag": ["x"] * 21}, "“tag:” may be given at most 20 times", ""),
    ],
)
def test_a_refusal_names_the_filter_and_says_what_it_takes(params, begin, takes, alice):
    for language in ("en", "zh-hans"):
        with translation.override(language), pytest.raises(Refusal) as refused:
            image_filter.narrow(Image.objects.all(), params, alice)
        said = str(refused.value)
        key = begin.partition("”")[0] + "”"
        assert said.startswith(begin if language == "en" else key)
        assert takes in said or language != "en"
        assert ("cannot" in said or "at most" in said) == (language == "en")


@pytest.mark.parametrize(
    "address",
    [
        "/?from=xx&to=2024-02-30&size_min=abc&size_max=1_0",
        "/search/?q=after:xx+before:20240230+size_min:abc+size_max:inf",
    ],
)
def test_fields_for_days_and_numbers_hold_nothing_else(address, alice):
    """The browser would complain. The chips show such a value, so it can be removed."""
    make_space()
    answer = browser(alice).get(address)
    assert answer.status_code == 400
    bar = answer.context["filters"]
    assert [bar.fields.values[name] for name in ("from", "to", "size_min", "size_max")] == [""] * 4
    assert len(bar.chips) == 4


def test_fields_for_days_and_numbers_hold_what_is_right(alice):
    address = "/?from=2024-02-01&to=2024-02-29&size_min=0.5&size_max=1e3"
    bar = browser(alice).get(address).context["filters"]
    shown = [bar.fields.values[name] for name in ("from", "to", "size_min", "size_max")]
    assert shown == ["2024-02-01", "2024-02-29", "0.5", "1e3"]


def test_null_in_a_list_is_refused(alice):
    """In a selection it would mean all pictures."""
    with pytest.raises(Refusal) as refused:
        image_filter.narrow(Image.objects.all(), {"color": [None]}, alice)
    assert (refused.value.code, refused.value.field) == ("invalid", "color")


def test_a_bad_value_is_told_to_api_clients(alice):
    answer = api(alice).get(IMAGES, {"order": "album"})
    assert (answer.status_code, code_of(answer)) == (400, "order_without_album")
    assert answer.json()["errors"][0]["attr"] == "order"


def test_cameras_are_counted_within_what_one_sees(alice, bob, images):
    Image.objects.filter(pk__in=some(images, 0, 1)).update(camera="Canon")
    Image.objects.filter(pk=images[2].pk).update(camera="Nikon", visibility="public")
    expected = [{"camera": "Canon", "count": 2}, {"camera": "Nikon", "count": 1}]
    assert api(alice).get(f"{IMAGES}cameras/").json() == expected
    assert api(bob).get(f"{IMAGES}cameras/").json() == expected[1:]
    assert APIClient().get(f"{IMAGES}cameras/").json() == expected[1:]


# --- Pages -----------------------------------------------------------------------------

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)


def rows(owner, seconds: list[int]) -> list[Image]:
    """Create rows without files, which are not needed here."""
    made = [
        Image(
            owner=owner, file="x", sha256=uuid.uuid4().hex, byte_size=1, content_type="image/jpeg",
            width=1, height=1, captured_at=EPOCH + timedelta(seconds=second),
        )
        for second in seconds
    ]  # fmt: skip
    Image.objects.bulk_create(made)
    for image, second in zip(made, seconds, strict=True):
        Image.objects.filter(pk=image.pk).update(created_at=EPOCH - timedelta(seconds=second))
    return made


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seconds=st.lists(st.integers(0, 4), max_size=12),
    size=st.integers(1, 5),
    order=st.sampled_from(["created", "taken", "album"]),
    late=st.booleans(),
)
def test_pages_are_the_whole_list(alice, seconds, size, order, late):
    """This holds for equal times, and while pictures are added in between."""
    Image.objects.all().delete()
    album = albums.create(alice, "Trip")
    made = rows(alice, seconds)
    albums.add_images(album, Image.objects.filter(pk__in=[image.pk for image in made]), alice)
    params = {"album": str(album.pk), "order": order}

    def listed():
        return image_filter.narrow(Image.objects.visible_to(alice), params, alice)

    asked = image_filter.order_of(params)
    whole = [image.pk for image in listed().order_by(*asked.fields())]
    paged, cursor = [], None
    while True:
        found, cursor = keyset.page(listed(), cursor, size, order=asked)
        paged += [image.pk for image in found]
        if late:
            new = rows(alice, [2])
            albums.add_images(album, Image.objects.filter(pk=new[0].pk), alice)
            late = False
        if cursor is None:
            break
    assert [pk for pk in paged if pk in set(whole)] == whole
    assert len(paged) == len(set(paged))


@pytest.mark.parametrize("text", ["nan~1", "inf~1", "1~x", "1", "1~99999999999999999999", "~"])
def test_a_bad_cursor_of_an_album_is_refused(text, alice):
    album = albums.create(alice, "Trip")
    answer = api(alice).get(f"/api/v1/albums/{album.pk}/images/", {"cursor": text})
    assert (answer.status_code, code_of(answer)) == (400, "bad_cursor")


@pytest.mark.parametrize("text", ["a~x", "\x00~00000000-0000-0000-0000-000000000000", "~"])
def test_a_bad_cursor_of_the_tags_is_refused(text, alice):
    answer = api(alice).get("/api/v1/tags/", {"cursor": text})
    assert (answer.status_code, code_of(answer)) == (400, "bad_cursor")
