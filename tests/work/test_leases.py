"""Leases of a row: one worker at a time, as long as it renews its lease."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils import timezone

from gallery.accounts import deletion
from gallery.models import Image, ImportBatch, User
from gallery.uploads import import_run, imports
from gallery.work import breakers, leases
from gallery.work.originals import WRITING
from tests.conftest import draw, upload

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _nobody_listens(dispatched: Any) -> None:
    """Send no rings: no worker is here to hear them."""


def an_import(owner: User) -> ImportBatch:
    return ImportBatch.objects.create(owner=owner, kind="urls", name="trip")


def in_a_thread(work: Any) -> Any:
    def answered() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(answered).result(30)


def lapse() -> None:
    """Let the lease expire, as after a kill."""
    for model in (ImportBatch, User):
        model._base_manager.update(claimed_until=timezone.now() - timedelta(seconds=1))


def test_taking_a_row_waits_for_nobody_who_has_locked_what_it_points_to(alice: User) -> None:
    """Who has locked the owner may want this row next: both would wait for ever."""
    an_import(alice)

    def take() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
        return leases.take(ImportBatch.objects.all(), MINUTE, state="running")

    with transaction.atomic():
        User.objects.select_for_update().get(pk=alice.pk)
        assert in_a_thread(take) is not None


def test_one_has_it_until_it_is_given_back(alice: User) -> None:
    batch = an_import(alice)
    rows = ImportBatch.objects.all()
    first = leases.take(rows, MINUTE, state="running")
    assert first is not None
    assert (first.row, first.row.state) == (batch, "running")
    assert leases.take(rows, MINUTE) is None
    first.keep(name="holiday")
    batch.refresh_from_db()
    assert batch.name == "holiday"
    assert timedelta(0) < batch.claimed_until - timezone.now() <= MINUTE
    first.release(name="over")
    assert ImportBatch.objects.get().name == "over"
    assert leases.take(rows, MINUTE) is not None


def test_a_dead_worker_is_replaced_and_no_longer_heard(alice: User) -> None:
    an_import(alice)
    rows = ImportBatch.objects.all()
    dead = leases.take(rows, MINUTE)
    lapse()
    alive = leases.take(rows, MINUTE)
    assert dead is not None
    assert alive is not None
    for word in (dead.keep, dead.release, lambda: dead.release(name="late")):
        with pytest.raises(leases.Lost):
            word()
    with pytest.raises(leases.Lost), transaction.atomic():
        dead.hold()
    alive.keep()
    assert ImportBatch.objects.get().name == "trip"


def test_one_that_was_only_slow_goes_on_where_nobody_came(alice: User) -> None:
    an_import(alice)
    slow = leases.take(ImportBatch.objects.all(), MINUTE)
    lapse()
    assert slow is not None
    slow.keep()
    assert leases.take(ImportBatch.objects.all(), MINUTE) is None


def test_work_that_is_called_off_is_taken_out_of_its_workers_hands(alice: User) -> None:
    batch = an_import(alice)
    lease = leases.take(ImportBatch.objects.all(), MINUTE)
    imports.cancel(batch.pk)
    assert lease is not None
    with pytest.raises(leases.Lost):
        lease.keep()
    assert ImportBatch.objects.get().state == "cancelled"


def test_many_at_once_take_each_row_once(alice: User) -> None:
    for _ in range(12):
        an_import(alice)
    together = threading.Barrier(4)

    def take_all() -> list[uuid.UUID]:
        together.wait(10)
        found = []
        try:
            while lease := leases.take(ImportBatch.objects.order_by("created_at"), MINUTE):
                found.append(lease.row.pk)
        finally:
            connection.close()
        return found

    with ThreadPoolExecutor(4) as pool:
        taken = Counter(
            pk for each in [pool.submit(take_all) for _ in range(4)] for pk in each.result()
        )
    assert sorted(taken.values()) == [1] * 12


# --- Accounts -----------------------------------------------------------------------


def test_two_workers_never_remove_the_same_account(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one worker removes alice's pictures, the other removes bob's account, and nothing of
    hers."""
    for colour in ("red", "green", "blue"):
        upload(alice, draw(colour=colour))
    upload(bob, draw(colour="white"))
    deletion.request_deletion(alice)
    deletion.request_deletion(bob)
    purge, by_owner = deletion.purge_image, []

    def purge_and_let_another_come(image: Image) -> None:
        by_owner.append((threading.current_thread().name, image.owner_id))
        purge(image)
        if len(by_owner) == 1:
            in_a_thread(deletion.remove_requested)
            assert list(User.objects.all()) == [alice]
            assert not deletion.is_waiting(), "nothing to ring for"

    monkeypatch.setattr(deletion, "purge_image", purge_and_let_another_come)
    deletion.remove_requested()
    assert not User.objects.exists()
    here = threading.current_thread().name
    assert Counter(by_owner) == {
        (here, alice.pk): 3,
        next(each for each in by_owner if each[0] != here): 1,
    }
    assert {owner for name, owner in by_owner if name != here} == {bob.pk}


