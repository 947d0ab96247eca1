"""An album that the pictures of a category fill."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from gallery.labels import answers, applying, sets
from gallery.labels.answers import Given
from gallery.models import Album, EmbeddingSpace, Image, LabelSet, SavedSearch, User
from gallery.organising import changes, smart_albums
from tests.labels.tools import apply, encode, fit_of, make_set, picture
from tests.web_tools import browser

pytestmark = pytest.mark.django_db


def make(user: User, label_set: LabelSet, name: str = "dog") -> Any:
    category = sets.category(label_set, name)
    address = reverse("label_category_album", args=[label_set.pk, category.pk])
    return browser(user).post(address)


def inside() -> set[Any]:
    return set(Album.objects.get().items.values_list("image_id", flat=True))


def filled_now() -> None:
    """Take the album's content for new: what happens from now on makes it old."""
    SavedSearch.objects.update(filled_at=timezone.now())


def test_one_click_makes_it_once(alice: User, bob: User, space: EmbeddingSpace) -> None:
    dog = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog", "cat")
    apply(label_set, alice, space)
    assert make(bob, label_set).status_code == 404
    assert not SavedSearch.objects.exists()
    album = Album.objects.get(pk=make(alice, label_set).url.strip("/").split("/")[-1])
    assert album.title == "dog"
    assert inside() == {dog.pk}
    assert make(alice, label_set).url == reverse("album", args=[album.pk])
    assert SavedSearch.objects.count() == 1
    address = reverse("label_category_album", args=[label_set.pk, album.pk])
    assert browser(alice).post(address).status_code == 404


@pytest.mark.django_db(transaction=True)  # an answer has the time of its transaction
def test_it_follows_labels(alice: User, space: EmbeddingSpace) -> None:
    dog, other = picture(alice, space, dog=1), picture(alice, space, cat=1)
    label_set = make_set(alice, "dog", "cat")
    make(alice, label_set)
    assert inside() == set()
    steps: list[tuple[Any, set[Any]]] = []

    _job, change = applying.request(label_set, alice, fit_of(label_set, space))
    steps.append((applying.run_waiting, {dog.pk}))
    said = [Given(other.pk, "dog", True), Given(dog.pk, "cat", True)]
    steps.append((lambda: answers.give(label_set, alice, said), {other.pk}))
    undo = lambda: (changes.undo(change.pk, alice), applying.run_waiting())  # noqa: E731
    steps.append((undo, {other.pk}))
    for act, wanted in steps:
        filled_now()
        assert not smart_albums.due().exists()
        act()
        assert smart_albums.due().exists()
        smart_albums.fill_due()
        assert inside() == wanted
        assert not smart_albums.due().exists()


def test_it_takes_new_pictures_when_they_are_labelled(alice: User, space: EmbeddingSpace) -> None:
    from gallery.work.analyser import Resource
    from tests.factories import analyse

    label_set = make_set(alice, "dog", "cat")
    apply(label_set, alice, space)
    make(alice, label_set)
    new = picture(alice)
    encode(new, space, dog=1)
    smart_albums.fill_due()
    assert inside() == set()
    assert not smart_albums.due().exists()
    for resource in Resource:
        analyse(resource)
    assert smart_albums.due().exists()
    smart_albums.fill_due()
    assert inside() == {new.pk}


def test_other_albums_do_not_wait_for_labels(alice: User, bob: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    make(alice, make_set(alice, "dog"))
    filled_now()
    theirs = make_set(bob, "dog")
    apply(theirs, bob, space)
    assert not smart_albums.due().exists()
    SavedSearch.objects.update(query={"terms": [], "filters": {"favourite": True}})
    filled_now()
    apply(make_set(alice, "cat", name="Cats"), alice, space)
    assert not smart_albums.due().exists()
    assert Image.objects.count() == 1
