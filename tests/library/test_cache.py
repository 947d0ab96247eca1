"""The cache only holds plain values. Values of any other kind count as missing."""

from __future__ import annotations

import io
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgpack
import numpy as np
import pytest
import redis
from django.conf import settings
from django.core.cache import cache, caches
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from gallery import checked_cache
from gallery.api.uploads import Answer, IdempotencyKey
from gallery.encoders import client
from gallery.explore import regions
from gallery.indexing import vector_indexes
from gallery.library.query_picture import SmallPicture
from gallery.models import EmbeddingSpace, User
from gallery.search import window
from gallery.search.filters.narrowed import Narrowed
from gallery.search.nearest import scope_size
from gallery.search.plan import Plan
from gallery.search.query import query_pictures
from gallery.search.query.notes import Note
from gallery.search.query.query import Query, Term
from gallery.search.relevance.relevance import Judgement
from gallery.search.window import Window
from gallery.sharing import attempt_limits
from tests.factories import make_space


class Trap:
    """Runs code when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def poisons(mark: Path) -> dict[str, bytes]:
    """Raw values from an attacker, or from an earlier release."""
    return {
        "a pickle": pickle.dumps(Trap(mark)),
        "an old pickle": pickle.dumps({"viewer_id": None}, protocol=0),
        "nothing": b"",
        "noise": bytes(range(256)),
        "half a value": msgpack.dumps({"a": b"x" * 100})[:50],
        "nested": b"\x91" * 100_000,
        "a number": b"17",
        "a large number": b"9" * 40,
        "no text": b"\xa2\xff\xff",
        "a text": msgpack.dumps("text"),
        "bytes": msgpack.dumps(b"bytes"),
        "an empty list": msgpack.dumps([]),
        "a list": msgpack.dumps([1, 2, 3]),
        "deep lists": msgpack.dumps([[[[]]]] * 6),
        "a map": msgpack.dumps({"asked": "[]", "judgement": 3}),
        "an extension": msgpack.dumps(msgpack.ExtType(5, b"x")),
        "a time": msgpack.dumps(msgpack.Timestamp(1)),
        "not finite": msgpack.dumps(float("nan")),
        "yes": msgpack.dumps(True),
    }


NAMES = list(poisons(Path("/nowhere")))


class Raw:
    """The cache as somebody with access to the server sees it."""

    def __init__(self) -> None:
        self.server = redis.Redis.from_url(settings.REDIS_URL)

    def found(self) -> list[bytes]:
        return list(self.server.scan_iter("clipsite:1:*"))

    def poison(self, value: bytes) -> None:
        """Replace every value, and keep its lifetime."""
        found = self.found()
        assert found, "there is something to poison"
        for key in found:
            self.server.set(key, value, keepttl=True)


@pytest.fixture
def raw() -> Raw:
    return Raw()


@pytest.fixture(params=NAMES)
def poison(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    mark = tmp_path / "ran"
    yield poisons(mark)[request.param]
    assert not mark.exists(), "what stood in the cache was run"


def test_what_is_no_plain_value_is_not_even_written() -> None:
    for value in (uuid4(), object(), {1, 2}, np.float32(1), Judgement()):
        with pytest.raises(TypeError):
            cache.set("key", value)


def test_values_come_back_as_they_were() -> None:
    for value in (0, -5, 2**63 - 1, 1.5, True, "text", "", b"bytes", [1, [2, b"3"]], {"a": None}):
        cache.set("key", value)
        assert cache.get("key") == value
        assert type(cache.get("key")) is type(value)
        assert cache.get_many(["key"]) == {"key": value}


def test_what_cannot_be_read_is_not_there(raw: Raw, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for name in ("a pickle", "an old pickle", "nothing", "noise", "half a value", "nested"):
        cache.set("key", [1])
        raw.poison(poisons(mark)[name])
        for store in (cache, caches["strict"]):
            assert store.get("key") is None, name
            assert store.get("key", []) == [], name
            assert store.get_many(["key"]) == {}, name
    assert not mark.exists()


def test_a_default_tells_what_is_expected(raw: Raw, poison: bytes) -> None:
    """allauth iterates over a list of times without checking it."""
    cache.set("key", [1.5])
    assert cache.get("key", []) == [1.5]
    raw.poison(poison)
    assert isinstance(cache.get("key", []), list)


# --- Each thing that is kept ------------------------------------------------------


@pytest.mark.django_db
def test_tries_count_anew_from_a_poisoned_counter(raw: Raw, poison: bytes) -> None:
    attempt_limits.count("password", 2, 3600)
    raw.poison(poison)
    if poison.isdigit():  # it looks like ours
        with pytest.raises(attempt_limits.TooManyAttempts):
            attempt_limits.count("password", 2, 3600)
        return
    for _ in range(3):  # one of them makes room for the counter, and a "yes" counts as one
        attempt_limits.count("password", 4, 3600)
    with pytest.raises(attempt_limits.TooManyAttempts):
        attempt_limits.count("password", 2, 3600)


@pytest.mark.django_db
def test_requests_are_counted_anew_from_a_poisoned_counter(
    raw: Raw, poison: bytes, client: Client
) -> None:
    body = {"username": "nobody", "password": "wrong"}
    first = client.post("/api/v1/auth/login/", body, content_type="application/json")
    assert first.status_code == 401
    raw.poison(poison)
    again = client.post("/api/v1/auth/login/", body, content_type="application/json")
    assert again.status_code == (429 if poison.isdigit() and len(poison) > 2 else 401)


VIEWER, SPACE = User(pk=7), EmbeddingSpace(pk=3)


@pytest.fixture
def _one_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "_space_of", {SPACE.pk: SPACE}.get)


def a_window() -> Window:
    wanted = {"size_min": 1.5, "tag": ["été", "海滩"], "favourite": True}
    plan = Plan(
        Narrowed(VIEWER, {**wanted, "album": [str(uuid4())]}),
        SPACE,
        Query((Term(text="a sign", weight=-1.5),), {**wanted, "album": "of \ud800 signs"}),
        np.array([0.6, 0.8], dtype=np.float32),
        "image",
        exclude_ids=[uuid4()],
        exclude_sha256s=["ab"],
        copies_of=["cd"],
        judgement=Judgement(np.float32(0.25), 0.1, np.float64(0.5), pictures=9, sure=(uuid4(),)),
        notes=[Note("code", "sentence")],
        fold=True,
    )
    found = Window(
        plan,
        by_words=frozenset([uuid4()]),
        fused=True,
        raised_line=np.float32(0.75),
        after="cursor",
        exact=False,
        complete=True,
    )
    ids = [uuid4() for _ in range(1500)]
    found.append(ids, [0.5] * 1499 + [None], folded={ids[3]: ids[2]})
    return found


@pytest.mark.usefixtures("_one_space")
def test_a_window_comes_back_as_it_was() -> None:
    made = a_window()
    window.save(made)
    found, offset = window.load(made.cursor(20), VIEWER)
    assert offset == 20
    assert found.as_plain() == made.as_plain()
    assert found.plan.query == made.plan.query
    assert found.plan.narrowed.filters == made.plan.narrowed.filters
    assert found.plan.notes == made.plan.notes
    assert found.judgement == replace(made.plan.judgement, line=0.75)
    assert found.behind == made.behind
    assert found.ids == made.ids
    assert len(found.ids) == 1499


@pytest.mark.usefixtures("_one_space")
def test_a_poisoned_window_is_a_search_that_expired(raw: Raw, poison: bytes) -> None:
    made = a_window()
    window.save(made)
    raw.poison(poison)
    with pytest.raises(window.Expired):
        window.load(made.cursor(0), VIEWER)


@pytest.mark.usefixtures("_one_space")
@pytest.mark.parametrize("field", [*a_window().as_plain(), *a_window().plan.as_plain()])
def test_a_window_with_one_odd_part_expired_or_is_read(field: str, tmp_path: Path) -> None:
    """Whatever the part is replaced by, the error is the same."""
    made = a_window()
    plain = made.as_plain()
    key = f"search-window:{made.token}"
    for odd in (None, -1, 2**63, 1.5, "text", b"odd bytes", [], [[1, 2]], {"a": 1}, [b"", b""]):
        in_plan = field in plain["plan"]
        plan = {**plain["plan"], field: odd} if in_plan else plain["plan"]
        cache.set(key, {**plain, "plan": plan} if in_plan else {**plain, field: odd})
        try:
            window.load(made.cursor(0), VIEWER)
        except window.Expired:
            continue


@pytest.mark.usefixtures("_one_space")
def test_a_poisoned_part_of_a_window_expired(raw: Raw, poison: bytes) -> None:
    made = a_window()
    window.save(made)
    for key in raw.found():
        if key.endswith((b":0", b":1")):
            raw.server.set(key, poison)
    found, _offset = window.load(made.cursor(0), VIEWER)
    with pytest.raises(window.Expired):
        found.part(0, 40)


@pytest.mark.django_db
def test_a_poisoned_query_picture_is_not_kept(raw: Raw, poison: bytes, alice: User) -> None:
    sent = SmallPicture(b"jpeg", "ab")
    name = query_pictures.keep(sent, alice)
    assert query_pictures.load(name, alice) == sent
    raw.poison(poison)
    with pytest.raises(window.Expired):
        query_pictures.load(name, alice)
    again = query_pictures.keep(sent, alice)
    assert query_pictures.load(again, alice) == sent


@pytest.mark.django_db
def test_a_poisoned_vector_is_asked_for_anew(
    raw: Raw, poison: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = make_space()
    vector = np.array([[0.6, 0.0, 0.8]], dtype=np.float32)
    asked: list[int] = []

    def answer(*_question: Any) -> np.ndarray:
        asked.append(1)
        return vector

    monkeypatch.setattr(client, "_ask", answer)
    monkeypatch.setattr(query_pictures, "packed_part", lambda *_what: b"")
    for _ in range(2):
        assert np.array_equal(client.encode_texts(space, ["a dog"]), vector)
        assert np.array_equal(
            query_pictures.vector_of(SmallPicture(b"", "ab"), None, space), vector[0]
        )
    assert len(asked) == 2
    for value in (
        poison,
        msgpack.dumps(checked_cache.pack_vectors(vector * 2)),
        msgpack.dumps(b"\0" * 8),
    ):
        raw.poison(value)
        asked.clear()
        assert np.array_equal(client.encode_texts(space, ["a dog"]), vector)
        assert np.array_equal(
            query_pictures.vector_of(SmallPicture(b"", "ab"), None, space), vector[0]
        )
        assert len(asked) == 2


def test_poisoned_names_of_regions_are_not_there(raw: Raw, poison: bytes) -> None:
    read = lambda plain: regions._chosen(plain, 5)  # noqa: E731
    cache.set("names", [(3, (1, 4)), (9, (0,))])
    assert checked_cache.get("names", read) == {3: (1, 4), 9: (0,)}
    cache.set("names", [(3, (1, 5))])
    assert checked_cache.get("names", read) is None
    raw.poison(poison)
    assert not checked_cache.get("names", read)


def test_a_poisoned_size_of_a_scope_is_counted_anew(raw: Raw, poison: bytes) -> None:
    cache.set("size", [1, 2, 3, 4, 5, True])
    size = checked_cache.get("size", scope_size._size)
    assert size == scope_size.Size(1, 2, 3, 4, 5, True)
    raw.poison(poison)
    assert checked_cache.get("size", scope_size._size) is None


@pytest.mark.django_db
def test_a_poisoned_idempotency_key_is_a_new_one(raw: Raw, poison: bytes, alice: User) -> None:
    key = IdempotencyKey(alice, "first")
    answer = Answer(uuid4(), "ab", duplicate=False, restored=True)
    key.remember(answer)
    file = SimpleUploadedFile("a.jpg", b"bytes")
    with pytest.raises(Exception, match="another file"):
        key.first_answer(file)
    assert Answer.from_plain(cache.get(key._cache_key)) == answer
    raw.poison(poison)
    assert key.first_answer(file) is None


@pytest.mark.django_db
def test_a_poisoned_reason_is_still_a_sentence(raw: Raw, poison: bytes) -> None:
    space = make_space()
    cache.set(vector_indexes._failure_key(space), "no memory")
    assert vector_indexes.lists_failure(space) == "no memory"
    raw.poison(poison)
    assert isinstance(vector_indexes.lists_failure(space), str | None)


# --- The kind ---------------------------------------------------------------------


def test_nothing_of_ours_unpickles() -> None:
    """This covers the cache, messages, sessions and files."""
    for store in settings.CACHES.values():
        assert store["OPTIONS"]["SERIALIZER"].endswith("MSGPackSerializer")
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert settings.SESSION_SERIALIZER.endswith("JSONSerializer")
    unpickling = ("import pickle", "pickle.load", "allow_pickle=True", "weights_only=False")
    for folder in ("clipsite", "gallery", "tools", "deploy"):
        for path in (Path(settings.BASE_DIR) / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert not any(word in text for word in unpickling), path


def test_numpy_reads_no_pickle(tmp_path: Path) -> None:
    """gallery.explore relies on this for the files of its process."""
    file = io.BytesIO()
    np.save(file, np.array([Trap(tmp_path / "ran")], dtype=object), allow_pickle=True)
    file.seek(0)
    with pytest.raises(ValueError, match="allow_pickle"):
        np.load(file)
    assert not (tmp_path / "ran").exists()
