"""Negations and operators in plain words: what is read as a minus, what stays text, and what is
said about it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.urls import reverse

from gallery.models import EmbeddingSpace, Image, User
from gallery.organising import saved_searches, search_history, smart_albums
from gallery.search import service
from gallery.search.query import syntax, wording
from gallery.search.query.query import Query, Term
from tests.conftest import api, draw, upload
from tests.factories import set_vector
from tests.web_tools import attributes, browser, fake_encoder, tiles

# --- What is read as a minus ----------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        ("beach without people", "beach -people"),
        ("without people", "-people"),
        ("no people in the picture", "-people"),
        ("A beach. No people.", "A beach -people"),
        ("Without people", "-people"),
        ("no cat", "-cat"),
        ("not a cat", "-cat"),
        ("cat but no dog", "cat -dog"),
        ("cat but not dog", "cat -dog"),
        ("a cat, not a dog", "a cat -dog"),
        ("not a cat but a dog", "a dog -cat"),
        ("beach no people", "beach -people"),
        ("beach with no people", "beach -people"),
        ("beach, no people, sunset", "beach, sunset -people"),
        ("everything except people", "everything -people"),
        ("animals except for cats", "animals -cats"),
        ("street excluding cars", "street -cars"),
        ("beach w/o people", "beach -people"),
        ("there are no people on the beach", "on the beach -people"),
        ("No people on the street", "on the street -people"),
        ("beach no people visible", "beach -people"),
        ("beach without a lot of people", "beach -people"),
        ("street without any cars in the rain", "street in the rain -cars"),
        ("a man without a hat on a beach", "a man on a beach -hat"),
        ("a car that is not red", "a car -red"),
        ("a man who is not wearing a hat", 'a man -"wearing a hat"'),
        ("a room without red chairs", 'a room -"red chairs"'),
        # Nobody is no people: nothing else can be meant.
        ("no one on the beach", "on the beach -people"),
        ("beach with nobody", "beach -people"),
        # Several.
        ("beach without people or cars", "beach -people -cars"),
        ("beach without people and cars", "beach -people -cars"),
        ("beach without people, cars or dogs", "beach -people -cars -dogs"),
        ("no cats and no dogs", "-cats -dogs"),
        # What is not on the list stays.
        ("beach without people, sunset", "beach, sunset -people"),
        ("a beach without people and a sunset", "a beach and a sunset -people"),
        ("without people and with a dog", "with a dog -people"),
        # Beside filters, pictures, weights and quotes.
        ("beach tag:sea without after:2024 people", "beach -people after:2024 tag:sea"),
        ('"a red car" without people', "a red car -people"),
        ("beach -dogs without people", "beach -people -dogs"),
        ("beach without people^0.5", "beach -people^0.5"),
        ('beach without "a red car"', 'beach -"a red car"'),
        ('cat NOT "red dog"^2', 'cat -"red dog"^2'),
        # Chinese, simplified and traditional.
        ("没有猫", "-猫"),
        ("没有人的海滩", "海滩 -人"),
        ("海滩没有人", "海滩 -人"),
        ("海滩，没有人", "海滩 -人"),
        ("海滩 没有 人", "海滩 -人"),
        ("海滩，没有人，日落", "海滩，日落 -人"),
        ("没有人在海滩上", "海滩上 -人"),
        ("没有任何人的街道", "街道 -人"),
        ("没有人和车的街道", "街道 -人 -车"),
        ("没有人、车的街道", "街道 -人 -车"),
        ("没有红色的车", "-红色的车"),
        ("没有和服的人", "人 -和服"),
        ("猫但没有狗", "猫 -狗"),
        ("不是猫", "-猫"),
        ("这不是猫", "-猫"),
        ("不是黑色的猫", "猫 -黑色"),
        ("不是猫而是狗", "狗 -猫"),
        ("除了猫", "-猫"),
        ("除了猫之外的动物", "动物 -猫"),
        ("除了狗以外", "-狗"),
        ("除猫外的动物", "动物 -猫"),
        ("海滩，不要人", "海滩 -人"),
        ("不含文字的图片", "图片 -文字"),
        ("不戴眼镜的人", "人 -眼镜"),
        ("无人的海滩", "海滩 -人"),
        ("街上无人", "街上 -人"),
        ("没人的街道", "街道 -人"),
        ("沒有人的海灘", "海灘 -人"),
        ("無人的海灘", "海灘 -人"),
        ("除了貓之外的動物", "動物 -貓"),
        ("没有people的beach", "beach -people"),
        ("海滩 没有 “红色的伞”", "海滩 -红色的伞"),
    ],
)
def test_plain_negations_are_a_minus(line: str, canonical: str) -> None:
    parsed = syntax.parse(line)
    assert syntax.format(parsed.query) == canonical
    assert [note.code for note in parsed.notes] == ["negation"]
    # Read again, it is the same query, and there is nothing to say.
    again = syntax.parse(syntax.format(parsed.query))
    assert (again.query, again.notes) == (parsed.query, [])


# --- What stays text ------------------------------------------------------------------

UNCLEAR = [
    "no parking sign",
    "no smoking",
    "no entry",
    "no dogs sign",
    "no longer young",
    "not only cats",
    "nobody knows",
    "do not disturb sign",
    "do not enter",
    "this is not a pipe",
    "to be or not to be",
    "dog not on a leash",
    "not without people",
    "not not a cat",
    "never without a hat",
    "no cats without collars",
    "people no people",
    "a man not looking at the camera",
    "no a, b, c, d or e",
    "没有尽头的路",
    "不是猫就是狗",
    "除了猫还有狗",
    "有没有猫",
    "是不是猫",
    "不是没有猫",
    "没有人不喜欢猫",
    "没有完成的画",
    "不要停车",
    "没有关系",
    "沒有關係",
]
PLAIN_TEXTS = [
    "no. 5",
    "No. 5",
    "No 5",
    "No.5",
    "No Country for Old Men",
    "Doctors Without Borders",
    "NO PARKING",
    "DO NOT ENTER",
    "BLACK AND WHITE",
    "yes or no",
    "nothing",
    "knot",
    "notebook",
    "no-fly zone",
    "isn't it",
    "black and white dog",
    "dog or cat",
    "Portland, OR hotel",
    "Portland OR",
    "无人机",
    "无人机的照片",
    "无花果",
    "不倒翁",
    "目中无人",
    "不含糊",
    "除夕",
    "除草机",
    "黑猫和白狗",
    "穿和服的人",
    "一只狗在沙滩上",
]


@pytest.mark.parametrize("line", UNCLEAR)
def test_what_is_not_plain_stays_text_and_a_note_says_how_to_write_it(line: str) -> None:
    parsed = syntax.parse(line)
    assert parsed.query.terms == (Term(text=line),)
    (note,) = parsed.notes
    assert (note.code, note.as_typed) == ("unclear_negation", "")
    assert "put a minus" in str(note.message)
    # In quotes nothing is unclear.
    assert syntax.format(parsed.query) == f'"{line}"'
    assert syntax.parse(f'"{line}"') == syntax.Parsed(parsed.query)


@pytest.mark.parametrize("line", PLAIN_TEXTS)
def test_other_words_are_no_negation(line: str) -> None:
    assert syntax.parse(line) == syntax.Parsed(Query((Term(text=line),)))


@pytest.mark.parametrize("text", ["beach without people", "cat OR dog", "没有猫", "NOT", "no cat"])
def test_quoted_texts_are_never_touched(text: str) -> None:
    query = Query((Term(text=text),))
    assert syntax.parse(f'"{text}"') == syntax.Parsed(query)
    assert syntax.format(query) == f'"{text}"'
    assert Query.from_json({"terms": [{"text": text}]}) == query


def test_a_word_that_negates_nothing_is_no_minus_for_what_follows() -> None:
    """Written without quotes, it would negate the next term."""
    query = Query((Term(text="a cat without"), Term(text="a dog")))
    assert syntax.format(query) == '"a cat without" a dog'
    assert syntax.parse(syntax.format(query)).query == query


# --- Operators ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "texts", "word"),
    [
        ("cat OR dog", ["cat", "dog"], "OR"),
        ("black cat OR white dog", ["black cat", "white dog"], "OR"),
        ("猫 OR 狗", ["猫", "狗"], "OR"),
        ("cat AND dog", ["cat", "dog"], "AND"),
        ('"red car" OR "blue car"', ["red car", "blue car"], "OR"),
        ('cat OR "red dog" OR bird', ["cat", "bird", "red dog"], "OR"),
    ],
)
def test_operators_part_terms(line: str, texts: list[str], word: str) -> None:
    parsed = syntax.parse(line)
    assert sorted(parsed.query.positive_texts) == sorted(texts)
    (note,) = parsed.notes
    assert note.code == "operators"
    assert f"“{word}”" in str(note.message)
    assert syntax.parse(syntax.format(parsed.query)) == syntax.Parsed(parsed.query)


def test_and_not_is_a_minus() -> None:
    parsed = syntax.parse("cat AND NOT dog")
    assert parsed.query.terms == (Term(text="cat"), Term(text="dog", weight=-1))
    assert [note.code for note in parsed.notes] == ["negation", "operators"]


# --- The way back ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "back"),
    [
        ("beach without people", '"beach without people"'),
        ("beach without people tag:sea -dogs", '"beach without people" -dogs tag:sea'),
        ("cat OR dog", '"cat OR dog"'),
    ],
)
def test_the_note_has_the_line_with_the_words_as_typed(line: str, back: str) -> None:
    note = syntax.parse(line).notes[0]
    assert note.as_typed == back
    assert syntax.parse(back).notes == []


def test_the_note_says_what_was_read() -> None:
    (note,) = syntax.parse("no people and no cars on the beach").notes
    assert "“no people … no cars” is read as: unlike “people”, “cars”." in str(note.message)


# --- Its cost -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        "no ",
        "no a, ",
        "w/o a, ",
        ", ",
        "但而",
        "没有",
        "没有人、",
        "除了",
        "除a",
        "NOT OR ",
        "and ",
    ],
)
def test_no_line_takes_long(part: str) -> None:
    """Nothing is tried again and again: a bound that a slow machine keeps a hundred times."""
    line = (part * 4000)[: service.MAX_LINE_CHARACTERS]
    begun = time.process_time()
    wording.is_read_as_typed(line)
    wording.is_read_as_typed(line[:300])
    syntax.format(syntax.parse(line).query)
    assert time.process_time() - begun < 5


# --- From end to end ------------------------------------------------------------------


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> EmbeddingSpace:
    return fake_encoder(monkeypatch)


@pytest.fixture
def pictures(alice: User, space: EmbeddingSpace) -> list[Image]:
    """A red, a half red and a green picture."""
    images = []
    for red in (1.0, 0.5, 0.0):
        image = upload(alice, draw(colour=(int(red * 255), 80, 0)))
        set_vector(image, space, (red, 1 - red, 0))
        images.append(image)
    return images


def ids(images: list[Image]) -> list[str]:
    return [str(image.pk) for image in images]


@pytest.mark.django_db
def test_a_negation_alone_finds_what_is_least_like_it(alice: User, pictures: list[Image]) -> None:
    page = browser(alice).get("/search/", {"q": "no red"})
    assert tiles(page) == ids(pictures[::-1])
    assert 'value="-red"' in page.content.decode()


@pytest.mark.django_db
def test_the_page_says_how_it_read_a_negation_and_leads_back(
    alice: User, pictures: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser(alice)
    page = client.get("/search/", {"q": "green without red"})
    assert tiles(page) == ids(pictures[::-1])
    assert attributes(page, "data-note") == ["negation"]
    back = f"{reverse('search')}?q=%22green%20without%20red%22"
    assert back in attributes(page, "href")
    asked: list[str] = []
    monkeypatch.setattr(
        "gallery.search.query.combine.client.encode_texts",
        lambda space, texts, **_: asked.extend(texts) or [[1.0, 0.0, 0.0]],
    )
    page = client.get(back)
    assert asked == ["green without red"]
    assert attributes(page, "data-note") == []


@pytest.mark.django_db
def test_the_api_reads_a_line_alike_and_json_as_it_stands(
    alice: User, pictures: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = api(alice).get("/api/v1/search/", {"q": "green without red"}).json()
    assert answer["query"] == "green -red"
    (note,) = answer["notes"]
    assert (note["code"], note["as_typed"]) == ("negation", '"green without red"')
    parsed = api(alice).post("/api/v1/search/parse/", {"q": "no red"}, format="json").json()
    assert parsed["terms"] == [{"text": "red", "weight": -1.0}]
    assert parsed["notes"][0]["as_typed"] == '"no red"'
    # The notes stay with the further pages.
    first = api(alice).get("/api/v1/search/", {"q": "green without red", "limit": 1}).json()
    assert api(alice).get(first["next"]).json()["notes"] == answer["notes"]
    monkeypatch.setattr(
        "gallery.search.query.combine.client.encode_texts",
        lambda space, texts, **_: [[1.0, 0.0, 0.0]],
    )
    body = {"terms": [{"text": "green without red"}]}
    answer = api(alice).post("/api/v1/search/", body, format="json").json()
    assert (answer["query"], answer["notes"]) == ('"green without red"', [])


@pytest.mark.django_db
def test_saved_searches_albums_and_the_history_keep_what_was_read(
    alice: User, pictures: list[Image]
) -> None:
    client = browser(alice)
    client.get("/search/", {"q": "green without red"})
    assert [record.text for record in search_history.history_of(alice)] == ["green -red"]
    client.post("/searches/new/", {"q": "green without red", "name": "Green"})
    saved = saved_searches.named(alice, "Green")
    assert saved is not None
    query = saved_searches.query_of(saved)
    assert syntax.format(query) == "green -red"
    assert smart_albums.matches(saved) == [image.pk for image in pictures[::-1]]


@pytest.mark.django_db
def test_words_added_to_the_parts_are_read_alike(alice: User, space: EmbeddingSpace) -> None:
    """A part that is changed keeps its text: it is a text of its own, as in quotes."""
    form: dict[str, Any] = {
        "kind": ["text"],
        "value": ["beach without dogs"],
        "weight": ["1"],
        "crop": [""],
        "add": "without people",
    }
    response = browser(alice).post(reverse("search_compose"), form)
    assert response.url == f"{reverse('search')}?q=%22beach+without+dogs%22+-people"
