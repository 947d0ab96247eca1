"""Rules for every page: panels open inside the window, nobody sees an id, and axe finds no
fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page

from gallery.models import User
from tests.browser.axe import ALL_RULES, CONTRAST_ALONE, violations
from tests.browser.conftest import Site
from tests.browser.every_page import Everything, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HERE = Path(__file__).parent
IDS = (HERE / "ids.js").read_text().split("\n\n", 1)[1]
PANELS = (HERE / "panels.js").read_text().split("\n\n", 1)[1]
# These are faults of the markup of Swagger UI.
SWAGGERS_OWN = {"heading-order", "nested-interactive", "region"}
WIDTHS = (1440, 1280, 1024, 390, 320)
# A laptop, a tablet with the rail, a phone.
AXE_WIDTHS = (1280, 1024, 390)


@pytest.fixture
def everything(site: Site, member: User, monkeypatch: pytest.MonkeyPatch) -> Everything:
    everything = Everything.make(member, monkeypatch)
    site.expected_errors = ["400", "404", "503", "429"]
    return everything


def enter(site: Site, everything: Everything) -> None:
    session = signed_in(everything.owner).cookies[settings.SESSION_COOKIE_NAME].value
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site.url}
    site.page.context.add_cookies([cookie])


def opened(site: Site, address: str) -> Page:
    """Open the page. Return it after its scripts have drawn their first content."""
    page = site.open(address)
    if address == "/api/docs/":
        page.locator(".opblock").last.wait_for()
    return page


def faults_of(site: Site, addresses: Iterable[str], look: Callable[[Page], list[str]]) -> list[str]:
    """Return the faults that `look` finds on each page, with its address."""
    return [f"{address} {fault}" for address in addresses for fault in look(opened(site, address))]


# Whether no closed panel keeps an entry in the history, after some time.
NO_ENTRY = """async () => {
    for (let tries = 0; history.state?.over && tries < 200; tries++)
        await new Promise((done) => setTimeout(done, 25));
    return !history.state?.over;
}"""


def open_panels(page: Page) -> list[str]:
    """Open all panels. Return, for each width, what cannot be reached in them, and ids in them."""
    faults = [f"shows {text}" for text in page.evaluate(f"({IDS})(document)")]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        fetch = str(width in (WIDTHS[0], WIDTHS[-1])).lower()
        told = page.evaluate(f"(() => {{ const IDS = {IDS}; return ({PANELS})({fetch}); }})()")
        faults += [f"{width}: {fault}" for fault in told]
    # The last panel's entry in the history goes: that would end the loading of the next page.
    if not page.evaluate(NO_ENTRY):
        faults.append("an entry of a panel stays in the history")
    return faults


# Targets of jumps have a name each, and no two of a kind share one. Hidden ones count, too: axe
# ignores them, and sections without a name.
PARTS = """() => {
    const kind = (part) => part.getAttribute("role") ?? part.localName;
    const title = (part) => document.getElementById(part.getAttribute("aria-labelledby"));
    // The title of a dialog that counts is written when it opens.
    const name = (part) => part.getAttribute("aria-label")
        ?? (title(part)?.textContent.trim() || (title(part)?.dataset.counted ?? ""));
    const parts = "nav, aside, section, dialog, [role=region], [role=navigation], [role=search]";
    const all = [...document.querySelectorAll(parts)];
    const told = all.map((part) => `${kind(part)} “${name(part)}”`);
    return told.filter((one, at) => one.endsWith("“”") || told.indexOf(one) !== at);
}"""


def axe_faults(page: Page) -> list[str]:
    """Return the faults that axe-core finds at each width in the light theme, and those of contrast
    in the dark one."""
    swagger = page.url.endswith("/api/docs/")
    faults = []
    if not swagger:
        faults = [f"{part} has no name of its own" for part in page.evaluate(PARTS)]
    for theme, options in (("light", ALL_RULES), ("dark", CONTRAST_ALONE)):
        page.emulate_media(color_scheme=theme)
        for width in AXE_WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            faults += [
                f"{theme}, {width}: {rule['id']} {node['target']}:"
                f" {' '.join(node['failureSummary'].split())}"
                for rule in violations(page, options)
                if not (rule["id"] in SWAGGERS_OWN and swagger)
                for node in rule["nodes"]
            ]
    return faults


def all_faults(page: Page) -> list[str]:
    return axe_faults(page) + open_panels(page)


def test_every_page(site: Site, everything: Everything) -> None:
    # The panel of a picture is open: what is folded away has no colours.
    site.page.context.add_cookies([{"name": "viewer-panel", "value": "open", "url": site.url}])
    faults = faults_of(site, everything.of_visitor(), all_faults)
    enter(site, everything)
    faults += faults_of(site, everything.of_owner(), all_faults)
    assert not faults, "\n".join(faults)
