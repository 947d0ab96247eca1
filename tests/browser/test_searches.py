"""Saved searches, the history and smart albums, by mouse and keyboard."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect

from gallery.models import Album, EmbeddingSpace, SavedSearch, User
from gallery.organising import saved_searches, search_history, smart_albums
from gallery.search.query import syntax
from tests.browser.conftest import Site
from tests.browser.selecting import expect_said
from tests.conftest import draw, upload
from tests.factories import set_vector
from tests.web_tools import WORDS, fake_encoder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def space(site: Site, member: User, monkeypatch: Any) -> EmbeddingSpace:
    """Three red pictures and a green one. Their owner is signed in."""
    space = fake_encoder(monkeypatch)
    for number, colour in enumerate(["red", "crimson", "salmon", "green"]):
        image = upload(member, draw(300, 200, colour), title=f"Picture {number}")
        set_vector(image, space, (0, 1, 0) if colour == "green" else (1, 0.1 * number, 0))
    site.enter(member)
    return space


def search(site: Site, text: str) -> Page:
    page = site.open(reverse("search") + f"?q={text}")
    expect(page.locator("[data-tile]").first).to_be_visible()
    return page


def test_a_search_is_saved_found_again_changed_and_deleted(
    site: Site, member: User, space: EmbeddingSpace
) -> None:
    page = search(site, "red")
    site.expected_errors = ["400"]
    page.get_by_role("link", name="Save this search").click()
    dialog = page.get_by_role("dialog", name="Save this search")
    name = dialog.get_by_label("Name")
    expect(name).to_have_value("red")
    expect(name).to_be_focused()
    name.fill("All that is red")
    page.keyboard.press("Enter")
    saved = page.get_by_role("dialog", name="Saved")
    expect(saved).to_contain_text("The search is saved as “All that is red”.")
    shoot(page, "saved")
    saved.get_by_role("button", name="Done").click()
    expect(saved).to_be_hidden()

    # The same name again offers to replace the other search.
    page = search(site, "green")
    page.get_by_role("link", name="Save this search").click()
    dialog.get_by_label("Name").fill("all that is RED")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text(
        "You have a saved search of this name already."
    )
    shoot(page, "taken")
    dialog.get_by_role("button", name="Replace the other one").click()
    expect(saved).to_be_visible()
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Searches").click()
    row = page.get_by_role("listitem").filter(has_text="All that is red")
    expect(row.locator(".query-chip")).to_have_text("green")
    expect(row.locator(".glance img")).to_have_count(4)
    row.get_by_role("link", name="Change All that is red").click()
    page.get_by_label("Name").fill("Not red")
    page.locator("[name=text]").fill("-red tag:dog")
    page.get_by_role("button", name="Save").click()
    changed = page.get_by_role("listitem").filter(has_text="Not red")
    expect(changed.locator(".query-chip")).to_have_text(["−withoutred", "#dog"])
    page.get_by_role("button", name="Delete the saved search Not red").click()
    expect(page.get_by_role("heading", name="No saved searches yet")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Not red", exact=True)).to_be_visible()


def test_a_form_that_comes_in_leaves_the_focus_where_one_goes(
    site: Site, member: User, space: EmbeddingSpace
) -> None:
    """Once its first field took the focus a moment later, and the typed text with it."""
    saved_searches.save(member, "Reds", syntax.parse("red").query)
    page = site.open(reverse("searches"))
    focused = page.get_by_role("link", name="Change Reds").evaluate(
        """(link) => new Promise((resolve) => {
            const later = () => setTimeout(() => resolve(document.activeElement.name), 100);
            document.addEventListener("htmx:afterSwap", () => setTimeout(() => {
                const field = document.querySelector("[name=text]");
                field?.focus();
                if (field) later();
            }));
            link.click();
        })"""
    )
    assert focused == "text"


def test_an_album_fills_itself(site: Site, member: User, space: EmbeddingSpace) -> None:
    saved_searches.save(member, "Reds", syntax.parse("red").query)
    page = site.open(reverse("searches"))
    page.get_by_role("button", name="Fill an album").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reds")
    expect(page.locator(".filling")).to_contain_text("Fills itself from “Reds”")
    expect(page.locator("[data-tile]")).to_have_count(4)
    expect(page.get_by_role("link", name="Add pictures")).to_have_count(0)
    page.wait_for_load_state()  # the script that opens the dialog is loaded
    page.get_by_role("link", name="Share").click()
    expect(page.get_by_role("dialog")).to_contain_text("fits its search later")
    shoot(page, "share")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Stop filling, keep the pictures").click()
    expect(page.locator("[data-tile]")).to_have_count(4)
    expect(page.locator(".filling")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".filling")).to_be_visible()

    # During the first filling the page updates itself.
    SavedSearch.objects.update(filled_at=None)
    page.reload()
    expect(page.locator(".filling")).to_contain_text("being filled")
    assert smart_albums.fill(SavedSearch.objects.get().pk)
    expect(page.locator(".filling")).to_contain_text("filled")
    expect(page.locator(".filling")).not_to_contain_text("being filled")


def test_the_history_is_offered_erased_and_switched_off(
    site: Site, member: User, space: EmbeddingSpace
) -> None:
    search(site, "green")
    search(site, "red")
    page = site.open(reverse("timeline"))
    field = page.get_by_role("combobox", name="Search pictures")
    field.focus()
    options = page.locator("#q-options [role=option]")
    expect(options).to_have_count(2)
    shoot(page, "recent")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}{reverse('search')}?q=green")

    # Typing narrows the choices.
    field.fill("gr")
    expect(options).to_have_text(["green"])
    page.keyboard.press("Escape")

    page = site.open(reverse("search_history"))
    expect(page.locator(".history-row")).to_have_count(2)
    page.get_by_role("button", name="Erase red").click()
    expect(page.locator(".history-row")).to_have_count(1)
    page.get_by_role("button", name="Switch the history off").click()
    shoot(page, "switch")
    page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    expect(page.get_by_role("heading", name="The history is switched off")).to_be_visible()
    expect_said(page, "those before are forgotten")
    search(site, "red")
    assert not search_history.history_of(member).exists()
    page = site.open(reverse("account_home"))
    page.get_by_role("button", name="Switch the history on").click()
    expect(page.get_by_role("button", name="Switch the history off")).to_be_visible()


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(320, "dark", "zh-hans"), (1280, "light", "en")]
)
def test_the_pages_fit(
    site: Site,
    member: User,
    space: EmbeddingSpace,
    context: BrowserContext,
    width: int,
    scheme: Any,
    language: str,
    monkeypatch: Any,
) -> None:
    member.language = language
    member.save()
    page = site.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    endless = "a very long description of a picture without an end"
    monkeypatch.setitem(WORDS, endless, WORDS["red"])
    long = f'red -green "{endless}"^0.5 tag:unbreakable'
    saved_searches.save(member, "x" * 150, syntax.parse(long + "x" * 30).query)
    saved = saved_searches.save(member, "Reds", syntax.parse("red on:2024-05").query)
    saved = saved_searches.save(member, "Red ones", syntax.parse("red").query)
    smart_albums.make(saved)
    for text in (long, "green -red after:2024 camera:X100", "red"):
        search_history.note(member, text)
    addresses = {
        "list": reverse("searches"),
        "history": reverse("search_history"),
        "edit": reverse("saved_search_edit", args=[saved.pk]),
        "save": reverse("saved_search_create") + "?q=red",
        "album": reverse("album", args=[Album.objects.get().pk]),
        "account": reverse("account_home"),
        "albums": reverse("albums"),
    }
    for name, address in addresses.items():
        page = site.open(address)
        expect(page.locator("h1")).to_be_visible()
        if name == "list":
            expect(page.locator(".glance img").first).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, name
        shoot(page, f"{name}-{width}-{scheme}-{language}")


def shoot(page: Page, name: str) -> None:
    """Take a screenshot for people, if a folder is named."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"searches-{name}.png", full_page=True)
