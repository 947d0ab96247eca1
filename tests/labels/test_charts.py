"""Charts of a label set."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.urls import reverse

from gallery.labels import charts, sets
from gallery.labels.definition import CategoryForm
from gallery.models import EmbeddingSpace, Image, User
from gallery.web.label_charts.columns import columns
from tests.labels.tools import apply, make_set, picture
from tests.web_tools import browser

pytestmark = pytest.mark.django_db


def taken(owner: User, space: EmbeddingSpace, when: str, **shares: float) -> Image:
    image = picture(owner, space, **shares)
    moment = datetime.fromisoformat(f"{when}T12:00:00+00:00")
    Image.objects.filter(pk=image.pk).update(captured_at=moment, visibility="private")
    return image


def test_figures(alice: User, bob: User, space: EmbeddingSpace, django_assert_num_queries) -> None:
    taken(alice, space, "2023-05-01", dog=1)
    taken(alice, space, "2023-05-31", dog=1)
    taken(alice, space, "2024-01-01", cat=1)
    picture(alice)
    taken(bob, space, "2024-01-01", cat=1)
    forms = [CategoryForm("animal"), CategoryForm("dog", parent="animal"), CategoryForm("cat")]
    label_set = make_set(alice, *forms)
    apply(label_set, alice, space)
    own = list(sets.categories_of(label_set))
    by_name = {category.name: category.pk for category in own}
    seen = Image.objects.visible_to(alice)
    with django_assert_num_queries(4):  # the statement, its settings, and a savepoint around them
        found = charts.shares(seen, own)
    assert (found.pictures, found.labelled) == (4, 3)
    counts = {name: found.counts.get(pk, 0) for name, pk in by_name.items()}
    assert counts["dog"] <= counts["animal"]
    assert counts["cat"] == 1
    assert charts.shares(Image.objects.none(), own) == charts.Shares(0, 0, {})
    by_month = charts.over_time(seen, own, "month")
    assert by_month[by_name["cat"]] == {date(2024, 1, 1): 1}
    assert sum(by_month[by_name["animal"]].values()) == counts["animal"]
    assert charts.over_time(seen, own, "year")[by_name["cat"]] == {date(2024, 1, 1): 1}


def test_the_page(alice: User, bob: User, admin: User, space: EmbeddingSpace) -> None:
    for when in ("2023-11-05", "2023-11-06", "2024-02-01"):
        taken(alice, space, when, dog=1)
    taken(alice, space, "2023-12-01", cat=1)
    label_set = make_set(alice, "dog", "cat", name="Pets")
    address = reverse("label_set_charts", args=[label_set.pk])
    assert "No picture has a category" in browser(alice).get(address).content.decode()
    apply(label_set, alice, space)
    page = browser(alice).get(address)
    assert [(bar.name, bar.count) for bar in page.context["bars"]] == [("dog", 3), ("cat", 1)]
    assert page.context["bars"][0].percent == "75.0 %"
    assert page.context["bars"][0].find == "/search/?q=category%3Adog"
    dog, cat = page.context["series"]
    assert dog.values == [2, 0, 0, 1]
    assert cat.values == [0, 1, 0, 0]
    assert "November 2023" in dog.peak
    assert dog.chart.count("<rect") == 2
    assert str(dog.chart) in page.content.decode()
    by_year = browser(alice).get(address, {"by": "year"})
    assert by_year.context["series"][0].values == [2, 1]
    assert browser(alice).get(address, {"by": "nonsense"}).status_code == 200
    for who in (bob, None):
        assert browser(who).get(address).status_code == 404


def test_sets_of_the_site_count_what_each_viewer_sees(
    alice: User, bob: User, admin: User, space: EmbeddingSpace
) -> None:
    shown = taken(alice, space, "2024-02-01", dog=1)
    taken(alice, space, "2024-02-01", dog=1)
    Image.objects.filter(pk=shown.pk).update(visibility="public")
    label_set = make_set(admin, "dog", site=True)
    apply(label_set, admin, space)
    address = reverse("label_set_charts", args=[label_set.pk])
    assert browser(alice).get(address).context["bars"][0].count == 2
    for who in (bob, None):
        page = browser(who).get(address)
        assert page.context["bars"][0].count == 1
        assert page.context["series"][0].values == [1]


def test_many_months_become_years(alice: User, space: EmbeddingSpace) -> None:
    taken(alice, space, "2010-01-01", dog=1)
    taken(alice, space, "2020-06-01", dog=1)
    label_set = make_set(alice, "dog", "cat")
    apply(label_set, alice, space)
    page = browser(alice).get(reverse("label_set_charts", args=[label_set.pk]))
    assert page.context["unit"] == "year"
    assert len(page.context["series"][0].values) == 11


def test_columns_are_escaped_and_scaled() -> None:
    drawn = columns([0, 2, 4], ["a", "<b>", "c"], 'the "name"')
    assert drawn.count("<rect") == 2
    assert 'height="40.00"' in drawn
    assert 'height="20.00"' in drawn
    assert "<b>" not in drawn
    assert "&quot;name&quot;" in drawn
    assert "<rect" not in columns([], [], "nothing")
