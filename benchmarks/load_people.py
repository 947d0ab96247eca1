"""People who use a site: what each asks for, and when.

Of 20 people 10 browse, 6 search, 2 upload and 2 do a bit of everything; one in five of
those who browse or search has no account. A page is asked for with the 15 thumbnails that a
window of 1440 × 900 shows of it, six at a time, as a browser does; what it has had before it
asks for again with its entity tag, once it may no longer keep it. Style sheets and scripts
are in its cache. Then the person looks: 8 to 24 seconds at a grid, 6 to 18 at a picture,
15 to 45 until the next upload.

When somebody acts is drawn beforehand and waits for no answer: who is kept waiting acts late,
and what they then ask for counts from when they wanted it. So a site that stands still is
told so by everybody (no "coordinated omission").
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
# Shorter than gunicorn's: a connection is not used while the server closes it.
KEEP_ALIVE_SECONDS = 1.5
# Of 20 people; every fifth of the first two kinds has no account.
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
    """Seconds of each kind of request, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def failed(self) -> int:
        return sum(map(len, self.errors.values()))


class Person:
    """Somebody with a browser, and a token if they have an account."""

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
        # Until when an answer need not be asked for again.
        self._kept: dict[str, float] = {}
        # When the act was due whose first request is still to come.
        self._due: float | None = None
        self._http: aiohttp.ClientSession

    async def live(self, until: float, hurry: float = 1.0) -> None:
        """Act until then; times to look are divided by `hurry`."""
        cookies = {"sessionid": self.account.session} if self.account else {}
        connector = aiohttp.TCPConnector(limit=PARALLEL, keepalive_timeout=KEEP_ALIVE_SECONDS)
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(
            self.url, cookies=cookies, connector=connector, timeout=timeout
        ) as self._http:
            # Not all at once: each begins somewhere in a first look.
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

    # --- What they do -----------------------------------------------------------------

    async def _home(self) -> None:
        await self._grid("home", "/")

    async def _timeline(self) -> None:
        page = await self._ask("timeline", "/timeline/")
        if found := re.search(r'data-parts="([^"]+)"', page):
            part = found[1].replace("&amp;", "&") + "0"
            await self._grid("timeline part", part, headers={"HX-Request": "true"})

    async def _scroll(self) -> None:
        """The home page, and its next part once the first has been shown."""
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
        """Typed with two suggestions on the way."""
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
        """A picture of a grid: its page, itself, and what is like it."""
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

    # --- Asking -------------------------------------------------------------------------

    async def _grid(self, kind: str, address: str, **options: Any) -> str:
        """A page or a part of one, and the thumbnails that are then in sight."""
        page = await self._ask(kind, address, **options)
        sources = list(dict.fromkeys(_SOURCE.findall(page)))[:THUMBNAILS]
        now = time.monotonic()
        missing = [source for source in sources if self._kept.get(source, 0.0) <= now]
        await asyncio.gather(*(self._ask("thumbnail", source) for source in missing))
        return page

    async def _ask(self, kind: str, address: str, method: str = "GET", **options: Any) -> str:
        """The text of the answer; empty where there is none. The clock of the first request
        of an act runs from when that was due, of the others from when they could be sent,
        so that waiting for a connection counts."""
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
    """What each of them does, in the proportions of MIX."""
    pattern = [kind for kind, share in MIX.items() for _ in range(share)]
    random.Random(0).shuffle(pattern)
    return [pattern[number % len(pattern)] for number in range(people)]


def is_visitor(number: int, kind: str) -> bool:
    return kind in ("browse", "search") and number % VISITORS == 0
