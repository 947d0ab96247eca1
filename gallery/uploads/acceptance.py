"""Turns a completely uploaded file into a picture, or a ZIP file into an import.

The upload's row and the picture are committed together. A process that is killed before the
commit has changed nothing; the next request for the upload or the sweep repeats the work.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial as bind
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from gallery.errors import Refusal, Unavailable
from gallery.library import service
from gallery.library.originals import sha256_of
from gallery.models import ImportBatch, ResumableUpload
from gallery.uploads import imports, partial, slots, zips
from gallery.uploads.album_target import put_into_album

logger = logging.getLogger(__name__)


# How long the result of an upload can be requested.
RESULT_KEPT = timedelta(hours=24)
# A process registers a received file at once. After this time it must be dead.
_INTERRUPTED_AFTER = timedelta(minutes=1)


def finish(upload_id: UUID) -> None:
    """Register the file, or record why it is refused. Do nothing if the file is incomplete or
    another process handles it.

    Raises Unavailable (storage_unavailable); a later call tries again.
    """
    with transaction.atomic():
        if not slots.try_hold(upload_id):
            return
        # The lock on the row blocks the removal of the account.
        upload = (
            _whole()
            .select_related("owner")
            .select_for_update(of=("self",), skip_locked=True)
            .filter(pk=upload_id)
            .first()
        )
        if upload is None:
            return
        if partial.size_of(upload.pk) < upload.length:  # somebody removed the file
            upload.offset = partial.size_of(upload.pk)
        else:
            _judge(upload)
        upload.save()


def interrupted() -> QuerySet[ResumableUpload]:
    """Complete uploads that killed processes did not register."""
    return _whole().filter(updated_at__lt=timezone.now() - _INTERRUPTED_AFTER)


def finish_interrupted(limit: int = 20) -> int:
    """Finish uploads that killed processes did not register. A failure does not stop the
    others. Return the number of attempts."""
    left = list(interrupted().select_related("owner")[:limit])
    for upload in left:
        with translation.override(upload.owner.language or settings.LANGUAGE_CODE):
            try:
                finish(upload.pk)
            except Exception:
                logger.exception("The upload %s cannot be finished yet", upload.pk)
    return len(left)


def _whole() -> QuerySet[ResumableUpload]:
    return ResumableUpload.objects.filter(state=ResumableUpload.State.RECEIVING, offset=F("length"))


def _judge(upload: ResumableUpload) -> None:
    try:
        with partial.path_of(upload.pk).open("rb") as stream:
            file = File(stream)
            _check_sha256(upload, file)
            if upload.metadata["kind"] == ImportBatch.Kind.ZIP:
                _begin_import(upload, file)
            else:
                _add_image(upload, file)
    except Refusal as refusal:
        upload.state = ResumableUpload.State.REFUSED
        upload.error_code, upload.error = refusal.code, str(refusal)
    except OSError as error:
        logger.exception("The storage takes no pictures")
        raise Unavailable(
            "storage_unavailable",
            _("The file has arrived but cannot be stored just now. It will be in a moment."),
        ) from error
    else:
        upload.state = ResumableUpload.State.ACCEPTED
    upload.expires_at = timezone.now() + RESULT_KEPT
    if upload.batch is None:
        transaction.on_commit(bind(partial.remove, upload.pk), robust=True)


def _check_sha256(upload: ResumableUpload, file: File[bytes]) -> None:
    if upload.sha256 and sha256_of(file) != upload.sha256:
        raise Refusal(
            "sha256_mismatch",
            _("The file has changed on its way, or while it was sent. Upload it again."),
        )


def _add_image(upload: ResumableUpload, file: File[bytes]) -> None:
    added = service.add_image(
        owner=upload.owner,
        file=file,
        name=upload.name,
        title=upload.metadata["title"],
        description=upload.metadata["description"],
        visibility=upload.metadata["visibility"],
    )
    upload.image, upload.restored = added.image, added.restored
    # As for a simple upload, a picture restored from the trash counts as a duplicate.
    upload.duplicate = added.duplicate or added.restored
    closed = put_into_album(added.image, upload.metadata["album"], upload.owner)
    if closed is not None:
        upload.error_code, upload.error = closed.code, str(closed)


def _begin_import(upload: ResumableUpload, file: File[bytes]) -> None:
    """Start an import, which takes over the file under the same id."""
    zips.check_is_zip(file)
    upload.batch = imports.create_from_zip(
        upload.pk,
        upload.owner,
        name=upload.name,
        visibility=upload.metadata["visibility"],
        album_id=upload.metadata["album"],
    )
