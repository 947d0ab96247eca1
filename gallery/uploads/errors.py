"""Refusals of resumable uploads other than bad input. The HTTP statuses are those of the tus
protocol."""

from __future__ import annotations

from django.utils.translation import gettext as _

from gallery.errors import Refusal, Unavailable


class WrongOffset(Refusal):
    """The part does not begin where the last one ended (HTTP 409)."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "wrong_offset", _("The server has another part of this file: ask how much, and go on.")
        )


class UnsupportedVersion(Refusal):
    """The client speaks another version of the protocol (HTTP 412)."""

    status = 412

    def __init__(self) -> None:
        super().__init__(
            "unsupported_version", _("Send the header Tus-Resumable: 1.0.0 with each request.")
        )


class Busy(Refusal):
    """Another request writes to the same upload (HTTP 423)."""

    status = 423

    def __init__(self) -> None:
        super().__init__(
            "upload_busy", _("Another request is sending this file. Try again in some seconds.")
        )


class ChecksumMismatch(Refusal):
    """The part was damaged on its way; nothing of it was stored (HTTP 460)."""

    status = 460

    def __init__(self) -> None:
        super().__init__("checksum_mismatch", _("This part was damaged on its way: send it again."))


class NoSpace(Refusal):
    """The server's disk is full (HTTP 507)."""

    status = 507

    def __init__(self) -> None:
        super().__init__(
            "no_space",
            _("The server has no room for this file. Tell the administrator, and try again later."),
        )


class Crowded(Unavailable):
    """The process, or the account in it, has reached its limit of simultaneous uploads
    (HTTP 503)."""

    def __init__(self) -> None:
        super().__init__(
            "uploads_busy",
            _("Many files are being sent just now. This one goes on in a moment."),
            retry_after=5,
        )
