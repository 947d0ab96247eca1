"""Imports: a worker adds many pictures, from a ZIP file or from addresses.

The items record the progress. A worker takes a lease of an import and renews it with each
picture. After some seconds the import that has waited longest comes next, so that an import of
thousands keeps nobody else waiting. If the worker dies, its lease expires, and another worker
goes on with the pending items.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import dispatch, task_names
from gallery.errors import Refusal
from gallery.library import caps, texts
from gallery.models import ImportBatch, ImportItem, User, Viewer
from gallery.retryable import RETRYABLE
from gallery.uploads import metadata, partial, remote
from gallery.work import leases

MAX_URLS = 500
MAX_SHOWN_FAILURES = 100
# How long the file of an ended import is kept for a retry, and its row for display.
_FILE_KEPT = timedelta(hours=24)
_ROW_KEPT = timedelta(days=30)

OPEN = [ImportBatch.State.PENDING, ImportBatch.State.RUNNING]


# --- Create ---------------------------------------------------------------------


@transaction.atomic
def create_from_urls(
    owner: User, urls: Sequence[str], *, visibility: str, album_id: UUID | None
) -> ImportBatch:
    """Create an import of the pictures at these addresses, each once. An invalid address
    becomes a failed item; the others go on.

    Raises Refusal (no_urls, too_many_urls, too_many_imports, bad_visibility,
    bad_album).
    """
    wanted = list(dict.fromkeys(url.strip() for url in urls if url.strip()))
    if not wanted:
        raise Refusal("no_urls", _("Give the addresses of pictures."), "urls")
    if len(wanted) > MAX_URLS:
        raise Refusal(
            "too_many_urls", _("Give at most %(most)s addresses.") % {"most": MAX_URLS}, "urls"
        )
    caps.hold_room(caps.IMPORTS, owner)
    caps.keep_latest(owned_by(owner).filter(finished_at__isnull=False), caps.IMPORTS_KEPT)
    batch = ImportBatch.objects.create(
        owner=owner,
        kind=ImportBatch.Kind.URLS,
        name=texts.clean_title(wanted[0][:200]),
        visibility=texts.clean_visibility(visibility),
        album=metadata.open_album(album_id, owner) if album_id else None,
    )
    ImportItem.objects.bulk_create(_item_of_url(batch, url) for url in wanted)
    dispatch.on_commit(task_names.RUN_IMPORTS)
    return batch


def _item_of_url(batch: ImportBatch, url: str) -> ImportItem:
    item = ImportItem(batch=batch, source=texts.clean_description(url[: remote.MAX_URL]))
    try:
        remote.parse(url)
    except Refusal as refusal:
        item.state, item.error = ImportItem.State.FAILED, kept_reason(refusal)
    return item


def kept_reason(refusal: Refusal) -> str:
    """The reason of a failed item for its row: the sentence, and the code on a second line
    (`sentence_of` returns the sentence)."""
    return f"{refusal}\n{refusal.code}"


def sentence_of(reason: str) -> str:
    return reason.split("\n", 1)[0]


def create_from_zip(
    upload_id: UUID, owner: User, *, name: str, visibility: str, album_id: str | None
) -> ImportBatch:
    """Create an import of the ZIP file of this upload. The import takes over the file and the
    id."""
    batch = ImportBatch.objects.create(
        pk=upload_id,
        owner=owner,
        kind=ImportBatch.Kind.ZIP,
        name=name,
        visibility=visibility,
        album_id=album_id,
    )
    dispatch.on_commit(task_names.RUN_IMPORTS)
    return batch


# --- Read, cancel, retry --------------------------------------------------------


def owned_by(user: Viewer) -> QuerySet[ImportBatch]:
    return ImportBatch.objects.filter(owner_id=user.pk or 0)


def with_counts(batches: QuerySet[ImportBatch]) -> QuerySet[ImportBatch]:
    """Annotate the number of items: `total`, `added`, `duplicates`, `failed`, `left_out` and
    `pending`; and `passing`, the failed ones that a retry may add."""
    states = {
        "added": ImportItem.State.ADDED,
        "duplicates": ImportItem.State.DUPLICATE,
        "failed": ImportItem.State.FAILED,
        "left_out": ImportItem.State.LEFT_OUT,
        "pending": ImportItem.State.PENDING,
    }
    counts = {name: Count("items", filter=Q(items__state=state)) for name, state in states.items()}
    passing = Count("items", filter=_passing("items__"))
    return batches.annotate(total=Count("items"), passing=passing, **counts)


def _passing(prefix: str = "") -> Q:
    """Items that failed for a reason that can pass, and older failed items without a code."""
    codes = "|".join(sorted(RETRYABLE))
    told = Q(**{f"{prefix}error__regex": rf"\n({codes})$"})
    untold = ~Q(**{f"{prefix}error__contains": "\n"})
    return Q(**{f"{prefix}state": ImportItem.State.FAILED}) & (told | untold)


def can_retry(batch: ImportBatch) -> bool:
    """Whether a retry may add something. `batch` needs the annotations of `with_counts`."""
    if batch.state in OPEN or not (batch.pending or batch.passing):  # type: ignore[attr-defined]
        return False
    return batch.kind != ImportBatch.Kind.ZIP or partial.path_of(batch.pk).exists()


def failures(batch: ImportBatch) -> QuerySet[ImportItem]:
    return batch.items.filter(state=ImportItem.State.FAILED).order_by("pk")[:MAX_SHOWN_FAILURES]


@transaction.atomic
def cancel(batch_id: UUID) -> None:
    """Stop an import; the pictures that it has added stay. Do nothing if it has ended."""
    stopped = ImportBatch.objects.filter(pk=batch_id, state__in=OPEN).update(
        state=ImportBatch.State.CANCELLED, finished_at=timezone.now(), **leases.FREE
    )
    if stopped:
        transaction.on_commit(lambda: partial.remove(batch_id), robust=True)


@transaction.atomic
def retry(batch_id: UUID) -> None:
    """Retry the items that are pending or failed for a reason that can pass
    (gallery.retryable). Do nothing if the import runs or nothing is left to try.

    Raises Refusal (import_file_gone) if the ZIP file is no longer kept.
    """
    batch = ImportBatch.objects.select_for_update(no_key=True).get(pk=batch_id)
    undone = batch.items.filter(Q(state=ImportItem.State.PENDING) | _passing())
    if batch.state in OPEN or not (undone.exists() or batch.state == ImportBatch.State.FAILED):
        return
    if batch.kind == ImportBatch.Kind.ZIP and not partial.path_of(batch.pk).exists():
        raise file_gone()
    undone.update(state=ImportItem.State.PENDING, error="")
    batch.state, batch.error = ImportBatch.State.PENDING, ""
    batch.finished_at = None
    batch.save(update_fields=["state", "error", "finished_at"])
    dispatch.on_commit(task_names.RUN_IMPORTS)


def file_gone() -> Refusal:
    return Refusal("import_file_gone", _("The ZIP file is no longer kept. Upload it again."))


# --- The sweep ------------------------------------------------------------------


def waiting() -> QuerySet[ImportBatch]:
    """Imports that no worker works on, of owners without any other import in work: the imports
    of one owner run one after the other."""
    in_work = ImportBatch.objects.exclude(leases.free()).filter(state__in=OPEN)
    free = ImportBatch.objects.filter(leases.free(), state__in=OPEN)
    return free.exclude(owner__in=in_work.values("owner"))


def needs_file(batch_id: UUID) -> bool:
    """Whether the ZIP file of this import may still be read: the import is not over, or it
    ended recently with an error for the whole import (no room in the gallery), so that a retry
    may help."""
    batch = ImportBatch.objects.filter(pk=batch_id, kind=ImportBatch.Kind.ZIP).first()
    if batch is None or batch.finished_at is None:
        return batch is not None
    is_mendable = batch.state == ImportBatch.State.DONE and bool(batch.error)
    return is_mendable and batch.finished_at > timezone.now() - _FILE_KEPT


def forget_old() -> int:
    """Remove the rows of imports that ended long ago. Their pictures stay. Return the number of
    imports."""
    before = timezone.now() - _ROW_KEPT
    _count, by_model = ImportBatch.objects.filter(finished_at__lt=before).delete()
    return by_model.get("gallery.ImportBatch", 0)
