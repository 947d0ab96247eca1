"""The ledger of work and its loop, with a made-up analyser."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, close_old_connections, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from gallery import sweep
from gallery.library import service
from gallery.models import Analysis, Backfill, Image, User
from gallery.work import backfill, drain, ledger
from gallery.work.analyser import Analyser, Entry, Resource
from gallery.work.failures import Fault, NotNow
from tests.factories import analyse
from tests.work_tools import (
    MadeUp,
    attempts,
    claimed,
    complete,
    ids,
    leases_end,
    pauses_end,
    pictures,
    row,
    states,
    stored,
    with_threads,
)

pytestmark = pytest.mark.django_db


# --- Queue and claims -----------------------------------------------------------------


def test_every_picture_is_analysed_once_and_its_result_is_its_own(
    made_up: MadeUp, alice: User
) -> None:
    there = pictures(alice, 11)
    assert analyse() == 11
    assert sorted(made_up.kept) == sorted((image.pk, image.pk.int) for image in there)
    assert [len(batch) for batch in made_up.batches] == [4, 4, 3]
    for one in Analysis.objects.all():
        assert (one.state, one.attempts, one.claim, one.claimed_until) == ("done", 1, None, None)
        assert one.done_at is not None
    assert analyse() == 0


def test_nobody_gets_ready_for_nothing(made_up: MadeUp, alice: User) -> None:
    """Preparing may load a model, and only two are kept."""
    analyse()
    assert made_up.opened == 0
    pictures(alice, 1)
    analyse()
    assert made_up.opened == 1


def test_a_lost_claim_loses_no_work(made_up: MadeUp, alice: User, settings: Any) -> None:
    settings.INDEX_LEASE_SECONDS = 300
    (image,) = pictures(alice, 1)
    claimed(made_up, worker="there")  # and the worker dies here
    held = row(image)
    assert (held.claimed_by, held.attempts) == ("there", 1)
    assert timedelta(seconds=290) < held.claimed_until - timezone.now() <= timedelta(seconds=300)
    assert ledger.claim(made_up, 10) is None
    assert analyse() == 0
    leases_end()
    assert analyse() == 1
    assert row(image).attempts == 2


def test_a_worker_that_starts_again_takes_its_claims_back_at_once(
    made_up: MadeUp, alice: User
) -> None:
    (image,) = pictures(alice, 1)
    claimed(made_up, worker="encoder@here")  # and it is killed
    assert ledger.release_claims_of("encoder@elsewhere") == 0
    assert ledger.claim(made_up, 10, "encoder@here") is None
    assert ledger.release_claims_of("encoder@here") == 1
    assert row(image).attempts == 1, "it may be what ended the worker"
    assert analyse() == 1


def test_two_claims_never_hold_the_same_row(made_up: MadeUp, alice: User) -> None:
    pictures(alice, 6)
    held = ids(claimed(made_up, 4)) + ids(claimed(made_up, 4))
    assert len(held) == len(set(held)) == 6


@with_threads
def test_two_workers_share_the_work_and_do_nothing_twice(made_up: MadeUp, alice: User) -> None:
    there = {image.pk for image in pictures(alice, 80)}
    done: list[int] = []

    def work() -> None:
        try:
            done.append(analyse())
        finally:
            close_old_connections()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sum(done) == 80
    assert Counter(pk for batch in made_up.batches for pk in batch) == Counter(there)
    assert states() == {"done": 80}


def test_a_late_worker_stores_nothing(made_up: MadeUp, alice: User) -> None:
    (image,) = pictures(alice, 1)
    late = claimed(made_up)
    leases_end()
    quick = claimed(made_up)
    assert complete(quick) == 1
    assert complete(late) == 0
    assert made_up.kept == [(image.pk, image.pk.int)]


def test_a_batch_stores_only_results_that_are_still_claimed(
    made_up: MadeUp, alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    """One was asked for anew, one was purged, one is in the trash, one is unchanged."""
    again, purged, deleted, kept = pictures(alice, 4)
    claim = claimed(made_up)
    ledger.requeue([again.pk], [made_up])
    service.purge_image(purged)
    service.delete_image(deleted)
    with django_capture_on_commit_callbacks(execute=True):
        assert complete(claim) == 2
    assert {pk for pk, _ in made_up.kept} == {deleted.pk, kept.pk}
    assert made_up.discarded == [purged.pk]
    assert row(again).state == "waiting"
    assert not Analysis.objects.filter(image_id=purged.pk).exists(), "gone with its picture"


def test_results_must_match_the_pictures_one_to_one(made_up: MadeUp, alice: User) -> None:
    pictures(alice, 1)
    claim = claimed(made_up)
    with pytest.raises(ValueError, match="1 pictures but 2 results"):
        ledger.complete(claim, claim.entries, [1, 2])


def test_what_nobody_wants_any_more_is_dropped(made_up: MadeUp, alice: User) -> None:
    (image,) = pictures(alice, 1)
    claim = claimed(made_up)
    made_up.is_wanted = False
    assert complete(claim) == 0
    assert (made_up.kept, row(image).state) == ([], "waiting")


def test_the_trash_waits_until_it_is_restored(made_up: MadeUp, alice: User) -> None:
    (image,) = pictures(alice, 1)
    service.delete_image(image)
    assert analyse() == 0
    assert not ledger.has_work(Resource.PROCESSOR)
    service.restore_image(image)
    assert analyse() == 1


def test_what_is_there_is_analysed_again_only_on_request(made_up: MadeUp, alice: User) -> None:
    (image,) = pictures(alice, 1)
    assert analyse() == 1
    ledger.enqueue([image.pk])
    assert analyse() == 0
    ledger.requeue([image.pk], [made_up])
    assert (row(image).state, row(image).attempts) == ("waiting", 0)
    assert analyse() == 1


def test_nothing_is_done_twice_by_a_ring_during_work(made_up: MadeUp, alice: User) -> None:
    pictures(alice, 1)
    with drain._running[Resource.PROCESSOR]:
        drain.drain(Resource.PROCESSOR)  # another thread works: this one only leaves word
    assert ledger.has_work(Resource.PROCESSOR)
    drain.drain(Resource.PROCESSOR)
    assert not ledger.has_work(Resource.PROCESSOR)


def test_what_comes_during_work_is_done_too(made_up: MadeUp, alice: User) -> None:
    pictures(alice, 1)
    late: list[Image] = []

    def bring_one() -> None:
        if not late:
            late.extend(pictures(alice, 1))

    made_up.before_results = bring_one
    assert analyse() == 2


def test_a_worker_that_stops_gives_its_next_batch_back(made_up: MadeUp, alice: User) -> None:
    pictures(alice, 9)
    made_up.before_results = drain.stopping.set
    try:
        assert analyse() == 4
    finally:
        drain.stopping.clear()
    left = Analysis.objects.filter(state="waiting")
    assert set(left.values_list("claim", "attempts")) == {(None, 0)}
    assert left.count() == 5


def test_workers_of_a_kind_do_what_is_theirs(wanted: list[Analyser], alice: User) -> None:
    of_model = MadeUp("of-model", resource=Resource.MODEL)
    wanted += [MadeUp(), of_model]
    pictures(alice, 3)
    assert analyse(Resource.MODEL) == 3
    assert len(of_model.kept) == 3
    assert ledger.has_work(Resource.PROCESSOR)
    assert not ledger.has_work(Resource.MODEL)


def test_the_sweep_finds_what_can_be_done_now(made_up: MadeUp, alice: User) -> None:
    task = ledger.TASKS[Resource.PROCESSOR]
    backfill.advance(Resource.PROCESSOR)
    assert task not in sweep.waiting()
    (image,) = pictures(alice, 1)
    assert list(sweep.waiting()).count(task) == 1
    ledger.release(claimed(made_up), claimed_entries(image), timedelta(minutes=5))
    assert task not in sweep.waiting()


def claimed_entries(image: Image) -> list[Entry]:
    one = row(image)
    return [Entry(one.pk, image.pk, image.file.name, image.width, image.height)]


# --- What needs something else first --------------------------------------------------


@pytest.fixture
def chain(wanted: list[Analyser]) -> tuple[MadeUp, MadeUp, MadeUp]:
    """The last analyser is asked first, and each needs the next one."""
    first = MadeUp("first")
    second = MadeUp("second", needs=("first",))
    third = MadeUp("third", needs=("second", "first"))
    wanted += [third, second, first]
    return first, second, third


def test_what_needs_others_comes_after_them(
    chain: tuple[MadeUp, MadeUp, MadeUp], alice: User
) -> None:
    there = pictures(alice, 5)
    analyse()
    assert states() == {"done": 15}
    for analyser in chain:
        assert {pk for pk, _ in analyser.kept} == {image.pk for image in there}


def test_what_is_put_off_pays_with_no_try_and_is_woken(
    chain: tuple[MadeUp, MadeUp, MadeUp], alice: User
) -> None:
    first, second, _third = chain
    (image,) = pictures(alice, 1)
    assert ids(claimed(second)) == []
    early = row(image, "second")
    assert (early.state, early.attempts, early.claim) == ("waiting", 0, None)
    assert early.not_before > timezone.now() + ledger.NEEDS_DELAY - timedelta(minutes=1)
    assert ledger.claim(second, 10) is None
    assert complete(claimed(first)) == 1
    assert row(image, "second").not_before is None
    assert ids(claimed(second)) == [image.pk]


def test_what_needs_a_failed_one_fails_with_it_and_comes_back_with_it(
    chain: tuple[MadeUp, MadeUp, MadeUp], alice: User
) -> None:
    broken, sound = pictures(alice, 2)

    def trouble(pk: uuid.UUID) -> None:
        if pk == broken.pk:
            raise Fault("damaged", "It is damaged.")

    chain[0].trouble = trouble
    analyse()
    pauses_end()
    analyse()
    assert [row(broken, analyser.name).reason_code for analyser in chain] == [
        "damaged", "needs", "needs",
    ]  # fmt: skip
    assert [row(sound, analyser.name).state for analyser in chain] == ["done"] * 3

    chain[0].trouble = lambda pk: None
    assert ledger.retry_failed(Image.objects.filter(pk=broken.pk)) == 3
    analyse()
    assert states() == {"done": 6}


def test_a_new_result_has_the_others_run_again(
    chain: tuple[MadeUp, MadeUp, MadeUp], alice: User
) -> None:
    pictures(alice, 1)
    analyse()
    before = [len(analyser.kept) for analyser in chain]
    ledger.requeue(list(Image.objects.values_list("pk", flat=True)), [chain[0]])
    analyse()
    assert all(len(each.kept) > then for each, then in zip(chain, before, strict=True))
    assert states() == {"done": 3}


# --- Failures -------------------------------------------------------------------------


def test_a_picture_that_kills_the_worker_is_isolated_and_given_up(
    made_up: MadeUp, alice: User
) -> None:
    """Each claim below stands for a process that died while it held it."""
    # Of two with equally many tries, the first in the queue comes first. The queue is in the order
    # of ids.
    killer, innocent = sorted(pictures(alice, 2), key=lambda image: image.pk)
    for _ in range(ledger.ISOLATE_AFTER):
        assert len(ids(claimed(made_up))) == 2
        leases_end()
    assert ids(claimed(made_up)) == [killer.pk]
    # It delays neither the innocent picture nor a later one.
    late = pictures(alice, 1)[0]
    assert analyse() == 2
    assert (row(innocent).state, row(late).state) == ("done", "done")
    for _ in range(ledger.MAX_ATTEMPTS - ledger.ISOLATE_AFTER - 1):
        leases_end()
        assert ids(claimed(made_up)) == [killer.pk]
    leases_end()
    assert ledger.claim(made_up, 10) is None
    given_up = row(killer)
    assert (given_up.state, given_up.reason_code) == ("failed", "crashed")
    assert (given_up.sentence, given_up.attempts) == (ledger.CRASHED, ledger.MAX_ATTEMPTS)


def test_what_nobody_knows_is_tried_again_later_and_later(made_up: MadeUp, alice: User) -> None:
    sound, strange = pictures(alice, 2)

    def trouble(pk: uuid.UUID) -> None:
        if pk == strange.pk:
            raise RuntimeError("how odd")

    made_up.trouble = trouble
    for number in range(1, ledger.MAX_ATTEMPTS):
        analyse()
        one = row(strange)
        assert (one.state, one.attempts, one.claim) == ("waiting", number, None)
        assert one.sentence == ledger.UNKNOWN
        assert "how odd" in one.reason
        wait = one.not_before - timezone.now()
        pause = ledger.RETRY_DELAY * 2 ** (number - 1)
        assert pause - timedelta(seconds=10) < wait <= pause
        assert analyse() == 0, "not before its pause is over"
        pauses_end()
    analyse()
    assert (row(strange).state, row(strange).reason_code) == ("failed", "unknown")
    assert row(sound).state == "done"


def test_a_batch_that_fails_as_a_whole_is_tried_one_by_one(made_up: MadeUp, alice: User) -> None:
    culprit = pictures(alice, 4)[2]

    def no_memory() -> None:
        if culprit.pk in made_up.batches[-1]:
            raise RuntimeError("out of memory")

    made_up.before_results = no_memory
    assert analyse() == 3
    assert (row(culprit).state, row(culprit).attempts) == ("waiting", 1)
    assert states() == {"done": 3, "waiting": 1}


def test_a_fault_of_the_picture_ends_at_once(made_up: MadeUp, alice: User) -> None:
    broken, _sound = pictures(alice, 2)

    def trouble(pk: uuid.UUID) -> None:
        if pk == broken.pk:
            raise Fault("damaged", "It is damaged.", "byte 12")

    made_up.trouble = trouble
    assert analyse() == 1
    one = row(broken)
    assert (one.state, one.reason_code, one.attempts) == ("failed", "damaged", 1)
    assert (one.sentence, one.reason) == ("It is damaged.", "It is damaged.\nbyte 12")
    pauses_end()
    assert analyse() == 0


def test_no_room_says_nothing_about_the_picture(made_up: MadeUp, alice: User) -> None:
    (image,) = pictures(alice, 1)

    def trouble(pk: uuid.UUID) -> None:
        raise NotNow

    made_up.trouble = trouble
    for _ in range(ledger.MAX_ATTEMPTS + 2):
        assert analyse() == 0
        one = row(image)
        assert (one.state, one.attempts, one.reason) == ("waiting", 0, "")
        assert one.not_before > timezone.now() + drain.NO_ROOM_DELAY - timedelta(seconds=10)
        pauses_end()
    made_up.trouble = lambda pk: None
    assert analyse() == 1


def test_another_try_is_one_of_all_analysers(wanted: list[Analyser], alice: User) -> None:
    one, other = MadeUp("one"), MadeUp("other", resource=Resource.MODEL)
    wanted += [one, other]
    image, untouched = pictures(alice, 2)
    Analysis.objects.create(image=image, analyser="of-old", state="failed")
    Analysis.objects.exclude(analyser="of-old").update(
        state="failed", attempts=5, reason_code="unknown", reason="because"
    )
    assert ledger.retry_failed(Image.objects.filter(pk=image.pk)) == 2
    for name in ("one", "other"):
        again = row(image, name)
        assert (again.state, again.attempts, again.reason_code) == ("waiting", 0, "")
        assert row(untouched, name).state == "failed"
    assert row(image, "of-old").state == "failed", "nobody makes that any more"
    assert analyse() + analyse(Resource.MODEL) == 2


# --- The database ---------------------------------------------------------------------


@with_threads
def test_results_wait_for_a_database_that_is_away(
    made_up: MadeUp, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection ends while a picture is analysed, and then nobody answers for a while."""
    monkeypatch.setattr(drain, "_DATABASE_PAUSE", 0.01)
    pictures(alice, 3)
    refused = []
    real = ledger._lock

    def no_answer(*args: Any) -> Any:
        if len(refused) < 5:
            refused.append(args)
            raise OperationalError("the database system is starting up")
        return real(*args)

    def end_connection() -> None:
        with pytest.raises(OperationalError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    made_up.before_results = end_connection
    monkeypatch.setattr(ledger, "_lock", no_answer)
    assert analyse() == 3
    assert (states(), attempts()) == ({"done": 3}, {1})
    assert len(refused) == 5
    assert len(made_up.batches) == 1, "nothing was analysed twice"


@with_threads
def test_a_failure_is_noted_when_the_database_is_back(
    made_up: MadeUp, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "_DATABASE_PAUSE", 0.01)
    (image,) = pictures(alice, 1)
    real, refused = ledger.fail, []

    def no_answer(*args: Any) -> Any:
        if len(refused) < 3:
            refused.append(args)
            raise OperationalError("the database system is shutting down")
        return real(*args)

    def trouble(pk: uuid.UUID) -> None:
        raise Fault("damaged", "It is damaged.")

    made_up.trouble = trouble
    monkeypatch.setattr(ledger, "fail", no_answer)
    assert analyse() == 0
    assert (row(image).state, len(refused)) == ("failed", 3)


@with_threads
def test_a_picture_that_is_purged_while_it_is_analysed_leaves_nothing(
    made_up: MadeUp, alice: User
) -> None:
    purged, kept = stored(alice, 2)
    its_id = purged.pk
    made_up.before_results = lambda: service.purge_image(purged)
    assert analyse() == 1
    assert [pk for pk, _ in made_up.kept] == [kept.pk]
    assert made_up.discarded == [its_id]
    assert Analysis.objects.get().image == kept


# --- Pictures that were there before --------------------------------------------------


@pytest.fixture
def in_twos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "PART", 2)


