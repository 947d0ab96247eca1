"""The map coloured by a label set."""

from __future__ import annotations

import json
import struct
from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse
from django.utils import timezone

from gallery.labels import answers
from gallery.labels.answers import Given
from gallery.models import EmbeddingSpace, ExploreMap, Image, LabelSet, MapPoint, User
from tests.labels.tools import apply, make_set, picture
from tests.web_tools import browser

pytestmark = pytest.mark.django_db


def place(space: EmbeddingSpace, *images: Image) -> ExploreMap:
    drawn = ExploreMap.objects.create(space=space, state="ready", built_at=timezone.now())
    MapPoint.objects.bulk_create(
        MapPoint(map=drawn, image=image, x=number / 10, y=0.5)
        for number, image in enumerate(images)
    )
    return drawn


def coloured(user: User | None, label_set: LabelSet, **asked: Any) -> Any:
    return browser(user).get(reverse("explore_labels"), {"colour": str(label_set.pk), **asked})


def names(answer: Any, *images: Image) -> dict[UUID, str]:
    """Unpack the answer: the categories of `images`."""
    assert answer.status_code == 200, answer.content
    (length,) = struct.unpack_from(">I", answer.content)
    known = json.loads(answer.content[4 : 4 + length])
    records = list(struct.iter_unpack(">8sH", answer.content[4 + length :]))
    assert records == sorted(records)
    by_beginning = {image.pk.bytes[:8]: image.pk for image in images}
    return {by_beginning[beginning]: known[number - 1] for beginning, number in records}


def test_each_point_has_its_surest_category(alice: User, space: EmbeddingSpace) -> None:
    dog, both = picture(alice, space, dog=1), picture(alice, space, dog=1, red=0.6)
    none, off = picture(alice), picture(alice, space, dog=1)
    place(space, dog, both, none)
    label_set = make_set(alice, "dog", "cat", "red", mode="any", name="Things")
    apply(label_set, alice, space)
    everything = (dog, both, none, off)
    assert names(coloured(alice, label_set), *everything) == {dog.pk: "dog", both.pk: "dog"}
    answers.give(label_set, alice, [Given(both.pk, "red", True), Given(dog.pk, "dog", False)])
    found = names(coloured(alice, label_set), *everything)
    assert found[both.pk] == "red"
    assert found.get(dog.pk) != "dog"
    assert names(coloured(alice, label_set, box="0.2,0,1,1"), *everything) == {}
    assert names(coloured(alice, label_set, category="red"), *everything)[both.pk] == "red"
    assert coloured(alice, label_set, box="x").status_code == 400


def test_others_see_neither_labels_nor_pictures(
    alice: User, bob: User, admin: User, space: EmbeddingSpace
) -> None:
    shown, hidden = picture(alice, space, dog=1), picture(alice, space, dog=1)
    Image.objects.filter(pk=shown.pk).update(visibility="public")
    place(space, shown, hidden)
    own, site = make_set(alice, "dog"), make_set(admin, "dog", site=True)
    apply(own, alice, space)
    apply(site, admin, space)
    for who in (bob, None):
        assert coloured(who, own).status_code == 404
        assert names(coloured(who, site), shown, hidden) == {shown.pk: "dog"}
    assert set(names(coloured(alice, site), shown, hidden)) == {shown.pk, hidden.pk}
    assert browser(alice).get(reverse("explore_labels"), {"colour": "x"}).status_code == 404
    assert browser(alice).get(reverse("explore_labels")).status_code == 404


def test_the_page_offers_the_sets(alice: User, bob: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    Image.objects.filter(pk=image.pk).update(visibility="public")
    place(space, image)
    label_set = make_set(alice, "dog", name="Pets")
    address = reverse("explore")
    plain = browser(alice).get(address)
    assert "Pets" in plain.content.decode()
    assert plain.context["config"]["labels"] == ""
    chosen = browser(alice).get(address, {"colour": str(label_set.pk)})
    assert f"colour={label_set.pk}" in chosen.context["config"]["labels"]
    other = browser(bob).get(address, {"colour": str(label_set.pk)})
    assert "Pets" not in other.content.decode()
    assert other.context["config"]["labels"] == ""
