"""The query in one line: the parser understands what people type, and the formatter writes the same
query."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gallery.library.service import delete_image
from gallery.models import Album, Image, Tag, User
from gallery.search.filters import colours
from gallery.search.query import syntax
from gallery.search.query.completion import MOST, complete
from gallery.search.query.query import FILTER_NAMES, Crop, Query, Term
from gallery.spelling import normalise_text
from tests.conftest import draw, upload

ID = uuid.UUID("6b1c3a9a-5b1e-4d43-8b7e-00000000000a")


@pytest.mark.parametrize(
    ("line", "terms"),
    [
        ("beach sunset", [Term(text="beach sunset")]),
        ("  beach \u3000 sunset ", [Term(text="beach sunset")]),
        ("beach -people sunset", [Term(text="beach sunset"), Term(text="people", weight=-1)]),
        ('"a red car" beach', [Term(text="a red car"), Term(text="beach")]),
        ('"a red car"^0.5', [Term(text="a red car", weight=0.5)]),
        ("-people^0.3", [Term(text="people", weight=-0.3)]),
        ('-"people on a beach"^.25', [Term(text="people on a beach", weight=-0.25)]),
        ("cats dogs^0.5", [Term(text="cats"), Term(text="dogs", weight=0.5)]),
        (
            "“a red car” 「一只猫」『狗』 «un chat»",
            [Term(text=t) for t in ("a red car", "一只猫", "狗", "un chat")],
        ),
        (r'"say \"cheese\" \\ \x"', [Term(text=r'say "cheese" \ \x')]),
        ('"a""b"', [Term(text="a"), Term(text="b")]),
        ('"not closed', [Term(text="not closed")]),
        ("5\" disk rock'n'roll", [Term(text="5\" disk rock'n'roll")]),
        ("a - b -- c", [Term(text="a - b -- c")]),
        ("well-known T-shirt", [Term(text="well-known T-shirt")]),
        (f"like:{ID}", [Term(image=ID)]),
        (f"-like:{ID.hex}^0.5", [Term(image=ID, weight=-0.5)]),
        (
            f"like:{ID}[10,20,50,40]^2",
            [Term(image=ID, crop=Crop(0.1, 0.2, 0.5, 0.4), weight=2)],
        ),
        (
            "upload:3-abc[0,0,12.34,100] car",
            [
                Term(upload="3-abc", crop=Crop(0, 0, 0.1234, 1)),
                Term(text="car"),
            ],
        ),
        ("", []),
        (' "" -"" ', []),
    ],
)
def test_terms(line: str, terms: list[Term]) -> None:
    parsed = syntax.parse(line)
    assert list(parsed.query.terms) == terms
    assert parsed.query.filters == {}
    assert parsed.notes == []


@pytest.mark.parametrize(
    ("line", "filters"),
    [
        ("tag:holiday Tag:sea tag:holiday", {"tag": ["holiday", "sea"]}),
        ('album:"Summer 2024"', {"album": "Summer 2024"}),
        ("owner:me camera:“X 100”", {"owner": "me", "camera": "X 100"}),
        ("after:2024", {"taken_after": "2024-01-01"}),
        ("after:2024-05", {"taken_after": "2024-05-01"}),
        ("after:2024-05-03", {"taken_after": "2024-05-03"}),
        ("before:2024/5/3", {"taken_before": "2024-05-03"}),
        ("on:2024", {"taken_after": "2024-01-01", "taken_before": "2025-01-01"}),
        ("on:2024-12", {"taken_after": "2024-12-01", "taken_before": "2025-01-01"}),
        ("on:2024-02-29", {"taken_after": "2024-02-29", "taken_before": "2024-03-01"}),
        ("on:2024年5月", {"taken_after": "2024-05-01", "taken_before": "2024-06-01"}),
        ("orientation:PORTRAIT", {"orientation": "portrait"}),
        ("color:red colour:#AABBCC", {"color": ["red", "#aabbcc"]}),
        ("favourite:yes archived:no", {"favourite": True, "archived": False}),
        ("favorite:no", {"favourite": False}),
        ("visibility:public", {"visibility": "public"}),
        ("size:>4mp", {"size_min": 4.0}),
        ("size:<1.5MP size:>0.3", {"size_max": 1.5, "size_min": 0.3}),
        ("size:medium", {"size_min": 2.0, "size_max": 8.0}),
        ('words:"summer 2019"', {"words": "summer 2019"}),
        (
            "标签：旅行 收藏：是 方向:横",
            {
                "tag": ["旅行"],
                "favourite": True,
                "orientation": "landscape",
            },
        ),
        ("tag:a[1]^2", {"tag": ["a[1]^2"]}),
        ("state:ready order:taken", {"state": "ready", "order": "taken"}),
        # An invalid value is kept. Its use is refused with a sentence.
        ("after:yesterday on:2024-13", {"taken_after": "2024-13", "taken_before": "2024-13"}),
        ("size:huge", {"size_min": "huge"}),
    ],
)
def test_filters(line: str, filters: dict[str, Any]) -> None:
    query = syntax.parse(line).query
    assert query.filters == filters
    assert query.terms == ()


@pytest.mark.parametrize(
    ("line", "text", "code"),
    [
        ("at 12:30", "at 12:30", "unknown_key"),
        ("see http://example.org", "see http://example.org", "unknown_key"),
        ("车：红色", "车：红色", "unknown_key"),
        ("like:dogs", "dogs", "not_a_picture"),
        ("upload:a/b", "a/b", "not_a_picture"),
        ("tag: sea", "sea", "no_value"),
        ('"cat"^0 dog', "dog", "bad_weight"),
        ('"dog"^7', "dog", "bad_weight"),
    ],
)
def test_what_is_not_understood_is_text_and_said(line: str, text: str, code: str) -> None:
    parsed = syntax.parse(line)
    assert [term.text for term in parsed.query.terms] == [text]
    assert not parsed.query.filters
    assert {note.code for note in parsed.notes} == {code}


def test_what_is_turned_or_given_twice_is_said() -> None:
    parsed = syntax.parse("-tag:people orientation:portrait orientation:square")
    assert parsed.query == Query((Term(text="people", weight=-1),), {"orientation": "square"})
    assert [note.code for note in parsed.notes] == ["no_negative_filter", "given_twice"]
    parsed = syntax.parse(f"like:{ID}[50,50,60,10]")
    assert parsed.query.terms == (Term(image=ID),)
    assert [note.code for note in parsed.notes] == ["bad_crop"]


@pytest.mark.parametrize(
    "line",
    [
        "beach sunset -people tag:holiday camera:X100 orientation:portrait color:red",
        '"a red car"^0.5 beach sunset -"people on a beach"^0.3',
        f"like:{ID}[10,20,50,40]^1.5 -like:{ID} upload:3-abc",
        "after:2024 before:2024-05 tag:sea",
        "on:2024-05 size:large favourite:yes",
        "on:2024-02-30",
        'size:>4.5mp size:<6mp album:"Summer 2024"',
        'cat "12:30" words:"a \\"b\\" c"',
    ],
)
def test_the_canonical_line_stays_as_it_is(line: str) -> None:
    assert syntax.format(syntax.parse(line).query) == line


# --- Properties -------------------------------------------------------------------

SIGNS = st.text(alphabet=' ab"“”「」:：-^[]\\,.0159#<>\n\u3000\x00é标签', max_size=20)
KEYED = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "-", '"']),
    st.sampled_from(["tag:", "on:", "like:", "size:>", "颜色：", f"like:{ID}[", "words:"]),
    SIGNS,
)
LINES = st.lists(st.one_of(SIGNS, KEYED, st.text(max_size=10)), max_size=6).map(" ".join)
WEIGHTS = st.floats(-2, 2).map(lambda weight: round(weight, 3)).filter(bool)
SHARES = st.integers(0, 4900).map(lambda share: share / 10_000)
CROPS = st.none() | st.builds(
    Crop,
    SHARES,
    SHARES,
    SHARES.map(lambda s: round(s + 0.01, 4)),
    SHARES.map(lambda s: round(s + 0.01, 4)),
)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("  a  cat ", "a cat"),
        ("a\tcat\r\n\x0bsits", "a cat sits"),
        ("a\x00\x1b\x7f cat", "a cat"),
        ("cafe\u0301 \u00a0\u3000noir\ud800", "café noir"),
        ("", ""),
    ],
)
def test_texts_that_look_the_same_are_the_same(text: str, seen: str) -> None:
    assert normalise_text(text) == seen


TEXTS = st.one_of(SIGNS, st.text()).map(normalise_text).filter(bool)
VALUES = st.one_of(SIGNS, st.text(max_size=20), st.sampled_from(["2024", "yes", "Red", "large"]))
UPLOADS = st.text("abcXYZ019-_", min_size=1, max_size=20)
TERMS = st.one_of(
    st.builds(Term, text=TEXTS, weight=WEIGHTS),
    st.builds(Term, text=TEXTS),
    st.builds(Term, image=st.uuids(), weight=WEIGHTS, crop=CROPS),
    st.builds(Term, upload=UPLOADS, crop=CROPS),
).map(Term.as_json)
FILTERS = st.dictionaries(
    st.sampled_from(sorted(FILTER_NAMES)), st.lists(VALUES, min_size=1, max_size=1), max_size=4
)
QUERIES = st.fixed_dictionaries({"terms": st.lists(TERMS, max_size=6), "filters": FILTERS}).map(
    Query.from_json
)


@hypothesis_settings(max_examples=300, deadline=None)
@given(query=QUERIES)
def test_every_query_is_read_from_its_line(query: Query) -> None:
    line = syntax.format(query)
    parsed = syntax.parse(line)
    assert parsed.query == query
    assert syntax.format(parsed.query) == line
    assert parsed.notes == []


@hypothesis_settings(max_examples=300, deadline=None)
@given(line=LINES)
@example(line='tag:"')
@example(line="-")
def test_every_line_is_a_query(line: str) -> None:
    query = syntax.parse(line).query
    # Typed text may exceed a limit. The check of JSON says which.
    assert syntax.parse(syntax.format(query)).query == query
    spans = [line[token.start : token.end] for token in syntax.tokens(line)]
    assert "".join("".join(spans).split()) == "".join(line.split())


# --- Completion -------------------------------------------------------------------


@pytest.fixture
def albums(alice: User, bob: User) -> None:
    Album.objects.create(owner=alice, title="Summer 2024")
    Album.objects.create(owner=bob, title="Summer of bob")
    for owner, name, camera, visibility, colour in (
        (alice, "holiday", "FUJIFILM X100", "private", "red"),
        (bob, "homework", "Nikon D50", "private", "green"),
        (bob, "house", "Nikon Z6", "public", "blue"),
    ):
        image = upload(owner, draw(colour=colour), visibility=visibility)
        Image.objects.filter(pk=image.pk).update(camera=camera)
        Tag.objects.create(owner=owner, name=name).images.add(image)


def lines(text: str, viewer: Any, at: int | None = None) -> list[str]:
    return [s.text for s in complete(text, len(text) if at is None else at, viewer)]


@pytest.mark.django_db
def test_keys_are_completed(alice: User) -> None:
    assert "tag:" in lines("", alice)
    assert lines("beach al", alice) == ["beach album:"]
    assert lines("标", alice) == ["tag:"]
    assert lines("colo", alice) == ["color:"]
    assert lines("-li", alice) == ["-like:"]
    assert lines('"al', alice) == lines("zzz", alice) == []
    (found,) = complete("al sunset", 2, alice)
    assert (found.text, found.at, found.kind) == ("album: sunset", 6, "key")


@pytest.mark.django_db
def test_values_are_completed_for_the_viewer_alone(albums: None, alice: User, bob: User) -> None:
    assert lines("x tag:ho", alice) == ["x tag:holiday "]
    assert set(lines("tag:", bob)) == {"tag:homework ", "tag:house "}
    assert lines("ho", alice) == ["tag:holiday "]
    assert lines("album:sum", alice) == ['album:"Summer 2024" ']
    assert lines('album:"summer o', bob) == ['album:"Summer of bob" ']
    assert set(lines("camera:", alice)) == {'camera:"FUJIFILM X100" ', 'camera:"Nikon Z6" '}
    assert lines("owner:", alice) == ["owner:me ", "owner:alice ", "owner:bob "]
    assert lines("orientation:p", alice) == ["orientation:portrait "]
    assert lines("colour:gre", alice) == ["colour:green ", "colour:grey "]
    (found,) = complete("tag:ho sea", 6, alice)
    assert (found.text, found.at) == ("tag:holiday sea", 12)


@pytest.mark.django_db
def test_tags_are_offered_for_pictures_out_of_the_trash(alice: User) -> None:
    kept, deleted = upload(alice), upload(alice, draw(colour="blue"))
    for name, images in [("old", [deleted]), ("older", [kept, deleted])]:
        Tag.objects.create(owner=alice, name=name).images.set(images)
    delete_image(deleted)
    (found,) = complete("tag:old", 7, alice)
    assert (found.label, found.detail) == ("older", "1 picture")


@pytest.mark.django_db
def test_all_colours_are_offered_and_of_long_lists_the_likeliest(alice: User) -> None:
    assert lines("color:", alice) == [f"color:{name} " for name in colours.NAMES]
    assert len(lines("after:", alice)) == MOST
    for number in range(MOST + 1):
        upload(User.objects.create_user(f"anna{number}"), visibility="public")
    assert len(lines("owner:", alice)) == MOST
    assert len(lines("owner:anna", alice)) == MOST


@pytest.mark.django_db
def test_visitors_see_what_is_public(albums: None) -> None:
    nobody = AnonymousUser()
    assert lines("tag:", nobody) == lines("album:", nobody) == []
    assert lines("camera:", nobody) == ['camera:"Nikon Z6" ']
    assert lines("owner:", nobody) == ["owner:bob "]


@pytest.mark.django_db
@hypothesis_settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(line=LINES, at=st.integers(-5, 100))
def test_completion_takes_any_line(line: str, at: int, alice: User) -> None:
    for found in complete(line, at, alice):
        assert 0 <= found.start <= found.end <= len(line)
        assert 0 <= found.at <= len(found.text)


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        ("rating:>=4", "rating:>=4"),
        ("rating:>3", "rating:>=4"),
        ("rating:4+", "rating:>=4"),
        ("rating:<2", "rating:<=1"),
        ("rating:≤1", "rating:<=1"),
        ("评分：5", "rating:5"),
        ("stars:0", "rating:0"),
    ],
)
def test_stars_have_one_spelling(line: str, canonical: str) -> None:
    parsed = syntax.parse(f"sea {line}")
    assert parsed.notes == []
    assert syntax.format(parsed.query) == f"sea {canonical}"
    assert syntax.parse(syntax.format(parsed.query)).query == parsed.query
