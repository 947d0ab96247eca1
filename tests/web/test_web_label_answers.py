"""The pages of answers to label sets: the strip, thresholds, quality, evaluation."""

from __future__ import annotations

import base64
import io
import json
import math
import re
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.test import Client

from gallery.encoders import client as encoder_client
from gallery.errors import Unavailable
from gallery.labels import answers, asking, cuts, maintenance, priorities, quality, sets
from gallery.labels.answers import Given
from gallery.labels.definition import CategoryForm
from gallery.labels.learning.intervals import Estimate
from gallery.labels.learning.thresholds import Buckets
from gallery.labels.quality import CategoryQuality
from gallery.models import Answer, Category, EmbeddingSpace, Image, LabelSet, User
from gallery.web.label_answers import plots, words
from tests.conftest import draw, upload
from tests.labels import tools
from tests.labels.tools import make_set, picture, vector_of_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def space(db: None, monkeypatch: pytest.MonkeyPatch) -> EmbeddingSpace:
    tools.fake_encoder(monkeypatch)
    return tools.word_space()


@pytest.fixture
def library(alice: User, space: EmbeddingSpace) -> tuple[LabelSet, list[Image]]:
    """Forty pictures, from all dog to all cat, and a set of both."""
    images = [picture(alice, space, dog=1 - n / 40, cat=n / 40) for n in range(40)]
    return make_set(alice, "dog", "cat"), images