def test_a_worker_that_was_replaced_purges_nothing_more(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for colour in ("red", "green", "blue"):
        upload(alice, draw(colour=colour))
    deletion.request_deletion(alice)
    purge, count = deletion.purge_image, []

    def purge_and_lose(image: Image) -> None:
        purge(image)
        count.append(image.pk)
        User.objects.update(claim=uuid.uuid4(), claimed_until=timezone.now() + MINUTE)

    monkeypatch.setattr(deletion, "purge_image", purge_and_lose)
    deletion.remove_requested()
    assert len(count) == 1
    assert Image.objects.count() == 2
    assert User.objects.filter(pk=alice.pk).exists()


# --- Imports ------------------------------------------------------------------------


def test_imports_of_different_people_go_on_side_by_side_and_one_persons_in_turn(
    alice: User, bob: User
) -> None:
    first, second, bobs = an_import(alice), an_import(alice), an_import(bob)
    taken = [import_run._take() for _ in range(3)]
    assert [lease and lease.row for lease in taken] == [first, bobs, None]
    assert taken[0] is not None
    taken[0].release(state="done")
    after = import_run._take()
    assert after is not None
    assert after.row == second


def test_whose_turn_was_longest_ago_comes_next(alice: User, bob: User) -> None:
    hers, his = an_import(alice), an_import(bob)
    order = []
    for _ in range(4):
        lease = import_run._take()
        assert lease is not None
        order.append(lease.row)
        lease.release(claimed_until=timezone.now())
    assert order == [hers, his, hers, his]


def test_an_import_waits_for_its_storage(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the storage is away, no file of the import is given up."""
    is_away = threading.Event()
    is_away.set()

    def probe() -> None:
        if is_away.is_set():
            raise OSError("No route to the bucket")

    monkeypatch.setitem(breakers._probes, WRITING, probe)
    monkeypatch.setattr(breakers, "SOONEST", timedelta(0))
    monkeypatch.setattr(breakers, "LATEST", timedelta(0))
    add_image = import_run.service.add_image

    def add(**fields: Any) -> Any:
        probe()
        return add_image(**fields)

    monkeypatch.setattr(import_run.service, "add_image", add)
    monkeypatch.setattr(import_run, "_fetch", lambda url, language: fetched(url))
    batch = imports.create_from_urls(
        alice, ["https://example.com/a.jpg"], visibility="private", album_id=None
    )
    with pytest.raises(OSError, match="bucket"):
        import_run.run_waiting()
    for _ in range(4):
        lapse()
        import_run.run_waiting()
    batch.refresh_from_db()
    assert (batch.state, batch.items.get().state, batch.items.get().error) == (
        "running", "pending", "",
    )  # fmt: skip
    is_away.clear()
    import_run.run_waiting()
    batch.refresh_from_db()
    assert (batch.state, batch.items.get().state) == ("done", "added")


def fetched(url: str) -> import_run.remote.Fetched:
    return import_run.remote.Fetched(ContentFile(draw(), name="a.jpg"), "a.jpg")
