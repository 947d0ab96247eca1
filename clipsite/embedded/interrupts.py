"""Turns Ctrl-C, SIGTERM and a closed terminal into one exception."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The launcher was asked to stop. Not an Exception: nothing should swallow it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def raise_on_signals() -> None:
    """Make the first stop signal raise Interrupted. Later ones are ignored, so that the
    shutdown finishes in order.

    SIGHUP stays ignored if nohup has set that. SIGINT does not: scripts start every background
    command with SIGINT ignored.
    """
    for number in _STOP:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _raise)


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    for each in _STOP:
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted(number)