@pytest.fixture
def web(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def at(label_set: LabelSet, rest: str) -> str:
    return f"/categories/{label_set.pk}/{rest}"


def dog(label_set: LabelSet) -> Category:
    return sets.category(label_set, "dog")


def answer(label_set: LabelSet, user: User, images: list[Image], count: int = 20) -> None:
    """Say of `count` pictures on each side what they show."""
    given = [Given(image.pk, "dog", place < count) for place, image in enumerate(images)]
    answers.give(label_set, user, given)


def swapped(client: Client, address: str, **query: Any) -> Any:
    return client.get(address, query, headers={"HX-Request": "true"})


def undo_on(page: Any) -> str:
    """Return the address of the undo that a page offers."""
    found = re.search(r'action="(/changes/[^"]+)"', page.content.decode())
    assert found
    return found[1]


# --- Rights and faults ------------------------------------------------------------------


@pytest.mark.parametrize("rest", ["answer/", "answer/figures/", "quality/", "evaluate/"])
def test_pages_are_for_those_who_may_change_the_set(
    rest: str, library, web: Client, bob: User
) -> None:
    label_set, _images = library
    assert web.get(at(label_set, rest)).status_code in (200, 302)
    stranger = Client()
    assert stranger.get(at(label_set, rest)).status_code == 302
    stranger.force_login(bob)
    assert stranger.get(at(label_set, rest)).status_code == 404


@pytest.mark.parametrize(
    "rest",
    [
        *("quality/doubt/", "quality/thresholds/", "evaluate/", "evaluate/known/"),
        *("evaluate/picture/", "evaluate/folders/"),
    ],
)
def test_a_stranger_changes_nothing(rest: str, library, bob: User) -> None:
    label_set, _images = library
    stranger = Client()
    stranger.force_login(bob)
    assert stranger.post(at(label_set, rest)).status_code == 404
    assert stranger.get(at(label_set, "quality/cut/")).status_code == 404


def test_sets_of_the_site_are_taught_by_administrators(
    space: EmbeddingSpace, alice: User, web: Client
) -> None:
    admin = User.objects.create_superuser("root", "root@example.org", "root-password")
    label_set = make_set(admin, "dog", site=True)
    assert web.get(at(label_set, "answer/")).status_code == 404
    root = Client()
    root.force_login(admin)
    assert root.get(at(label_set, "answer/")).status_code == 200


@pytest.mark.parametrize("rest", ["answer/", "quality/"])
def test_a_missing_encoder_is_told(
    rest: str, library, web: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    label_set, _images = library

    def away(*_args: Any, **_options: Any) -> Any:
        raise Unavailable("encoder_away", "The encoder does not answer.")

    monkeypatch.setattr(encoder_client, "encode_texts", away)
    assert web.get(at(label_set, rest)).status_code == 503


def test_an_unknown_category_is_a_sentence(library, web: Client) -> None:
    label_set, _images = library
    for rest in ("answer/", "quality/"):
        page = web.get(at(label_set, rest), {"category": "bird"})
        assert page.status_code == 400
        assert "no category “bird”" in page.content.decode()


# --- The strip ------------------------------------------------------------------------------


def test_the_strip_says_what_answers_tell(
    library, web: Client, alice: User, space: EmbeddingSpace
) -> None:
    label_set, images = library
    before = web.get(at(label_set, "answer/"), {"category": "dog"}).content.decode()
    assert "not known yet" in before
    asking.ask(label_set, dog(label_set), alice, space)
    answer(label_set, alice, images)
    page = web.get(at(label_set, "answer/"), {"category": "dog"}).content.decode()
    assert "40 answers: 20 yes, 20 no; 40 of them are of the random sample." in page
    assert "Of what is labelled," in page
    assert "It learns from the new answers…" in page
    assert "the words alone would have guessed" not in page
    maintenance.maintain()
    page = web.get(at(label_set, "answer/"), {"category": "dog"}).content.decode()
    assert "Of 40 answers, the words alone would have guessed" in page
    assert "It learns from" not in page


def test_figures_are_drawn_anew_only_when_something_was_learned(
    library, web: Client, alice: User, space: EmbeddingSpace
) -> None:
    label_set, images = library
    address = at(label_set, "answer/figures/")
    fit = tools.fit_of(label_set, space)
    answer(label_set, alice, images)
    query = {"category": str(dog(label_set).pk), "until": str(fit.pk)}
    assert swapped(web, address, **query).status_code == 204
    assert swapped(web, address, category=query["category"]).status_code == 200
    maintenance.maintain()
    assert swapped(web, address, **query).status_code == 200


def test_one_goes_on_where_least_is_known(library, web: Client, alice: User, space) -> None:
    label_set, images = library
    asking.ask(label_set, dog(label_set), alice, space)
    answer(label_set, alice, images)
    page = web.get(at(label_set, "answer/"), {"category": "open"})
    assert page.status_code == 302
    assert page["Location"].endswith(f"?category={sets.category(label_set, 'cat').pk}")
    found = quality.of_set(label_set, alice, space)
    assert priorities.pays_most(found.categories, found.pool).name == "cat"


def measured(
    name: str, answers: int, width: float, labelled: int, recall_width: float = 0.5
) -> CategoryQuality:
    """A category of which so much is known."""
    return CategoryQuality(
        category=Category(name=name),
        answers=answers,
        yes=answers // 2,
        sampled=answers // 3,
        threshold=0.5,
        labelled=labelled,
        expected=labelled,
        precision=Estimate(0.5, 0.5 - width / 2, 0.5 + width / 2),
        recall=Estimate(0.5, 0.5 - recall_width / 2, 0.5 + recall_width / 2),
        right=None,
        all=None,
        buckets=Buckets(None, None, None),
        histogram=[],
    )


def test_it_pays_most_where_many_pictures_have_few_answers() -> None:
    """What many answers have not narrowed, some more do not."""
    snow = measured("snow", 70, 0.3, 40, recall_width=0.9)
    child = measured("child", 12, 0.5, 847)
    beach = measured("beach", 11, 0.6, 30)
    assert priorities.pays_most([snow, beach, child], 1000).name == "child"
    assert priorities.pays_most([snow, beach], 1000).name == "beach"


def test_small_categories_have_their_turn() -> None:
    """All of six are asked about in ten dozens, and no one thrice in a row."""
    counts = {"child": 847, "dog": 200, "snow": 40, "beach": 30, "boat": 5, "cake": 2}
    said = dict.fromkeys(counts, 0)
    asked = []
    for _round in range(10):
        found = [
            measured(name, said[name], 1 / math.sqrt(1 + said[name] / 12), labelled, 0.9)
            for name, labelled in counts.items()
        ]
        name = priorities.pays_most(found, 1000).name
        said[name] += 12
        asked.append(name)
    assert set(asked) == set(counts)
    assert all(len(set(asked[place : place + 3])) > 1 for place in range(8))


def test_it_pays_nothing_where_all_is_answered() -> None:
    done, open_ = measured("done", 40, 0.9, 40), measured("open", 30, 0.1, 1)
    assert priorities.pays_most([done, open_], 40).name == "open"


# --- Thresholds -------------------------------------------------------------------------------


def test_a_cut_tells_what_it_would_do(library, web: Client, alice: User, space) -> None:
    label_set, images = library
    spread = cuts.spread(label_set, dog(label_set), alice, space)
    assert spread.is_exact
    # Where categories exclude each other, only those that are likelier dogs than cats count.
    assert set(spread.images) == {image.pk for image in images[:20]} | (
        {images[20].pk} & set(spread.images)
    )
    assert sum(spread.histogram()) == len(spread.images)
    found = swapped(web, at(label_set, "quality/cut/"), category="dog", wish="eye", at="90")
    expected = spread.at(0.9)
    assert f"{expected.labelled} pictures would have the label." in found.content.decode()
    above, below = spread.around(0.9, 3)
    shares = dict(zip(spread.images, spread.shares, strict=True))
    assert all(shares[pk] >= 0.9 for pk in above)
    assert all(shares[pk] < 0.9 for pk in below)
    assert [shares[pk] for pk in above] == sorted(shares[pk] for pk in above)


def test_a_cut_without_answers_says_that_nobody_has_checked(
    library, web: Client, alice: User, space
) -> None:
    label_set, images = library

    def told() -> str:
        cut = swapped(web, at(label_set, "quality/cut/"), category="dog", wish="eye", at="10")
        return str(cut.content.decode())

    assert "Nobody has answered yet." in told()
    answers.give(label_set, alice, [Given(images[0].pk, "dog", True)])
    assert "By the probabilities" in told()


def test_a_cut_counts_what_people_have_said(library, alice: User, space: EmbeddingSpace) -> None:
    label_set, images = library
    former = cuts.spread(label_set, dog(label_set), alice, space).at(0.0).labelled
    answers.give(
        label_set,
        alice,
        [
            Given(images[0].pk, "dog", False),
            Given(images[1].pk, "cat", True),
            Given(images[39].pk, "dog", True),
        ],
    )
    spread = cuts.spread(label_set, dog(label_set), alice, space)
    assert spread.at(0.0).labelled == former - 1
    assert spread.at(1.0).labelled == 1
    assert images[0].pk not in spread.around(0.0, 100)[0]


def test_wishes_set_thresholds_and_are_undone(library, web: Client, alice: User, space) -> None:
    label_set, _images = library
    category = dog(label_set)
    body = {"category": str(category.pk), "wish": "right", "share": "95"}
    done = web.post(at(label_set, "quality/thresholds/"), body, follow=True)
    assert "The threshold is saved." in done.content.decode()
    category.refresh_from_db()
    spread = cuts.spread(label_set, category, alice, space)
    assert category.threshold == pytest.approx(spread.for_right(0.95))
    precision = spread.at(category.threshold).precision
    assert precision is not None
    assert precision >= 0.95
    assert tools.fit_of(label_set, space).vectors.get(position=0).threshold == category.threshold
    web.post(undo_on(done))
    category.refresh_from_db()
    assert category.threshold is None


def test_undo_leaves_newer_thresholds(library, web: Client, alice: User, space) -> None:
    label_set, _images = library
    address = at(label_set, "quality/thresholds/")
    body = {"category": "dog", "wish": "eye", "all": "1"}
    done = web.post(address, {**body, "at": "70"}, follow=True)
    web.post(address, {"category": "dog", "wish": "eye", "at": "80"})
    web.post(undo_on(done))
    found = {row.name: row.threshold for row in sets.categories_of(label_set)}
    assert found == {"dog": 0.8, "cat": None}


def test_a_wish_that_nothing_meets_labels_nothing(
    space: EmbeddingSpace, alice: User, web: Client
) -> None:
    label_set = make_set(alice, "dog", mode="any")
    picture(alice, space, cat=1)
    body = {"category": "dog", "wish": "right", "share": "95"}
    page = web.post(at(label_set, "quality/thresholds/"), body, follow=True).content.decode()
    assert "No picture is sure enough for “dog”" in page
    assert dog(label_set).threshold == 1.0


def test_a_wish_is_kept_and_met_anew_when_the_set_has_learned(
    library, web: Client, alice: User, space
) -> None:
    label_set, images = library
    body = {"category": "dog", "wish": "right", "share": "80", "all": "1"}
    web.post(at(label_set, "quality/thresholds/"), body)
    assert (dog(label_set).wish, dog(label_set).wish_share) == ("right", 0.8)
    before = dog(label_set).threshold
    answer(label_set, alice, images)
    maintenance.maintain()
    category = dog(label_set)
    assert category.threshold != before
    spread = cuts.spread(label_set, category, alice, space)
    assert category.threshold == pytest.approx(spread.for_right(0.8))
    fit = tools.fit_of(label_set, space)
    assert fit.vectors.get(position=0).threshold == category.threshold
    assert fit.answers
    assert not maintenance.is_due()
    page = web.get(at(label_set, "quality/"), {"category": "dog"}).content.decode()
    assert 'name="wish" value="right" checked' in page
    assert 'name="share" value="80"' in page
    assert "at least 80 % right" in page


def test_an_unmet_wish_labels_once_answers_have_made_pictures_sure(
    library, web: Client, alice: User, space
) -> None:
    label_set, images = library
    sets.set_thresholds(label_set, alice, {"dog": 1.0}, ("right", 0.6))
    assert dog(label_set).threshold == 1.0
    page = web.get(at(label_set, "quality/"), {"category": "dog"}).content.decode()
    assert "The wish stays" in page
    answer(label_set, alice, images)
    maintenance.maintain()
    assert (dog(label_set).threshold or 0) < 1.0


def test_a_wish_is_met_by_the_new_texts_of_a_set(library, web: Client, alice: User, space) -> None:
    label_set, _images = library
    web.post(
        at(label_set, "quality/thresholds/"), {"category": "dog", "wish": "right", "share": "80"}
    )
    before = dog(label_set).threshold
    forms = [CategoryForm("dog", prompts=("other",)), CategoryForm("cat")]
    sets.update(label_set, alice, categories=forms)
    label_set.refresh_from_db()
    maintenance.maintain()
    assert dog(label_set).threshold != before
    assert dog(label_set).wish == "right"


def test_undo_of_a_wish_brings_the_threshold_of_before(
    library, web: Client, alice: User, space
) -> None:
    label_set, images = library
    address = at(label_set, "quality/thresholds/")
    web.post(address, {"category": "dog", "wish": "eye", "at": "70"}, follow=True)
    done = web.post(address, {"category": "dog", "wish": "right", "share": "80"}, follow=True)
    answer(label_set, alice, images)
    maintenance.maintain()
    web.post(undo_on(done))
    found = dog(label_set)
    assert (found.threshold, found.wish, found.wish_share) == (0.7, "", None)


def test_undo_of_a_line_brings_the_wish_of_before(library, web: Client, alice: User, space) -> None:
    label_set, _images = library
    address = at(label_set, "quality/thresholds/")
    web.post(address, {"category": "dog", "wish": "all"}, follow=True)
    done = web.post(address, {"category": "dog", "wish": "eye", "at": "70"}, follow=True)
    assert (dog(label_set).threshold, dog(label_set).wish) == (0.7, "")
    web.post(undo_on(done))
    assert dog(label_set).wish == "all"


def test_thresholds_of_before_there_were_wishes_are_undone(library, alice: User, space) -> None:
    label_set, _images = library
    category = dog(label_set)
    sets.set_thresholds(label_set, alice, {"dog": 0.6})
    before = {"set": str(label_set.pk), "thresholds": [[str(category.pk), None, 0.6]]}
    assert sets.undo_thresholds(before, alice) == 1
    assert dog(label_set).threshold is None


def test_a_message_says_how_many_more_wishes_are_not_met(
    space: EmbeddingSpace, alice: User, web: Client
) -> None:
    label_set = make_set(alice, *(f"thing {number}" for number in range(12)), mode="any")
    picture(alice, space, cat=1)
    body = {"category": "thing 0", "wish": "right", "share": "100", "all": "1"}
    page = web.post(at(label_set, "quality/thresholds/"), body, follow=True).content.decode()
    assert "“thing 9” and 2 more: no label" in page


@pytest.mark.parametrize(
    "fields",
    [
        {"wish": "luck"},
        {"wish": "right", "share": "many"},
        {"wish": "right", "share": "101"},
        {"wish": "eye", "at": "nan"},
        {"wish": "eye"},
    ],
)
def test_wishes_that_are_none(fields: dict[str, str], library, web: Client) -> None:
    label_set, _images = library
    body = {"category": "dog", **fields}
    assert web.post(at(label_set, "quality/thresholds/"), body).status_code == 400
    assert swapped(web, at(label_set, "quality/cut/"), **body).status_code == 400
    assert dog(label_set).threshold is None


# --- Quality ----------------------------------------------------------------------------------


def test_quality_has_figures_a_plot_and_tables(library, web: Client, alice: User, space) -> None:
    label_set, images = library
    assert "Nobody has answered yet" in web.get(at(label_set, "quality/")).content.decode()
    asking.ask(label_set, dog(label_set), alice, space)
    answer(label_set, alice, images)
    maintenance.maintain()
    page = web.get(at(label_set, "quality/")).content.decode()
    assert "Expected calibration error" in page
    assert '<svg viewBox="-44 -12 360 366" role="img"' in page
    assert page.count("<circle") >= 5
    assert "From 40 answers." in page
    assert "What can be promised" in page


def test_doubted_answers_are_confirmed_or_turned(library, web: Client, alice: User, space) -> None:
    label_set, images = library
    answer(label_set, alice, images)
    # Two slips of the hand.
    answers.give(
        label_set, alice, [Given(images[0].pk, "dog", False), Given(images[39].pk, "dog", True)]
    )
    maintenance.maintain()
    page = web.get(at(label_set, "quality/")).content.decode()
    assert page.count("data-doubt ") == 2
    category = str(dog(label_set).pk)
    body = {"image": str(images[0].pk), "category": category, "verdict": "yes"}
    address = at(label_set, "quality/doubt/")
    turned = web.post(address, body, headers={"HX-Request": "true"})
    assert "Turned: it is." in turned.content.decode()
    assert Answer.objects.get(image=images[0]).verdict is True
    body["image"] = str(images[39].pk)
    kept = web.post(address, body, headers={"HX-Request": "true"})
    assert "Confirmed: it is." in kept.content.decode()
    assert Answer.objects.get(image=images[39]).verdict is True
    maintenance.maintain()
    page = web.get(at(label_set, "quality/")).content.decode()
    assert str(images[39].pk) not in page.partition('id="doubts"')[2]
    assert web.post(address, {**body, "verdict": "perhaps"}).status_code == 400
    assert web.post(address, {**body, "image": str(uuid4())}).status_code == 404
    assert web.post(address, {**body, "image": "x"}).status_code == 404


# --- Evaluation -------------------------------------------------------------------------------


def test_a_csv_file_is_evaluated(library, web: Client) -> None:
    label_set, images = library
    rows = [f"{image.pk},{'dog' if n < 18 else 'cat'}" for n, image in enumerate(images)]
    rows.append(f"{uuid4()},dog")
    file = io.BytesIO("\n".join(["image,category", *rows]).encode())
    page = web.post(at(label_set, "evaluate/"), {"file": file})
    text = page.content.decode()
    assert page.status_code == 200
    assert "40 pictures" in text
    assert "1 is left out" in text
    assert 'id="cell-0-0"' in text
    assert "data:image/svg+xml;base64," in text
    drawn = text.split("data:image/svg+xml;base64,")[1].split('"')[0]
    assert b"<svg xmlns=" in base64.b64decode(drawn)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "first line of the file"),
        (b"image,category\n", "at least one picture"),
        (b"image,category\nx.jpg,bird\n", "no category"),
    ],
)
def test_a_csv_file_that_is_none(content: bytes, sentence: str, library, web: Client) -> None:
    label_set, _images = library
    file = io.BytesIO(content)
    file.name = "labels.csv"
    page = web.post(at(label_set, "evaluate/"), {"file": file})
    assert page.status_code == 400
    assert sentence in page.content.decode()
    assert web.post(at(label_set, "evaluate/")).status_code == 400


