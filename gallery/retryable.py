"""Failures that may pass. This is the one place that decides where a retry is offered.

The code of a refusal names the cause. Most causes lie in the file, which another attempt does
not change. The others end by themselves or once somebody has made room: only these get a retry
button.
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
        "changed_meanwhile",
        "decoding_busy",
        "decoding_slow",
        "uploads_busy",
        "upload_busy",
        "throttled",
        "import_broken",
        # The data was damaged on its way.
        "sha256_mismatch",
        "checksum_mismatch",
        "wrong_offset",
        "upload_gone",
        # Failures of workers that are not the picture's fault (gallery.work).
        "crashed",
        "unknown",
        "storage",
        "storage-writes",
        "original_missing",
        # The server of an imported address.
        "not_reached",
        "too_slow",
        "not_now_there",
    }
)


def can_pass(code: str) -> bool:
    """Whether a retry after a refusal with this code may succeed."""
    return code in RETRYABLE