def old_pictures(owner: User, count: int) -> QuerySet[Image]:
    pictures(owner, count)
    Analysis.objects.all().delete()
    return Image.objects.order_by("pk")


def test_pictures_that_were_there_are_brought_in(
    made_up: MadeUp, alice: User, in_twos: None
) -> None:
    old_pictures(alice, 5)
    assert backfill.is_due(Resource.PROCESSOR)
    assert not backfill.is_due(Resource.MODEL)
    assert analyse() == 5
    assert backfill.is_finished(made_up)
    assert not backfill.is_due(Resource.PROCESSOR)
    backfill.advance(Resource.PROCESSOR)
    assert states() == {"done": 5}


def test_it_goes_on_where_it_was_left(made_up: MadeUp, alice: User, in_twos: None) -> None:
    there = old_pictures(alice, 5)
    assert backfill._advance(made_up)  # and the worker is killed
    assert Backfill.objects.get().after == there[1].pk
    assert Analysis.objects.count() == 2
    Analysis.objects.all().delete()
    assert analyse() == 3, "the first two are not looked at again"


def test_those_that_came_meanwhile_keep_what_they_have(
    made_up: MadeUp, alice: User, in_twos: None
) -> None:
    old_pictures(alice, 3)
    (new,) = pictures(alice, 1)
    assert complete(claimed(made_up)) == 1
    assert analyse() == 3
    assert row(new).attempts == 1


