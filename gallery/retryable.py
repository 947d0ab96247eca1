"""Which failures can pass: the one place that decides where trying again is offered.

A refusal says by its code what is wrong. Most say something about the file, which stays
as it is however often it is sent. The others end by themselves, or once somebody has
made room: only for these is there a button.
"""

from __future__ import annotations

RETRYABLE = frozenset(
    {
        # Room: until something is deleted.
        "quota_exceeded",
        "no_space",
        "too_many_uploads",
        "too_many_imports",
        # The server is down, or has much to do.
        "storage_unavailable",
        "decoding_busy",
        "decoding_slow",
        "uploads_busy",
        "upload_busy",
        "throttled",
        "import_broken",
        # What was sent did not arrive as it was.
        "sha256_mismatch",
        "checksum_mismatch",
        "wrong_offset",
        "upload_gone",
        # What workers met that was not the picture's fault (gallery.work).
        "crashed",
        "unknown",
        "storage",
        "storage-writes",
        "original_missing",
        # The server of an address.
        "not_reached",
        "too_slow",
        "not_now_there",
    }
)


def can_pass(code: str) -> bool:
    """Whether what was refused for this may be taken another time."""
    return code in RETRYABLE
