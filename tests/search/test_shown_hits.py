"""What pages and API show of a result. Both get it from one place."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from gallery.api.serializers.search import HitSerializer
from gallery.indexing import selectors
from gallery.models import EmbeddingSpace, Image, User
from gallery.search.relevance.relevance import Judgement
from gallery.search.results import Hit, Results
from gallery.search.shown_hits import ShownHit, shown_hits
from gallery.web.pictures.tiles import tile_of_hit
from tests.factories import make_space

pytestmark = pytest.mark.django_db


@pytest.fixture
def space() -> EmbeddingSpace:
    return make_space()


def picture(owner: User, number: int, **fields: str) -> Image:
    facts = {"original_name": f"IMG_{number}.jpg", "visibility": "public", **fields}
    image = Image.objects.create(
        owner=owner, sha256=f"{number:064d}", byte_size=1, width=3, height=2, **facts
    )
    return selectors.visible_by_id([image.pk], owner)[image.pk]


def results_of(space: EmbeddingSpace, *hits: Hit, line: float | None = None) -> Results:
    judgement = Judgement(line=line)
    return Results(
        list(hits),
        exact=True,
        space=space,
        next=None,
        start="",
        took_ms={},
        judgement=judgement,
    )


def only(space: EmbeddingSpace, hit: Hit, viewer: User) -> ShownHit:
    (shown,) = shown_hits(results_of(space, hit), viewer)
    return shown


def test_the_file_name_stands_for_a_title_for_the_owner_alone(
    space: EmbeddingSpace, alice: User, bob: User
) -> None:
    untitled, titled = picture(alice, 1), picture(alice, 2, title="Harbour")
    assert only(space, Hit(untitled, 0.5), alice).name == "IMG_1.jpg"
    assert only(space, Hit(untitled, 0.5), bob).name == "Untitled"
    assert only(space, Hit(titled, 0.5), alice).name == "Harbour"
    assert only(space, Hit(titled, 0.5), bob).name == "Harbour"


def test_words_or_the_relevance_line_make_a_match(space: EmbeddingSpace, alice: User) -> None:
    image = picture(alice, 1)
    hits = [
        Hit(image, 0.31),
        Hit(image, 0.30),
        Hit(image, 0.29),
        Hit(image, 0.29, by_words=True),
        Hit(image, None),
    ]
    judged = shown_hits(results_of(space, *hits, line=0.3), alice)
    assert [hit.is_match for hit in judged] == [True, True, False, True, True]
    assert all(hit.is_match for hit in shown_hits(results_of(space, *hits), alice))


def test_pages_and_api_show_the_same(space: EmbeddingSpace, alice: User) -> None:
    image, copy = picture(alice, 1), picture(alice, 2)
    hit = Hit(image, 0.312, fit="good", share=0.71, by_words=True, similar=[copy])
    shown = only(space, hit, alice)
    tile = tile_of_hit(shown, alice)
    request = RequestFactory().get("/", headers={"host": "localhost"})
    request.user = alice
    sent = HitSerializer(shown, context={"request": request}).data
    assert (tile.name, sent["image"]["original_name"]) == ("IMG_1.jpg", "IMG_1.jpg")
    assert (tile.score, sent["score"]) == ("0.31", 0.312)
    assert (tile.fit, sent["fit"]) == ("Good", "good")
    assert tile.share == sent["share"] == 0.71
    assert tile.by_words is sent["by_words"] is True
    assert [str(pk) for pk in tile.similar] == [one["id"] for one in sent["similar"]]
    assert tile.similar == (copy.pk,)