def test_a_new_version_analyses_all_again(made_up: MadeUp, alice: User, in_twos: None) -> None:
    *_others, failed, held = pictures(alice, 5)
    assert analyse() == 5
    row_of_failed = Analysis.objects.filter(image=failed)
    row_of_failed.update(state="failed", attempts=5, reason_code="damaged", reason="x")
    made_up.version = 2
    assert backfill.is_due(Resource.PROCESSOR)
    ledger.requeue([held.pk], [made_up])
    claim = claimed(made_up)  # by a worker of that version
    assert ids(claim) == [held.pk]
    assert analyse() == 4
    assert complete(claim) == 1, "what is of this version already is left alone"
    assert set(Analysis.objects.values_list("version", "state")) == {(2, "done")}
    assert row(failed).reason_code == ""


def test_a_space_that_was_out_of_use_is_looked_at_again(made_up: MadeUp, alice: User) -> None:
    analyse()
    old_pictures(alice, 2)
    assert analyse() == 0
    backfill.start_over([made_up.name])
    assert analyse() == 2


@with_threads
def test_one_worker_brings_in_the_others_go_on(made_up: MadeUp, alice: User) -> None:
    old_pictures(alice, 2)
    Backfill.objects.create(analyser=made_up.name, version=made_up.version)
    seen: list[bool] = []

    def another() -> None:
        try:
            seen.append(backfill._advance(made_up))
            backfill.advance(Resource.PROCESSOR)
        finally:
            close_old_connections()

    with transaction.atomic():
        Backfill.objects.select_for_update().get()
        worker = threading.Thread(target=another)
        worker.start()
        worker.join(10)
        assert not worker.is_alive(), "it waits for nobody"
    assert seen == [False]
    assert analyse() == 2
