"""The header Upload-Checksum: `sha1 base64` or `sha256 base64` of one part."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from django.utils.translation import gettext as _

from gallery.errors import Refusal

ALGORITHMS = ("sha1", "sha256")


class Checksum:
    """The expected checksum of a part, and the digest of what has been read so far."""

    def __init__(self, header: str) -> None:
        """Parse the header. Raises Refusal (bad_checksum)."""
        algorithm, _space, encoded = header.strip().partition(" ")
        if algorithm not in ALGORITHMS:
            raise _bad_checksum()
        # All clients of the protocol support SHA-1. It protects against accidents, not against
        # attackers.
        self._digest = hashlib.new(algorithm, usedforsecurity=False)
        try:
            self._expected = base64.b64decode(encoded.strip().encode("ascii"), validate=True)
        except (UnicodeError, binascii.Error) as error:
            raise _bad_checksum() from error
        if len(self._expected) != self._digest.digest_size:
            raise _bad_checksum()

    def update(self, piece: bytes) -> None:
        self._digest.update(piece)

    def matches(self) -> bool:
        return hmac.compare_digest(self._digest.digest(), self._expected)


def _bad_checksum() -> Refusal:
    return Refusal(
        "bad_checksum",
        _("The header Upload-Checksum names sha1 or sha256 and the checksum in base64."),
    )
