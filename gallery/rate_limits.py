"""How much an account, or the address of a visitor, may ask for.

Pages and API share one counter for each scope. It counts what a request costs and not
the request: texts to encode, pixels to decode. Where the cache is down nothing is counted
and requests go through.

The counter is the generic cell rate algorithm (ITU-T I.371): the moment at which all
that was counted is worked off at the allowed rate. Up to a whole period's worth may be
asked for at once; what costs more than what is left is still done, and the rest is waited for.
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

# In searches: what asks the database and no encoder, such as suggestions, filters alone and
# pictures like a stored one.
LOOKUP = 0.1
# Pixels whose decoding costs as much as a search, and texts as much as a classification.
PIXELS_OF_A_SEARCH = 10_000_000
TEXTS_OF_A_CLASSIFICATION = 50

_RATE = re.compile(r"(\d+)/([smhd])\w*")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

# By the server's clock, the one that all processes share. Answers how many seconds to wait,
# as text: numbers would be cut to whole ones.
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
    """More than is allowed in so short a time (HTTP 429)."""

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
    """So many in so many seconds."""

    most: int
    seconds: int


@lru_cache
def rate(text: str) -> Rate | None:
    """A rate as the settings have it, such as `120/min`; None for no limit, which is 0 or
    empty. Raises ValueError."""
    if not text.strip() or text.strip() == "0":
        return None
    match = _RATE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"“{text}” is no rate: write a number and a period, such as 120/min.")
    most = int(match[1])
    return Rate(most, _SECONDS[match[2]]) if most else None


def charge(scope: str, cost: float = 1.0) -> None:
    """Count what somebody asks for. Raises TooMany, and counts nothing, where nothing is
    left. What is done for nobody, in workers and commands, is not counted."""
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
    """Count the texts of a search that are to be encoded."""
    charge("search", count)


def charge_pixels(pixels: int) -> None:
    """Count a picture that is to be decoded and encoded, before it is."""
    charge("search", max(1.0, pixels / PIXELS_OF_A_SEARCH))


def charge_classification(texts: int) -> None:
    """Count a classification by the texts of it that are to be encoded."""
    charge("classify", max(1.0, texts / TEXTS_OF_A_CLASSIFICATION))


def charge_visit() -> None:
    """Count a request of a visitor; those of accounts are not."""
    who = requester.current()
    if who is not None and not who.account:
        charge("anonymous")


def _count(key: str, allowed: Rate, cost: float) -> float:
    """Seconds to wait, 0 where it was counted or cannot be."""
    each = allowed.seconds / allowed.most
    try:
        server = get_redis_connection("default")
        answer = server.eval(_COUNT, 1, cache.make_key(key), allowed.seconds, each, cost)
    except redis.RedisError as error:
        logger.warning("Nothing is counted, the cache is down: %s", error)
        return 0.0
    return float(answer)
