"""Queries in JSON: what they may contain. Nothing of them is lost."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gallery.errors import Refusal
from gallery.search.query.query import MAX_TERMS, Crop, Query, Term

ID = "6b1c3a9a-5b1e-4d43-8b7e-00000000000a"


def refused(data: Any) -> tuple[str, str | None]:
    with pytest.raises(Refusal) as refusal:
        Query.from_json(data)
    assert str(refusal.value.message)
    return refusal.value.code, refusal.value.field


def test_a_query_is_read_as_it_is_written() -> None:
    data = {
        "terms": [
            {"text": "a  red\tcar", "weight": 1.23456},
            {"image": ID.upper(), "weight": -0.5, "crop": [0, 0.123456, 1, 0.5]},
            {"upload": "3-abc"},
        ],
        "filters": {
            "tag": "sea",
            "favourite": "true",
            "orientation": "Portrait",
            "taken_after": "2024",
            "camera": " X100 ",
            "owner": "",
            "id": None,
        },
    }
    query = Query.from_json(data)
    assert query.terms == (
        Term(text="a red car", weight=1.235),
        Term(image=uuid.UUID(ID), weight=-0.5, crop=Crop(0, 0.1235, 1, 0.5)),
        Term(upload="3-abc"),
    )
    assert query.filters == {
        "tag": ["sea"],
        "favourite": True,
        "orientation": "portrait",
        "taken_after": "2024-01-01",
        "camera": "X100",
    }
    assert Query.from_json(query.as_json()) == query
    assert query.positive_texts == ["a red car"]


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ("cat", ("bad_terms", "terms")),
        (["cat"], ("bad_query", "terms.0")),
        ([{}], ("bad_term", "terms.0")),
        ([{"text": "cat"}, {"text": "a", "image": ID}], ("bad_term", "terms.1")),
        ([{"text": " \x00\u3000"}], ("empty_query", "terms.0.text")),
        ([None], ("bad_query", "terms.0")),
        *(
            ([{"text": text}], ("bad_term", "terms.0.text"))
            for text in (5, True, ["cat"], {"a": 1}, "\ud800", "cat \udc00")
        ),
        ([{"text": "x" * 1001}], ("query_too_long", "terms.0.text")),
        ([{"image": "cat"}], ("bad_id", "terms.0.image")),
        ([{"image": 5}], ("bad_id", "terms.0.image")),
        ([{"upload": "../etc"}], ("bad_id", "terms.0.upload")),
        ([{"text": "cat", "crop": [0, 0, 1, 1]}], ("bad_crop", "terms.0.crop")),
        ([{"text": "cat"}] * (MAX_TERMS + 1), ("too_many_terms", "terms")),
        ([{"text": "cat", "wieght": 1}], ("unknown_name", "terms.0.wieght")),
        *(
            ([{"text": "cat", "weight": weight}], ("bad_weight", "terms.0.weight"))
            for weight in (0, 0.0001, 2.1, -3, True, "1", None, float("nan"), float("inf"), 10**400)
        ),
        *(
            ([{"image": ID, "crop": crop}], ("bad_crop", "terms.0.crop"))
            for crop in (
                "0,0,1,1",
                [0, 0, 1],
                [0, 0, 1, True],
                [0, 0, 0, 1],
                [-0.1, 0, 1, 1],
                [0.5, 0, 0.6, 1],
                [0, 0, float("nan"), 1],
            )
        ),
    ],
)
def test_a_term_that_makes_no_sense_is_refused_by_name(terms: Any, error: Any) -> None:
    assert refused({"terms": terms}) == error


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ([], ("bad_query", None)),
        ("cat", ("bad_query", None)),
        ({"terms": [], "colour": 1}, ("unknown_name", "colour")),
        ({"filters": []}, ("bad_query", "filters")),
        ({"filters": {"tags": "sea"}}, ("unknown_name", "filters.tags")),
        ({"filters": {"tag": {"a": 1}}}, ("invalid", "filters.tag")),
        ({"filters": {"tag": ["a", ["b"]]}}, ("invalid", "filters.tag")),
        ({"filters": {"owner": ["a", "b"]}}, ("one_value", "filters.owner")),
        ({"filters": {"album": []}}, ("one_value", "filters.album")),
        ({"filters": {"album": [None]}}, ("one_value", "filters.album")),
        ({"filters": {"color": [None]}}, ("invalid", "filters.color")),
        ({"filters": {"tag": ["sea", None]}}, ("invalid", "filters.tag")),
        ({"filters": {"camera": "x" * 1001}}, ("filter_too_long", "filters.camera")),
    ],
)
def test_anything_else_that_makes_no_sense(data: Any, error: Any) -> None:
    assert refused(data) == error


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["terms", "filters", "text", "image", "weight", "crop", "tag", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@hypothesis_settings(deadline=None)
@given(data=JSON)
def test_any_json_is_a_query_or_a_refusal(data: Any) -> None:
    try:
        query = Query.from_json(data)
    except Refusal:
        return
    assert Query.from_json(query.as_json()) == query
