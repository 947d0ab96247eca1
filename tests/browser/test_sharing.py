"""Sharing as people do it: with a person by name, with everybody by a link, and the way back."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gallery.models import Album, AlbumShare, Image, ShareLink, User
from tests.browser.conftest import PASSWORD, Site
from tests.browser.test_looks import TOO_SMALL, UNNAMED, overflow
from tests.conftest import draw, upload
from tests.sharing_tools import album_of, link_to, page_of, share

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bob(transactional_db: None) -> User:
    return User.objects.create_user("bob", "bob@example.org", PASSWORD, display_name="Bob Martin")


@pytest.fixture
def album(member: User) -> Album:
    shapes = [(300, 200, "teal"), (200, 300, "olive"), (400, 200, "salmon")]
    images = [upload(member, draw(w, h, colour), title=colour.title()) for w, h, colour in shapes]
    return album_of(member, *images)


@pytest.fixture
def stranger(site: Site, browser: Any) -> Any:
    """Somebody without an account, in another browser."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    visitor = Site(site.url, context.new_page())
    yield visitor
    visitor.check()
    context.close()


def open_dialog(site: Site, album: Album) -> Page:
    """Open the dialog with the button on the album's page."""
    page = site.open(f"/albums/{album.pk}/")
    page.get_by_role("link", name="Share").first.click()
    expect(page.locator("dialog#share h2")).to_contain_text("Holidays")
    return page


def test_an_album_is_shared_with_a_person(
    site: Site, member: User, bob: User, album: Album, stranger: Site
) -> None:
    site.enter(member)
    page = open_dialog(site, album)
    dialog = page.locator("dialog#share")
    site.expected_errors = ["400"]
    expect(dialog.get_by_label("Username")).to_be_focused()
    dialog.get_by_label("Username").fill("nobody")
    dialog.get_by_role("button", name="Share").first.click()
    expect(dialog.get_by_role("alert")).to_contain_text("No account has this username")
    expect(dialog.get_by_label("Username")).to_have_value("nobody")

    dialog.get_by_label("Username").fill("bob")
    dialog.get_by_role("button", name="Share").first.click()
    expect(dialog.get_by_text("Shared with Bob Martin.")).to_be_visible()
    stranger.enter(bob)
    stranger.open(f"/albums/{album.pk}/")
    expect(stranger.page.get_by_role("heading", level=1)).to_contain_text("Holidays")

    dialog.get_by_label("What Bob Martin may do").select_option("add")
    expect(dialog.get_by_text("Changed for Bob Martin.")).to_be_visible()
    assert AlbumShare.objects.get().role == "add"

    dialog.get_by_role("button", name="Stop sharing with Bob Martin").click()
    expect(dialog.get_by_text("Bob Martin no longer sees this album.")).to_be_visible()
    stranger.expected_errors = ["404"]
    stranger.page.reload()
    expect(stranger.page.get_by_role("heading", level=1)).to_contain_text("Nothing is here")
    dialog.get_by_role("button", name="Undo").click()
    expect(dialog.get_by_text("Shared with Bob Martin.")).to_be_visible()
    assert AlbumShare.objects.get().role == "add"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_one_picture_is_shared_from_the_viewer(
    site: Site, member: User, bob: User, album: Album
) -> None:
    """The dialog is that of a selection, with the picture's own links. Its name is the one that the
    viewer shows."""
    image = album.items.get(image__title="Teal").image
    Image.objects.filter(pk=image.pk).update(title="", original_name="IMG_1262.jpg")
    site.enter(member)
    page = site.open(f"/images/{image.pk}/")
    page.get_by_role("link", name="Share").click()
    dialog = page.locator("dialog#share")
    expect(dialog.get_by_role("heading", level=2)).to_have_text("Share “IMG_1262.jpg”")
    field = dialog.get_by_label("Username")
    expect(field).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("Name somebody to share it with.")
    site.expected_errors = ["400"]
    field.fill("nobody-here")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("No account has this username")
    expect(field).to_have_value("nobody-here")
    field.fill("bob")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Shared with Bob Martin.")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Share", exact=True)).to_be_focused()
    assert list(Image.objects.visible_to(bob)) == [image]
    page.get_by_role("button", name="Info").click()
    notes = page.locator(".in-albums", has_text="Shared with")
    expect(notes.get_by_role("link", name="Bob Martin")).to_be_visible()

    # Bob is known now: he can be ticked, which changes nothing, and lose the picture again.
    page.locator(".toast").get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Share", exact=True).click()
    dialog.get_by_role("checkbox", name="Bob Martin").check()
    dialog.get_by_role("button", name="Share", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Shared with Bob Martin.")
    expect(page.locator("#toasts").get_by_role("button", name="Undo")).to_have_count(0)
    assert list(Image.objects.visible_to(bob)) == [image]
    page.get_by_role("link", name="Share", exact=True).click()
    expect(dialog.get_by_role("checkbox", name="Bob Martin")).to_be_attached()
    dialog.get_by_role("button", name="Stop sharing with Bob Martin").click()
    expect(dialog.get_by_role("status")).to_have_text("Bob Martin no longer sees this picture.")
    assert not Image.objects.visible_to(bob).exists()


def test_a_dialog_that_cannot_be_fetched_does_not_open_as_it_was(
    site: Site, member: User, album: Album
) -> None:
    site.expected_errors = ["ERR_FAILED", "400", "503", "htmx:"]  # which htmx reports
    site.enter(member)
    page = site.open(f"/images/{album.items.get(image__title='Teal').image.pk}/")
    page.wait_for_load_state()
    page.get_by_role("link", name="Share", exact=True).click()
    dialog = page.locator("dialog#share")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.route("**/sharing/", lambda route: route.abort())
    page.get_by_role("link", name="Share", exact=True).click()
    expect(page.locator(".toast")).to_be_visible()
    expect(dialog).to_be_hidden()
    page.unroute_all(behavior="wait")
    page.get_by_role("link", name="Share", exact=True).click()
    expect(dialog.get_by_role("heading", level=2)).to_have_text("Share “Teal”")


def test_a_link_with_a_password_opens_the_album_until_it_is_revoked(
    site: Site, member: User, album: Album, stranger: Site, tmp_path: Path
) -> None:
    site.enter(member)
    page = open_dialog(site, album)
    dialog = page.locator("dialog#share")
    dialog.get_by_text("New link").click()
    dialog.get_by_label("Name", exact=True).fill("For the family")
    dialog.get_by_label("Password").fill("sand castle")
    dialog.get_by_label("May be downloaded").check()
    dialog.get_by_role("button", name="Create link").click()
    address = dialog.get_by_role("textbox", name="Link", exact=True).input_value()
    expect(dialog.get_by_text("For the family")).to_be_visible()

    stranger.expected_errors = ["400", "404"]
    visitor = stranger.page
    visitor.goto(address)
    expect(visitor.get_by_role("heading", level=1)).to_have_text("These pictures have a password")
    visitor.get_by_label("Password").fill("sandcastle")
    visitor.get_by_role("button", name="Show the pictures").click()
    expect(visitor.get_by_role("alert")).to_contain_text("This is not the password")
    visitor.get_by_label("Password").fill("sand castle")
    visitor.get_by_role("button", name="Show the pictures").click()

    expect(visitor.get_by_role("heading", level=1)).to_have_text("Holidays")
    expect(visitor.locator("[data-tile]")).to_have_count(3)
    with visitor.expect_download() as waiting:
        visitor.get_by_role("link", name="Download all").click()
    saved = tmp_path / "all.zip"
    waiting.value.save_as(saved)
    assert zipfile.ZipFile(saved).namelist() == ["001.webp", "002.webp", "003.webp"]
    assert waiting.value.suggested_filename == "Holidays.zip"

    visitor.locator("[data-tile]").first.click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Teal")
    visitor.wait_for_load_state()  # the page listens to keys by then
    visitor.keyboard.press("ArrowRight")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Olive")
    shown = visitor.locator("#stage .fit")
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("image => image.naturalWidth") > 0
    with visitor.expect_download() as waiting:
        visitor.get_by_role("link", name="Download").click()
    assert waiting.value.suggested_filename.endswith(".webp")
    visitor.go_back()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Holidays")

    page.on("dialog", lambda question: question.accept())
    dialog.get_by_role("button", name="Revoke").click()
    expect(dialog.get_by_text("Revoked")).to_be_visible()
    visitor.reload()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("This link does not work any more")
    assert ShareLink.objects.get().use_count == 1


def test_the_address_of_a_link_is_told_to_no_other_page(
    site: Site, member: User, album: Album, stranger: Site
) -> None:
    link = link_to(album)
    told: list[str] = []
    stranger.page.on("request", lambda r: told.append(r.headers.get("referer", "")))
    stranger.open(page_of(link))
    stranger.page.get_by_role("link", name="Clipsite").click()
    expect(stranger.page).to_have_url(f"{site.url}/")
    assert not any(link.token in address for address in told)


def test_links_are_changed_in_their_list(site: Site, member: User, album: Album) -> None:
    link = link_to(album, name="Old name", password="sand castle")
    site.enter(member)
    page = site.open("/links/")
    page.get_by_role("link", name="Change").click()
    page.get_by_label("Name", exact=True).fill("New name")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("New name")).to_be_visible()
    page.get_by_role("link", name="Change").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text("New name")).to_be_visible()
    link.refresh_from_db()
    assert link.password


