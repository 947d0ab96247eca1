"""Jobs for `isolation.run`. Their process knows neither Django nor pytest."""

from __future__ import annotations

import resource
import signal
import time
from typing import IO


def measures(file: IO[bytes]) -> list[bytes]:
    return [str(resource.getrlimit(resource.RLIMIT_DATA)[0]).encode(), file.read(4)]


def takes_too_much(file: IO[bytes]) -> list[bytes]:
    return [bytes(bytearray(2 * 1024**3))]


def turns_for_ever(file: IO[bytes]) -> list[bytes]:
    resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
    while True:
        pass


def waits(file: IO[bytes]) -> list[bytes]:
    time.sleep(60)
    return []


def crashes(file: IO[bytes]) -> list[bytes]:
    signal.raise_signal(signal.SIGSEGV)
    return []


def fails(file: IO[bytes], reason: str) -> list[bytes]:
    raise ValueError(reason)
