"""The categories on the page of a picture: bars, answers, and why."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from gallery.labels import answers, sets, why
from gallery.labels.answers import Given
from gallery.labels.definition import CategoryForm
from gallery.models import Answer, EmbeddingSpace, Image, User
from tests.conftest import api
from tests.labels.tools import apply, make_set, picture
from tests.web_tools import HTMX, browser

pytestmark = pytest.mark.django_db


def section(user: User | None, image: Image, language: str = "en") -> Any:
    address = reverse("image_labels", args=[image.pk])
    return browser(user, language).get(address, headers=HTMX)


def publish(*images: Image) -> None:
    Image.objects.filter(pk__in=[one.pk for one in images]).update(visibility="public")


def test_bars_of_each_set(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    apply(make_set(alice, CategoryForm("dog", {"zh-hans": "狗"}), "cat", name="Pets"), alice, space)
    make_set(alice, "red", mode="any", name="Colours")
    shown = section(alice, image)
    assert [group.label_set.name for group in shown.context["groups"]] == ["Pets"]
    (row,) = shown.context["groups"][0].rows
    assert (row.name, row.verdict, row.may_answer) == ("dog", None, True)
    assert row.share > 0.9
    assert row.find == "/search/?q=category%3Adog"
    assert [group.label_set.name for group in shown.context["rest"]] == ["Colours"]
    assert "狗" in section(alice, image, "zh-hans").content.decode()


def test_the_page_has_the_section_only_where_there_are_sets(
    alice: User, space: EmbeddingSpace
) -> None:
    image = picture(alice, space, dog=1)
    page = reverse("image", args=[image.pk])
    there = reverse("image_labels", args=[image.pk])
    assert there not in browser(alice).get(page).content.decode()
    make_set(alice, "dog")
    assert there in browser(alice).get(page).content.decode()
    # Without scripts, the link leads to the page with the section.
    whole = browser(alice).get(there).content.decode()
    assert "<html" in whole
    assert 'id="picture-labels"' in whole


def test_a_personal_set_is_its_owners_alone(alice: User, bob: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog")
    apply(label_set, alice, space)
    dog = sets.category(label_set, "dog")
    of_set = reverse("image_labels_of_set", args=[image.pk, label_set.pk])
    reason = reverse("image_label_why", args=[image.pk, dog.pk])
    answer = reverse("image_label_answer", args=[image.pk])
    assert section(bob, image).status_code == 404
    publish(image)
    assert section(bob, image).context["groups"] == []
    for who in (bob, None):
        assert browser(who).get(of_set, headers=HTMX).status_code == 404
        assert browser(who).get(reason, headers=HTMX).status_code == 404
        told = api(who).get(f"/api/v1/images/{image.pk}/labels/{dog.pk}/why/")
        assert told.status_code == 404
    assert browser(bob).post(answer, {"no": str(dog.pk)}, headers=HTMX).status_code == 404
    assert not Answer.objects.exists()
    assert browser(alice).get(of_set, headers=HTMX).status_code == 200
    assert browser(alice).get(reason, headers=HTMX).status_code == 200


def test_labels_of_the_site_are_seen_and_their_owners_answer(
    alice: User, bob: User, admin: User, space: EmbeddingSpace
) -> None:
    image = picture(alice, space, dog=1)
    publish(image)
    label_set = make_set(admin, "dog", site=True)
    apply(label_set, admin, space)
    dog = sets.category(label_set, "dog")
    answer = reverse("image_label_answer", args=[image.pk])
    for who, may in ((alice, True), (bob, False), (admin, True), (None, False)):
        (group,) = section(who, image).context["groups"]
        assert group.rows[0].may_answer is may
    refused = browser(bob).post(answer, {"no": str(dog.pk)}, headers=HTMX)
    assert refused.status_code == 400
    assert not Answer.objects.exists()
    assert browser(alice).post(answer, {"no": str(dog.pk)}, headers=HTMX).status_code == 200
    assert Answer.objects.get().verdict is False


def test_yes_no_and_taking_it_back(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog", "cat")
    apply(label_set, alice, space)
    dog, cat = (sets.category(label_set, name) for name in ("dog", "cat"))
    address = reverse("image_label_answer", args=[image.pk])

    def post(**said: Any) -> dict[str, bool | None]:
        answer = browser(alice).post(address, said, headers=HTMX)
        assert answer.status_code == 200, answer.content
        return {row.name: row.verdict for group in answer.context["groups"] for row in group.rows}

    assert post(no=dog.pk) == {"dog": False}
    assert post(back=dog.pk) == {"dog": None}
    assert post(yes=dog.pk) == {"dog": True}
    # The categories exclude each other: the last word counts.
    assert post(yes=cat.pk) == {"cat": True}
    assert browser(alice).post(address, {"yes": dog.pk}).status_code == 302
    for wrong in ({}, {"yes": ""}):
        assert browser(alice).post(address, wrong, headers=HTMX).status_code == 400
    assert browser(alice).post(address, {"yes": "nonsense"}, headers=HTMX).status_code == 404


def test_all_categories_of_a_set_stay_open(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog", "cat", "bird")
    address = reverse("image_labels_of_set", args=[image.pk, label_set.pk])
    # Its first fit is made by a worker.
    assert "being prepared" in browser(alice).get(address, headers=HTMX).content.decode()
    apply(label_set, alice, space)
    group = browser(alice).get(address, headers=HTMX).context["group"]
    assert next(row.name for row in group.thoughts) == "dog"
    assert len(group.thoughts) == 3
    cat = sets.category(label_set, "cat")
    said = {"no": cat.pk, "of": str(label_set.pk)}
    answer = reverse("image_label_answer", args=[image.pk])
    shown = browser(alice).post(answer, said, headers=HTMX)
    (group,) = shown.context["groups"]
    assert {row.name: row.verdict for row in group.thoughts}["cat"] is False
    unseen = picture(alice)
    told = browser(alice).get(
        reverse("image_labels_of_set", args=[unseen.pk, label_set.pk]), headers=HTMX
    )
    assert "still being prepared" in told.content.decode()


def test_without_a_model_the_answers_stay(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog", "cat")
    apply(label_set, alice, space)
    EmbeddingSpace.objects.update(state="retired")
    (group,) = section(alice, image).context["groups"]
    assert [row.name for row in group.rows] == ["dog"]
    of_set = reverse("image_labels_of_set", args=[image.pk, label_set.pk])
    assert browser(alice).get(of_set, headers=HTMX).status_code == 503
    dog = sets.category(label_set, "dog")
    reasons = browser(alice).get(reverse("image_label_why", args=[image.pk, dog.pk]), headers=HTMX)
    assert "By version 1" in reasons.content.decode()


def test_why_shows_the_nearest_answered_pictures(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    near, far = picture(alice, space, dog=1, red=0.2), picture(alice, space, dog=0.5, red=1)
    wrong, other = picture(alice, space, cat=1, dog=0.4), picture(alice, space, cat=1)
    unseen = picture(alice)
    label_set = make_set(alice, "dog", "cat")
    apply(label_set, alice, space)
    given = [Given(one.pk, "dog", True) for one in (far, near, image, unseen)]
    given += [Given(wrong.pk, "dog", False), Given(other.pk, "cat", True)]
    answers.give(label_set, alice, given)
    dog = sets.category(label_set, "dog")
    found = why.of(image, why.category_of(dog.pk, alice), alice)
    assert [one.image for one in found.yes] == [near.pk, far.pk]
    assert [(one.image, one.said) for one in found.no] == [(wrong.pk, ""), (other.pk, "cat")]
    assert found.yes[0].similarity > found.yes[1].similarity
    assert found.answer is not None
    assert found.answer.verdict
    assert (found.version, found.space, found.learned_from) == (1, space.name, 0)
    assert len(why.of(image, dog, alice, each=1).yes) == 1

    body = api(alice).get(f"/api/v1/images/{image.pk}/labels/{dog.pk}/why/").json()
    assert [one["image"] for one in body["yes"]] == [str(near.pk), str(far.pk)]
    assert body["verdict"] is True
    assert body["probability"] > 0.9
    page = browser(alice).get(reverse("image_label_why", args=[image.pk, dog.pk]), headers=HTMX)
    text = page.content.decode()
    assert "You said yes." in text
    assert str(near.pk) in text
    assert "By version 1 of the set" in text


def test_why_shows_no_pictures_that_the_viewer_may_not_see(
    alice: User, bob: User, admin: User, space: EmbeddingSpace
) -> None:
    image, shown, hidden = (picture(alice, space, dog=1) for _ in range(3))
    publish(image, shown)
    label_set = make_set(admin, "dog", site=True, mode="any")
    apply(label_set, admin, space)
    answers.give(label_set, alice, [Given(one.pk, "dog", True) for one in (shown, hidden)])
    dog = sets.category(label_set, "dog")
    assert {one.image for one in why.of(image, dog, alice).yes} == {shown.pk, hidden.pk}
    for who in (bob, None):
        body = api(who).get(f"/api/v1/images/{image.pk}/labels/{dog.pk}/why/").json()
        assert [one["image"] for one in body["yes"]] == [str(shown.pk)]


def test_classifying_by_a_set(alice: User, bob: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    publish(image)
    label_set = make_set(alice, "dog", "cat", name="Pets")
    address = reverse("image_classify", args=[image.pk])
    page = browser(alice).get(reverse("classify")).content.decode()
    assert "Pets" in page
    assert "Pets" not in browser(bob).get(reverse("classify")).content.decode()
    chosen = {"label_set": str(label_set.pk)}
    bars = browser(alice).post(address, chosen, headers=HTMX).context["bars"]
    assert [bar.name for bar in bars] == ["dog", "cat"]
    refused = browser(bob).post(address, chosen, headers=HTMX)
    assert refused.status_code == 400
    assert browser(bob).post(address, {"label_set": "x"}, headers=HTMX).status_code == 400
    typed = {"classnames": "dog, cat", "mode": "any"}
    bars = browser(bob).post(address, typed, headers=HTMX).context["bars"]
    assert bars[0].name == "dog"
    wrong = browser(bob).post(address, {**typed, "mode": "some"}, headers=HTMX)
    assert wrong.status_code == 400
