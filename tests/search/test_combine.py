"""Queries with several parts: their vectors, query pictures, feedback, words and filters.

The encoder is made up (a colour is a vector). PostgreSQL and the cache are real.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.files.base import ContentFile
from PIL import Image as PILImage

from gallery.encoders import client
from gallery.encoders.base import l2_normalise
from gallery.errors import Expired, Refusal
from gallery.indexing.vectors import stored_vector
from gallery.library.query_picture import read_small_picture
from gallery.models import Album, AlbumItem, EmbeddingSpace, Image, Tag, User
from gallery.pixels.decode import unpack
from gallery.search import fusion, service
from gallery.search.nearest import sample
from gallery.search.query import combine, feedback, query_pictures, syntax
from gallery.search.query.query import MAX_TERMS, Crop, Query, Term
from gallery.search.relevance import relevance
from gallery.search.relevance.relevance import Judgement
from gallery.search.results import Results
from tests.conftest import draw, upload
from tests.factories import ColourEncoder, make_space, set_vector

pytestmark = pytest.mark.django_db

RED, GREEN, BLUE = (1, 0, 0), (0, 1, 0), (0, 0, 1)


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The encoded texts, and the sizes of encoded pictures."""
    asked: list[Any] = []
    encoder = ColourEncoder()

    def encode_texts(space: Any, texts: list[str], **_: Any) -> Any:
        asked.extend(texts)
        return encoder.encode_texts(texts)

    def encode_picture(space: Any, packed: bytes) -> Any:
        picture = unpack(packed)
        asked.append(picture.size)
        return encoder.encode_images([picture])[0]

    monkeypatch.setattr(client, "encode_texts", encode_texts)
    monkeypatch.setattr(client, "encode_picture", encode_picture)
    return asked


@pytest.fixture
def space(encoded: list[Any]) -> EmbeddingSpace:
    sample.forget()
    return make_space()


@pytest.fixture
def place(space: EmbeddingSpace) -> Callable[..., Image]:
    """Store a picture with this vector."""

    def stored(owner: User, vector: tuple[float, ...], **fields: Any) -> Image:
        shade = tuple(np.random.default_rng(Image.objects.count()).integers(0, 255, 3).tolist())
        image = upload(owner, draw(colour=shade), **fields)
        set_vector(image, space, vector)
        return image

    return stored


def halves(format: str = "PNG") -> bytes:
    """Draw 400 × 200 pixels: red on the left, blue on the right."""
    image = PILImage.new("RGB", (400, 200), "red")
    image.paste((0, 0, 255), (200, 0, 400, 200))
    buffer = io.BytesIO()
    image.save(buffer, format, quality=95)
    return buffer.getvalue()


def keep(content: bytes, viewer: Any) -> str:
    return query_pictures.keep(
        read_small_picture(ContentFile(content, "p.png"), "p.png", viewer), viewer
    )


def found(results: Results) -> list[Image]:
    return [hit.image for hit in results.hits]


def asked_by(*terms: Term, **filters: Any) -> Query:
    return Query(terms, filters)


# --- Vectors ----------------------------------------------------------------------


def test_a_term_alone_is_its_own_vector(place: Any, space: EmbeddingSpace, alice: User) -> None:
    image = place(alice, (3, 4, 0))

    def vector(*terms: Term) -> Any:
        return combine.combined(Query(terms), space, alice).vector

    own = stored_vector(image, space)
    np.testing.assert_array_equal(vector(Term(image=image.pk, weight=0.3)), own)
    np.testing.assert_array_equal(vector(Term(image=image.pk, weight=-2)), -own)
    np.testing.assert_allclose(
        vector(Term(text="red")), ColourEncoder().encode_texts(["red"])[0], atol=1e-7
    )


