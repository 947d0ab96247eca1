"""People who use a site: their requests and the times of these.

Of 20 people 10 browse, 6 search, 2 upload and 2 do a bit of everything. One in five of those who
browse or search has no account. Like a browser, each requests a page with the 15 thumbnails
that a window of 1440 × 900 shows, six at a time. It revalidates known thumbnails with their
entity tags once their lifetime is over, and has style sheets and scripts in its cache. Then the
person looks: 8 to 24 seconds at a grid, 6 to 18 at a picture, 15 to 45 until the next upload.

The times of actions are drawn beforehand and do not depend on answers. If an answer is slow, the
next action starts late, and its time counts from when it was due. So every person notices a site
that hangs (no "coordinated omission").
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from PIL import Image as PILImage

from benchmarks.load_library import Account, fresh_upload, new_name

THUMBNAILS = 15
PARALLEL = 6
PATIENCE_SECONDS = 30.0
# Shorter than that of gunicorn, so that no request uses a connection that the server closes.
KEEP_ALIVE_SECONDS = 1.5
# Numbers of people out of 20. Every fifth of the first two kinds has no account.
MIX = {"browse": 10, "search": 6, "upload": 2, "mixed": 2}
VISITORS = 5

GRID, PICTURE, UPLOAD = (8.0, 24.0), (6.0, 18.0), (15.0, 45.0)

_KINDS = ("", "old", "small", "red", "blue", "black", "bright", "broken")
_THINGS = ("cat", "dog", "rocket", "cup of coffee", "coin", "flower", "astronaut", "wall")
_PLACES = ("", "at night", "on a table", "in the snow", "on a beach", "in a city", "outside")
_LINES = ("color:blue", "orientation:landscape", "after:2024", 'camera:"R5"', "size:small")
_TILE = re.compile(r'href="(/images/[0-9a-f-]{36}/)')
_SOURCE = re.compile(r'<img src="(/api/v1/thumbnails/[^/]+/[0-9a-f-]{36}/\?w=\d+)"')
_LARGE = re.compile(r"(/api/v1/thumbnails/[^/]+/[0-9a-f-]{36}/\?w=(?:1280|2048))")
_MORE = re.compile(r'hx-get="([^"]+(?:after|c)=[^"]+)"')
_MAX_AGE = re.compile(r"max-age=(\d+)")
_ALBUM = re.compile(r'href="(/albums/[0-9a-f-]{36}/)')


@dataclass
class Answers:
    """Seconds of the requests by kind, and the errors."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def failed(self) -> int:
        return sum(map(len, self.errors.values()))


