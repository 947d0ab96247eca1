"""Places in the queue of the encoder.

Each requester has only a few tasks in the queue at once, so that nobody waits behind all tasks
of another requester. Requests with many texts are served in the order of their arrival, one
for each requester. They are split into small tasks, and only one of these is in the queue at a
time, so that small requests run between them.

Requests are members of a sorted set in the order of arrival; the first few of them hold the
places. Each member expires, so a process that dies loses its place.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import cast

from django.utils.translation import gettext_lazy as _

from gallery import requester
from gallery.encoders import reply
from gallery.errors import Unavailable
from gallery.requester import Requester

RETRY_SECONDS = 5
_PAUSE_SECONDS = 0.02
# A waiting request must renew its membership within this time.
_WAITING_MS = 2_000

# Returns 1 if the member has a place, 0 if it waits, and -1 if too many wait.
_ENTER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local order, until_ = KEYS[1], KEYS[2]
local member, places, waiting = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', until_, '-inf', now)) do
    redis.call('ZREM', order, gone)
    redis.call('ZREM', until_, gone)
end
if not redis.call('ZSCORE', order, member) then
    if redis.call('ZCARD', order) >= places + waiting then return -1 end
    redis.call('ZADD', order, time[1] * 1000000 + time[2], member)
end
local has_place = redis.call('ZRANK', order, member) < places
redis.call('ZADD', until_, now + tonumber(has_place and ARGV[5] or ARGV[4]), member)
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 60000 + tonumber(ARGV[5])) end
return has_place and 1 or 0
"""


@dataclass(frozen=True)
class Lane:
    """`places` is how many hold a place at once, `waiting` how many more may wait. Waiting is
    limited because each waiting request takes a thread of the web process."""

    name: str
    places: int
    waiting: int


# All requests with many texts, and the one task in the queue that they share.
_LARGE_REQUESTS = Lane("large-requests", places=2, waiting=4)
_LARGE_TASKS = Lane("large-tasks", places=1, waiting=1000)


def _own(who: Requester) -> Lane:
    """The lane for the tasks of one requester."""
    return Lane(f"own:{who.key}", places=4, waiting=4)


def _own_large(who: Requester) -> Lane:
    """The lane for the requests with many texts of one requester."""
    return Lane(f"large:{who.key}", places=1, waiting=1)


def for_task(deadline: float) -> AbstractContextManager[None]:
    """Hold a place for a task. Raises Unavailable if too many wait or `deadline` (of
    time.monotonic) passes, and redis.RedisError."""
    who = requester.current()
    return place(_own(who), deadline) if who else nullcontext()


@contextmanager
def for_large_request(deadline: float) -> Iterator[None]:
    """Hold a place for a request with many texts; its tasks hold places of their own. Raises
    the same as `for_task`."""
    who = requester.current()
    own = place(_own_large(who), deadline) if who else nullcontext()
    with own, place(_LARGE_REQUESTS, deadline):
        yield


def for_large_task(deadline: float) -> AbstractContextManager[None]:
    """Hold a place for one task of a request with many texts. Raises the same as `for_task`."""
    return place(_LARGE_TASKS, deadline)


@contextmanager
def place(lane: Lane, deadline: float) -> Iterator[None]:
    """Hold a place of `lane`. Raises the same as `for_task`."""
    member = uuid.uuid4().hex
    try:
        while not _enter(lane, member, deadline):
            if time.monotonic() >= deadline:
                raise crowded()
            time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        with reply.connection().pipeline(transaction=True) as pipe:
            for key in _keys(lane):
                pipe.zrem(key, member)
            pipe.execute()


def crowded() -> Unavailable:
    return Unavailable(
        "encoder_busy",
        _("Too much is being asked for at once. Try again in a few seconds."),
        retry_after=RETRY_SECONDS,
    )


def _enter(lane: Lane, member: str, deadline: float) -> bool:
    """Whether `member` has a place now. Raises Unavailable if too many wait."""
    held_ms = 1000 * (max(deadline - time.monotonic(), 0) + 1)
    arguments: list[str | int] = [member, lane.places, lane.waiting, _WAITING_MS, int(held_ms)]
    answer = cast("int", reply.connection().eval(_ENTER, 2, *_keys(lane), *arguments))
    if answer < 0:
        raise crowded()
    return bool(answer)


def _keys(lane: Lane) -> tuple[str, str]:
    name = f"clipsite:places:{lane.name}"
    return name, f"{name}:until"
