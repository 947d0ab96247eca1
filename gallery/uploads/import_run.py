"""The work on imports in workers. `imports` describes the leases."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from itertools import repeat

from django.conf import settings
from django.core.files import File
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.library import service, texts
from gallery.models import ImportBatch, ImportItem
from gallery.uploads import imports, partial, remote, zips
from gallery.uploads.album_target import put_into_album
from gallery.work import breakers, leases
from gallery.work.drain import stopping
from gallery.work.leases import Lease, Lost
from gallery.work.originals import STORAGE, WRITING

# Workers on imports at once, each for another owner.
AT_ONCE = 3
# The advisory lock for taking an import (any constant does).
_LOCK = 20_516
# A dead worker is replaced after this time: more than any one round takes.
LEASE = timedelta(seconds=120)
# After this time on one import, other imports get their turn.
_SLICE_SECONDS = 20.0
# Addresses of one import that a worker fetches at once.
_FETCHED_AT_ONCE = 4
# Attempts at one item that may end the worker before the item fails.
_MAX_TRIES = 2


def run_waiting() -> None:
    """Work on the waiting imports, a while on each, until none is left or the storage is
    away."""
    while not stopping.is_set() and breakers.asking([STORAGE, WRITING]) is not None:
        lease = _take()
        if lease is None:
            return
        with translation.override(lease.row.owner.language or settings.LANGUAGE_CODE):
            try:
                _Run(lease).work()
            except Lost:  # it was cancelled, or another worker has it now
                continue


@transaction.atomic
def _take() -> Lease[ImportBatch] | None:
    """Take the import that has waited longest for its turn."""
    # The lock serialises this: two workers at once could take two imports of one owner.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_LOCK])
    waiting = imports.waiting().select_related("owner")
    in_turn = waiting.order_by(F("claimed_until").asc(nulls_first=True), "created_at", "pk")
    return leases.take(in_turn, LEASE, state=ImportBatch.State.RUNNING)


class _Run:
    """The work of one worker on one import."""

    def __init__(self, lease: Lease[ImportBatch]) -> None:
        self.lease, self.batch = lease, lease.row
        self.ends_at = time.monotonic() + _SLICE_SECONDS

    def work(self) -> None:
        try:
            if self.batch.kind == ImportBatch.Kind.ZIP:
                self._add_entries()
            else:
                self._add_addresses()
        except Refusal as refusal:  # concerns the whole ZIP file
            self._end(ImportBatch.State.FAILED, error=str(refusal))
        else:
            if self._pending().exists():
                self.lease.release(claimed_until=Now())  # puts it at the end of the queue
                return
            self._end(ImportBatch.State.DONE)
        if not imports.needs_file(self.batch.pk):
            partial.remove(self.batch.pk)

    # --- ZIP files --------------------------------------------------------------

    def _add_entries(self) -> None:
        """Add the pictures of a ZIP file. Raises Refusal (see `zips`; import_file_gone,
        empty_zip)."""
        with ExitStack() as opened:
            try:
                archive = opened.enter_context(zips.opened(partial.path_of(self.batch.pk)))
            except FileNotFoundError as error:
                raise imports.file_gone() from error
            entries = zips.entries(archive)
            by_item = dict(zip(self._item_ids(entries), entries, strict=True))
            for item in self._until_time_is_up(self._pending()):
                entry = by_item[item.pk]
                refusal = self._add(item, zips.picture(archive, entry), entry.name)
                if refusal is not None and zips.is_of_another_kind(entry, refusal):
                    self._leave_out(item)

    def _item_ids(self, entries: list[zips.Entry]) -> list[int]:
        """The ids of the items, one for each entry and in the same order. The first read of the
        file creates all items at once."""
        if not entries:
            raise Refusal("empty_zip", _("There are no pictures in this ZIP file."))
        items = ImportItem.objects.filter(batch=self.batch)
        if not items.exists():
            ImportItem.objects.bulk_create(
                ImportItem(batch=self.batch, source=texts.clean_description(entry.name))
                for entry in entries
            )
        return list(items.order_by("pk").values_list("pk", flat=True))

    # --- Addresses --------------------------------------------------------------

    def _add_addresses(self) -> None:
        with ThreadPoolExecutor(_FETCHED_AT_ONCE) as pool:
            while items := list(self._pending()[:_FETCHED_AT_ONCE]):
                self.lease.keep()
                urls = [item.source for item in items]
                files = list(pool.map(_fetch, urls, repeat(translation.get_language())))
                for item, got in zip(items, files, strict=True):
                    self.lease.keep()
                    if isinstance(got, Refusal):
                        self._fail(item, got)
                    else:
                        self._add(item, got.file, got.name)
                if self._is_over():
                    return

    # --- Both -------------------------------------------------------------------

    def _pending(self) -> QuerySet[ImportItem]:
        return ImportItem.objects.filter(batch=self.batch, state=ImportItem.State.PENDING)

    def _until_time_is_up(self, items: Iterable[ImportItem]) -> Iterator[ImportItem]:
        for item in items:
            self.lease.keep()
            yield item
            if self._is_over():
                return

    def _is_over(self) -> bool:
        return time.monotonic() >= self.ends_at or stopping.is_set()

    def _add(
        self, item: ImportItem, opened: AbstractContextManager[File[bytes]], name: str
    ) -> Refusal | None:
        """Add one picture and commit it together with its item. Return the refusal if it was
        not added. Other exceptions stop the work; an item that causes them repeatedly fails,
        unless the storage is away."""
        tries = int(item.error or 0)
        if tries >= _MAX_TRIES:
            broken = Refusal("import_broken", _("The import broke off at this file."))
            return self._fail(item, broken)
        ImportItem.objects.filter(pk=item.pk).update(error=str(tries + 1))
        try:
            with opened as file, transaction.atomic():
                self._add_image(item, file, name)
        except Refusal as refusal:
            return self._fail(item, refusal)
        except Exception as error:  # S3 clients and disks have their own exceptions
            if breakers.trip(WRITING, repr(error)):
                ImportItem.objects.filter(pk=item.pk).update(error=item.error)
            raise
        return None

    def _add_image(self, item: ImportItem, file: File[bytes], name: str) -> None:
        added = service.add_image(
            owner=self.batch.owner, file=file, name=name, visibility=self.batch.visibility
        )
        closed = put_into_album(added.image, self.batch.album_id, self.batch.owner)
        if closed is not None:
            self._note(str(closed))
        item.state = ImportItem.State.DUPLICATE if added.duplicate else ImportItem.State.ADDED
        item.image, item.error = added.image, ""
        item.save(update_fields=["state", "image", "error"])

    def _fail(self, item: ImportItem, refusal: Refusal) -> Refusal:
        if refusal.code == "quota_exceeded":
            self._note(str(refusal))
        item.state, item.error = ImportItem.State.FAILED, imports.kept_reason(refusal)
        item.save(update_fields=["state", "error"])
        return refusal

    def _leave_out(self, item: ImportItem) -> None:
        item.state = ImportItem.State.LEFT_OUT
        item.save(update_fields=["state"])

    def _note(self, sentence: str) -> None:
        """Record a problem of the whole import that somebody may fix, to allow a retry."""
        if self.batch.error != sentence:
            self.lease.keep(error=sentence)

    def _end(self, state: str, **fields: str) -> None:
        self.lease.release(state=state, finished_at=timezone.now(), **fields)


def _fetch(url: str, language: str | None) -> remote.Fetched | Refusal:
    """Fetch an address in a pool thread, which has no active language of its own."""
    with translation.override(language):
        try:
            return remote.fetch(url)
        except Refusal as refusal:
            return refusal
