"""Categories in the filter panel, in chips and in the help of the search."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.urls import reverse

from gallery.labels import reading, sets
from gallery.labels.definition import CategoryForm
from gallery.models import EmbeddingSpace, Image, User
from gallery.search.filters import categories
from gallery.search.query import completion
from gallery.web.lists import category_filter
from tests.labels.tools import apply, make_set, picture
from tests.web_tools import HTMX, browser, tiles

pytestmark = pytest.mark.django_db

LISTS = ["home", "timeline", "explore", "favourites", "archive"]


def choices(user: User | None, page: str, **asked: Any) -> dict[str, int]:
    answer = browser(user).get(reverse(page), {"only": "categories", **asked}, headers=HTMX)
    assert answer.status_code == 200, answer.content
    found = answer.context["categories"].sets
    return {one.name: one.count for group in found for one in [*group.first, *group.more]}


def test_counts_follow_scope_and_filters(
    alice: User, bob: User, admin: User, space: EmbeddingSpace
) -> None:
    dogs = [picture(alice, space, dog=1) for _ in range(3)]
    picture(alice, space, cat=1)
    own = picture(bob, space, cat=1)
    Image.objects.filter(pk__in=[dogs[0].pk, own.pk]).update(visibility="public")
    Image.objects.filter(pk=dogs[1].pk).update(title="Holiday", words="holiday")
    apply(make_set(admin, "dog", "cat", site=True), admin, space)
    assert choices(alice, "home") == {"dog": 3, "cat": 2}
    assert choices(alice, "home", scope="mine") == {"dog": 3, "cat": 1}
    assert choices(alice, "timeline", scope="public") == {"dog": 1, "cat": 1}
    assert choices(bob, "home") == {"dog": 1, "cat": 1}
    assert choices(None, "home") == {"dog": 1, "cat": 1}
    assert choices(alice, "search", owner="me") == {"dog": 3, "cat": 1}
    assert choices(alice, "home", category="-dog") == {"cat": 2, "dog": 0}
    assert choices(alice, "explore", category="cat") == {"cat": 2}


def test_labels_of_a_personal_set_are_not_counted_for_others(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    image = picture(alice, space, dog=1)
    Image.objects.filter(pk=image.pk).update(visibility="public")
    apply(make_set(alice, "dog"), alice, space)
    assert choices(alice, "home") == {"dog": 1}
    assert choices(bob, "home") == {}
    panel = browser(bob).get(reverse("home"), {"only": "filters"}, headers=HTMX).content.decode()
    assert "data-categories" not in panel
    panel = browser(alice).get(reverse("home"), {"only": "filters"}, headers=HTMX).content.decode()
    assert "data-categories" in panel


@pytest.mark.parametrize("page", LISTS)
def test_every_list_takes_the_filter(page: str, alice: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    apply(make_set(alice, "dog", "cat"), alice, space)
    answer = browser(alice).get(reverse(page), {"category": "dog"})
    assert answer.status_code == 200
    (chip,) = answer.context["filters"].chips
    assert chip.label == "Category: dog"
    assert "category" not in chip.without
    wrong = browser(alice).get(reverse(page), {"category": "dog>7"})
    assert wrong.status_code == 400
    assert b"probability" in wrong.content


def test_pictures_of_the_lists(alice: User, space: EmbeddingSpace) -> None:
    dog, cat = picture(alice, space, dog=1), picture(alice, space, cat=1)
    unsure = picture(alice, space, dog=0.55, cat=0.5)
    apply(make_set(alice, "dog", "cat"), alice, space)

    def found(**asked: Any) -> set[str]:
        return set(tiles(browser(alice).get(reverse("home"), asked)))

    assert found(category="dog") == {str(dog.pk), str(unsure.pk)}
    assert found(category="dog", likely="0.9") == {str(dog.pk)}
    assert found(category="dog>0.9") == {str(dog.pk)}
    assert found(category="-dog") == found(category="-dog", likely="0.9") == {str(cat.pk)}
    for line, wanted in (
        ("category:dog", {str(dog.pk), str(unsure.pk)}),
        ("-category:dog", {str(cat.pk)}),
        ("category:dog>0.9", {str(dog.pk)}),
    ):
        shown = browser(alice).get(reverse("search"), {"q": line})
        assert set(tiles(shown)) == wanted, line


def test_the_panel_of_the_search_page_changes_the_line(alice: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    apply(make_set(alice, "dog", "cat"), alice, space)
    asked = {"q": "", "category": ["dog", "-cat"], "likely": "0.9"}
    moved = browser(alice).get(reverse("search"), asked)
    assert moved.status_code == 302
    assert moved.url == "/search/?q=category%3Adog%3E0.9+-category%3Acat"
    shown = browser(alice).get(moved.url)
    labels = [chip.label for chip in shown.context["filters"].chips]
    assert labels == ["Category: dog, over 90 %", "Without category: cat"]
    fields = shown.context["filters"].fields.categories
    (group,) = fields.sets
    states = {one.name: (one.with_it, one.is_chosen, one.is_excluded) for one in group.first}
    assert states == {"dog": ("dog", True, False), "cat": ("cat", False, True)}
    assert [value for value, _label, chosen in fields.levels if chosen] == ["0.9"]
    # A chip takes its category out of the line.
    without = browser(alice).get(shown.context["filters"].chips[0].without)
    assert without.url == "/search/?q=-category%3Acat"


@pytest.mark.parametrize("page", ["home", "search"])
def test_what_is_wrong_stands_beside_the_chosen_ones(
    page: str, alice: User, space: EmbeddingSpace
) -> None:
    make_set(alice, *(f"c{n}" for n in range(12)))
    asked = {"only": "categories", "category": [f"c{n}" for n in range(11)]}
    answer = browser(alice).get(reverse(page), asked, headers=HTMX)
    assert "at most 10" in answer.content.decode()
    assert answer.content.decode().count(" checked") == 11


def test_categories_with_probabilities_of_their_own_keep_them() -> None:
    asked = QueryDict("category=dog>0.9&category=cat>0.5&category=-bird&likely=")
    assert category_filter.values(asked) == ["dog>0.9", "cat>0.5", "-bird"]
    asked = QueryDict("category=dog&category=cat>0.5&likely=0.95")
    assert category_filter.values(asked) == ["dog>0.95", "cat>0.5"]
    for wrong in ("x", "7", "-1", "nan"):
        asked = QueryDict(f"category=dog&likely={wrong}")
        assert category_filter.values(asked) == ["dog"]


def test_values_mean_one_category(alice: User, admin: User, space: EmbeddingSpace) -> None:
    own = make_set(alice, CategoryForm("dog", {"zh-hans": "狗"}), "cat", "a/b", name="Pets")
    site = make_set(admin, "Dog", "bird", name="Animals", site=True)
    twin = make_set(admin, "fish", "cat", name="pets", site=True)
    known = list(reading.categories_for(alice).select_related("label_set"))
    found = categories.values_of(known)
    for category in known:
        assert categories.meant(found[category.pk], alice) == [category.pk], category
    assert found[sets.category(site, "bird").pk] == "bird"
    assert found[sets.category(site, "Dog").pk] == "Animals/Dog"
    assert found[sets.category(own, "a/b").pk] == "a/b"
    assert found[sets.category(twin, "cat").pk] == str(sets.category(twin, "cat").pk)


def test_an_id_has_its_name_in_chips_of_those_who_see_it(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    label_set = make_set(alice, CategoryForm("dog", {"zh-hans": "狗"}))
    value = str(sets.category(label_set, "dog").pk)
    assert category_filter.label(value, alice) == "Category: dog"
    assert category_filter.label(f"-{value}", bob) == "Without category: unknown"


def test_the_line_completes_names_in_any_language(alice: User, space: EmbeddingSpace) -> None:
    make_set(alice, CategoryForm("dog", {"zh-hans": "小狗"}), CategoryForm("hot dog"), "Zoé")

    def offered(typed: str) -> list[str]:
        line = f"category:{typed}"
        return [one.label for one in completion.complete(line, len(line), alice)]

    assert offered("") == ["dog", '"hot dog"', "Zoé"]
    assert offered("狗") == ["小狗"]
    assert offered("DOG") == ["dog", '"hot dog"']
    assert offered("zoe") == ["Zoé"]


def test_the_help_has_examples(alice: User, bob: User, space: EmbeddingSpace) -> None:
    make_set(alice, "palm tree")
    text = browser(alice).get(reverse("search_help")).content.decode()
    assert "category:&quot;palm tree&quot;" in text
    assert "-category:&quot;palm tree&quot;" in text
    assert "category:&quot;" not in browser(bob).get(reverse("search_help")).content.decode()


# --- Many categories ------------------------------------------------------------------


def panel(user: User, **asked: Any) -> str:
    answer = browser(user).get(reverse("home"), {"only": "filters", **asked}, headers=HTMX)
    return answer.content.decode()


def test_categories_are_found_by_name_though_no_picture_has_them(
    alice: User, space: EmbeddingSpace
) -> None:
    picture(alice, space, dog=1)
    forms = [CategoryForm("dog", {"zh-hans": "狗"}), CategoryForm("red truck"), CategoryForm("cat")]
    apply(make_set(alice, *forms), alice, space)
    assert choices(alice, "home") == {"dog": 1}
    assert choices(alice, "home", named="TRUCK") == {"red truck": 0}
    assert choices(alice, "home", named="狗") == {"dog": 1}
    assert choices(alice, "home", named="elephant") == {}


def test_what_is_chosen_stays_while_one_looks_for_others(
    alice: User, space: EmbeddingSpace
) -> None:
    picture(alice, space, dog=1)
    apply(make_set(alice, "dog", "cat", "bird"), alice, space)
    found = choices(alice, "home", named="bird", category=["dog", "-cat"])
    assert found == {"dog": 0, "cat": 0, "bird": 0} | {"dog": 1}


def test_more_than_are_shown_are_told(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(category_filter, "_FIRST", 2)
    monkeypatch.setattr(category_filter, "_MOST", 3)
    for name in ("red", "green", "blue", "dog", "cat"):
        picture(alice, space, **{name: 1})
    apply(make_set(alice, "red", "green", "blue", "dog", "cat"), alice, space)
    asked = {"only": "categories"}
    page = browser(alice).get(reverse("home"), asked, headers=HTMX).content.decode()
    assert "2 further categories are not shown" in page
    asked["category"] = ["red", "green", "blue", "dog", "cat"]  # type: ignore[assignment]
    page = browser(alice).get(reverse("home"), asked, headers=HTMX).content.decode()
    assert page.count("checked") == 5
    assert 'name="named"' in panel(alice)


def test_few_categories_have_no_search(alice: User, space: EmbeddingSpace) -> None:
    make_set(alice, "dog", "cat")
    assert 'name="named"' not in panel(alice)
    make_set(alice, *(f"thing {number}" for number in range(8)), name="More")
    assert 'name="named"' in panel(alice)


def test_the_search_for_categories_is_no_filter(alice: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    apply(make_set(alice, "dog"), alice, space)
    assert len(tiles(browser(alice).get(reverse("home"), {"named": "cat"}))) == 1
