"""The picture in a multipart request, and the stored answers of `Idempotency-Key`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.cache import cache
from django.utils.translation import gettext as _

from gallery import checked_cache
from gallery.errors import Refusal
from gallery.models import Image

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile
    from rest_framework.request import Request

    from gallery.library.service import Upload
    from gallery.models import User

KEY_LIFETIME = 24 * 3600  # seconds
MAX_KEY_LENGTH = 255


class KeyReused(Refusal):
    """The key was used before for another file (HTTP 422)."""

    status = 422


def read_upload(request: Request) -> UploadedFile:
    """Return the file of the field `file`. The library checks its content later.
    Raises Refusal (no_file)."""
    upload = request.FILES.get("file")
    if upload is None:
        raise Refusal("no_file", _("Send a picture in the multipart field “file”."), "file")
    return upload


@dataclass(frozen=True)
class Answer:
    """The answer to an upload, without the fields of the picture."""

    image_id: UUID
    sha256: str
    duplicate: bool
    restored: bool

    @classmethod
    def to(cls, upload: Upload) -> Answer:
        """Build the answer. A picture that was restored from the trash is a duplicate, too."""
        image = upload.image
        known = upload.duplicate or upload.restored
        return cls(image.pk, image.sha256, known, upload.restored)

    def as_plain(self) -> list[Any]:
        return [self.image_id.bytes, self.sha256, self.duplicate, self.restored]

    @classmethod
    def from_plain(cls, kept: list[Any]) -> Answer:
        image_id, sha256, duplicate, restored = kept
        return cls(UUID(bytes=image_id), str(sha256), bool(duplicate), bool(restored))

    @property
    def status(self) -> int:
        return 200 if self.duplicate else 201


class IdempotencyKey:
    """A client's key for one upload. The cache stores its answer for a day.

    Uploads are idempotent without a key, because the library compares the hash of the bytes.
    With a key, a repeated request gets the same answer as the first (201, not a duplicate), and
    a key that is used for two files is detected. While the cache is down only the hash works.
    """

    def __init__(self, user: User, key: str) -> None:
        if not 1 <= len(key) <= MAX_KEY_LENGTH:
            raise Refusal(
                "bad_idempotency_key",
                _("An Idempotency-Key has 1 to %(most)d characters.") % {"most": MAX_KEY_LENGTH},
            )
        digest = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
        self._user = user
        self._cache_key = f"idempotency:{user.pk}:{digest}"

    def first_answer(self, file: UploadedFile) -> Answer | None:
        """Return the answer to the first upload with this key, or None. Also None if its picture
        has been deleted since: then this is a new upload. Raises KeyReused if the bytes of
        `file` differ from the first upload."""
        first = checked_cache.get(self._cache_key, Answer.from_plain)
        if first is None:
            return None
        if first.sha256 != _sha256(file):
            raise KeyReused(
                "idempotency_key_reused",
                _("This Idempotency-Key was used for another file: take a new one."),
            )
        still_there = Image.objects.owned_by(self._user).filter(pk=first.image_id).exists()
        return first if still_there else None

    def remember(self, answer: Answer) -> None:
        cache.set(self._cache_key, answer.as_plain(), KEY_LIFETIME)


def _sha256(file: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