def test_a_group_is_made_and_filled(site: Site, member: User, bob: User, album: Album) -> None:
    site.enter(member)
    page = site.open("/groups/")
    page.get_by_label("Name of a new group").fill("Family")
    page.get_by_role("button", name="Create group").click()
    page.get_by_label("Username").fill("bob")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("li").get_by_text("Bob Martin")).to_be_visible()
    open_dialog(site, album)
    dialog = page.locator("dialog#share")
    dialog.get_by_label("Group", exact=True).select_option("Family")
    dialog.get_by_role("button", name="Share").nth(1).click()
    expect(dialog.get_by_text("Shared with Family.")).to_be_visible()
    assert Album.objects.visible_to(bob).get() == album


@pytest.mark.parametrize("width", [360, 1280])
def test_pages_of_sharing_fit_and_have_names(
    site: Site, member: User, bob: User, album: Album, width: int
) -> None:
    site.expected_errors = ["404"]
    share(album, bob, "manage")
    long = "unbreakable" * 8
    locked = link_to(album, name=long, password="sand castle", allow_download=True, max_uses=3)
    link = link_to(album, name="Open", allow_download=True)
    image = album.items.first().image
    image.title = long
    image.save()
    site.sign_in(member)
    site.page.set_viewport_size({"width": width, "height": 780})
    for address in [
        "/links/",
        "/groups/",
        "/contributions/",
        f"/albums/{album.pk}/sharing/",
        f"/images/{image.pk}/sharing/",
        f"/links/{link.pk}/edit/",
        f"/links/{link.pk}/qr/",
        page_of(link),
        page_of(link, f"images/{image.pk}/"),
        page_of(locked),
        "/s/unknown/",
    ]:
        page = site.open(address)
        assert overflow(page) <= 0, f"{address} scrolls sideways"
        assert page.evaluate(UNNAMED) == [], address
        assert page.evaluate(TOO_SMALL) == [], address
        assert page.locator("h1").count() == 1, address
