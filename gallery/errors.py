"""Errors that the user is told about.

The domain packages raise them; `web` and `api` turn them into a page or an error body.
`message` is a translated sentence that tells the user what to do.
"""

from __future__ import annotations

from django.utils.functional import Promise

Sentence = str | Promise


class Refusal(Exception):
    """The input cannot be accepted as it is (HTTP 400).

    `code` is stable and machine readable, `field` names the input at fault. If `retry_after`
    is set, the same input may be accepted after that many seconds.
    """

    status = 400
    retry_after: int | None = None

    def __init__(self, code: str, message: Sentence, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class TooLarge(Refusal):
    """The input is larger than this installation accepts (HTTP 413)."""

    status = 413


class Expired(Refusal):
    """A continuation is no longer known; the user must start again (HTTP 410)."""

    status = 410


class Unavailable(Exception):
    """Something that the request needs is down (HTTP 503).

    `retry_after` is in seconds and becomes the Retry-After header.
    """

    status = 503

    def __init__(self, code: str, message: Sentence, retry_after: int = 10) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.retry_after = retry_after

    def __str__(self) -> str:
        return str(self.message)