def test_terms_count_by_how_far_they_tell_pictures_apart(
    space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures are spread along the first axis four times as far as along the second. So a term
    along the second axis counts four times as much."""
    rng = np.random.default_rng(1)
    pictures = np.zeros((200, 3), dtype=np.float32)
    pictures[:, 0], pictures[:, 1] = rng.normal(0, 0.4, 200), rng.normal(0.5, 0.1, 200)
    monkeypatch.setattr(sample, "sample_of", lambda space: sample.Sample([], pictures, 200))
    axes = np.eye(3, dtype=np.float32)[:2]
    two_texts = combine.shares_of(axes, [True, True], [1, 1], space)
    spread = pictures.std(axis=0)
    assert two_texts[1] / two_texts[0] == pytest.approx(spread[0] / spread[1], rel=1e-4)
    assert np.linalg.norm(two_texts @ axes) == pytest.approx(1)
    # The same with a picture: the text counts more by the measured factor.
    mixed = combine.shares_of(axes, [False, True], [1, 1], space)
    assert mixed[1] / mixed[0] == pytest.approx(combine.TEXT_GAIN * spread[0] / spread[1], rel=1e-4)
    halved = combine.shares_of(axes, [True, True], [1, -0.5], space)
    assert halved[1] / halved[0] == pytest.approx(-0.5 * spread[0] / spread[1], rel=1e-4)


def test_plus_and_minus_order_the_results(place: Any, alice: User) -> None:
    red, purple, blue, green = (place(alice, vector) for vector in (RED, (1, 0, 1), BLUE, GREEN))
    plus = service.search(asked_by(Term(text="red"), Term(text="blue")), alice)
    assert found(plus)[0] == purple
    minus = service.search(asked_by(Term(text="red"), Term(text="blue", weight=-0.5)), alice)
    assert found(minus) == [red, purple, green, blue]
    scores = [hit.score for hit in minus.hits]
    assert scores == sorted(scores, reverse=True)
    vector = np.array([1, 0, -0.5]) / np.linalg.norm([1, 0, -0.5])
    assert scores[0] == pytest.approx(vector[0], abs=0.02)
    assert minus.query == syntax.parse("red -blue^0.5").query


def test_what_cancels_out_is_refused(place: Any, alice: User) -> None:
    image = place(alice, RED)
    terms = [Term(image=image.pk), Term(image=image.pk, weight=-1)]
    with pytest.raises(Refusal) as refusal:
        service.search(asked_by(*terms), alice)
    assert (refusal.value.code, refusal.value.field) == ("terms_cancel_out", "terms")


# --- Pictures as terms ------------------------------------------------------------


def test_query_pictures_and_their_copies_are_never_results(
    place: Any, space: EmbeddingSpace, alice: User, bob: User
) -> None:
    mine, other, unlike = (place(alice, vector) for vector in (RED, (1, 0.1, 0), BLUE))
    copy = upload(bob, mine.file.open().read(), visibility="public")
    set_vector(copy, space, RED)
    whole = service.search(asked_by(Term(image=mine.pk)), alice)
    assert (found(whole), whole.exact_copies) == ([other, unlike], [copy])
    part = Term(image=mine.pk, crop=Crop(0, 0, 0.5, 0.5))
    assert set(found(service.search(asked_by(part), alice))) == {other, unlike}
    both = asked_by(Term(image=mine.pk), Term(image=unlike.pk, weight=-0.5))
    results = service.search(both, alice)
    assert (found(results), results.exact_copies) == ([other], [copy])


def test_copies_of_what_it_should_be_unlike_are_not_named(
    place: Any, space: EmbeddingSpace, alice: User, bob: User
) -> None:
    red, blue = place(alice, RED), place(alice, BLUE)
    set_vector(upload(bob, blue.file.open().read(), visibility="public"), space, BLUE)
    results = service.search(asked_by(Term(text="red"), Term(image=blue.pk, weight=-0.5)), alice)
    assert (found(results), results.exact_copies) == ([red], [])


def test_a_part_of_a_stored_picture_is_what_is_searched_by(
    space: EmbeddingSpace, encoded: list[Any], alice: User
) -> None:
    image = upload(alice, halves())
    red, blue = upload(alice, draw(colour="red")), upload(alice, draw(colour="blue"))
    set_vector(red, space, (255, 1, 1))
    set_vector(blue, space, (1, 1, 255))
    right = asked_by(Term(image=image.pk, crop=Crop(0.5, 0, 0.5, 1)))
    first = service.search(right, alice)
    assert found(first) == [blue, red]
    assert first.hits[0].score == pytest.approx(1, abs=0.01)
    assert encoded == [(200, 200)]
    left = asked_by(Term(image=image.pk, crop=Crop(0, 0, 0.5, 1)))
    assert found(service.search(left, alice)) == [red, blue]
    service.search(right, alice)
    assert encoded == [(200, 200)] * 2, "a part that was encoded is known"


def test_a_part_is_upright(space: EmbeddingSpace, encoded: list[Any], alice: User) -> None:
    """The part is of the picture as the viewer sees it. This one is stored lying on its side."""
    picture = PILImage.open(io.BytesIO(halves())).transpose(PILImage.Transpose.ROTATE_90)
    exif = PILImage.Exif()
    exif[0x0112] = 6  # turn it clockwise to show it
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=95, exif=exif)
    image = upload(alice, buffer.getvalue())
    term = Term(image=image.pk, crop=Crop(0.6, 0, 0.4, 1))
    vector = combine.combined(Query((term,)), space, alice).vector
    np.testing.assert_allclose(vector, l2_normalise([(1, 1, 255)])[0], atol=0.05)


@pytest.mark.parametrize("crop", [None, Crop(0, 0, 0.5, 0.5)])
def test_a_picture_of_others_is_no_term(
    crop: Crop | None, place: Any, encoded: list[Any], alice: User, bob: User
) -> None:
    """It is refused like a missing one, before anything is encoded. Unlisted pictures work for
    everybody who knows the id."""
    place(alice, RED)
    private, unlisted = place(bob, RED), place(bob, RED, visibility="unlisted")

    def refused(image_id: uuid.UUID, viewer: Any) -> tuple[Any, ...]:
        terms = (Term(text="red"), Term(image=image_id, weight=-1, crop=crop))
        with pytest.raises(Refusal) as refusal:
            service.search(Query(terms), viewer)
        return refusal.value.code, refusal.value.field, str(refusal.value.message)

    missing = refused(uuid.uuid4(), alice)
    assert missing[:2] == ("no_such_picture", "terms.1.image")
    assert refused(private.pk, alice) == refused(private.pk, AnonymousUser()) == missing
    assert encoded == []
    for picture, viewer in ((private, bob), (unlisted, alice), (unlisted, AnonymousUser())):
        assert service.search(asked_by(Term(image=picture.pk, crop=crop)), viewer)


def test_a_picture_without_a_vector_is_named(space: EmbeddingSpace, alice: User) -> None:
    image = upload(alice)
    with pytest.raises(Refusal) as refusal:
        service.search(asked_by(Term(image=image.pk)), alice)
    assert (refusal.value.code, refusal.value.field) == ("not_encoded_yet", "terms.0.image")


# --- Sent pictures ----------------------------------------------------------------


def test_a_sent_picture_is_kept_for_whoever_sent_it(
    space: EmbeddingSpace, encoded: list[Any], alice: User, bob: User
) -> None:
    red, blue = upload(alice, draw(colour="red")), upload(alice, draw(colour="blue"))
    set_vector(red, space, (255, 1, 1))
    set_vector(blue, space, (1, 1, 255))
    kept = keep(halves(), alice)
    right = asked_by(Term(upload=kept, crop=Crop(0.5, 0, 0.5, 1)))
    assert found(service.search(right, alice)) == [blue, red]
    assert service.search(asked_by(Term(upload=kept)), alice).exact_copies == []
    for stranger in (bob, AnonymousUser()):
        with pytest.raises(Expired) as expired:
            service.search(right, stranger)
        assert (expired.value.code, expired.value.field) == ("picture_expired", "terms.0.upload")
    theirs = keep(halves(), AnonymousUser())
    assert query_pictures.load(theirs, AnonymousUser()).content
    with pytest.raises(Expired):
        query_pictures.load(theirs, alice)


def test_copies_of_a_sent_picture_are_named_apart(
    space: EmbeddingSpace, alice: User, bob: User
) -> None:
    mine, theirs = upload(alice, halves()), upload(bob, halves())
    for image in (mine, theirs):
        set_vector(image, space, RED)
    for crop in (None, Crop(0, 0, 0.5, 0.5)):
        results = service.search(asked_by(Term(upload=keep(halves(), alice), crop=crop)), alice)
        assert (found(results), results.exact_copies) == ([], [mine])


def test_only_the_last_sent_pictures_are_kept(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_pictures, "KEPT_PER_ACCOUNT", 2)
    ids = [keep(halves(), alice) for _ in range(3)]
    assert len(set(ids)) == 3
    with pytest.raises(Expired):
        query_pictures.load(ids[0], alice)
    for kept in ids[1:]:
        assert query_pictures.load(kept, alice)
    cache.delete_pattern("*query-picture:*")
    with pytest.raises(Expired):
        query_pictures.load(ids[2], alice)


@pytest.mark.parametrize("name", ["", "-", "0", "0-", "x-1", "²-1", "9" * 64, "0-é"])
def test_made_up_ids_of_sent_pictures(name: str, alice: User) -> None:
    keep(halves(), alice)
    with pytest.raises(Expired):
        query_pictures.load(name, alice)


# --- Feedback ---------------------------------------------------------------------


def weights(query: Query) -> list[tuple[str, float]]:
    return [(term.text or str(term.image)[-1], term.weight) for term in query.terms]


def test_more_and_less_like_this_share_their_weight() -> None:
    ids = [uuid.UUID(int=number) for number in range(1, 8)]
    query = feedback.refine(syntax.parse("dog").query, more=ids[0])
    assert weights(query) == [("dog", 1), ("1", 1.5)]
    query = feedback.refine(query, more=ids[1])
    assert weights(query) == [("dog", 1), ("1", 0.75), ("2", 0.75)]
    query = feedback.refine(query, less=ids[2])
    query = feedback.refine(query, less=ids[3])
    assert weights(query)[3:] == [("3", -0.25), ("4", -0.25)]
    # It becomes a minus, and the line contains both.
    query = feedback.refine(syntax.parse(syntax.format(query)).query, more=ids[3])
    assert weights(query) == [("dog", 1), ("1", 0.5), ("2", 0.5), ("4", 0.5), ("3", -0.5)]


def test_feedback_leaves_what_was_composed_alone() -> None:
    a, b, c = (uuid.UUID(int=number) for number in (1, 2, 3))
    part = Term(image=a, crop=Crop(0, 0, 0.5, 0.5), weight=1.5)
    query = feedback.refine(Query((part, Term(image=b, weight=0.9)), {"tag": ["x"]}), more=c)
    assert query.terms == (part, Term(image=b, weight=0.9), Term(image=c, weight=1.5))
    assert query.filters == {"tag": ["x"]}
    # In a query of filters alone, a picture is the only term.
    assert feedback.refine(Query(), more=a).terms == (Term(image=a, weight=1.0),)
    many = syntax.parse("dog").query
    for number in range(1, 30):
        many = feedback.refine(many, more=uuid.UUID(int=number))
        many.check()
    assert len(many.terms) == MAX_TERMS
    assert many.terms[0] == Term(text="dog")
    assert many.terms[-1].image == uuid.UUID(int=29)


def test_feedback_moves_the_results(place: Any, alice: User) -> None:
    dark, light = place(alice, (1, 0.5, 0)), place(alice, (1, 0, 0.5))
    like_dark = place(alice, (1, 0.7, 0))
    query = syntax.parse("red").query
    more = service.search(feedback.refine(query, more=dark.pk), alice)
    assert found(more) == [like_dark, light]
    less = service.search(feedback.refine(query, less=dark.pk), alice)
    assert found(less) == [light, like_dark]


# --- Words ------------------------------------------------------------------------


def test_reciprocal_rank_fusion_by_hand() -> None:
    a, b, c, d = (uuid.UUID(int=number) for number in range(4))
    # a: 1/61; b: 1/62 + 1/61; c: 1/63 + 1/62; d: 1/63.
    assert fusion.reciprocal_rank_fusion([[a, b, c], [b, c, d]]) == [b, c, a, d]
    assert fusion.reciprocal_rank_fusion([[a, b], []]) == [a, b]
    assert fusion.reciprocal_rank_fusion([[a, b], [b, a]]) == [a, b]


def test_pictures_with_the_words_come_forward(
    place: Any, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that is far behind comes forward, too, once, with its true score. No picture is
    lost."""
    images = [place(alice, (1, 0.05 * n, 0), visibility="public") for n in range(1, 13)]
    last = images[-1]
    Image.objects.filter(pk=last.pk).update(title="The red house")
    monkeypatch.setattr("gallery.search.pages.FIRST_WINDOW", 4)
    monkeypatch.setattr("gallery.search.pages.GROWTH", 1)
    for viewer in (alice, bob):
        page = service.search_text("red", viewer, 4)
        assert page.fused
        hits = list(page.hits)
        while page.next:
            page = service.continue_search(page.next, viewer, limit=4)
            assert page.fused
            hits += page.hits
        order = [hit.image for hit in hits]
        assert sorted(order, key=lambda image: image.pk) == sorted(images, key=lambda i: i.pk)
        assert [image for image in order if image != last] == images[:-1]
        assert order.index(last) <= 2
        (hit,) = [hit for hit in hits if hit.by_words]
        assert hit.image == last
        assert hit.score == pytest.approx(1 / np.hypot(1, 0.6), abs=0.01)


def test_without_words_the_order_is_the_scores_alone(place: Any, alice: User) -> None:
    place(alice, RED)
    results = service.search_text("red", alice)
    assert not results.fused
    assert not results.hits[0].by_words


def test_tags_and_file_names_are_words_for_their_owner_alone(
    place: Any, alice: User, bob: User
) -> None:
    near = place(alice, RED, visibility="public")
    tagged = place(alice, (1, 1, 0), visibility="public", name="IMG.jpg")
    named = place(alice, (1, 2, 0), visibility="public", name="my red bicycle.jpg")
    Tag.objects.create(owner=alice, name="red").images.add(tagged)
    own = service.search_text("red", alice)
    assert {hit.image for hit in own.hits if hit.by_words} == {tagged, named}
    for viewer in (bob, AnonymousUser()):
        results = service.search_text("red", viewer)
        assert found(results) == [near, tagged, named]
        assert not any(hit.by_words for hit in results.hits)
        assert not results.fused


def test_words_never_show_what_the_viewer_may_not_see(place: Any, alice: User, bob: User) -> None:
    place(bob, RED, title="red")
    shown = place(bob, BLUE, title="blue", visibility="public")
    assert found(service.search_text("red", alice)) == [shown]


def test_words_of_what_it_should_be_unlike_do_not_help(place: Any, alice: User) -> None:
    place(alice, GREEN)
    helped = place(alice, (1, 2, 0), title="A red house")
    unlike = place(alice, (1, 2, 1), title="A red and blue house")
    results = service.search_text("red -blue^0.1", alice)
    assert {hit.image for hit in results.hits if hit.by_words} == {helped}
    assert unlike in found(results)


# --- Filters ----------------------------------------------------------------------


def test_filters_narrow_every_page(
    place: Any, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = Tag.objects.create(owner=alice, name="sea")
    images = [place(alice, (1, 0.1 * n, 0)) for n in range(10)]
    tag.images.add(*images[::2])
    monkeypatch.setattr("gallery.search.pages.FIRST_WINDOW", 2)
    monkeypatch.setattr("gallery.search.pages.GROWTH", 1)
    page = service.search_text("red tag:SEA", alice, 2)
    seen = found(page)
    while page.next:
        page = service.continue_search(page.next, alice, limit=2)
        seen += found(page)
    assert seen == images[::2]
    assert page.query == syntax.parse("red tag:SEA").query
    # The tag of another user does not count.
    assert service.search_text("red tag:sea", bob).hits == []


def test_filters_alone_are_a_list_newest_first(
    space: EmbeddingSpace,
    encoded: list[Any],
    alice: User,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gallery.search.pages.FIRST_WINDOW", 3)
    monkeypatch.setattr("gallery.search.pages.GROWTH", 1)
    images = [upload(alice, draw(width=64 + n), visibility="public") for n in range(9)]
    upload(alice, draw(width=40, height=80), visibility="public")
    page = service.search_text("orientation:landscape", bob, 2)
    hits = list(page.hits)
    # A new picture shifts nothing.
    upload(alice, draw(width=99), visibility="public")
    while page.next:
        page = service.continue_search(page.next, bob, limit=2)
        hits += page.hits
    assert [hit.image for hit in hits] == images[::-1]
    assert {hit.score for hit in hits} == {None}
    assert {hit.fit for hit in hits} == {None}
    assert page.exact
    assert encoded == []


def test_the_order_that_filters_name(space: EmbeddingSpace, alice: User) -> None:
    images = [upload(alice, draw(width=64 + n)) for n in range(4)]
    album = Album.objects.create(owner=alice, title="Trip")
    for place, number in enumerate((2, 0, 3)):
        AlbumItem.objects.create(album=album, image=images[number], position=place)
    results = service.search_text("album:trip order:album", alice, 2)
    rest = service.continue_search(results.next or "", alice)
    assert found(results) + found(rest) == [images[2], images[0], images[3]]


def test_an_album_is_named_by_its_title(place: Any, alice: User, bob: User) -> None:
    old, new = (Album.objects.create(owner=alice, title="Summer 2024") for _ in range(2))
    for album, vector in ((old, RED), (new, BLUE)):
        AlbumItem.objects.create(album=album, image=place(alice, vector), position=1)
    named = service.search_text('red album:"summer 2024"', alice)
    assert found(named) == [old.items.get().image, new.items.get().image], "all that have it"
    assert named.query.filters == {"album": "summer 2024"}
    by_id = service.search_text(f"red album:{old.pk}", alice)
    assert found(by_id) == [old.items.get().image]
    for title in ("Summer 2024", "No such album"):
        with pytest.raises(Refusal) as refusal:
            service.search(asked_by(Term(text="red"), album=title), bob)
        assert (refusal.value.code, refusal.value.field) == ("no_such_album", "filters.album")


@pytest.mark.parametrize(
    "line",
    ["orientation:diagonal", "after:someday", "size:huge", "favourite:maybe", "color:beautiful",
     "visibility:secret", "id:1", "order:album", 'camera:"a\x00b"'],
)  # fmt: skip
def test_a_wrong_filter_is_refused_before_anything_is_encoded(
    line: str, place: Any, encoded: list[Any], alice: User
) -> None:
    place(alice, RED)
    with pytest.raises(Refusal) as refusal:
        service.search_text(f"red {line}", alice)
    assert refusal.value.field == "q"
    with pytest.raises(Refusal) as refusal:
        service.search(syntax.parse(f"red {line}").query, alice)
    assert (refusal.value.field or "").startswith("filters.")
    assert encoded == []


# --- Notes ------------------------------------------------------------------------


def test_notes_and_the_query_stay_with_the_pages(place: Any, alice: User) -> None:
    for _ in range(3):
        place(alice, RED)
    page = service.search_text("red -tag:blue", alice, 1)
    assert page.next is not None
    rest = service.continue_search(page.next, alice)
    for results in (page, rest):
        assert [note.code for note in results.notes] == ["no_negative_filter"]
        assert syntax.format(results.query) == "red -blue"


def test_a_note_says_that_nothing_matches_well(
    place: Any, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(alice, (1, 1, 0))
    place(alice, BLUE)
    judged = Judgement(line=0.5, slope=10.0, presence=30.0, least=0.2, spread=0.1, pictures=100)
    monkeypatch.setattr(relevance, "judge", lambda *_, **__: judged)
    good = service.search_text("red", alice)
    assert (good.notes, [hit.fit for hit in good.hits]) == ([], ["excellent", "weak"])
    # The best of many pictures reaches as much by chance.
    judged = Judgement(line=0.5, slope=10.0, presence=30.0, least=0.2, spread=0.5, pictures=100)
    bad = service.search_text("red", alice)
    assert [note.code for note in bad.notes] == ["no_good_match"]
    assert {hit.fit for hit in bad.hits} == {"weak"}
    Image.objects.update(title="A red house")
    assert service.search_text("red", alice).notes == []
