"""What people say."""

from __future__ import annotations

import threading
from uuid import uuid4

import pytest
from django.db import connection

from gallery.errors import Refusal
from gallery.labels import answers, sets
from gallery.labels.answers import Given
from gallery.models import Answer, Change, EmbeddingSpace, Question, User
from gallery.organising import changes
from tests.labels.tools import make_set, picture

pytestmark = pytest.mark.django_db


def said() -> dict[str, bool]:
    return dict(Answer.objects.values_list("category__name", "verdict"))


def test_the_last_word_counts(alice: User) -> None:
    image = picture(alice)
    label_set = make_set(alice, "dog", mode="any")
    assert answers.give(label_set, alice, [Given(image.pk, "dog", True)]) is not None
    assert said() == {"dog": True}
    # Nothing changes: there is nothing to undo.
    assert answers.give(label_set, alice, [Given(image.pk, "Dog", True)]) is None
    answers.give(label_set, alice, [Given(image.pk, "dog", False)])
    assert said() == {"dog": False}
    answers.give(label_set, alice, [Given(image.pk, "dog", None)])
    assert said() == {}


def test_a_yes_replaces_an_earlier_yes_of_one_of_these(alice: User) -> None:
    image = picture(alice)
    label_set = make_set(alice, "dog", "cat")
    answers.give(label_set, alice, [Given(image.pk, "dog", True)])
    change = answers.give(label_set, alice, [Given(image.pk, "cat", True)])
    assert said() == {"cat": True}
    assert change is not None
    changes.undo(change.pk, alice)
    assert said() == {"dog": True}


def test_any_of_these_may_all_be_true(alice: User) -> None:
    image = picture(alice)
    label_set = make_set(alice, "dog", "cat", mode="any")
    both = [Given(image.pk, "dog", True), Given(image.pk, "cat", True)]
    answers.give(label_set, alice, both)
    assert said() == {"dog": True, "cat": True}


def test_undo_leaves_newer_answers_alone(alice: User) -> None:
    one, other = picture(alice), picture(alice)
    label_set = make_set(alice, "dog", mode="any")
    given = [Given(one.pk, "dog", True), Given(other.pk, "dog", True)]
    change = answers.give(label_set, alice, given)
    answers.give(label_set, alice, [Given(one.pk, "dog", False)])
    assert change is not None
    assert changes.undo(change.pk, alice) == 1
    assert dict(Answer.objects.values_list("image", "verdict")) == {one.pk: False}


def test_contradictions_are_refused_and_nothing_is_stored(alice: User) -> None:
    image = picture(alice)
    one, any_ = make_set(alice, "dog", "cat"), make_set(alice, "dog", name="Any", mode="any")
    yes, no = Given(image.pk, "dog", True), Given(image.pk, "dog", False)
    for label_set, given in [(any_, [yes, no]), (one, [yes, Given(image.pk, "cat", True)])]:
        with pytest.raises(Refusal) as refusal:
            answers.give(label_set, alice, given)
        assert (refusal.value.code, refusal.value.field) == ("contradictory_answers", "answers.1")
    assert not Answer.objects.exists()


def test_bad_answers_are_refused_and_nothing_is_stored(alice: User, bob: User) -> None:
    image, hidden = picture(alice), picture(bob)
    label_set = make_set(alice, "dog")
    good = Given(image.pk, "dog", True)
    for given, code, field in [
        ([], "no_answers", "answers"),
        ([good] * 1001, "too_many_answers", "answers"),
        ([good, Given(image.pk, "cat", True)], "unknown_category", "answers.1.category"),
        ([good, Given(uuid4(), "dog", True)], "unknown_image", "answers.1.image"),
        ([good, Given(hidden.pk, "dog", True)], "unknown_image", "answers.1.image"),
    ]:
        with pytest.raises(Refusal) as refusal:
            answers.give(label_set, alice, given)
        assert (refusal.value.code, refusal.value.field) == (code, field)
    assert not Answer.objects.exists()


def test_of_a_set_of_the_site_owners_answer_for_their_pictures(
    alice: User, bob: User, admin: User
) -> None:
    label_set = make_set(admin, "dog", site=True, mode="any")
    mine, public = picture(alice), picture(bob)
    type(public).objects.filter(pk=public.pk).update(visibility="public")
    answers.give(label_set, alice, [Given(mine.pk, "dog", True)])
    with pytest.raises(Refusal):
        answers.give(label_set, alice, [Given(public.pk, "dog", True)])
    with pytest.raises(Refusal):
        answers.give(label_set, admin, [Given(mine.pk, "dog", False)])  # not theirs to see
    answers.give(label_set, admin, [Given(public.pk, "dog", False)])
    assert dict(Answer.objects.values_list("image", "verdict")) == {mine.pk: True, public.pk: False}


def test_answers_to_the_random_sample_keep_their_stratum(alice: User) -> None:
    drawn, other = picture(alice), picture(alice)
    label_set = make_set(alice, "dog")
    category = sets.category(label_set, "dog")
    Question.objects.create(image=drawn, category=category, stratum=3, position=0)
    given = [Given(drawn.pk, "dog", True), Given(other.pk, "dog", False)]
    answers.give(label_set, alice, given)
    strata = dict(Answer.objects.values_list("image", "stratum"))
    assert strata == {drawn.pk: 3, other.pk: None}


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_leave_one_yes(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice)
    label_set = make_set(alice, "dog", "cat")
    ready = threading.Barrier(2)
    failures: list[BaseException] = []

    def say(name: str) -> None:
        try:
            ready.wait()
            for _ in range(10):
                answers.give(label_set, alice, [Given(image.pk, name, True)])
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=say, args=(name,)) for name in ("dog", "cat")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert Answer.objects.filter(verdict=True).count() == 1
    assert Change.objects.filter(action="answer_labels").exists()
