"""Pictures by the words of their titles, descriptions, tags and file names."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gallery.errors import Refusal
from gallery.models import Image, Tag
from gallery.search import words

pytestmark = pytest.mark.django_db


def row(owner, title="", description="", name="", visibility="public") -> Image:
    """Create a row without a file, which is not needed here."""
    return Image(
        owner=owner, title=title, description=description, original_name=name,
        visibility=visibility, file="x", sha256=uuid.uuid4().hex, byte_size=1,
        content_type="image/jpeg", width=1, height=1,
    )  # fmt: skip


def picture(owner, *texts, tags=(), **fields) -> Image:
    image = row(owner, *texts, **fields)
    image.save()
    for tag in tags:
        Tag.objects.get_or_create(owner=owner, name=tag)[0].images.add(image)
    return image


def found(text, viewer, images=None) -> set[str]:
    scope = Image.objects.visible_to(viewer) if images is None else images
    return {image.title or image.original_name for image in words.with_words(scope, text, viewer)}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("car", "A red car"),
        ("CARS", "A red car"),
        ("running", "They ran, she runs"),
        ("the car", "A red car"),
        ("car red", "A red car"),
        ('"red car"', "A red car"),
        ("well-known", "A well known bridge"),
        ("2019", "Summer_2019.final"),
        ("汽车", "红色的汽车"),
        ("红色 汽车", "红色的汽车"),
        ("ひまわり", "ひまわり畑"),
        ("été", "Un été à Paris"),
        ("日落", "海滩，日落。"),
        ("海滩，日落", "海滩 日落"),
        ("hello", "“Hello—world”"),
        ("'world'", "“Hello—world”"),
        ("party", "🎉party™"),
        ("🎉", "A party🎉"),
        ("佐々木", "佐々木さん"),
        ("１２３", "（１２３）"),
    ],
)
def test_a_word_matches_as_it_stands_or_by_its_stem(text, title, alice):
    picture(alice, title)
    assert found(text, AnonymousUser()) == {title}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("carpet", "A red car"),
        ("red bicycle", "A red car"),
        ('"car red"', "A red car"),
        ("车汽", "红色的汽车"),
        ("汽水", "汽车 和 水"),
    ],
)
def test_what_is_not_there_does_not_match(text, title, alice):
    picture(alice, title)
    assert found(text, alice) == set()


def test_each_word_may_stand_in_another_place(alice):
    picture(alice, "Sunset", "at the pier", "DSC_0042-lisbon.jpg", tags=["holiday"])
    for text in ("sunset pier", "sunset lisbon holiday", "0042 pier", "holidays", "pier -lisbon"):
        assert found(text, alice) == {"Sunset"}, text
    assert found("sunset work", alice) == set()


def test_others_never_match_by_my_tags_and_file_names(alice, bob):
    shown = picture(alice, "Shown", "a pier", "secret-name.jpg", tags=["divorce"])
    picture(alice, "Hidden pier", visibility="private")
    picture(bob, "Of Bob", "", "plain.jpg", tags=["divorce"])
    assert found("divorce", alice) == found("secret", alice) == {"Shown"}
    assert found("divorce", bob) == {"Of Bob"}
    for viewer in (bob, AnonymousUser()):
        assert found("secret", viewer) == set()
        assert found("pier", viewer) == {"Shown"}
        assert found("pier secret", viewer) == found("pier divorce", viewer) == set()
        assert words.ranked(Image.objects.visible_to(viewer), "pier secret", viewer, 9) == []
    assert words.ranked(Image.objects.visible_to(bob), "pier", bob, 9) == [shown.pk]


def test_the_best_match_comes_first(alice):
    in_name = picture(alice, "", "", "beach.jpg")
    in_description = picture(alice, "Holiday", "at the beach")
    in_title = picture(alice, "Beach")
    tagged = picture(alice, "Beach too", tags=["beach"])
    scope = Image.objects.visible_to(alice)
    order = [tagged.pk, in_title.pk, in_description.pk, in_name.pk]
    assert words.ranked(scope, "beach", alice, 10) == order
    assert words.ranked(scope, "beach", alice, 2) == order[:2]
    anyone = AnonymousUser()
    equal = sorted([in_title.pk, tagged.pk])
    shown = Image.objects.visible_to(anyone)
    assert words.ranked(shown, "the beach", anyone, 10) == [*equal, in_description.pk]


@pytest.mark.parametrize(
    "text", ["", " ", "the", "of the", '""', "!?", "…", "，。", '"the"', "\x00"]
)
def test_a_text_without_words_that_count_matches_nothing(text, alice):
    picture(alice, "The picture of the year", "!?")
    assert found(text, alice) == set()
    assert words.ranked(Image.objects.all(), text, alice, 10) == []
    with pytest.raises(Refusal) as refused:
        words.require_words(text)
    assert (refused.value.code, refused.value.field) == ("no_words", "words")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    noise=st.text(
        alphabet=st.one_of(
            st.characters(exclude_characters="x"),
            st.sampled_from("&|!<>()*:'\"\\-%$;\x00\ud800\udfff\u2028"),
        ),
        max_size=1000,
    )
)
def test_no_text_does_harm(noise, alice):
    """Any text finds visible pictures, or nothing."""
    if not Image.objects.exists():
        picture(alice, "xylophone", "", "xeno.jpg", tags=["xmas"])
    mine = Image.objects.visible_to(alice)
    words.ranked(mine, noise, alice, 5)
    assert found(noise, alice) <= {"xylophone"}
    # Operators have no meaning: each word still counts as one.
    assert found("xylophone & !xmas | <-> :*", alice) == {"xylophone"}


def test_more_words_than_count(alice):
    picture(alice, " ".join(f"word{number}" for number in range(20)))
    long = " ".join(f"word{number % 20}" for number in range(300))
    assert len(found(long, alice)) == 1
    assert found(" ".join("abcdefgh"[i % 8] * (i % 100 + 1) for i in range(1000)), alice) == set()


def test_the_indexes_are_used(alice):
    """Own pictures use them, too, though a word may be in three fields."""
    picture(alice, "zebra", "", "zoo.jpg", tags=["stripes"])
    Image.objects.bulk_create(row(alice, f"picture {n}", "", f"{n}.jpg") for n in range(3000))
    scope = Image.objects.visible_to(alice)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE gallery_image")
        # Without this, so few and short rows are read as fast without an index.
        cursor.execute("SET LOCAL enable_seqscan = off")
    for text in ("zebra", "stripes", "zebra stripes"):
        plan = words.with_words(scope, text, alice).order_by().explain()
        assert "Bitmap Index Scan on image_words" in plan
        assert "Bitmap Index Scan on image_name_words" in plan
        assert "Seq Scan on gallery_image" not in plan, plan


def test_words_that_no_picture_has_are_sought_in_the_indexes(alice):
    """Reading a million pictures one by one takes seconds."""
    # The estimates of a large library, in which alice has the larger part.
    Image.objects.bulk_create(row(alice, f"picture {n}", "", f"{n}.jpg") for n in range(3000))
    places, params = words._places(alice, True)
    *settings, question = words._KNOWN.format(places=places).split(";", 2)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE gallery_image")
        asked = [*words._units("a boat"), *params]
        cursor.execute(";".join([*settings, f"EXPLAIN {question}"]), asked)
        for _setting in settings:
            cursor.nextset()
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on gallery_image" not in plan
    assert "image_words" in plan
    assert "image_name_words" in plan
