"""What a worker does for an import: see `imports` for who has it and for how long."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import repeat
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from gallery import doorbell
from gallery.errors import Refusal
from gallery.library import service, texts
from gallery.models import ImportBatch, ImportItem
from gallery.uploads import imports, partial, remote, zips
from gallery.uploads.placing import put_into_album

# A worker that died is replaced after so long: more than any one round takes.
LEASE = timedelta(seconds=120)
# Then others get their turn.
_SLICE_SECONDS = 20.0
# Addresses that are fetched at once.
_AT_ONCE = 4
# Workers that may die at one item before it is given up.
_MAX_TRIES = 2


class _Lost(Exception):
    """The import was cancelled, or another worker has it now."""


def run(batch_id: UUID) -> None:
    """Work on an import for a while. Nothing happens if another worker has it."""
    batch = _claim(batch_id)
    if batch is None:
        return
    with translation.override(batch.owner.language or settings.LANGUAGE_CODE):
        try:
            _Run(batch).work()
        except _Lost:
            return


def _claim(batch_id: UUID) -> ImportBatch | None:
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    claimed = ImportBatch.objects.filter(free, pk=batch_id, state__in=imports.OPEN).update(
        state=ImportBatch.State.RUNNING, claimed_until=now + LEASE
    )
    return ImportBatch.objects.select_related("owner").get(pk=batch_id) if claimed else None


class _Run:
    """One worker at one import, whose claim it knows by `batch.claimed_until`."""

    def __init__(self, batch: ImportBatch) -> None:
        self.batch = batch
        self.ends_at = time.monotonic() + _SLICE_SECONDS

    def work(self) -> None:
        try:
            if self.batch.kind == ImportBatch.Kind.ZIP:
                self._add_entries()
            else:
                self._add_addresses()
        except Refusal as refusal:  # of the ZIP file as a whole
            self._change(state=ImportBatch.State.FAILED, error=str(refusal), **_ended())
        else:
            if self._pending().exists():
                self._change(claimed_until=timezone.now())
                doorbell.ring(imports.TASK, str(self.batch.pk))
                return
            self._change(state=ImportBatch.State.DONE, **_ended())
        if not imports.needs_file(self.batch.pk):
            partial.remove(self.batch.pk)

    # --- ZIP files --------------------------------------------------------------

    def _add_entries(self) -> None:
        """Raises Refusal (see `zips`; import_file_gone, empty_zip)."""
        try:
            with zips.opened(partial.path_of(self.batch.pk)) as archive:
                entries = zips.entries(archive)
                by_item = dict(zip(self._item_ids(entries), entries, strict=True))
                for item in self._until_time_is_up(self._pending()):
                    entry = by_item[item.pk]
                    refusal = self._add(item, zips.picture(archive, entry), entry.name)
                    if refusal is not None and zips.is_of_another_kind(entry, refusal):
                        self._leave_out(item)
        except FileNotFoundError as error:
            raise imports.file_gone() from error

    def _item_ids(self, entries: list[zips.Entry]) -> list[int]:
        """The ledger's items, one for each entry and in the same order; made when the
        file is read for the first time, all or none."""
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
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while time.monotonic() < self.ends_at and (items := list(self._pending()[:_AT_ONCE])):
                self._hold()
                urls = [item.source for item in items]
                files = list(pool.map(_fetch, urls, repeat(translation.get_language())))
                for item, got in zip(items, files, strict=True):
                    self._hold()
                    if isinstance(got, Refusal):
                        self._fail(item, got)
                    else:
                        self._add(item, got.file, got.name)

    # --- Both -------------------------------------------------------------------

    def _pending(self) -> QuerySet[ImportItem]:
        return ImportItem.objects.filter(batch=self.batch, state=ImportItem.State.PENDING)

    def _until_time_is_up(self, items: Iterable[ImportItem]) -> Iterator[ImportItem]:
        for item in items:
            if time.monotonic() >= self.ends_at:
                return
            self._hold()
            yield item

    def _add(
        self, item: ImportItem, opened: AbstractContextManager[File[bytes]], name: str
    ) -> Refusal | None:
        """Picture and item are committed together. Returns why it was not added. What is
        no refusal stops the worker; an item at which that happens again and again is given
        up."""
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
        """What concerns the import as a whole and may be mended: then it is tried again."""
        if self.batch.error != sentence:
            self._change(error=sentence)

    def _hold(self) -> None:
        """Prolong the claim. Raises _Lost."""
        self._change(claimed_until=timezone.now() + LEASE)

    def _change(self, **fields: Any) -> None:
        """Raises _Lost unless the import still is this worker's."""
        mine = ImportBatch.objects.filter(
            pk=self.batch.pk,
            state=ImportBatch.State.RUNNING,
            claimed_until=self.batch.claimed_until,
        )
        if not mine.update(**fields):
            raise _Lost
        for name, value in fields.items():
            setattr(self.batch, name, value)


def _ended() -> dict[str, Any]:
    return {"finished_at": timezone.now(), "claimed_until": None}


def _fetch(url: str, language: str | None) -> remote.Fetched | Refusal:
    """In a thread of its own, which has no language yet."""
    with translation.override(language):
        try:
            return remote.fetch(url)
        except Refusal as refusal:
            return refusal
