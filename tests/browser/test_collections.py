"""Favourites, archive and trash: what leaves them, and what returns."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from gallery.library import service
from gallery.models import Image, User
from tests.browser.conftest import Site
from tests.browser.selecting import (
    act,
    expect_said,
    fill_gallery,
    pick,
    tile,
    undo,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def gallery(site: Site, member: User) -> Page:
    fill_gallery(member)
    site.enter(member)
    return site.open()


def test_favourites_are_unmarked(site: Site, gallery: Page) -> None:
    pick(gallery, 19, 18)
    act(gallery, "Favourite")
    expect_said(gallery, "2 new favourites.")
    page = site.open(reverse("favourites"))
    pick(page, 19)
    act(page, "Unmark")
    expect(tile(page, 19)).to_have_count(0)
    expect(tile(page, 18)).to_be_visible()
    undo(page)
    expect(tile(page, 19)).to_be_visible()


def test_unarchive(site: Site, gallery: Page) -> None:
    Image.objects.filter(title="Picture 3").update(archived_at="2026-01-01T00:00Z")
    page = site.open(reverse("archive"))
    pick(page, 3)
    act(page, "Unarchive")
    # It was the last one: the page says that nothing is left.
    expect(page.get_by_role("heading", name="Nothing is archived")).to_be_visible()
    expect_said(page, "1 picture unarchived.")
    undo(page)
    expect(tile(page, 3)).to_be_visible()


@pytest.fixture
def trash(site: Site, member: User) -> Page:
    for image in fill_gallery(member, 4):
        service.delete_image(image)
    site.enter(member)
    return site.open(reverse("trash"))


def test_restore_some(trash: Page) -> None:
    pick(trash, 3, 1)
    act(trash, "Restore")
    expect_said(trash, "2 pictures restored.")
    expect(tile(trash, 3)).to_have_count(0)
    expect(tile(trash, 2)).to_be_visible()
    undo(trash)
    expect(tile(trash, 3)).to_be_visible()


def test_delete_for_good_asks_first(trash: Page, member: User) -> None:
    pick(trash, 3)
    act(trash, "Delete for good")
    dialog = trash.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete 1 picture for good?")
    dialog.get_by_role("button", name="Keep them").click()
    assert Image.objects.in_trash_of(member).count() == 4
    act(trash, "Delete for good")
    dialog.get_by_role("button", name="Delete for good").click()
    expect_said(trash, "1 picture deleted for good.")
    assert Image.objects.in_trash_of(member).count() == 3
    expect(trash.locator("#toasts").get_by_role("button", name="Undo")).to_have_count(0)


def test_look_at_a_deleted_picture(trash: Page, site: Site) -> None:
    tile(trash, 3).get_by_role("link").click()
    expect(trash.get_by_role("heading", level=1)).to_have_text("Picture 3")
    trash.get_by_role("button", name="Restore").click()
    expect_said(trash, "Picture restored.")


def test_empty_the_trash_asks_first(trash: Page, member: User) -> None:
    trash.get_by_role("button", name="Empty the trash").click()
    dialog = trash.get_by_role("dialog")
    expect(dialog).to_contain_text("4 pictures are removed")
    dialog.get_by_role("button", name="Keep it").click()
    assert Image.objects.in_trash_of(member).count() == 4
    trash.get_by_role("button", name="Empty the trash").click()
    dialog.get_by_role("button", name="Delete everything for good").click()
    expect(trash.get_by_role("heading", name="The trash is empty")).to_be_visible()
    assert not Image.objects.in_trash_of(member).exists()
