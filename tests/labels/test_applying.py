"""Applying a set: labels are added and taken back, answers stay, acts are undone, kills cost
time alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from gallery.errors import Expired, Refusal
from gallery.labels import answers, applying, fitting, maintenance, previewing, reading, sets
from gallery.labels.answers import Given
from gallery.labels.definition import CategoryForm
from gallery.library.service import purge_image
from gallery.models import (
    Change,
    EmbeddingSpace,
    Image,
    Label,
    LabelFit,
    LabelJob,
    LabelSet,
    User,
)
from gallery.organising import changes
from gallery.work.leases import Lost
from tests.factories import analyse
from tests.labels.tools import (
    apply,
    encode,
    fit_of,
    labels,
    make_set,
    picture,
    word_space,
)

pytestmark = pytest.mark.django_db


def preview(label_set: LabelSet, space: EmbeddingSpace) -> previewing.Preview:
    fit = fit_of(label_set, space)
    images = Image.objects.visible_to(label_set.owner)
    return previewing.preview(fit, fitting.weights_of(fit), space, images)


def test_each_picture_gets_the_likeliest_category(alice: User, space: EmbeddingSpace) -> None:
    dog, cat = picture(alice, space, dog=1), picture(alice, space, cat=1)
    unseen = picture(alice)
    label_set = make_set(alice, "dog", "cat")
    job = apply(label_set, alice, space)
    assert labels(label_set) == {dog.pk: {"dog"}, cat.pk: {"cat"}}
    assert (job.state, job.done, job.total) == ("done", 3, 3)
    assert (job.added, job.removed) == (2, 0)
    assert unseen.pk not in labels(label_set)
    label = Label.objects.get(image=dog)
    assert label.probability > 0.9
    assert label.fit.version.number == 1
    assert label.fit.space == space


def test_any_of_these_gives_several_or_none(alice: User, space: EmbeddingSpace) -> None:
    both, none = picture(alice, space, dog=1, cat=1), picture(alice, space, bird=1)
    label_set = make_set(alice, "dog", "cat", mode="any")
    sets.update(label_set, alice, thresholds={"dog": 0.99, "cat": 0.99})
    apply(label_set, alice, space)
    assert labels(label_set) == {both.pk: {"dog", "cat"}}
    assert none.pk not in labels(label_set)


def test_none_of_these_leaves_other_pictures_alone(alice: User, space: EmbeddingSpace) -> None:
    dog = picture(alice, space, dog=1)
    # A background word: "a photo of birds" is one of the concepts.
    bird = picture(alice, space, bird=1)
    label_set = make_set(alice, "dog", "cat", none_of_these=True)
    apply(label_set, alice, space)
    assert labels(label_set) == {dog.pk: {"dog"}}
    without = make_set(alice, "dog", "cat", name="Without")
    apply(without, alice, space)
    assert set(labels(without)) == {dog.pk, bird.pk}


def test_a_stricter_threshold_takes_labels_back(alice: User, space: EmbeddingSpace) -> None:
    sure, unsure = picture(alice, space, dog=1), picture(alice, space, dog=0.55, cat=0.5)
    label_set = make_set(alice, "dog", "cat")
    apply(label_set, alice, space)
    assert labels(label_set) == {sure.pk: {"dog"}, unsure.pk: {"dog"}}
    sets.update(label_set, alice, thresholds={"dog": 0.9})
    found = preview(label_set, space)
    assert (found.added, found.removed, found.kept) == (0, 1, 1)
    (dog, _cat) = found.categories
    assert (dog.count, dog.removed, dog.remove) == (1, 1, [unsure.pk])
    assert labels(label_set) == {sure.pk: {"dog"}, unsure.pk: {"dog"}}  # only a preview
    job = apply(label_set, alice, space)
    assert (job.added, job.removed) == (0, 1)
    assert labels(label_set) == {sure.pk: {"dog"}}
    sets.update(label_set, alice, thresholds={"dog": None})
    apply(label_set, alice, space)
    assert labels(label_set) == {sure.pk: {"dog"}, unsure.pk: {"dog"}}


def test_labels_of_a_category_that_is_gone_are_taken_back(
    alice: User, space: EmbeddingSpace
) -> None:
    dog, cat = picture(alice, space, dog=1), picture(alice, space, cat=1)
    label_set = make_set(alice, "dog", "cat", "bird", none_of_these=False)
    apply(label_set, alice, space)
    sets.update(label_set, alice, categories=[CategoryForm("cat"), CategoryForm("bird")])
    assert reading.of_picture(dog, alice) == []
    found = preview(label_set, space)
    assert [change.category.name for change in found.categories] == ["cat", "bird", "dog"]
    assert found.categories[-1].removed == 1
    apply(label_set, alice, space)
    assert "dog" not in labels(label_set).get(dog.pk, set())
    assert labels(label_set)[cat.pk] == {"cat"}


def test_answers_are_never_touched(alice: User, space: EmbeddingSpace) -> None:
    cat = picture(alice, space, cat=1)
    label_set = make_set(alice, "dog", "cat")
    answers.give(label_set, alice, [Given(cat.pk, "dog", True)])
    found = preview(label_set, space)
    assert (found.added, found.removed) == (0, 0)
    apply(label_set, alice, space)
    assert labels(label_set) == {}
    shown = reading.of_picture(cat, alice)
    assert [(one.category.name, one.is_human, one.probability) for one in shown] == [
        ("dog", True, 1.0)
    ]


def test_a_no_hides_a_label_and_keeps_it_away(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog", mode="any")
    apply(label_set, alice, space)
    assert len(reading.of_picture(image, alice)) == 1
    answers.give(label_set, alice, [Given(image.pk, "dog", False)])
    assert reading.of_picture(image, alice) == []
    apply(label_set, alice, space)
    assert reading.of_picture(image, alice) == []
    answers.give(label_set, alice, [Given(image.pk, "dog", None)])
    apply(label_set, alice, space)
    assert len(reading.of_picture(image, alice)) == 1


# --- Undo -------------------------------------------------------------------------


def undo(user: User) -> int:
    change = Change.objects.filter(user=user, undone_at=None).latest("created_at")
    return changes.undo(change.pk, user)


@pytest.mark.parametrize("small", [20_000, 0])
def test_undo_brings_the_former_labels_back(
    small: int, alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "SMALL", small)
    monkeypatch.setattr(applying, "PART", 2)
    images = [picture(alice, space, dog=1 - n / 10, cat=n / 10) for n in range(10)]
    label_set = make_set(alice, "dog", "cat")
    apply(label_set, alice, space)
    before = list(Label.objects.order_by("image", "category").values_list(*_FIELDS))
    sets.update(label_set, alice, thresholds={"dog": 0.9}, categories=_forms("dog", "cat", "bird"))
    apply(label_set, alice, space)
    assert labels(label_set) != {image.pk: {"dog"} for image in images}
    assert undo(alice) > 0
    applying.run_waiting()
    after = Label.objects.filter(removed_by=None).order_by("image", "category")
    assert list(after.values_list(*_FIELDS)) == before
    assert undo(alice) > 0
    applying.run_waiting()
    assert not Label.objects.exists()
    label_set.refresh_from_db()
    assert label_set.applied is None


_FIELDS = ("image", "category", "fit", "probability", "added_by", "removed_by")


def _forms(*names: str) -> list[CategoryForm]:
    return [CategoryForm(name) for name in names]


def test_an_apply_is_not_undone_below_a_later_one(alice: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    label_set = make_set(alice, "dog")
    apply(label_set, alice, space)
    apply(label_set, alice, space)
    first = Change.objects.filter(action="apply_labels").earliest("created_at")
    with pytest.raises(Expired) as expired:
        changes.undo(first.pk, alice)
    assert expired.value.code == "applied_since"


def test_undo_takes_back_the_labels_of_pictures_that_came_since(
    alice: User, space: EmbeddingSpace
) -> None:
    label_set = make_set(alice, "dog", "cat")
    picture(alice, space, dog=1)
    apply(label_set, alice, space)
    sets.update(label_set, alice, thresholds={"dog": 0.99})
    apply(label_set, alice, space)
    late = picture(alice, space, dog=0.55, cat=0.5)
    analyse()
    assert late.pk not in labels(label_set)
    undo(alice)
    analyse()
    assert labels(label_set)[late.pk] == {"dog"}


# --- New pictures -----------------------------------------------------------------


def test_new_pictures_are_labelled_when_they_are_encoded(
    alice: User, space: EmbeddingSpace
) -> None:
    label_set = make_set(alice, "dog", "cat")
    early = picture(alice, space, dog=1)
    analyse()
    assert labels(label_set) == {}  # it is not applied yet
    apply(label_set, alice, space)
    late = picture(alice, space, cat=1)
    assert late.pk not in labels(label_set)
    analyse()
    assert labels(label_set) == {early.pk: {"dog"}, late.pk: {"cat"}}


def test_labels_that_pictures_got_before_the_job_came_to_them_are_counted(
    alice: User, space: EmbeddingSpace
) -> None:
    picture(alice, space, dog=1)
    label_set = make_set(alice, "dog", "cat")
    job, _change = applying.request(label_set, alice, fit_of(label_set, space))
    analyse()  # the worker of new pictures was quicker
    assert len(labels(label_set)) == 1
    applying.run_waiting()
    job.refresh_from_db()
    assert (job.state, job.added, job.removed) == ("done", 1, 0)


def test_a_vector_that_changes_changes_the_labels(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog", "cat")
    apply(label_set, alice, space)
    encode(image, space, cat=1)
    analyse()
    assert labels(label_set) == {image.pk: {"cat"}}
    assert Label.objects.count() == 1


def test_personal_sets_label_what_their_owner_sees(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    mine, secret, public = (picture(owner, space, dog=1) for owner in (alice, bob, bob))
    Image.objects.filter(pk=public.pk).update(visibility="public")
    label_set = make_set(alice, "dog")
    apply(label_set, alice, space)
    assert set(labels(label_set)) == {mine.pk, public.pk}
    late_secret = picture(bob, space, dog=1)
    late = picture(bob)
    Image.objects.filter(pk=late.pk).update(visibility="public")
    encode(late, space, dog=1)
    analyse()
    assert set(labels(label_set)) == {mine.pk, public.pk, late.pk}
    assert {secret.pk, late_secret.pk}.isdisjoint(labels(label_set))


def test_sets_of_the_site_label_everything(
    alice: User, bob: User, admin: User, space: EmbeddingSpace
) -> None:
    private = picture(alice, space, dog=1)
    label_set = make_set(admin, "dog", site=True)
    apply(label_set, admin, space)
    assert labels(label_set) == {private.pk: {"dog"}}
    assert [one.category.name for one in reading.of_picture(private, alice)] == ["dog"]
    # What a preview counts and shows is what the administrator may see.
    images = Image.objects.visible_to(admin)
    fit = fit_of(label_set, space)
    found = previewing.preview(fit, fitting.weights_of(fit), space, images)
    assert (found.added, found.removed, found.kept) == (0, 0, 0)


# --- While a job runs -------------------------------------------------------------


@pytest.fixture
def running(alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A job of four pictures, of which two are done. Its worker was killed."""
    monkeypatch.setattr(applying, "PART", 2)
    for _ in range(4):
        picture(alice, space, dog=1)
    label_set = make_set(alice, "dog", "cat")
    job, _change = applying.request(label_set, alice, fit_of(label_set, space))
    _two_parts(job)
    return LabelSet.objects.get(pk=label_set.pk), job


