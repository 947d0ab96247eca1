"""The header Upload-Metadata: `name base64, name base64, …`."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from gallery import code_pages, spelling
from gallery.errors import Refusal
from gallery.library import texts
from gallery.models import Album, Image, ImportBatch, User

# The keys for the name of the file in the order of precedence.
_FILE_NAMES = ("filename", "name")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Metadata:
    """The client's metadata of a file, cleaned. `sent` is the original header."""

    sent: str
    name: str
    sha256: str
    is_zip: bool
    title: str
    description: str
    visibility: str
    album: str | None

    def wishes(self) -> dict[str, str | None]:
        """The fields to store until the file is complete."""
        return {
            "sent": self.sent,
            "kind": ImportBatch.Kind.ZIP.value if self.is_zip else "",
            "title": self.title,
            "description": self.description,
            "visibility": self.visibility,
            "album": self.album,
        }


def read(header: str, owner: User) -> Metadata:
    """Read and check the header. Unknown keys are kept for the client and otherwise ignored.
    Raises Refusal (bad_metadata, bad_kind, bad_sha256, bad_album; see `texts`)."""
    values = parse(header)
    kind = values.get("kind") or "image"
    if kind not in {"image", ImportBatch.Kind.ZIP}:
        raise Refusal("bad_kind", _("The kind of an upload is “image” or “zip”."), "kind")
    sha256 = values.get("sha256", "").lower()
    if sha256 and not _SHA256.fullmatch(sha256):
        raise Refusal("bad_sha256", _("A SHA-256 sum has 64 hexadecimal digits."), "sha256")
    album = values.get("album")
    return Metadata(
        sent=header.strip(),
        name=spelling.clean_name(next(filter(None, map(values.get, _FILE_NAMES)), "")),
        sha256=sha256,
        is_zip=kind == ImportBatch.Kind.ZIP,
        title=texts.clean_title(values.get("title", "")),
        description=texts.clean_description(values.get("description", "")),
        visibility=texts.clean_visibility(values.get("visibility") or Image.Visibility.PRIVATE),
        album=str(open_album(album, owner).pk) if album else None,
    )


def parse(header: str) -> dict[str, str]:
    """Decode the header to its keys and values. Raises Refusal (bad_metadata)."""
    pairs = (pair.strip().partition(" ") for pair in header.split(",") if pair.strip())
    try:
        return {
            name: _text(name, base64.b64decode(value.strip().encode("ascii"), validate=True))
            for name, _space, value in pairs
        }
    except (UnicodeError, binascii.Error) as error:
        raise Refusal(
            "bad_metadata",
            _("The header Upload-Metadata holds names and base64 texts, as in “filename YSBi”."),
        ) from error


def _text(name: str, sent: bytes) -> str:
    """Decode UTF-8; file names may also be in the code page of the client's system. Raises
    UnicodeError."""
    return code_pages.decoded([sent])[0] if name in _FILE_NAMES else sent.decode()


def open_album(album_id: UUID | str, owner: User) -> Album:
    """Return the album with this id if `owner` may add to it. Raises Refusal (bad_album)."""
    try:
        album = Album.objects.open_to(owner).filter(pk=UUID(str(album_id)), smart=None).first()
    except ValueError:
        album = None
    if album is None:
        raise Refusal(
            "bad_album", _("There is no such album, or you may not add pictures to it."), "album"
        )
    return album
