"""The pages of search and classification, with made-up vectors. The browser tests use the real
model."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django_redis.cache import RedisCache

from gallery.encoders import client as encoder_client
from gallery.models import Album, EmbeddingSpace, Image, User
from gallery.organising import tags
from gallery.search import strict_cache
from gallery.search.query import feedback
from gallery.search.relevance import relevance
from gallery.search.relevance.relevance import Fit, Judgement
from gallery.web.searching import search
from tests.conftest import draw, upload
from tests.factories import set_vector
from tests.web_tools import HTMX, WORDS, attributes, browser, fake_encoder, next_page, tiles

pytestmark = pytest.mark.django_db


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> EmbeddingSpace:
    return fake_encoder(monkeypatch)


def encoded(owner: User, space: EmbeddingSpace, red: float, **fields: Any) -> Image:
    """Create a picture that is red to the share `red` (0 to 1), and green otherwise."""
    image = upload(owner, draw(colour=(int(red * 255), 80, 0)), **fields)
    set_vector(image, space, (red, 1 - red, 0))
    return image


def as_file(data: bytes, name: str = "query.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/jpeg")


def test_results_come_best_first_and_only_what_one_may_see(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    mine = [encoded(alice, space, red) for red in (0.2, 0.9, 0.6)]
    public = encoded(bob, space, 0.7, visibility="public")
    for hidden in ("private", "unlisted"):
        encoded(bob, space, 0.95 if hidden == "private" else 0.85, visibility=hidden)
    response = browser(alice).get("/search/", {"q": "red"})
    expected = [mine[1], public, mine[2], mine[0]]
    assert tiles(response) == [str(image.pk) for image in expected]
    page = response.content.decode()
    assert 'value="red"' in page
    assert "4 pictures" in page
    assert "exact" in page


def test_scrolling_goes_through_all_results_once(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 3)
    expected = [str(encoded(alice, space, 1 - n / 10).pk) for n in range(8)]
    client = browser(alice)
    response = client.get("/search/", {"q": "red"})
    seen = tiles(response)
    while address := next_page(response):
        response = client.get(address, headers=HTMX)
        seen += tiles(response)
    assert seen == expected


def test_results_of_another_user_cannot_be_continued(
    alice: User, bob: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 1)
    for red in (0.9, 0.5):
        encoded(alice, space, red)
    address = next_page(browser(alice).get("/search/", {"q": "red"}))
    assert address is not None
    for client in (browser(bob), browser()):
        response = client.get(address, headers=HTMX)
        assert response.status_code == 410
        assert "Search again" in response.content.decode()


def test_search_by_a_picture_survives_reloading(alice: User, space: EmbeddingSpace) -> None:
    near, far = encoded(alice, space, 0.9), encoded(alice, space, 0.1)
    client = browser(alice)
    response = client.post("/search/", {"file": as_file(draw(colour="orange"))})
    assert response.status_code == 302
    for _ in range(2):
        page = client.get(response.url)
        assert tiles(page) == [str(near.pk), str(far.pk)]
        assert "Pictures like yours" in page.content.decode()


def test_the_very_picture_is_named(alice: User, space: EmbeddingSpace) -> None:
    data = draw(colour="purple")
    same = upload(alice, data, title="The purple one")
    set_vector(same, space, WORDS["red"])
    other = encoded(alice, space, 0.5)
    page = browser(alice).post("/search/", {"file": as_file(data)}, follow=True)
    assert "This very picture is here already" in page.content.decode()
    assert "The purple one" in page.content.decode()
    assert tiles(page) == [str(other.pk)]


def test_visitors_may_search_by_a_picture(alice: User, space: EmbeddingSpace) -> None:
    public = encoded(alice, space, 0.5, visibility="public")
    page = browser().post("/search/", {"file": as_file(draw(colour="orange"))}, follow=True)
    assert tiles(page) == [str(public.pk)]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"q": ""}, "Type what the picture should show."),
        ({"q": " \n "}, "Type what the picture should show."),
        ({"q": "x" * 5000}, "at most 4000 characters"),
        ({"q": "x" * 1500}, "at most 1000 characters"),
    ],
)
def test_bad_queries_are_answered_in_the_page(
    alice: User, space: EmbeddingSpace, query: dict[str, str], sentence: str
) -> None:
    response = browser(alice).get("/search/", query)
    assert response.status_code == 400
    assert sentence in response.content.decode()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (None, "Choose a picture first."),
        (b"", "empty"),
        (b"this is text", "holds no picture"),
        (draw(200, 200)[:300], "damaged or incomplete"),
    ],
)
def test_bad_query_pictures_are_answered_in_the_page(
    alice: User, space: EmbeddingSpace, file: bytes | None, sentence: str
) -> None:
    data = {} if file is None else {"file": as_file(file)}
    response = browser(alice).post("/search/", data)
    assert response.status_code == 400
    assert sentence in response.content.decode()


def test_a_picture_that_is_refused_leaves_the_search_it_was_to_join(
    alice: User, space: EmbeddingSpace
) -> None:
    line = 'red -green "blue"^0.5 tag:sea'
    damaged = as_file(draw(200, 200)[:300])
    response = browser(alice).post("/search/", {"q": line, "file": damaged})
    assert response.status_code == 400
    assert response.context["line"].typed == line
    parts = response.context["composer"].parts
    assert [(part.name, part.minus, part.weight) for part in parts] == [
        ("red", False, 1.0),
        ("green", True, 1.0),
        ("blue", False, 0.5),
    ]
    assert "#sea" in response.content.decode()


def test_a_query_picture_that_is_too_large(
    alice: User, space: EmbeddingSpace, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 5_000
    response = browser(alice).post("/search/", {"file": as_file(b"x" * 6_000)})
    assert response.status_code == 413


def test_a_worker_that_is_down_is_said_and_can_be_tried_again(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise encoder_client.worker_down()

    monkeypatch.setattr(encoder_client, "encode_texts", down)
    response = browser(alice).get("/search/", {"q": "red"})
    assert response.status_code == 503
    assert response["Retry-After"] == "15"
    page = response.content.decode()
    assert "the encoder is not running" in page
    assert 'href="/search/?q=red"' in page


def test_similar_pictures(alice: User, bob: User, space: EmbeddingSpace) -> None:
    image = encoded(alice, space, 0.9)
    near, far = encoded(alice, space, 0.8), encoded(bob, space, 0.1, visibility="public")
    encoded(bob, space, 0.85)
    response = browser(alice).get(reverse("image_similar", args=[image.pk]), headers=HTMX)
    assert tiles(response) == [str(near.pk), str(far.pk)]


def test_similar_pictures_of_one_that_is_still_being_encoded(
    alice: User, space: EmbeddingSpace
) -> None:
    image = upload(alice)
    response = browser(alice).get(reverse("image_similar", args=[image.pk]), headers=HTMX)
    assert response.status_code == 400
    assert response["HX-Reswap"] == "innerHTML"
    assert "still being prepared" in response.content.decode()


@pytest.mark.parametrize("route", ["image_similar", "image_classify"])
def test_nobody_uses_a_hidden_picture_as_a_query(
    alice: User, bob: User, space: EmbeddingSpace, route: str
) -> None:
    image = encoded(alice, space, 0.9)
    address = reverse(route, args=[image.pk])
    for client in (browser(bob), browser()):
        send = client.post if route == "image_classify" else client.get
        assert send(address, {"classnames": "red"}, headers=HTMX).status_code == 404


@dataclass(frozen=True)
class Lined(Judgement):
    """A judgement by the score alone."""

    def fit(self, score: float) -> Fit | None:
        return "excellent" if score >= (self.line or 0) else "weak"

    def settled(self, best: float, among: int | None = None) -> Judgement:
        return self


def draw_line(monkeypatch: pytest.MonkeyPatch, line: float) -> None:
    monkeypatch.setattr(relevance, "judge", lambda *_, **__: Lined(line))


def sections(response: Any) -> list[str]:
    """Return the section of each tile."""
    page = response.content.decode()
    return [
        "weak" if 'data-section="weak"' in part else ""
        for part in page.split('<li class="tile"')[1:]
    ]


def query_of(address: str) -> str:
    """Return the line in the address of a search."""
    return parse_qs(urlsplit(address).query)["q"][0]


def test_weak_matches_stand_below_a_line_on_all_pages(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 3)
    draw_line(monkeypatch, 0.9)
    for red in (0.9, 0.8, 0.75, 0.7, 0.3, 0.2, 0.1):
        encoded(alice, space, red)
    client = browser(alice)
    response = client.get("/search/", {"q": "red"})
    found = sections(response)
    assert "Nothing here matches well" not in response.content.decode()
    while address := next_page(response):
        response = client.get(address, headers=HTMX)
        found += sections(response)
    assert found == ["", "", "", "", "weak", "weak", "weak"]


def test_weak_matches_are_folded_away(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 3)
    draw_line(monkeypatch, 0.9)
    reds = [0.9, 0.8, 0.75, 0.7, 0.3, 0.2, 0.1]
    images = [encoded(alice, space, red) for red in reds]
    ids = [str(image.pk) for image in images]
    client = browser(alice)
    first = client.get("/search/", {"q": "red"})
    second = client.get(next_page(first), headers=HTMX)
    assert tiles(first) + tiles(second) == ids[:4]
    assert "Show weaker matches" not in first.content.decode()
    assert "Show weaker matches" in second.content.decode()
    third = client.get(next_page(second), headers=HTMX)
    assert tiles(third) == ids[4:6]
    # Without scripts the button is a link to a page.
    whole = client.get(next_page(second)).content.decode()
    assert "Weak matches" in whole
    assert "Nothing here matches well" not in whole


def test_good_matches_are_counted(
    alice: User, bob: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 3)
    draw_line(monkeypatch, 0.9)
    for red in (0.9, 0.8, 0.75, 0.7, 0.3, 0.2, 0.1):
        encoded(alice, space, red)
    encoded(bob, space, 1.0)
    client = browser(alice)
    first = client.get("/search/", {"q": "red"})
    assert "3+ matches" in first.content.decode()
    (later,) = [link for link in attributes(first, "hx-get") if "only=matches" in link]
    assert ">4 matches<" in client.get(later, headers=HTMX).content.decode()
    assert browser(bob).get(later, headers=HTMX).status_code == 410
    monkeypatch.setattr(search, "MAX_HITS", 2)
    assert "More than 2 matches" in client.get(later, headers=HTMX).content.decode()

    monkeypatch.setattr(search, "PAGE", 6)
    page = client.get("/search/", {"q": "red"})
    assert ">4 matches<" in page.content.decode()
    assert json.loads(page.context["selection"])["search"]["count"] == 4, "“all” are these"
    draw_line(monkeypatch, 0.9999)
    assert "No good match" in client.get("/search/", {"q": "red"}).content.decode()


def test_jargon_is_behind_the_question_mark(alice: User, space: EmbeddingSpace) -> None:
    encoded(alice, space, 0.9, title="A red thing")
    page = browser(alice).get("/search/", {"q": "red"}).content.decode()
    line, behind = page.split('id="how-found"')
    assert "1 picture" in line
    assert "exact" not in line
    assert "Every picture was compared: the order is exact." in behind
    assert re.search(r"The search took 0\.\d s\.", behind)


def test_where_nothing_matches_it_is_said_and_nothing_is_divided(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    draw_line(monkeypatch, 0.999)
    for red in (0.5, 0.4, 0.3):
        encoded(alice, space, red)
    client = browser(alice)
    response = client.get("/search/", {"q": "red"})
    assert "Nothing here matches well" in response.content.decode()
    further = client.get(next_page(response), headers=HTMX)
    assert sections(response) + sections(further) == ["", "", ""]


def test_scores_are_words_and_the_number_is_told_to_those_who_ask(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_line(monkeypatch, 0.5)
    encoded(alice, space, 1.0)
    page = browser(alice).get("/search/", {"q": "red"}).content.decode()
    assert '<span class="score-word">Excellent</span>' in page
    assert 'title="Similarity 1.00 of at most 1"' in page


COMPOSED = {
    "kind": ["text", "text", "image"],
    "weight": ["1", "0.5", "1"],
    "crop": ["", "", "10,20,50,40"],
}


def test_the_fields_of_the_composer_make_a_line(alice: User) -> None:
    image = upload(alice)
    values = {**COMPOSED, "value": ["red", "green", str(image.pk)]}
    sent = {**values, "minus": ["1"], "rest": "tag:holiday", "add": "-cars after:2024"}
    response = browser(alice).post(reverse("search_compose"), sent)
    line = query_of(response.url)
    assert line == (f"red -green^0.5 like:{image.pk}[10,20,50,40] -cars after:2024 tag:holiday")
    removed = browser(alice).post(reverse("search_compose"), {**sent, "remove": "2", "add": ""})
    assert query_of(removed.url) == "red -green^0.5 tag:holiday"
    emptied = {**values, "kind": ["text"], "value": [" "], "weight": ["1"], "crop": [""]}
    assert browser(alice).post(reverse("search_compose"), emptied).url == "/"


@pytest.mark.parametrize(
    "fault",
    [
        {"crop": [""]},
        {"weight": ["1", "much", "1"]},
        {"crop": ["", "", "10,20"]},
        {"value": ["a", "b", "c"]},
    ],
)
def test_fields_that_make_no_query_are_refused(alice: User, fault: dict[str, list[str]]) -> None:
    sent = {**COMPOSED, "value": ["red", "green", str(upload(alice).pk)], **fault}
    assert browser(alice).post(reverse("search_compose"), sent).status_code == 400


def test_the_composer_shows_the_parts_of_a_line(alice: User, space: EmbeddingSpace) -> None:
    image = encoded(alice, space, 0.5, title="The one to be unlike")
    encoded(alice, space, 0.9)
    line = f"red -green^0.5 -like:{image.pk}[10,20,50,40]^0.25"
    response = browser(alice).get("/search/", {"q": line})
    assert attributes(response, "data-part") == [
        "text:red::+",
        "text:green::-",
        f"image:{image.pk}:10,20,50,40:-",
    ]
    assert "The one to be unlike" in response.content.decode()


def test_the_composer_reveals_nothing_of_an_invisible_picture(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    hidden = encoded(alice, space, 0.9, title="Her secret")
    response = browser(bob).get("/search/", {"q": f"like:{hidden.pk}"})
    page = response.content.decode()
    assert response.status_code == 400
    assert "a picture that you cannot see" in page
    assert "Her secret" not in page
    assert "thumbnail" not in page


@pytest.mark.parametrize(
    ("way", "part"),
    [("more", f"like:{{}}^{feedback.BETA:g}"), ("less", f"-like:{{}}^{feedback.GAMMA:g}")],
)
def test_a_result_refines_the_query(alice: User, way: str, part: str) -> None:
    image = upload(alice)
    response = browser(alice).get(
        reverse("search_refine"), {"q": "red tag:holiday", way: str(image.pk)}
    )
    assert query_of(response.url) == f"red {part.format(image.pk)} tag:holiday"
    bad = browser(alice).get(reverse("search_refine"), {"q": "red", way: "no id"})
    assert bad.status_code == 400


def test_what_the_panel_sends_goes_into_the_line(alice: User, space: EmbeddingSpace) -> None:
    album = Album.objects.create(owner=alice, title="Summer")
    sent = {
        "q": "red archived:no",
        "filters": "1",
        "from": "2024-05-01",
        "to": "2024-05-31",
        "album": str(album.pk),
        "tag": ["sea", "sun"],
    }
    client = browser(alice)
    line = query_of(client.get("/search/", sent).url)
    assert line.startswith("red ")
    for part in ("archived:no", f"album:{album.pk}", "tag:sea", "tag:sun", "on:2024-05"):
        assert part in line.split()
    # The panel shows the filters of the line, and each chip removes one.
    response = client.get("/search/", {"q": line})
    page = response.content.decode()
    assert '<option value="2024-05" selected>May 2024</option>' in page
    assert f'<option value="{album.pk}" selected' in page
    chips = [address for address in attributes(response, "href") if "tag=sun" in address]
    without_sea = next(address for address in chips if "tag=sea" not in address)
    assert query_of(client.get(without_sea).url) == line.replace("tag:sea ", "")
    assert any(
        "archived" not in address and "on%3A2024-05" in address
        for address in attributes(response, "href")
    )
    cleared = client.get("/search/", {"q": "red", "filters": "1"})
    assert query_of(cleared.url) == "red"


def test_the_fields_come_when_the_panel_is_opened(alice: User, space: EmbeddingSpace) -> None:
    client = browser(alice)
    closed = client.get("/search/", {"q": "red archived:no"})
    assert "camera" not in attributes(closed, "name")
    (later,) = [link for link in attributes(closed, "hx-get") if "only=filters" in link]
    for fields in (client.get(later, headers=HTMX), client.get(later)):
        assert "camera" in attributes(fields, "name")
        assert '<input type="hidden" name="q" value="red archived:no">' in fields.content.decode()


def test_the_panel_counts_ahead(alice: User, bob: User, space: EmbeddingSpace) -> None:
    for owner in (alice, bob):
        encoded(owner, space, 0.5)
    asked = {"only": "count", "q": "red", "filters": "1", "owner": "me"}
    assert "1 picture" in browser(alice).get("/search/", asked, headers=HTMX).content.decode()


def test_near_duplicates_come_in_order_and_only_those_one_may_see(alice: User, bob: User) -> None:
    own, public, hidden = upload(alice), upload(bob, visibility="public"), upload(bob)
    asked = {"id": [str(public.pk), str(hidden.pk), str(own.pk)]}
    response = browser(alice).get(reverse("search_folded"), asked)
    assert tiles(response) == [str(public.pk), str(own.pk)]
    assert browser(alice).get(reverse("search_folded"), {"id": "x"}).status_code == 400


def test_a_query_picture_is_shown_to_its_sender_and_joins_an_open_search(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    encoded(alice, space, 0.5)
    response = browser(alice).post("/search/", {"file": as_file(draw()), "q": "red tag:sea"})
    line = query_of(response.url)
    assert line.startswith("red upload:")
    assert line.endswith(" tag:sea")
    (part,) = [word for word in line.split() if word.startswith("upload:")]
    preview = reverse("query_picture", args=[part.removeprefix("upload:")])
    shown = browser(alice).get(preview)
    assert shown["Content-Type"] == "image/jpeg"
    assert "private" in shown["Cache-Control"]
    for other in (browser(bob), browser()):
        assert other.get(preview).status_code == 410
    # The chip reserves its space before the picture loads. Viewers without access learn no shape.
    wide = browser(alice).post("/search/", {"file": as_file(draw(600, 300))})
    line = query_of(wide.url)
    assert "aspect-ratio: 2.0" in browser(alice).get("/search/", {"q": line}).content.decode()
    for other in (browser(bob), browser()):
        refused = other.get("/search/", {"q": line})
        assert refused.status_code == 410
        assert "no-store" in refused["Cache-Control"]  # browsers keep this answer for good
        assert "aspect-ratio" not in refused.content.decode()


@pytest.mark.parametrize("what", ["picture", "cursor"])
def test_nothing_is_called_gone_while_nobody_can_know(
    alice: User, space: EmbeddingSpace, monkeypatch: Any, what: str
) -> None:
    for red in (0.2, 0.5):
        encoded(alice, space, red)
    client = browser(alice)
    if what == "picture":
        asked = {"q": query_of(client.post("/search/", {"file": as_file(draw())}).url)}
    else:
        first = client.get("/api/v1/search/", {"q": "red", "limit": 1}).json()["next"]
        asked = {"cursor": parse_qs(urlsplit(first).query)["cursor"][0]}
    addresses = ["/api/v1/search/"] if what == "cursor" else ["/api/v1/search/", "/search/"]
    with monkeypatch.context() as patch:
        nobody_listens = RedisCache("redis://127.0.0.1:1/0", {"OPTIONS": {}})
        patch.setattr(strict_cache, "caches", {"strict": nobody_listens})
        for address in addresses:
            down = client.get(address, asked)
            assert down.status_code == 503
            assert "no-store" in down["Cache-Control"]
            assert "broker" in down.content.decode()
    for address in addresses:
        assert client.get(address, asked).status_code == 200


def test_the_line_is_completed_with_what_the_visitor_has(alice: User, bob: User) -> None:
    tags.set_tags(upload(alice), ["holiday"])

    def options(line: str, user: User = alice) -> list[dict[str, Any]]:
        client = browser(user)
        return client.get(reverse("search_complete"), {"q": line, "at": len(line)}).json()[
            "options"
        ]

    key = options("🌅 red al")[0]
    assert key["label"] == "album:"
    assert key["line"] == "🌅 red album:"
    assert key["goes_on"]
    colour = options("color:re")[0]
    assert colour["label"] == "red"
    assert colour["colour"].startswith("#")
    assert [option["label"] for option in options("tag:ho")] == ["holiday"]
    assert options("tag:ho", bob) == []


def test_examples_of_the_help_can_be_tried(alice: User, bob: User) -> None:
    Album.objects.create(owner=alice, title="Summer at the sea")
    own, other = (browser(user).get(reverse("search_help"), headers=HTMX) for user in (alice, bob))
    assert 'album:"Summer at the sea"' in [
        query_of(a) for a in attributes(own, "href") if "?q=" in a
    ]
    assert "Summer" not in other.content.decode()
    assert "<html" in browser().get(reverse("search_help")).content.decode()


@pytest.mark.parametrize("htmx", [True, False])
def test_classify_a_stored_picture(alice: User, space: EmbeddingSpace, htmx: bool) -> None:
    image = encoded(alice, space, 0.9)
    fields = {"classnames": "green，red", "template": "{}"}
    address = reverse("image_classify", args=[image.pk])
    response = browser(alice).post(address, fields, headers=HTMX if htmx else {})
    page = response.content.decode()
    assert page.index('class="name">red') < page.index('class="name">green')
    assert "100.0 %" in page
    assert ("<html" in page) is not htmx


def test_classify_a_picture_that_is_not_kept(alice: User, space: EmbeddingSpace) -> None:
    fields = {"classnames": "red\ngreen", "template": "{}", "file": as_file(draw())}
    page = browser(alice).post(reverse("classify"), fields, headers=HTMX).content.decode()
    assert page.index('class="name">red') < page.index('class="name">green')
    assert not Image.objects.exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"classnames": " , "}, "Name at least one category."),
        ({"classnames": ",".join(map(str, range(10_000)))}, "at most 1000 categories"),
        ({"classnames": "red", "template": "no place for it"}, "{}"),
    ],
)
def test_bad_categories_are_answered_in_place(
    alice: User, space: EmbeddingSpace, fields: dict[str, str], sentence: str
) -> None:
    image = encoded(alice, space, 0.9)
    address = reverse("image_classify", args=[image.pk])
    response = browser(alice).post(address, fields, headers=HTMX)
    assert response.status_code == 400
    assert response.content.decode().lstrip().startswith('<div class="alert"')
    assert sentence in response.content.decode()


@pytest.mark.parametrize(("line", "found"), [(0.9, ["", "", "weak"]), (0.9999, ["", "", ""])])
def test_similar_pictures_are_divided_as_results_are(
    alice: User,
    space: EmbeddingSpace,
    monkeypatch: pytest.MonkeyPatch,
    line: float,
    found: list[str],
) -> None:
    """The page of the picture has the heading of each of their sections."""
    draw_line(monkeypatch, line)
    asked, *_others = [encoded(alice, space, red) for red in (0.9, 0.8, 0.7, 0.1)]
    client = browser(alice)
    similar = client.get(reverse("image_similar", args=[asked.pk]), headers=HTMX)
    assert sections(similar) == found
    page = client.get(reverse("image", args=[asked.pk])).content.decode()
    assert '<template data-heading="weak">' in page


def test_the_starter_model_is_named_to_administrators_alone(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    type(space).objects.update(architecture="starter")
    encoded(alice, space, 1.0, visibility="public")
    User.objects.filter(pk=alice.pk).update(role=User.Role.ADMINISTRATOR)
    note = "starter model is active"
    client = browser(alice)
    assert note in client.get("/search/?q=red").content.decode()
    assert note not in browser(bob).get("/search/?q=red").content.decode()
    assert note not in browser().get("/search/?q=red").content.decode()
    client.post(reverse("starter_note"))
    assert note not in client.get("/search/?q=red").content.decode()