def _two_parts(job: LabelJob) -> None:
    lease = applying.leases.take(applying._open(), applying.LEASE, state="running")
    assert lease is not None
    fit = LabelFit.objects.select_related("version", "space").get(pk=job.fit_id)
    assert fit.space is not None
    lease.keep(total=4)
    applying._apply_part(lease, fit, fitting.weights_of(fit), fit.space)
    past = timezone.now() - timedelta(minutes=5)
    LabelJob.objects.filter(pk=job.pk).update(claimed_until=past)


def test_another_worker_goes_on_after_a_kill(running: Any) -> None:
    label_set, job = running
    assert len(labels(label_set)) == 2
    assert applying.is_waiting()
    applying.run_waiting()
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.added) == ("done", 4, 4, 4)
    assert len(labels(label_set)) == 4
    assert not applying.is_waiting()


def test_a_database_that_is_away_does_not_fail_a_job(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    label_set, job = running

    def cut(*args: Any) -> None:
        raise OperationalError("the connection is lost")

    with monkeypatch.context() as patch:
        patch.setattr(applying, "write", cut)
        with pytest.raises(OperationalError):
            applying.run_waiting()
    job.refresh_from_db()
    assert (job.state, job.error, job.done) == ("running", "", 2)
    LabelJob.objects.filter(pk=job.pk).update(claimed_until=timezone.now())
    applying.run_waiting()
    job.refresh_from_db()
    assert (job.state, job.done) == ("done", 4)
    assert len(labels(label_set)) == 4


def test_a_worker_that_lost_its_lease_writes_nothing(
    alice: User, space: EmbeddingSpace, running: Any
) -> None:
    label_set, job = running
    lost = applying.leases.Lease(LabelJob.objects.get(pk=job.pk), applying.LEASE)
    fit = LabelFit.objects.select_related("version", "space").get(pk=job.fit_id)
    with pytest.raises(Lost):
        applying._apply_part(lost, fit, fitting.weights_of(fit), space)
    assert len(labels(label_set)) == 2


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("changed", applying.CHANGED),
        ("deleted", applying.DELETED),
        ("switched", applying.SWITCHED),
    ],
)
def test_a_job_that_nobody_wants_any_more_ends_with_a_sentence(
    change: str, error: str, alice: User, space: EmbeddingSpace, running: Any
) -> None:
    label_set, job = running
    if change == "changed":
        sets.update(label_set, alice, categories=_forms("dog", "bird"))
    elif change == "deleted":
        sets.delete(label_set, alice)
    else:
        EmbeddingSpace.objects.filter(pk=space.pk).update(state="retired")
        word_space(checksum="others", generation=2)
    applying.run_waiting()
    job.refresh_from_db()
    assert (job.state, job.error, job.done) == ("stopped", error, 2)
    assert len(labels(label_set)) == 2