class Person:
    """A person with a browser, and a token if they have an account."""

    def __init__(
        self,
        kind: str,
        account: Account | None,
        url: str,
        answers: Answers,
        photos: list[PILImage.Image],
        rng: random.Random,
    ) -> None:
        self.kind, self.account, self.url = kind, account, url
        self.answers, self.photos, self.rng = answers, photos, rng
        self._tags: dict[str, str] = {}
        # Until when each answer is fresh.
        self._kept: dict[str, float] = {}
        # When the current action was due, until its first request.
        self._due: float | None = None
        self._http: aiohttp.ClientSession

    async def live(self, until: float, hurry: float = 1.0) -> None:
        """Act until `until`. Looking times are divided by `hurry`."""
        cookies = {"sessionid": self.account.session} if self.account else {}
        connector = aiohttp.TCPConnector(limit=PARALLEL, keepalive_timeout=KEEP_ALIVE_SECONDS)
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(
            self.url, cookies=cookies, connector=connector, timeout=timeout
        ) as self._http:
            # Random starts spread the people over the time of a first look.
            due = time.monotonic() + self.rng.uniform(0, GRID[1]) / hurry
            while due < until:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                act, look = self._next_act()
                self._due = due
                await act()
                due += self.rng.uniform(*look) / hurry

    def _next_act(self) -> tuple[Callable[[], Awaitable[None]], tuple[float, float]]:
        match self.rng.choice(list(MIX)[:3]) if self.kind == "mixed" else self.kind:
            case "browse":
                acts = [(self._home, GRID), (self._picture, PICTURE), (self._scroll, GRID)]
                if self.account:
                    acts.append((self.rng.choice([self._timeline, self._album]), GRID))
            case "search":
                acts = [(self._search, GRID), (self._search, GRID), (self._hit, PICTURE)]
            case _:
                acts = [(self._upload, UPLOAD)]
        return self.rng.choice(acts)

    # --- Actions ----------------------------------------------------------------------

    async def _home(self) -> None:
        await self._grid("home", "/")

    async def _timeline(self) -> None:
        page = await self._ask("timeline", "/timeline/")
        if found := re.search(r'data-parts="([^"]+)"', page):
            part = found[1].replace("&amp;", "&") + "0"
            await self._grid("timeline part", part, headers={"HX-Request": "true"})

    async def _scroll(self) -> None:
        """Request the home page, and its next part after the first."""
        page = await self._grid("home", "/")
        if found := _MORE.search(page):
            more = found[1].replace("&amp;", "&")
            await self._grid("next part", more, headers={"HX-Request": "true"})

    async def _picture(self) -> None:
        page = await self._grid("home", "/")
        await self._open(page)

    async def _album(self) -> None:
        page = await self._ask("albums", "/albums/")
        if found := _ALBUM.findall(page):
            await self._grid("album", self.rng.choice(found))

    async def _search(self) -> str:
        """Search, with two requests for suggestions while typing."""
        words = (self.rng.choice(part) for part in (_KINDS, _THINGS, _PLACES))
        line = " ".join(filter(None, words))
        if self.rng.random() < 0.2:
            line = f"{line} {self.rng.choice(_LINES)}"
        for typed in (line[:2], line[: len(line) // 2]):
            await self._ask("completion", "/search/complete/", params={"q": typed})
        return await self._grid("search", "/search/", params={"q": line})

    async def _hit(self) -> None:
        await self._open(await self._search())

    async def _open(self, page: str) -> None:
        """Open a picture of a grid: its page, its file, and similar pictures."""
        tiles = _TILE.findall(page)
        if not tiles:
            return
        address = self.rng.choice(tiles[:THUMBNAILS])
        shown = await self._ask("picture", address)
        wanted = [self._grid("similar", f"{address}similar/", headers={"HX-Request": "true"})]
        if large := _LARGE.search(shown):
            wanted.append(self._ask("large picture", large[1]))
        await asyncio.gather(*wanted)

    async def _upload(self) -> None:
        assert self.account is not None
        data = await asyncio.to_thread(fresh_upload, self.photos, self.rng)
        form = aiohttp.FormData()
        form.add_field("file", data, filename=new_name(), content_type="image/jpeg")
        headers = {"Authorization": f"Token {self.account.token}"}
        await self._ask("upload", "/api/v1/images/", "POST", data=form, headers=headers)

    # --- Requests -----------------------------------------------------------------------

    async def _grid(self, kind: str, address: str, **options: Any) -> str:
        """Request a page or a part of one, and the thumbnails in the viewport."""
        page = await self._ask(kind, address, **options)
        sources = list(dict.fromkeys(_SOURCE.findall(page)))[:THUMBNAILS]
        now = time.monotonic()
        missing = [source for source in sources if self._kept.get(source, 0.0) <= now]
        await asyncio.gather(*(self._ask("thumbnail", source) for source in missing))
        return page

    async def _ask(self, kind: str, address: str, method: str = "GET", **options: Any) -> str:
        """Return the text of the answer; "" if there is none. The time of an action's first
        request counts from when the action was due. The time of the others counts from when
        they could be sent, which includes the wait for a connection."""
        wanted, self._due = self._due or time.monotonic(), None
        headers = dict(options.pop("headers", {}))
        if kind in ("thumbnail", "large picture") and address in self._tags:
            headers["If-None-Match"] = self._tags[address]
        try:
            async with self._http.request(method, address, headers=headers, **options) as answer:
                body = await answer.read()
                if answer.status >= 400:
                    self.answers.errors[kind].append(f"{answer.status} {address} {body[:200]!r}")
                if tag := answer.headers.get("ETag"):
                    self._tags[address] = tag
                if age := _MAX_AGE.search(answer.headers.get("Cache-Control", "")):
                    self._kept[address] = time.monotonic() + int(age[1])
        except (aiohttp.ClientError, TimeoutError) as error:
            self.answers.errors[kind].append(f"{type(error).__name__} {address} {error}")
            return ""
        finally:
            self.answers.seconds[kind].append(time.monotonic() - wanted)
        return "" if answer.content_type.startswith("image/") else body.decode()


def kinds_of(people: int) -> list[str]:
    """The kind of each person, in the proportions of MIX."""
    pattern = [kind for kind, share in MIX.items() for _ in range(share)]
    random.Random(0).shuffle(pattern)
    return [pattern[number % len(pattern)] for number in range(people)]


def is_visitor(number: int, kind: str) -> bool:
    return kind in ("browse", "search") and number % VISITORS == 0
