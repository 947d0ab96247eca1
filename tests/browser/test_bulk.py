"""Acts on all selected pictures, and their undo."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gallery.models import Analysis, Image, ShareLink, User
from gallery.organising import albums, tags
from tests.browser.conftest import Site
from tests.browser.selecting import (
    COUNT,
    act,
    bar,
    chosen,
    expect_said,
    fill_gallery,
    names,
    pick,
    tile,
    undo,
)
from tests.conftest import draw, upload, wait_for
from tests.factories import make_space
from tests.sharing_tools import share

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def gallery(site: Site, member: User) -> Page:
    fill_gallery(member)
    site.enter(member)
    return site.open()


def test_delete_and_undo(gallery: Page) -> None:
    pick(gallery, 19, 17)
    act(gallery, "Delete")
    expect_said(gallery, "2 pictures moved to the trash.")
    expect(tile(gallery, 19)).to_have_count(0)
    expect(tile(gallery, 18)).to_be_visible()
    undo(gallery)
    expect(tile(gallery, 19)).to_be_visible()
    assert not Image.objects.filter(deleted_at__isnull=False).exists()


def test_archive_and_undo(gallery: Page) -> None:
    pick(gallery, 19)
    act(gallery, "Archive")
    expect_said(gallery, "1 picture archived.")
    expect(tile(gallery, 19)).to_have_count(0)
    undo(gallery)
    expect(tile(gallery, 19)).to_be_visible()


def test_into_an_album_that_is_found_by_typing(gallery: Page, member: User) -> None:
    albums.create(member, "Mountains")
    album = albums.create(member, "Seaside")
    pick(gallery, 19, 18)
    act(gallery, "Album")
    dialog = gallery.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("Add 2 pictures to an album")
    expect(dialog.get_by_role("button", name="Mountains")).to_be_visible()
    gallery.keyboard.type("sea")
    expect(dialog.get_by_role("button", name="Mountains")).to_have_count(0)
    dialog.get_by_role("button", name="Seaside").click()
    expect_said(gallery, "2 pictures added to “Seaside”.")
    expect(dialog).to_be_hidden()
    assert album.items.count() == 2
    undo(gallery)
    assert album.items.count() == 0


def test_into_a_new_album(gallery: Page, member: User) -> None:
    pick(gallery, 19)
    act(gallery, "Album")
    dialog = gallery.get_by_role("dialog")
    gallery.keyboard.type("Brand new")
    dialog.get_by_role("button", name="New album “Brand new”").click()
    expect_said(gallery, "1 picture added to “Brand new”.")
    assert member.albums.get().title == "Brand new"
    assert member.albums.get().items.get().image.title == "Picture 19"
    gallery.locator("#toasts").get_by_role("link", name="Open").click()
    expect(gallery.get_by_role("heading", name="Brand new")).to_be_visible()


def test_sharing_with_a_known_person_and_undo(gallery: Page, member: User) -> None:
    friend = User.objects.create_user("friend", display_name="Bea")
    share(albums.create(member, "Shared before"), friend)
    pick(gallery, 19, 18)
    act(gallery, "Share")
    dialog = gallery.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("Share 2 pictures")
    expect(dialog.get_by_label("Username")).to_be_focused()
    dialog.get_by_role("button", name="Share").click()
    expect(dialog.get_by_role("alert")).to_have_text("Choose somebody, or make a link.")
    dialog.get_by_role("checkbox", name="Bea").check()
    dialog.get_by_role("button", name="Share").click()
    expect_said(gallery, "Shared with Bea.")
    expect(dialog).to_be_hidden()
    assert Image.objects.visible_to(friend).count() == 2
    undo(gallery)
    assert Image.objects.visible_to(friend).count() == 0


def test_a_mistake_in_a_name_keeps_what_was_typed(gallery: Page, site: Site) -> None:
    site.expected_errors = ["400"]
    pick(gallery, 19)
    act(gallery, "Share")
    dialog = gallery.get_by_role("dialog")
    dialog.get_by_label("Name (optional)").fill("For you")
    dialog.get_by_label("Username").fill("nobody-here")
    gallery.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("No account has this username.")
    expect(dialog.get_by_label("Name (optional)")).to_have_value("For you")
    expect(dialog.get_by_label("Username")).to_have_value("nobody-here")


def test_sharing_by_a_link(gallery: Page) -> None:
    gallery.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pick(gallery, 19, 18)
    act(gallery, "Share")
    dialog = gallery.get_by_role("dialog")
    dialog.get_by_role("button", name="Create link").click()
    copy = dialog.get_by_role("button", name="Copy")
    expect(copy).to_be_focused()
    copy.click()
    copied = gallery.evaluate("() => navigator.clipboard.readText()")
    assert copied.endswith(f"/s/{ShareLink.objects.get().token}/")
    dialog.get_by_role("button", name="Close").click()
    expect_said(gallery, "2 pictures shared.")
    gallery.goto(copied)
    expect(gallery.get_by_role("heading", name="2 pictures")).to_be_visible()


def test_a_picture_for_the_account(gallery: Page, member: User) -> None:
    pick(gallery, 19)
    bar(gallery).get_by_role("button", name="More").click()
    gallery.get_by_role("button", name="Use as your picture").click()
    expect_said(gallery, "This is your picture now.")
    expect(gallery.locator("header img.avatar")).to_be_visible()
    member.refresh_from_db()
    assert member.portrait_id


def test_tags(gallery: Page, member: User) -> None:
    pick(gallery, 19, 18)
    act(gallery, "Tags")
    dialog = gallery.get_by_role("dialog")
    dialog.get_by_label("Tags").fill("summer, lake")
    dialog.get_by_role("button", name="Add").click()
    expect_said(gallery, "2 pictures tagged.")
    assert [(tag.name, tag.count) for tag in tags.tags_of(member)] == [("lake", 2), ("summer", 2)]

    pick(gallery, 19)
    act(gallery, "Tags")
    dialog.get_by_role("checkbox", name="lake").check()
    dialog.get_by_role("button", name="Remove").click()
    expect_said(gallery, "Tags removed from 1 picture.")
    assert [(tag.name, tag.count) for tag in tags.tags_of(member)] == [("lake", 1), ("summer", 2)]
    gallery.locator("#toasts .toast").last.get_by_role("button", name="Undo").click()
    wait_for(lambda: tags.tags_of(member)[0].count == 2)


def test_visibility_and_undo(gallery: Page) -> None:
    pick(gallery, 19)
    bar(gallery).get_by_role("button", name="More").click()
    gallery.get_by_role("button", name="Visibility").click()
    dialog = gallery.get_by_role("dialog")
    dialog.get_by_label("Public").check()
    dialog.get_by_role("button", name="Apply").click()
    expect_said(gallery, "1 picture changed.")
    assert [i.title for i in Image.objects.filter(visibility="public")] == ["Picture 19"]
    undo(gallery)
    assert not Image.objects.filter(visibility="public").exists()


def test_download_as_zip(gallery: Page) -> None:
    pick(gallery, 19, 18)
    act(gallery, "Download")
    dialog = gallery.get_by_role("dialog")
    expect(dialog).to_contain_text("2 pictures, about 0.1 MB.")
    with gallery.expect_download() as download:
        dialog.get_by_role("button", name="Download").click()
    packed = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    assert len(packed.namelist()) == 2
    expect_said(gallery, "The download begins")


def test_encode_again(gallery: Page, dispatched: list[tuple[Any, ...]]) -> None:
    make_space()
    dispatched.clear()
    pick(gallery, 19)
    bar(gallery).get_by_role("button", name="More").click()
    gallery.get_by_role("button", name="Encode again").click()
    expect_said(gallery, "1 picture is being encoded again.")
    assert Analysis.objects.get(analyser__startswith="encoding-").state == "waiting"
    assert ("gallery.tasks.index_pending",) in dispatched


def test_others_pictures_are_left_alone_and_counted(
    site: Site, gallery: Page, member: User
) -> None:
    bob = User.objects.create_user("bob", "bob@example.org", "bob-password")
    Image.objects.filter(title__in=names(19, 18, 17)).update(visibility="public")
    upload(bob, draw(300, 200, "black"), title="Picture 100")
    site.sign_out()
    site.enter(bob)
    page = site.open()
    pick(page, 100, 19, 18)
    act(page, "Delete")
    expect_said(page, "1 picture moved to the trash. 2 are not yours and stay as they are.")
    expect(tile(page, 19)).to_be_visible()
    expect(tile(page, 100)).to_have_count(0)
    assert Image.objects.owned_by(member).count() == COUNT
    undo(page)
    expect(tile(page, 100)).to_be_visible()
    pick(page, 19)
    act(page, "Favourite")
    expect_said(page, "1 new favourite.")


def test_visitors_choose_nothing(site: Site, member: User) -> None:
    upload(member, draw(), title="Picture 0", visibility="public")
    page = site.open()
    expect(tile(page, 0)).to_be_visible()
    assert page.get_by_role("checkbox").count() == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    assert chosen(page) == []