def test_a_second_apply_replaces_the_first(
    alice: User, space: EmbeddingSpace, running: Any
) -> None:
    label_set, job = running
    apply(label_set, alice, space)
    job.refresh_from_db()
    assert (job.state, job.error) == ("stopped", applying.REPLACED)
    assert len(labels(label_set)) == 4
    undo(alice)
    assert len(labels(label_set)) == 2
    undo(alice)
    assert labels(label_set) == {}


def test_undo_of_a_running_job_stops_it(alice: User, running: Any) -> None:
    label_set, job = running
    undo(alice)
    applying.run_waiting()
    job.refresh_from_db()
    assert job.state == "stopped"
    assert labels(label_set) == {}


def test_a_set_that_is_deleted_cannot_be_applied(alice: User, space: EmbeddingSpace) -> None:
    label_set = make_set(alice, "dog")
    fit = fit_of(label_set, space)
    sets.delete(label_set, alice)
    with pytest.raises(Refusal) as refusal:
        applying.request(label_set, alice, fit)
    assert refusal.value.code == "label_set_gone"


def test_labels_go_with_their_picture(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog")
    apply(label_set, alice, space)
    answers.give(label_set, alice, [Given(image.pk, "dog", True)])
    purge_image(image)
    assert not Label.objects.exists()


# --- Another space ----------------------------------------------------------------


def test_a_switch_of_spaces_labels_everything_again(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog", "cat")
    apply(label_set, alice, space)
    coming = word_space("building", checksum="others")
    # In the other space the direction of "dog" is the third one further on.
    encode(image, coming, more=1)
    assert maintenance.is_due()
    maintenance.maintain()
    assert not maintenance.is_due()
    assert LabelFit.objects.filter(space=coming).count() == 1
    _switch(space, coming)
    analyse()
    (label,) = Label.objects.filter(removed_by=None)
    assert label.fit.space == coming
    # The job is the same, so undo takes its labels back in the new space, too.
    undo(alice)
    assert labels(label_set) == {}


def _switch(former: EmbeddingSpace, now: EmbeddingSpace) -> None:
    EmbeddingSpace.objects.filter(pk=former.pk).update(state="retired")
    EmbeddingSpace.objects.filter(pk=now.pk).update(state="active", generation=2)
