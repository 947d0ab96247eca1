"""Resumable uploads: the server side of the tus protocol 1.0.0, without HTTP.

The row is authoritative: `offset` bytes are on the disk. Two requests never write at once
(see `slots`).
"""

from __future__ import annotations

import errno
import time
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from gallery.errors import Expired, Refusal, TooLarge
from gallery.library import caps, quota
from gallery.library.user_lock import lock_user
from gallery.models import ResumableUpload, User
from gallery.uploads import imports, limits, metadata, partial, slots
from gallery.uploads.acceptance import finish
from gallery.uploads.checksums import Checksum
from gallery.uploads.errors import Busy, ChecksumMismatch, NoSpace, WrongOffset

# A commit comes at least after this many bytes or seconds. A killed process loses what came
# since.
_COMMIT_BYTES = 8 * 1024 * 1024
_COMMIT_SECONDS = 2.0
# Bytes of one read. Small, because a broken connection loses the current piece.
_PIECE = 64 * 1024


class Body(Protocol):
    """The body of a request, which arrives piece by piece."""

    @property
    def left(self) -> int | None:
        """The remaining bytes that the client has announced; None if it has not."""

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes; none at the end, or if the client broke off."""


# --- Create ---------------------------------------------------------------------


def create(owner: User, length: int, header: str) -> ResumableUpload:
    """Announce a file of `length` bytes; `header` is its Upload-Metadata.

    Raises Refusal (see `metadata`; too_many_uploads), TooLarge (too_large,
    quota_exceeded) or NoSpace.
    """
    wanted = metadata.read(header, owner)
    _check_length(length, wanted.is_zip)
    with transaction.atomic():
        lock_user(owner)  # so that concurrent requests do not exceed the limits
        _check_count(owner)
        quota.check(owner, length + _announced(owner))
        if not partial.has_room_for(length):
            raise NoSpace
        upload = ResumableUpload.objects.create(
            owner=owner,
            name=wanted.name,
            length=length,
            sha256=wanted.sha256,
            metadata=wanted.wishes(),
            expires_at=_expiry(),
        )
    if length == 0:
        with partial.appending(upload.pk, 0):
            pass  # an empty file is also a file
        finish(upload.pk)
        upload.refresh_from_db()
    return upload


def largest_length() -> int:
    return max(settings.MAX_UPLOAD_BYTES, settings.MAX_ZIP_BYTES)


def unfinished(owner: User) -> QuerySet[ResumableUpload]:
    """The uploads that `owner` can continue."""
    return ResumableUpload.objects.filter(
        owner=owner, state=ResumableUpload.State.RECEIVING, expires_at__gt=timezone.now()
    )


def _check_length(length: int, is_zip: bool) -> None:
    if is_zip and length > settings.MAX_ZIP_BYTES:
        raise limits.zip_too_large()
    if not is_zip and length > settings.MAX_UPLOAD_BYTES:
        raise limits.too_large()


def _check_count(owner: User) -> None:
    if unfinished(owner).count() >= settings.MAX_UNFINISHED_UPLOADS:
        raise Refusal(
            "too_many_uploads",
            _("You have %(count)s unfinished uploads: finish or cancel some of them first.")
            % {"count": number_format(settings.MAX_UNFINISHED_UPLOADS)},
        )


def _announced(owner: User) -> int:
    """The total length of unfinished uploads. It counts against the quota, so that many uploads
    at once take no more of the disk than the pictures may."""
    return unfinished(owner).aggregate(bytes=Coalesce(Sum("length"), 0))["bytes"]


def _expiry() -> datetime:
    return timezone.now() + timedelta(days=settings.UPLOAD_EXPIRY_DAYS)


# --- Receive --------------------------------------------------------------------


def offset_of(upload: ResumableUpload) -> int:
    """How many bytes of the file are safe. At most its size on the disk, in case somebody has
    removed the file."""
    if upload.state != ResumableUpload.State.RECEIVING:
        return upload.offset
    return min(upload.offset, partial.size_of(upload.pk))


def receive(
    upload: ResumableUpload, offset: int, body: Body, checksum: Checksum | None = None
) -> ResumableUpload:
    """Store a part that begins at `offset`, and register the file once it is complete.

    Received bytes are kept even if the client breaks off or is too slow. With a checksum, the
    part is kept as a whole or not at all. Raises WrongOffset, Busy, TooLarge (too_long),
    ChecksumMismatch, NoSpace, Expired (upload_gone), Crowded or what `finish` raises.
    """
    upload_id = upload.pk
    with slots.only_writer(upload_id), slots.slot(upload.owner_id):
        upload = _begin_part(upload_id, offset, body)
        ended = upload.state != ResumableUpload.State.RECEIVING
        while not ended and upload.offset < upload.length:
            ended = _store(upload, body, checksum)
    if is_whole(upload):
        finish(upload_id)
        upload.refresh_from_db()
    return upload


def is_whole(upload: ResumableUpload) -> bool:
    """Whether the file has arrived completely but is not registered yet."""
    is_receiving = upload.state == ResumableUpload.State.RECEIVING
    return is_receiving and upload.offset == upload.length


def _begin_part(upload_id: UUID, offset: int, body: Body) -> ResumableUpload:
    """Return the upload if this part may be stored now. Raises Expired (upload_gone),
    WrongOffset and TooLarge (too_long)."""
    upload = ResumableUpload.objects.filter(pk=upload_id).first()
    if upload is None:
        raise _gone()
    if offset != offset_of(upload):
        raise WrongOffset
    if body.left is not None and body.left > upload.length - offset:
        raise TooLarge("too_long", _("This part goes beyond the announced end of the file."))
    upload.offset = offset
    return upload


def _store(upload: ResumableUpload, body: Body, checksum: Checksum | None) -> bool:
    """Store what arrives until it is time to commit. Return whether the part has ended.

    Without a checksum, long parts are committed now and then. With one, nothing is committed
    before the checksum has been verified.
    """
    if not partial.has_room_for(0):
        raise NoSpace
    try:
        with partial.appending(upload.pk, upload.offset) as tail:
            ended = _copy(body, tail, upload.length - upload.offset, checksum)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace from error
        raise
    if checksum is not None and not checksum.matches():
        raise ChecksumMismatch
    upload.offset += tail.written
    upload.expires_at = _expiry()
    _commit(upload)
    return ended


def _commit(upload: ResumableUpload) -> None:
    """Commit the new offset, on the connection that holds the lock: if it broke, this fails."""
    kept = ResumableUpload.objects.filter(pk=upload.pk).update(
        offset=upload.offset, expires_at=upload.expires_at, updated_at=timezone.now()
    )
    if not kept:  # the account was deleted meanwhile
        raise _gone()


def _copy(body: Body, tail: partial.Tail, room: int, checksum: Checksum | None) -> bool:
    """Write what arrives until the part ends or a commit is due. Return whether it has ended."""
    began = time.monotonic()
    while tail.written < room:
        piece = body.read(min(_PIECE, room - tail.written))
        if not piece:
            return True
        tail.write(piece)
        if checksum is not None:
            checksum.update(piece)
        elif tail.written >= _COMMIT_BYTES or time.monotonic() - began >= _COMMIT_SECONDS:
            return False
    return True


def _gone() -> Expired:
    return Expired("upload_gone", _("This upload is no longer known: begin it again."))


# --- End ------------------------------------------------------------------------


@transaction.atomic
def terminate(upload_id: UUID) -> None:
    """Remove an upload and its partial file; a picture made from it stays. Raises Busy or
    Expired (upload_gone)."""
    if not slots.try_hold(upload_id):
        raise Busy
    upload = ResumableUpload.objects.filter(pk=upload_id).first()
    if upload is None:
        raise _gone()
    _forget(upload)


def expire() -> int:
    """Remove expired uploads and files that nothing needs. Return the number of uploads."""
    over = ResumableUpload.objects.filter(expires_at__lt=timezone.now())
    removed = 0
    for pk in list(over.values_list("pk", flat=True)):
        with transaction.atomic():
            upload = over.filter(pk=pk).first() if slots.try_hold(pk) else None
            if upload is not None:
                _forget(upload)
                removed += 1
    _forget_results_of_very_many()
    partial.remove_strays(timedelta(hours=1), _is_needed)
    return removed


def _forget_results_of_very_many() -> None:
    """Keep only the latest results of each owner: results last a day, but their number is
    limited."""
    ended = ResumableUpload.objects.exclude(state=ResumableUpload.State.RECEIVING)
    owners = ended.order_by().values("owner").annotate(count=Count("pk"))
    for owner in owners.filter(count__gt=caps.UPLOADS_KEPT).values_list("owner", flat=True):
        caps.keep_latest(ended.filter(owner=owner), caps.UPLOADS_KEPT)


def _forget(upload: ResumableUpload) -> None:
    upload_id = upload.pk
    upload.delete()
    transaction.on_commit(lambda: None if _is_needed(upload_id) else partial.remove(upload_id))


def _is_needed(upload_id: UUID) -> bool:
    """Whether an unfinished upload or, for a ZIP file, an import still needs the file."""
    receiving = ResumableUpload.objects.filter(pk=upload_id, state=ResumableUpload.State.RECEIVING)
    return receiving.exists() or imports.needs_file(upload_id)
