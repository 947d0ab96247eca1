"""Making, changing, deleting and restoring label sets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from gallery.errors import Refusal
from gallery.labels import answers, maintenance, sets
from gallery.labels.answers import Given
from gallery.labels.definition import CategoryForm
from gallery.labels.fitting import weights_of
from gallery.library import caps
from gallery.models import (
    Answer,
    Category,
    Change,
    EmbeddingSpace,
    Label,
    LabelSet,
    LabelSetVersion,
    SecurityEvent,
    User,
)
from gallery.organising import changes
from tests.labels.tools import apply, fit_of, make_set, picture

pytestmark = pytest.mark.django_db


def forms(*names: str) -> list[CategoryForm]:
    return [CategoryForm(name) for name in names]


def ids(label_set: LabelSet) -> dict[str, object]:
    return dict(sets.categories_of(label_set).values_list("name", "pk"))


def test_a_change_makes_a_version_and_keeps_the_old_one(alice: User) -> None:
    label_set = make_set(alice, "dog", "cat")
    changed = sets.update(label_set, alice, mode="any", categories=forms("dog", "bird"))
    numbers = changed.versions.order_by("number").values_list("number", "mode")
    assert list(numbers) == [(1, "one"), (2, "any")]
    former = LabelSetVersion.objects.get(label_set=label_set, number=1)
    assert [entry["name"] for entry in former.categories] == ["dog", "cat"]
    assert list(ids(label_set)) == ["dog", "bird"]


@pytest.mark.parametrize(
    "fields", [{}, {"name": "Other"}, {"mode": "one"}, {"categories": forms("dog", "cat")}]
)
def test_what_changes_nothing_of_the_definition_makes_no_version(
    fields: dict[str, object], alice: User
) -> None:
    label_set = make_set(alice, "dog", "cat")
    sets.update(label_set, alice, **fields)  # type: ignore[arg-type]
    assert label_set.versions.count() == 1


def test_categories_stay_the_same_by_id_or_name(alice: User) -> None:
    label_set = make_set(alice, "dog", "cat")
    before = ids(label_set)
    renamed = CategoryForm("hound", id=before["dog"])  # type: ignore[arg-type]
    sets.update(label_set, alice, categories=[CategoryForm("CAT"), renamed])
    assert ids(label_set) == {"CAT": before["cat"], "hound": before["dog"]}


def test_names_may_be_exchanged(alice: User) -> None:
    label_set = make_set(alice, "dog", "cat")
    before = ids(label_set)
    exchanged = [
        CategoryForm("cat", id=before["dog"]),  # type: ignore[arg-type]
        CategoryForm("dog", id=before["cat"]),  # type: ignore[arg-type]
    ]
    sets.update(label_set, alice, categories=exchanged)
    assert ids(label_set) == {"cat": before["dog"], "dog": before["cat"]}


def test_a_category_that_comes_back_has_its_answers(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog", "cat")
    before = ids(label_set)
    answers.give(label_set, alice, [Given(image.pk, "dog", True)])
    sets.update(label_set, alice, categories=forms("cat"))
    sets.update(label_set, alice, categories=forms("dog"))
    assert ids(label_set) == {"dog": before["dog"]}
    assert Answer.objects.get().category.name == "dog"


def test_parents_are_set_and_removed(alice: User) -> None:
    label_set = make_set(alice, "animal", CategoryForm("dog", parent="Animal"))
    dog = Category.objects.get(name="dog")
    assert dog.parent is not None
    assert dog.parent.name == "animal"
    sets.update(label_set, alice, categories=forms("animal", "dog"))
    dog.refresh_from_db()
    assert dog.parent is None


def test_an_unknown_id_is_refused_and_nothing_changes(alice: User, bob: User) -> None:
    other = make_set(bob, "dog")
    label_set = make_set(alice, "dog")
    foreign = CategoryForm("cat", id=ids(other)["dog"])  # type: ignore[arg-type]
    with pytest.raises(Refusal) as refusal:
        sets.update(label_set, alice, categories=[foreign])
    assert refusal.value.code == "unknown_category"
    assert list(ids(label_set)) == ["dog"]


def test_names_are_unique_for_each_owner(alice: User, bob: User, admin: User) -> None:
    make_set(alice, "dog", name="Animals")
    make_set(bob, "dog", name="Animals")
    make_set(admin, "dog", name="Animals", site=True)
    for name in ("animals", "ＡＮＩＭＡＬＳ"):
        with pytest.raises(Refusal) as refusal:
            make_set(alice, "dog", name=name)
        assert refusal.value.code == "name_taken"
    with pytest.raises(Refusal):
        make_set(admin, "dog", name="ANIMALS", site=True)


def test_only_administrators_make_sets_of_the_site(alice: User, admin: User) -> None:
    with pytest.raises(Refusal) as refusal:
        make_set(alice, "dog", site=True)
    assert refusal.value.code == "not_administrator"
    label_set = make_set(admin, "dog", site=True)
    assert label_set.owner is None
    assert list(LabelSet.objects.visible_to(alice)) == [label_set]
    assert not LabelSet.objects.changeable_by(alice).exists()
    assert SecurityEvent.objects.get(kind="label_set_made").details == {"name": "Things"}


def test_nobody_sees_sets_of_others(alice: User, bob: User) -> None:
    make_set(alice, "dog")
    assert not LabelSet.objects.visible_to(bob).exists()


def test_there_is_an_upper_limit(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        caps, "LABEL_SETS", caps.Cap(1, caps.LABEL_SETS.counted, "full", "%(most)s")
    )
    make_set(alice, "dog", name="One")
    with pytest.raises(Refusal) as refusal:
        make_set(alice, "dog", name="Two")
    assert refusal.value.code == "full"


@pytest.mark.parametrize("least", [-0.1, 1.1, float("nan")])
def test_bad_thresholds_are_refused(least: float, alice: User) -> None:
    label_set = make_set(alice, "dog")
    with pytest.raises(Refusal) as refusal:
        sets.update(label_set, alice, thresholds={"dog": least})
    assert refusal.value.code == "bad_threshold"
    with pytest.raises(Refusal) as refusal:
        sets.update(label_set, alice, thresholds={"cat": 0.5})
    assert refusal.value.code == "unknown_category"


def test_a_change_of_thresholds_is_undone(alice: User, bob: User, space: EmbeddingSpace) -> None:
    label_set = make_set(alice, "dog", "cat", "bird")
    fit_of(label_set, space)
    sets.set_thresholds(label_set, alice, {"dog": 0.5, "cat": 0.6})
    change = sets.set_thresholds(label_set, alice, {"dog": 0.9, "cat": None, "bird": None})
    assert change is not None
    assert sets.set_thresholds(label_set, alice, {"dog": 0.9}) is None
    sets.set_thresholds(label_set, alice, {"cat": 0.8})
    assert weights_of(fit_of(label_set, space)).thresholds == [0.9, 0.8, 0]
    with pytest.raises(Change.DoesNotExist):
        changes.undo(change.pk, bob)
    # What was changed since stays.
    assert changes.undo(change.pk, alice) == 1
    assert weights_of(fit_of(label_set, space)).thresholds == [0.5, 0.8, 0]
    change = sets.set_thresholds(label_set, alice, {"dog": None})
    assert change is not None
    sets.delete(label_set, alice)
    assert changes.undo(change.pk, alice) == 0


def test_a_deleted_set_comes_back_with_all_of_it(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog")
    apply(label_set, alice, space)
    answers.give(label_set, alice, [Given(image.pk, "dog", True)])
    change = sets.delete(label_set, alice)
    assert not LabelSet.objects.visible_to(alice).exists()
    make_set(alice, "dog", name="Things")
    assert changes.undo(change.pk, alice) == 1
    back = LabelSet.objects.get(pk=label_set.pk)
    assert back.name == "Things 2"
    assert Label.objects.count() == Answer.objects.count() == 1


def test_a_deleted_set_is_removed_after_a_month(alice: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    label_set = make_set(alice, "dog")
    apply(label_set, alice, space)
    sets.delete(label_set, alice)
    maintenance.forget_old()
    assert LabelSet.objects.count() == 1
    long_ago = timezone.now() - sets.KEEP - timedelta(hours=1)
    LabelSet.objects.update(deleted_at=long_ago)
    maintenance.forget_old()
    assert not LabelSet.objects.exists()
    assert not Label.objects.exists()
    assert not LabelSetVersion.objects.exists()


def test_a_set_that_is_partly_removed_cannot_be_restored(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(alice, space, dog=1)
    label_set = make_set(alice, "dog")
    apply(label_set, alice, space)
    change = sets.delete(label_set, alice)
    LabelSet.objects.update(deleted_at=timezone.now() - sets.KEEP - timedelta(hours=1))

    def broken(_job: object) -> bool:
        raise OperationalError

    monkeypatch.setattr(sets, "_remove_labels", broken)
    with pytest.raises(OperationalError):
        maintenance.forget_old()
    assert not sets.deleted_of(alice).exists()
    assert sets.restore(change.before, alice) == 0