def test_folders_are_evaluated_without_being_kept(
    space: EmbeddingSpace, web: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    label_set = make_set(alice, "dog", "cat")
    here = upload(alice)
    tools.encode(here, space, dog=1)
    count = Image.objects.count()
    known = web.post(
        at(label_set, "evaluate/known/"),
        {"folder": ["dog", "none"], "sha256": [here.sha256, "0" * 64, "x"]},
    )
    assert known.json() == {"known": {here.sha256: str(here.pk)}}
    monkeypatch.setattr(
        encoder_client, "encode_picture", lambda _space, _packed: vector_of_text("cat")
    )
    sent = io.BytesIO(draw(colour="green"))
    sent.name = "green.jpg"
    encoded = web.post(at(label_set, "evaluate/picture/"), {"file": sent}).json()
    facts = [
        {"category": "dog", "image": str(here.pk)},
        {"category": "cat", **encoded},
        {"category": "none", **encoded},
        {"category": "cat", "image": str(uuid4())},
    ]
    page = _judged(web, label_set, facts)
    assert page.status_code == 200
    text = page.content.decode()
    assert "3 pictures" in text
    assert "1 is left out" in text
    assert 'data-entry="1"' in text
    assert "none of these, said to be cat" in text
    assert Image.objects.count() == count


def _judged(web: Client, label_set: LabelSet, facts: Any) -> Any:
    file = io.BytesIO(facts if isinstance(facts, bytes) else json.dumps(facts).encode())
    file.name = "pictures.json"
    return web.post(
        at(label_set, "evaluate/folders/"), {"file": file}, headers={"HX-Request": "true"}
    )


NOT_A_NUMBER = base64.b64encode(np.full(tools.DIMENSIONS, np.nan, "<f2").tobytes()).decode()


@pytest.mark.parametrize(
    "facts",
    [
        b"[",
        {"category": "dog"},
        [1],
        [{"category": 1}],
        [{"category": "bird", "image": str(uuid4())}],
        [{"category": "dog", "image": "x"}],
        [{"category": "dog", "vector": "AAA"}],
        [{"category": "dog", "vector": NOT_A_NUMBER}],
        [{"category": "dog", "vector": None}],
        [],
    ],
)
def test_facts_that_no_page_sends(facts: Any, library, web: Client) -> None:
    label_set, _images = library
    assert _judged(web, label_set, facts).status_code == 400


def test_an_unknown_folder_is_refused_before_anything_is_sent(library, web: Client) -> None:
    label_set, _images = library
    answer = web.post(at(label_set, "evaluate/known/"), {"folder": ["bird"]})
    assert answer.status_code == 400
    assert "no category “bird”" in answer.json()["detail"]


def test_a_file_that_is_no_picture_is_refused(library, web: Client) -> None:
    label_set, _images = library
    file = io.BytesIO(b"not a picture")
    file.name = "notes.jpg"
    answer = web.post(at(label_set, "evaluate/picture/"), {"file": file})
    assert answer.status_code == 400
    assert answer.json()["detail"]


# --- Words and drawings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (0.5, "50 %"), (0.9962, "99.6 %"), (0.99991, "99.99 %"), (1.0, "100 %")],
)
def test_thresholds_are_told_apart_from_all_and_nothing(share: float, text: str) -> None:
    assert words.threshold(share) == text


def test_a_matrix_without_none_has_no_place_for_it() -> None:
    matrix = np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]])
    found = plots.confusion(matrix, ["dog", "a very long name of a category", "none"])
    assert len(found.rows) == 2
    assert found.rows[1].name.endswith("…")
    assert [cell.count for cell in found.cells] == [3, 1, 0, 2]
    assert all(cell.x + found.size <= found.width for cell in found.cells)


def test_a_session_that_has_ended_is_told_apart_from_a_set_that_is_gone(
    library, web: Client, bob: User
) -> None:
    """The page asks for itself: visitors are sent to sign in."""
    label_set, images = library
    body = {"answers": [{"image": str(images[0].pk), "category": "dog", "verdict": True}]}
    address = f"/api/v1/label-sets/{label_set.pk}/answers/"
    web.logout()
    assert web.post(address, body, content_type="application/json").status_code == 404
    assert web.head(at(label_set, "answer/")).status_code == 302
    web.force_login(bob)
    assert web.post(address, body, content_type="application/json").status_code == 404
    assert web.head(at(label_set, "answer/")).status_code == 404
