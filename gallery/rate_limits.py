"""Rate limits for accounts and for the addresses of visitors.

Pages and API share one counter for each scope. It counts the cost of a request: texts to
encode, pixels to decode. While the cache is down nothing is counted and all requests go
through.

The counter is the generic cell rate algorithm (ITU-T I.371). It stores the time at which
everything counted so far is worked off at the allowed rate. The cost of a whole period may
come at once. A request that costs more than what is left is still served; the next one waits.
"""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass
from functools import lru_cache

import redis
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import ngettext
from django_redis import get_redis_connection

from gallery import requester
from gallery.errors import Refusal

logger = logging.getLogger(__name__)

# The cost, in searches, of a request that uses the database and no encoder: suggestions,
# filters alone, pictures similar to a stored one.
LOOKUP = 0.1
# The pixels whose decoding costs as much as a search, and the texts that cost as much as a
# classification.
PIXELS_OF_A_SEARCH = 10_000_000
TEXTS_OF_A_CLASSIFICATION = 50

_RATE = re.compile(r"(\d+)/([smhd])\w*")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

# Uses the server's clock, which all processes share. Returns the seconds to wait as text: Redis
# would truncate a number to an integer.
_COUNT = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local period, each, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local settled = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wait = settled + each * math.min(cost, 0.1) - now - period
if wait > 0.000001 then return tostring(wait) end
settled = settled + each * cost
redis.call('SET', KEYS[1], string.format('%.6f', settled), 'EX', math.ceil(settled - now) + 1)
return '0'
"""


class TooMany(Refusal):
    """The requester has reached a rate limit (HTTP 429)."""

    status = 429

    def __init__(self, seconds: float) -> None:
        self.retry_after = max(1, math.ceil(seconds))
        super().__init__(
            "throttled",
            ngettext(
                "Too much at once. Try again in %(seconds)d second.",
                "Too much at once. Try again in %(seconds)d seconds.",
                self.retry_after,
            )
            % {"seconds": self.retry_after},
        )


@dataclass(frozen=True)
class Rate:
    """At most `most` units of cost in `seconds` seconds."""

    most: int
    seconds: int


@lru_cache
def rate(text: str) -> Rate | None:
    """Parse a rate of the settings, such as `120/min`. Return None for no limit, which is 0 or
    empty. Raises ValueError."""
    if not text.strip() or text.strip() == "0":
        return None
    match = _RATE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"“{text}” is no rate: write a number and a period, such as 120/min.")
    most = int(match[1])
    return Rate(most, _SECONDS[match[2]]) if most else None


def charge(scope: str, cost: float = 1.0) -> None:
    """Charge `cost` to the current requester. Raises TooMany, and counts nothing, if the limit
    is reached. Work without a requester, in workers and commands, is not counted."""
    who = requester.current()
    if who is None or cost <= 0:
        return
    rates = settings.LIMITS if who.account else {**settings.LIMITS, **settings.VISITOR_LIMITS}
    allowed = rate(rates.get(scope, ""))
    if allowed is None:
        return
    wait = _count(f"limit:{scope}:{who.key}", allowed, cost)
    if wait > 0:
        raise TooMany(wait)


def charge_texts(count: int) -> None:
    """Charge the texts that a search has to encode."""
    charge("search", count)


def charge_pixels(pixels: int) -> None:
    """Charge a picture before it is decoded and encoded."""
    charge("search", max(1.0, pixels / PIXELS_OF_A_SEARCH))


def charge_classification(texts: int) -> None:
    """Charge a classification by the number of texts that it has to encode."""
    charge("classify", max(1.0, texts / TEXTS_OF_A_CLASSIFICATION))


def charge_visit() -> None:
    """Charge a request of a visitor. Requests of accounts are free."""
    who = requester.current()
    if who is not None and not who.account:
        charge("anonymous")


def _count(key: str, allowed: Rate, cost: float) -> float:
    """Count `cost` and return 0, or return the seconds to wait. Return 0 if the cache is down."""
    each = allowed.seconds / allowed.most
    try:
        server = get_redis_connection("default")
        answer = server.eval(_COUNT, 1, cache.make_key(key), allowed.seconds, each, cost)
    except redis.RedisError as error:
        logger.warning("Nothing is counted, the cache is down: %s", error)
        return 0.0
    return float(answer)
