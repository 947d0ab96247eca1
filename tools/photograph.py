"""Photograph the pages of a running site, for eyes: `python -m tools.photograph --to folder`.

Each page becomes one sheet (a JPEG): every width, light and dark, in every language. The pages are
those below and, of what the account has, the first picture, album, category, tag and region.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Error, Page, sync_playwright

from tools.browser import installed

WIDTHS = {1440: 900, 1024: 768, 390: 844, 320: 640}  # CSS pixels: width to height
THEMES = ("light", "dark")
LANGUAGES = ("en-GB", "zh-CN")

PAGES = {
    "home": "/",
    "recent": "/recent/",
    "search": "/search/?q=beach",
    "nothing": "/search/?q=qwrtzx",
    "help": "/search/help/",
    "explore": "/explore/",
    "albums": "/albums/",
    "favourites": "/favourites/",
    "sharing": "/sharing/",
    "links": "/links/",
    "groups": "/groups/",
    "notices": "/notices/",
    "searches": "/searches/",
    "tags": "/tags/",
    "categories": "/categories/",
    "classify": "/classify/",
    "duplicates": "/duplicates/",
    "archive": "/archive/",
    "trash": "/trash/",
    "upload": "/upload/",
    "account": "/account/",
    "about": "/about/",
    "components": "/components/",
    "api": "/api/docs/",
    "administration": "/admin/",
    "missing": "/nowhere/",
}
# The first link of this kind on a page leads to one more page.
FIRST = {
    "picture": ("/", "a[href^='/images/']"),
    "album": ("/albums/", "main a[href^='/albums/']:not([href$='/new/'])"),
    "label-set": ("/categories/", "main a[href^='/categories/']:not([href$='/new/'])"),
    "tag": ("/tags/", "main a[href^='/tags/']"),
    "region": ("/explore/", "main a[href^='/explore/regions/']"),
}
# Pictures that come late are waited for, up to this time.
LOADED_MILLISECONDS = 8000
ALL_LOADED = "() => [...document.images].every((image) => image.complete)"
HEADING = 24  # pixels
SCALE = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--account", default="demo:demo-demo", help="name:password")
    parser.add_argument("--to", type=Path, required=True, help="a folder for the sheets")
    parser.add_argument("--pages", nargs="*", help="only these (default: all)")
    parser.add_argument("--widths", nargs="*", type=int, default=list(WIDTHS))
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        with signed_in(browser, options.url, options.account, LANGUAGES[0]) as page:
            addresses = {**PAGES, **found(page, options.url)}
        if options.pages:
            addresses = {name: addresses[name] for name in options.pages}
        shots: dict[str, list[tuple[str, bytes]]] = {name: [] for name in addresses}
        for language in LANGUAGES:
            with signed_in(browser, options.url, options.account, language) as page:
                for name, address in addresses.items():
                    shots[name] += photographs(
                        page, options.url + address, language, options.widths
                    )
        browser.close()
    for name, taken in shots.items():
        sheet(taken, len(options.widths)).save(options.to / f"{name}.jpg", quality=85)
        print(options.to / f"{name}.jpg", addresses[name])


@contextmanager
def signed_in(browser: Browser, url: str, account: str, language: str) -> Iterator[Page]:
    """Open the browser in a language, with the account signed in."""
    page = browser.new_page(locale=language, reduced_motion="reduce")
    page.goto(f"{url}/accounts/login/")
    name, _, password = account.partition(":")
    page.locator("input[name=login]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(f"{url}/")
    yield page
    page.close()


def found(page: Page, url: str) -> dict[str, str]:
    """Return the addresses of the first thing of each kind."""
    addresses = {}
    for name, (address, selector) in FIRST.items():
        page.goto(url + address)
        link = page.locator(selector).first
        if link.count():
            addresses[name] = str(link.get_attribute("href"))
    return addresses


def photographs(
    page: Page, address: str, language: str, widths: list[int]
) -> Iterator[tuple[str, bytes]]:
    """Take a page at each width in each theme: (what it is, PNG)."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.goto(address)
        for width in widths:
            page.set_viewport_size({"width": width, "height": WIDTHS.get(width, 900)})
            with suppress(Error):  # photographed as it is
                page.wait_for_function(ALL_LOADED, timeout=LOADED_MILLISECONDS)
            yield f"{width} {theme} {language}", page.screenshot()


def sheet(taken: list[tuple[str, bytes]], in_a_row: int) -> Image.Image:
    """Return the photographs at half their size, one row for each language and theme."""
    tiles = [(title, halved(Image.open(io.BytesIO(png)))) for title, png in taken]
    rows = [tiles[start : start + in_a_row] for start in range(0, len(tiles), in_a_row)]
    heights = [max(tile.height for _, tile in row) + HEADING for row in rows]
    width = max(sum(tile.width + HEADING for _, tile in row) for row in rows)
    whole = Image.new("RGB", (width, sum(heights)), "#777")
    draw = ImageDraw.Draw(whole)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for title, tile in row:
            draw.text((left + 4, top + 6), title, fill="white")
            whole.paste(tile, (left, top + HEADING))
            left += tile.width + HEADING
        top += height
    return whole


def halved(shot: Image.Image) -> Image.Image:
    size = round(shot.width * SCALE), round(shot.height * SCALE)
    return shot.convert("RGB").resize(size, Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
