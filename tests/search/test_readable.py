"""What the model cannot read: signs, strings that are no words, and what emoji are read as."""

from __future__ import annotations

import random
import string
import time
from typing import Any
from zoneinfo import available_timezones

import pytest

from gallery.encoders import client
from gallery.models import EmbeddingSpace, User
from gallery.search import service
from gallery.search.relevance import emoji, readable, relevance
from gallery.search.relevance.language_probes import CAPTIONS, ENGLISH, PARTS
from gallery.search.relevance.letters import LETTERS_FILE, may_be_word
from gallery.search.relevance.relevance import Judgement
from tests.conftest import draw, upload
from tests.factories import make_space, set_vector
from tools import letters


@pytest.mark.parametrize(
    "text",
    [
        "!!!???",
        "…",
        "-",
        "a" * 200,
        " ".join("a" * 200),
        "asdf",
        "asdfgh qwerty",
        "asdasd",
        "zxcvbn",
        "8f3a9c",
        "6b1c3a9a 5b1e4d43",
        "xkqzvb",
        "sdkfjh",
        "🇨🇳",
    ],
)
def test_what_has_no_words(text: str) -> None:
    assert not readable.has_words(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "cat",
            "a dog on a beach",
            "dogs",
            "ox",
            "sky",
            "rhythm",
            "strengths",
            "gnocchi",
            "fjord",
        ),
        *("Eiffel Tower", "BMW", "HTTPS", "iPhone 15", "X100", "R2D2", "MP3", "4K", "7", "2019"),
        *("IMG_2034", "DSC_0012.JPG", "1920x1080", "2024-05-03", "2024年5月3日", "20th century"),
        *(
            "Ljubljana",
            "Szczecin",
            "Reykjavík",
            "Goldschmidt",
            "Knightsbridge",
            "Nguyễn",
            "Qingdao",
        ),
        *(
            "Tchaikovsky",
            "Mercedes-Benz",
            "Nvidia",
            "Huawei",
            "Xiaomi",
            "Straße",
            "łódź",
            "rock'n'roll",
        ),
        *("brd", "aple", "beautful sunst", "restaurnat", "bicylce", "chidlren", "zzz", "haha"),
        *("猫", "一只狗在沙滩上", "沙灘", "ラーメン", "собака", "قطة", "Σκύλος", "🐶", "❤️", "☀"),
        *("qwerty keyboard", "asdf the cat", "were", "weed", "tree", "property"),
    ],
)
def test_what_may_have_words(text: str) -> None:
    assert readable.has_words(text)


def test_ordinary_words_are_hardly_ever_doubted() -> None:
    """Captions in English and Chinese never; of 850 words of other languages and 550 names of
    places a handful."""
    ordinary = [*ENGLISH, *PARTS, *CAPTIONS["en"], *CAPTIONS["zh"]]
    assert [text for text in ordinary if not readable.has_words(text)] == []
    assert [w for text in ordinary for w in text.split() if not may_be_word(w)] == []
    foreign = {word for texts in CAPTIONS.values() for text in texts for word in text.split()}
    places = {place for zone in available_timezones() for place in zone.split("/")[-1].split("_")}
    assert len([word for word in foreign if not may_be_word(word)]) <= 4
    assert len([place for place in places if not may_be_word(place)]) <= 4


def test_half_of_random_strings_are_no_words() -> None:
    chance = random.Random(1)
    strings = [
        "".join(chance.choices(string.ascii_lowercase, k=chance.randint(5, 10)))
        for _ in range(1000)
    ]
    assert sum(not may_be_word(one) for one in strings) > 500


def test_no_string_takes_long() -> None:
    """A bound that a slow machine keeps a hundred times."""
    begun = time.process_time()
    for part in ("qwertyuiop", "poi", "asdfdsa", "a1", "é", "🐶", "'"):
        readable.has_words((part * 4000)[:4000] + "w")
    assert time.process_time() - begun < 5


def test_the_letters_are_those_of_the_vocabulary() -> None:
    assert LETTERS_FILE.read_text(encoding="ascii").splitlines() == letters.lines()


# --- Emoji ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("🐶", "dog face"),
        ("🐶 on a beach", "dog face on a beach"),
        ("a🐶b", "a dog face b"),
        ("❤️", "heart"),
        ("☀", "sun with rays"),
        ("🖤", "black heart"),
        ("👍🏽", "thumbs up sign"),
        ("👩‍👧", "woman girl"),
        ("🏃‍♀️", "runner"),
        ("a cat", "a cat"),
        ("猫 © 5°", "猫 © 5°"),
        ("🇨🇳", "🇨🇳"),
    ],
)
def test_emoji_are_read_as_words(text: str, words: str) -> None:
    assert emoji.in_words(text) == words


# --- In a search ----------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were encoded."""
    texts_asked: list[str] = []

    def encode_texts(space: Any, texts: list[str], **_: Any) -> Any:
        texts_asked.extend(texts)
        return [[1.0, 0.0, 0.0]] * len(texts)

    monkeypatch.setattr(client, "encode_texts", encode_texts)
    return texts_asked


@pytest.fixture
def space(alice: User, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> EmbeddingSpace:
    """A space in which two pictures match any text: one excellently, one not at all."""
    space = make_space(languages={"en": 0.9, "zh": 0.9, "de": 0.1})
    for colour, vector in (("red", (1, 0, 0)), ("green", (0, 1, 0))):
        set_vector(upload(alice, draw(colour=colour)), space, vector)
    judged = Judgement(line=0.5, slope=10.0, presence=30.0, least=0.2, spread=0.1, pictures=100)
    monkeypatch.setattr(relevance, "judge", lambda *_, **__: judged)
    return space


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("!!!???", "unreadable"),
        ("asdfgh qwerty", "unreadable"),
        ("8f3a9c", "unreadable"),
        ("a" * 200, "unreadable"),
        ('red "!!!"', "unreadable"),
        ("ein Hund läuft am Strand", "language"),
    ],
)
def test_what_cannot_be_read_is_said_and_is_never_called_good(
    alice: User, space: EmbeddingSpace, line: str, code: str
) -> None:
    page = service.search_text(line, alice, 1)
    rest = service.continue_search(str(page.next), alice)
    for results in (page, rest):
        assert [note.code for note in results.notes] == [code]
    assert [hit.fit for hit in (*page.hits, *rest.hits)] == ["fair", "weak"]
    assert page.hits[0].share < 0.8


@pytest.mark.django_db
def test_what_can_be_read_is_not_capped(alice: User, space: EmbeddingSpace) -> None:
    results = service.search_text("a red house", alice)
    assert results.notes == []
    assert [hit.fit for hit in results.hits] == ["excellent", "weak"]


@pytest.mark.django_db
def test_an_emoji_is_searched_for_by_its_name(
    alice: User, space: EmbeddingSpace, asked: list[str]
) -> None:
    results = service.search_text("🐶", alice)
    assert asked == ["dog face"]
    (note,) = results.notes
    assert note.code == "emoji"
    assert str(note.message) == "“🐶” is read as “dog face”."
    assert results.query.positive_texts == ["🐶"]
    assert results.hits[0].fit == "excellent"
