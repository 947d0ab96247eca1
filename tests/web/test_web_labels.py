"""The pages of label sets: the list and its box, one set, its form, a category. Their vectors are
made up (tests/labels/tools.py)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from gallery.encoders import client
from gallery.errors import Unavailable
from gallery.labels import answers, applying, files, fitting, sets
from gallery.labels.answers import Given
from gallery.labels.definition import MAX_CATEGORIES, CategoryForm, Definition, newest
from gallery.labels.templates import ENSEMBLE
from gallery.models import Category, Change, EmbeddingSpace, LabelJob, LabelSet, User
from tests.labels import tools
from tests.labels.tools import labels, make_set, picture
from tests.web_tools import HTMX, browser, tiles

pytestmark = pytest.mark.django_db


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> EmbeddingSpace:
    tools.fake_encoder(monkeypatch)
    return tools.word_space()


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.org", "root-password")


def page(user: User, name: str, /, *args: Any, **query: Any) -> Any:
    return browser(user).get(reverse(name, args=args), query)


def post(user: User, name: str, /, *args: Any, **data: Any) -> Any:
    return browser(user).post(reverse(name, args=args), data)


def text(response: Any) -> str:
    return response.content.decode()


def row(*names: str, **more: Any) -> dict[str, Any]:
    """What a form with these categories sends."""
    blank = [""] * len(names)
    columns = {"id": blank, "names": blank, "prompts": blank, "parent": blank}
    return {"mode": "one", "kind": "usual", "category": list(names), **columns, **more}


def category(label_set: LabelSet, name: str) -> Category:
    return Category.objects.get(label_set=label_set, name=name)


# --- The box ----------------------------------------------------------------------


def test_the_box_sorts_the_viewers_pictures(alice: User, bob: User, space: EmbeddingSpace) -> None:
    dogs = [picture(alice, space, dog=1).pk for _ in range(3)]
    picture(alice, space, cat=1)
    picture(bob, space, dog=1)
    asked = {"categories": "dog, cat，Dog", "mode": "one"}
    found = browser(alice).get(reverse("label_sets_sort"), asked, headers=HTMX)
    assert found.context["pictures"] == 4
    rows = {one.name: one for one in found.context["rows"]}
    assert {name: one.count for name, one in rows.items()} == {"dog": 3, "cat": 1}
    assert {tile.image.pk for tile in rows["dog"].tiles} == set(dogs)
    whole = text(page(alice, "label_sets", **asked))
    assert "Keep as a set" in whole
    assert 'value="dog, cat，Dog"' in whole


def test_none_of_these_comes_last(alice: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    bird = picture(alice, space, bird=1)
    asked = {"categories": "dog,cat", "mode": "one", "none": "on"}
    found = browser(alice).get(reverse("label_sets_sort"), asked, headers=HTMX)
    last = found.context["rows"][-1]
    assert last.is_none
    assert bird.pk in {tile.image.pk for tile in last.tiles}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"categories": "-dog"}, "minus"),
        ({"categories": ",".join(f"c{n}" for n in range(MAX_CATEGORIES + 1))}, "at most"),
    ],
)
def test_what_the_box_cannot_read_is_a_sentence(
    alice: User, space: EmbeddingSpace, asked: dict[str, str], sentence: str
) -> None:
    part = browser(alice).get(reverse("label_sets_sort"), asked, headers=HTMX)
    assert part.status_code == 400
    assert sentence in text(part)
    whole = page(alice, "label_sets", **asked)
    assert whole.status_code == 200
    assert sentence in text(whole)
    kept = post(alice, "label_set_keep", **asked)
    assert kept.status_code == 400
    assert sentence in text(kept)


def test_hundreds_of_names_are_sorted(alice: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    names = ", ".join(["dog", *(f"a rather long name with the number {n}" for n in range(400))])
    found = post(alice, "label_sets_sort", categories=names, mode="one")
    assert len(found.context["rows"]) == 401


def test_nothing_in_the_box_is_no_error(alice: User, space: EmbeddingSpace) -> None:
    part = browser(alice).get(reverse("label_sets_sort"), {"categories": " , "}, headers=HTMX)
    assert part.status_code == 200
    assert text(part).strip() == ""


def test_what_was_sorted_is_kept(alice: User, space: EmbeddingSpace) -> None:
    asked = {"categories": "dog, cat, bird, red", "mode": "any"}
    kept = post(alice, "label_set_keep", **asked)
    made = LabelSet.objects.get(owner=alice)
    assert kept.url == reverse("label_set", args=[made.pk])
    assert made.name == "dog, cat, bird…"
    definition = Definition.of(newest(made))
    assert (definition.mode, definition.none_of_these) == ("any", False)
    assert [form.name for form in definition.categories] == ["dog", "cat", "bird", "red"]
    # The same again is another one.
    post(alice, "label_set_keep", **asked)
    assert LabelSet.objects.filter(owner=alice).count() == 2


def test_without_the_encoder_the_list_is_still_there(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_set(alice, "dog", "cat")

    def away(*_arguments: object, **_options: object) -> None:
        raise Unavailable("encoder_down", "The encoder does not answer.")

    monkeypatch.setattr(client, "encode_texts", away)
    found = page(alice, "label_sets", categories="dog")
    assert found.status_code == 200
    assert "The encoder does not answer." in text(found)
    assert "Things" in text(found)
    assert post(alice, "label_set_preview", made.pk).status_code == 503
    applied = post(alice, "label_set_apply", made.pk)
    assert applied.status_code == 503
    assert "The encoder does not answer." in text(applied)


# --- Ready sets and files ---------------------------------------------------------


def test_a_ready_set_is_taken_with_one_click(alice: User, space: EmbeddingSpace) -> None:
    for _ in range(2):
        assert post(alice, "label_set_ready", key="animals").status_code == 302
    assert sorted(LabelSet.objects.values_list("name", flat=True)) == ["Animals", "Animals 2"]
    assert post(alice, "label_set_ready", key="nothing").status_code == 400


def test_sets_go_through_files(alice: User, bob: User, space: EmbeddingSpace) -> None:
    forms = [CategoryForm("dog", {"zh-hans": "狗"}, ("a puppy",)), CategoryForm("cat")]
    made = make_set(alice, *forms, mode="any")
    for kind in ("json", "csv"):
        address = reverse("api:label-set-export", args=[made.pk])
        data = browser(alice).get(address, {"kind": kind}).content
        sent = SimpleUploadedFile(f"My things.{kind}", data)
        assert post(bob, "label_set_import", file=sent).status_code == 302
    names = dict(LabelSet.objects.filter(owner=bob).values_list("name", "pk"))
    assert set(names) == {"Things", "My things"}
    assert files.as_json(LabelSet.objects.get(pk=names["Things"])) == files.as_json(made)


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        (b"{", 400, "no whole JSON"),
        (b"dog\n", 400, "names its columns"),
        (b"x" * (files.MAX_BYTES + 1), 413, "at most 2 MB"),
        (None, 400, "Choose a file first."),
    ],
)
def test_what_is_wrong_with_a_file_is_a_sentence(
    alice: User, space: EmbeddingSpace, data: bytes | None, status: int, sentence: str
) -> None:
    sent = {} if data is None else {"file": SimpleUploadedFile("set.json", data)}
    answer = post(alice, "label_set_import", name="Mine", **sent)
    assert answer.status_code == status
    assert sentence in text(answer)
    assert 'value="Mine"' in text(answer)
    assert "<title>The file was not read · Categories" in text(answer)


# --- The form ---------------------------------------------------------------------


def test_a_set_is_made_and_changed(alice: User, space: EmbeddingSpace) -> None:
    typed = row("dog", "", "cat", name="Pets", none_of_these="on", pasted="bird\n red \n\n")
    typed |= {"names": ["zh-hans: 狗\nde：Hund", "", ""], "prompts": ["a puppy\na hound", "", ""]}
    typed |= {"parent": ["", "", "dog"], "kind": "ensemble"}
    assert post(alice, "label_set_create", **typed).status_code == 302
    made = LabelSet.objects.get()
    definition = Definition.of(newest(made))
    assert [form.name for form in definition.categories] == ["dog", "cat", "bird", "red"]
    dog, cat, *_others = definition.categories
    assert dog.names == {"zh-hans": "狗", "de": "Hund"}
    assert dog.prompts == ("a puppy", "a hound")
    assert cat.parent == "dog"
    assert definition.templates == (ENSEMBLE,)

    form = page(alice, "label_set_edit", made.pk).context["form"]
    assert (form.name, form.kind) == ("Pets", "ensemble")
    assert [one.name for one in form.rows] == ["dog", "cat", "bird", "red", "", "", ""]
    # Renamed and moved, a category stays the same by its id.
    changed = row("cat", "hound", name="Pets", templates="a {}", kind="own")
    changed |= {"id": [form.rows[1].id, form.rows[0].id], "parent": ["", ""]}
    assert post(alice, "label_set_edit", made.pk, **changed).status_code == 302
    known = sets.categories_of(made).values_list("name", "pk")
    assert [(name, str(pk)) for name, pk in known] == [
        ("cat", form.rows[1].id),
        ("hound", form.rows[0].id),
    ]


@pytest.mark.parametrize(
    ("typed", "sentence", "at"),
    [
        (row("dog"), "Give the label set a name.", "set-name-error"),
        (row(name="Pets"), "Name at least one category.", "set-categories-error"),
        (row("dog", "", "ＤＯＧ", name="P"), "are the same name", "row-2-error"),
        (row("dog", "Dog", name="P"), "are the same name", "row-1-error"),
        (row("-dog", name="P"), "minus", "row-0-error"),
        (row("dog", name="P", pasted="cat\nCat"), "are the same name", "set-pasted-error"),
        (row("dog", name="P", parent=["bird"]), "cannot be below", "row-0-parent-error"),
        (row("dog", name="P", names=["Hund"]), "by language code", "row-0-names-error"),
        (
            row("dog", name="P", pasted="\n".join(f"c{n}" for n in range(1000))),
            "at most 1000 categories",
            "set-categories-error",
        ),
        (row("dog", name="P", kind="own", templates="a"), "{} once", "set-templates-error"),
        (row("dog", name="P", kind="own"), "at least one sentence", "set-templates-error"),
        (row("dog", name="P", id=["x"]), "out of date", "set-categories-error"),
    ],
)
def test_problems_stand_beside_their_fields_and_nothing_typed_is_lost(
    alice: User, space: EmbeddingSpace, typed: dict[str, Any], sentence: str, at: str
) -> None:
    answer = post(alice, "label_set_create", **typed)
    assert answer.status_code == 400
    shown = text(answer)
    assert sentence in shown
    assert sentence in shown.split(f'id="{at}"')[1].split("</ul>")[0]
    form = answer.context["form"]
    assert [one.name for one in form.rows][: len(typed["category"])] == typed["category"]
    assert [one.parent for one in form.rows][: len(typed["parent"])] == typed["parent"]
    assert form.pasted == typed.get("pasted", "")
    assert not LabelSet.objects.exists()


def test_rows_are_arranged_without_scripts(alice: User, space: EmbeddingSpace) -> None:
    typed = row("a", "b", "c", name="Letters")
    for act, names in [
        ("up-1", ["b", "a", "c"]),
        ("down-1", ["a", "c", "b"]),
        ("up-0", ["a", "b", "c"]),
        ("remove-1", ["a", "c"]),
        ("remove-77", ["a", "b", "c"]),
        ("add", ["a", "b", "c"]),
    ]:
        answer = post(alice, "label_set_create", **typed, act=act)
        rows = answer.context["form"].rows
        assert [one.name for one in rows if one.name] == names
        assert len(rows) == len(names) + 3
        assert not LabelSet.objects.exists()


def test_a_large_set_is_a_form(alice: User, space: EmbeddingSpace) -> None:
    made = make_set(alice, *(f"c{n}" for n in range(MAX_CATEGORIES)))
    rows = page(alice, "label_set_edit", made.pk).context["form"].rows[:MAX_CATEGORIES]
    typed = {"id": [one.id for one in rows], "category": [one.name for one in reversed(rows)]}
    typed |= {name: [""] * MAX_CATEGORIES for name in ("names", "prompts", "parent")}
    answer = post(alice, "label_set_edit", made.pk, name="Many", kind="usual", **typed)
    assert answer.status_code == 302
    assert LabelSet.objects.get().name == "Many"


# --- One set ----------------------------------------------------------------------


def test_preview_apply_and_undo(alice: User, space: EmbeddingSpace) -> None:
    dog, cat = picture(alice, space, dog=1), picture(alice, space, cat=1)
    made = make_set(alice, "dog", "cat")
    assert "Not applied yet" in text(page(alice, "label_set", made.pk))
    address = reverse("label_set_preview", args=[made.pk])
    part = browser(alice).post(address, headers=HTMX)
    assert "+2, −0" in text(part)
    assert f"/images/{dog.pk}/" in text(part)
    assert "<html" not in text(part)
    assert "+2, −0" in text(browser(alice).post(address))
    assert labels(made) == {}

    client_ = browser(alice)
    applied = client_.post(reverse("label_set_apply", args=[made.pk]))
    assert applied.status_code == 302
    waiting = text(client_.get(applied.url))
    assert "Being applied" in waiting
    change = Change.objects.get(action="apply_labels")
    assert reverse("change_undo", args=[change.pk]) in waiting
    applying.run_waiting()
    shown = page(alice, "label_set", made.pk)
    assert "Applied just now: +2, −0 labels" in text(shown)
    (group,) = shown.context["groups"]
    assert {card.name: card.count for card in group.cards} == {"dog": 1, "cat": 1}
    assert all(len(card.covers) == 1 for card in group.cards)
    assert labels(made) == {dog.pk: {"dog"}, cat.pk: {"cat"}}
    assert "2 pictures labelled" in text(page(alice, "label_sets"))
    assert "Nothing would change" in text(browser(alice).post(address))

    assert post(alice, "label_set_undo", made.pk).status_code == 302
    assert labels(made) == {}
    change.refresh_from_db()
    assert change.undone_at is not None
    assert "Not applied yet" in text(page(alice, "label_set", made.pk))
    # There is nothing left to undo.
    assert post(alice, "label_set_undo", made.pk).status_code == 302


def test_progress_ends_with_a_new_page(alice: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    made = make_set(alice, "dog", "cat")
    job, _change = applying.request(made, alice, tools.fit_of(made, space))
    LabelJob.objects.filter(pk=job.pk).update(state="running", done=43, total=100)
    assert "being applied, 43 %" in text(page(alice, "label_sets"))
    address = reverse("label_set_state", args=[made.pk])
    part = browser(alice).get(address, {"seen": str(job.pk)}, headers=HTMX)
    assert "Being applied: 43 %" in text(part)
    assert "hx-get" in text(part)
    LabelJob.objects.filter(pk=job.pk).update(state="done")
    over = browser(alice).get(address, {"seen": str(job.pk)}, headers=HTMX)
    assert over.headers["HX-Refresh"] == "true"


def test_the_page_says_what_has_changed_since(alice: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    made = make_set(alice, "dog", "cat")
    job = tools.apply(made, alice, space)
    sets.update(made, alice, categories=[CategoryForm("dog"), CategoryForm("bird")])
    assert "was changed since" in text(page(alice, "label_set", made.pk))
    tools.apply(made, alice, space)
    LabelJob.objects.exclude(pk=job.pk).update(state="stopped", error=applying.SWITCHED)
    shown = text(page(alice, "label_set", made.pk))
    assert "Stopped." in shown
    assert "The model has changed meanwhile." in shown
    assert "stopped" in text(page(alice, "label_sets"))
    LabelJob.objects.update(state="done", error="")
    EmbeddingSpace.objects.filter(pk=space.pk).update(checksum="other")
    assert "The model has changed since" in text(page(alice, "label_set", made.pk))


def test_an_undo_that_broke_off_is_told(alice: User, space: EmbeddingSpace) -> None:
    made = make_set(alice, "dog")
    LabelJob.objects.create(label_set=made, kind="undo", state="failed", error=applying.FAILED)
    assert "This broke off." in text(page(alice, "label_set", made.pk))
    tools.apply(made, alice, space)
    assert "This broke off." not in text(page(alice, "label_set", made.pk))


def test_categories_below_others_are_grouped(alice: User, space: EmbeddingSpace) -> None:
    picture(alice, space, cat=1)
    forms = [
        CategoryForm("red"),
        CategoryForm("dog"),
        CategoryForm("cat", {"zh-hans": "猫"}, parent="dog"),
        CategoryForm("bird", parent="cat"),
    ]
    made = make_set(alice, *forms)
    tools.apply(made, alice, space)
    plain, animals = page(alice, "label_set", made.pk).context["groups"]
    assert [card.name for card in plain.cards] == ["red"]
    assert (animals.title.name, animals.title.count) == ("dog", 1)
    assert [(card.name, card.above, card.count) for card in animals.cards] == [
        ("cat", "", 1),
        ("bird", "cat", 0),
    ]
    chinese = browser(alice, "zh-hans").get(reverse("label_set", args=[made.pk]))
    assert "猫" in text(chinese)


def many(user: User, count: int = 60) -> LabelSet:
    """A set of many categories, the last ones dog and cat."""
    return make_set(user, *(f"thing {number}" for number in range(count - 2)), "dog", "cat")


def cards(response: Any) -> list[str]:
    return [card.name for group in response.context["groups"] for card in group.cards]


def test_a_long_set_shows_its_first_categories_and_all(alice: User, space: EmbeddingSpace) -> None:
    made = many(alice)
    first = page(alice, "label_set", made.pk)
    assert cards(first) == [f"thing {number}" for number in range(50)]
    assert "Show all 60 categories" in text(first)
    whole = page(alice, "label_set", made.pk, all=1)
    assert len(cards(whole)) == 60
    assert "Show all" not in text(whole)


def test_the_categories_of_a_long_set_are_found_by_name(alice: User, space: EmbeddingSpace) -> None:
    forms = [CategoryForm(f"thing {number}") for number in range(60)]
    made = make_set(alice, *forms, CategoryForm("dog", {"zh-hans": "狗"}), CategoryForm("hot dog"))
    assert cards(page(alice, "label_set", made.pk, named=" DOG ")) == ["dog", "hot dog"]
    assert cards(page(alice, "label_set", made.pk, named="狗")) == ["dog"]
    nothing = page(alice, "label_set", made.pk, named="elephant")
    assert cards(nothing) == []
    assert "0 of 62 categories" in text(nothing)


def test_a_long_set_is_sorted_by_its_pictures(alice: User, space: EmbeddingSpace) -> None:
    for _number in range(2):
        picture(alice, space, dog=1)
    picture(alice, space, cat=1)
    made = many(alice)
    tools.apply(made, alice, space)
    first = page(alice, "label_set", made.pk, by="count")
    assert cards(first)[:2] == ["dog", "cat"]
    assert len(cards(first)) == 50
    assert cards(page(alice, "label_set", made.pk, by="nonsense"))[0] == "thing 0"


def test_a_short_set_has_nothing_to_search(alice: User, space: EmbeddingSpace) -> None:
    made = make_set(alice, "dog", "cat")
    found = page(alice, "label_set", made.pk, named="dog")
    assert cards(found) == ["dog", "cat"]
    assert "Find a category" not in text(found)


def test_a_preview_counts_the_labels_that_people_gave(alice: User, space: EmbeddingSpace) -> None:
    dogs = [picture(alice, space, dog=1) for _ in range(3)]
    made = make_set(alice, "dog", "cat")
    tools.apply(made, alice, space)
    answers.give(
        made,
        alice,
        [Given(dogs[0].pk, "dog", True), Given(dogs[1].pk, "dog", False)],
    )
    told = text(post(alice, "label_set_preview", made.pk))
    assert "2 labels stay. 1 of them was given by hand." in " ".join(told.split())


def test_a_set_is_deleted_and_restored(alice: User, space: EmbeddingSpace) -> None:
    made = make_set(alice, "dog", "cat")
    assert post(alice, "label_set_delete", made.pk).status_code == 302
    assert page(alice, "label_set", made.pk).status_code == 404
    change = Change.objects.get(action="delete_label_set")
    post(alice, "change_undo", change.pk)
    assert page(alice, "label_set", made.pk).status_code == 200


def test_deleted_sets_are_listed_and_restored_for_a_month(
    alice: User, bob: User, root: User, space: EmbeddingSpace
) -> None:
    picture(alice, space, dog=1)
    made = make_set(alice, "dog", "cat")
    tools.apply(made, alice, space)
    assert "Deleted sets" not in text(page(alice, "label_sets"))
    assert "“Deleted sets” brings it back" in text(
        browser(alice).post(reverse("label_set_delete", args=[made.pk]), follow=True)
    )
    assert 'aria-label="Restore Things"' in text(page(alice, "label_sets"))
    for stranger in (bob, root):
        assert "Things" not in text(page(stranger, "label_sets"))
        assert post(stranger, "label_set_restore", made.pk).status_code == 404
    assert post(alice, "label_set_restore", made.pk).status_code == 302
    assert page(alice, "label_set", made.pk).status_code == 200
    assert labels(made)
    # The undo of the message has nothing left to do.
    assert Change.objects.get(action="delete_label_set").undone_at is not None
    assert post(alice, "label_set_restore", made.pk).status_code == 404

    post(alice, "label_set_delete", made.pk)
    LabelSet.objects.update(deleted_at=timezone.now() - sets.KEEP - timedelta(minutes=1))
    assert "Things" not in text(page(alice, "label_sets"))
    assert post(alice, "label_set_restore", made.pk).status_code == 404


def test_administrators_restore_the_sets_of_the_site(
    alice: User, root: User, space: EmbeddingSpace
) -> None:
    made = make_set(root, "dog", site=True)
    sets.delete(made, root)
    other = User.objects.create_superuser("anna", "anna@example.org", "anna-password")
    assert "Things" not in text(page(alice, "label_sets"))
    assert post(alice, "label_set_restore", made.pk).status_code == 404
    assert post(other, "label_set_restore", made.pk).status_code == 302
    assert page(alice, "label_set", made.pk).status_code == 200


# --- A category -------------------------------------------------------------------


def test_the_pictures_of_a_category_by_probability(alice: User, space: EmbeddingSpace) -> None:
    sure = picture(alice, space, dog=1)
    unsure = picture(alice, space, dog=1, cat=0.9)
    said = picture(alice, space, cat=1)
    made = make_set(alice, "dog", "cat")
    tools.apply(made, alice, space)
    dog = category(made, "dog")
    answers.give(made, alice, [Given(said.pk, "dog", True)])
    shown = page(alice, "category", made.pk, dog.pk)
    assert tiles(shown) == [str(pk) for pk in (said.pk, sure.pk, unsure.pk)]
    assert "by hand" in text(shown)
    doubtful = page(alice, "category", made.pk, dog.pk, by="doubtful")
    assert tiles(doubtful) == [str(pk) for pk in (unsure.pk, sure.pk, said.pk)]
    newest_first = page(alice, "category", made.pk, dog.pk, by="newest")
    assert tiles(newest_first) == [str(pk) for pk in (said.pk, unsure.pk, sure.pk)]
    answering = shown.context["answering"]
    assert json.dumps(answering)
    assert not answering["own"]
    sheet = page(alice, "category_sheet", made.pk, dog.pk)
    assert sheet.context["total"] == 3
    assert len(sheet.context["tiles"]) == 3


def test_parts_of_a_category_lose_nothing(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gallery.web.lists import listing

    monkeypatch.setattr(listing, "PAGE", 4)
    images = {str(picture(alice, space, dog=1, cat=n % 3 / 10).pk) for n in range(10)}
    made = make_set(alice, "dog", "cat")
    tools.apply(made, alice, space)
    for by in ("surest", "doubtful"):
        found: list[str] = []
        address = reverse("category", args=[made.pk, category(made, "dog").pk]) + f"?by={by}"
        while address:
            shown = browser(alice).get(address)
            found += tiles(shown)
            address = shown.context["more"]
        assert len(found) == 10
        assert set(found) == images


@pytest.mark.parametrize("by", ["surest", "doubtful", "newest"])
@pytest.mark.parametrize("after", ["x", "nan~x", "1e999~x", "0.5~x", "~", "0.5"])
def test_a_wrong_cursor_is_a_sentence(
    alice: User, space: EmbeddingSpace, by: str, after: str
) -> None:
    made = make_set(alice, "dog")
    for name in ("category", "category_sheet"):
        answer = page(alice, name, made.pk, category(made, "dog").pk, by=by, after=after)
        assert answer.status_code == 400
        assert "This page is not known" in text(answer)


# --- Who sees what ----------------------------------------------------------------

_OWN = ("label_set", "label_set_state", "label_set_edit")
_POSTS = ("label_set_preview", "label_set_apply", "label_set_undo", "label_set_delete")


def test_strangers_find_nothing(alice: User, bob: User, root: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    made = make_set(alice, "dog", "cat")
    tools.apply(made, alice, space)
    dog = category(made, "dog").pk
    for stranger in (bob, root):
        for name in _OWN:
            assert page(stranger, name, made.pk).status_code == 404, name
        for name in (*_POSTS, "label_set_edit"):
            assert post(stranger, name, made.pk).status_code == 404, name
        for name in ("category", "category_sheet"):
            assert page(stranger, name, made.pk, dog).status_code == 404, name
        assert "Things" not in text(page(stranger, "label_sets"))
    assert labels(made)
    # The category of one set is not that of another.
    other = make_set(alice, "bird", name="Others")
    assert page(alice, "category", other.pk, dog).status_code == 404


def test_visitors_sign_in_first(alice: User, space: EmbeddingSpace) -> None:
    made = make_set(alice, "dog")
    for name, args in [("label_sets", []), *((name, [made.pk]) for name in _OWN)]:
        answer = browser().get(reverse(name, args=args))
        assert answer.status_code == 302
        assert "login" in answer.url


def test_a_set_of_the_site_is_seen_by_all_and_changed_by_administrators(
    alice: User, bob: User, root: User, space: EmbeddingSpace
) -> None:
    mine = picture(bob, space, dog=1)
    hers = picture(alice, space, dog=1)
    made = make_set(root, "dog", "cat", site=True)
    assert post(root, "label_set_apply", made.pk).status_code == 302
    applying.run_waiting()
    shown = page(bob, "label_set", made.pk)
    assert shown.status_code == 200
    assert "Apply" not in text(shown).split("<main")[1]
    (group,) = shown.context["groups"]
    assert {card.name: card.count for card in group.cards} == {"dog": 1, "cat": 0}
    found = page(bob, "category", made.pk, category(made, "dog").pk)
    assert tiles(found) == [str(mine.pk)]
    assert found.context["answering"]["own"]
    assert str(hers.pk) not in text(found)
    assert "Things" in text(page(bob, "label_sets"))
    for name in (*_POSTS, "label_set_edit"):
        assert post(bob, name, made.pk).status_code == 404, name
    # Another administrator undoes what the first one did.
    second = User.objects.create_superuser("second", "second@example.org", "root-password")
    assert post(second, "label_set_undo", made.pk).status_code == 302
    assert labels(made) == {}


def test_only_administrators_make_sets_for_all(
    alice: User, root: User, space: EmbeddingSpace
) -> None:
    typed = row("dog", name="All", site="on")
    refused = post(alice, "label_set_create", **typed)
    assert refused.status_code == 400
    assert "Only administrators" in text(refused)
    assert "For everyone" not in text(page(alice, "label_set_create"))
    assert "For everyone" in text(page(root, "label_set_create"))
    assert post(root, "label_set_create", **typed).status_code == 302
    assert LabelSet.objects.get().is_of_site


def test_another_fit_alone_is_no_change(alice: User, space: EmbeddingSpace) -> None:
    """Page and worker may each make the first fit."""
    picture(alice, space, dog=1)
    made = make_set(alice, "dog", "cat")
    tools.apply(made, alice, space)
    fitting.make(newest(made), space, client.encode_texts)
    assert page(alice, "label_set", made.pk).context["state"].is_up_to_date
    sets.update(made, alice, thresholds={"dog": 0.9})
    assert "Thresholds have changed" in text(page(alice, "label_set", made.pk))


def test_numbers_of_all_pictures_are_for_administrators(
    alice: User, bob: User, root: User, space: EmbeddingSpace
) -> None:
    picture(alice, space, dog=1)
    made = make_set(root, "dog", "cat", site=True)
    job, _change = applying.request(made, root, tools.fit_of(made, space))
    LabelJob.objects.filter(pk=job.pk).update(state="running", done=43, total=100)
    assert "43 %" in text(page(root, "label_set_state", made.pk))
    assert "43 %" not in text(page(bob, "label_set_state", made.pk))
    assert "43 %" in text(page(root, "label_sets"))
    assert "43 %" not in text(page(bob, "label_sets"))
    LabelJob.objects.filter(pk=job.pk).update(state="waiting")
    applying.run_waiting()
    assert "+1" in text(page(root, "label_set", made.pk))
    assert "+1" not in text(page(bob, "label_set", made.pk))
    assert "Applied just now." in text(page(bob, "label_set", made.pk))
