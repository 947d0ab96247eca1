"""The upload page: many files, folders, failures, pauses, retries and cancelling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from gallery.models import Album, Image, ResumableUpload, User
from tests.browser.conftest import Site, hand_over
from tests.browser.uploading import KEPT, Requests, drawn, row

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

UPLOADS = "**/api/v1/uploads/"
MAY_LEAVE = "() => dispatchEvent(new Event('beforeunload', {cancelable: true}))"


@pytest.fixture
def tab(site: Site, member: User) -> Page:
    """The upload page of a signed-in user."""
    site.enter(member)
    return site.open("/upload/")


def choose(tab: Page, *files: Path) -> None:
    tab.locator("#files").set_input_files(files)


# --- Good and bad files -----------------------------------------------------------


def test_states_of_good_and_bad_files(tab: Page, tmp_path: Path) -> None:
    first, second = drawn(tmp_path, 2)
    text = tmp_path / "text.jpg"
    text.write_text("this is text")
    tab.get_by_text("Public", exact=True).click()
    choose(tab, first, text, second)
    rows = tab.locator(".upload-row")
    expect(tab.locator(KEPT)).to_have_count(2)
    expect(rows.nth(1)).to_have_attribute("data-state", "failed")
    expect(rows.nth(1)).to_contain_text("holds no picture")
    assert set(Image.objects.values_list("visibility", flat=True)) == {"public"}

    tab.locator("#parts").get_by_text("Failed").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("text.jpg")


def test_what_is_there_is_not_sent_again(tab: Page, tmp_path: Path) -> None:
    drawn(tmp_path / "album", 3)
    tab.locator("#folder").set_input_files(tmp_path / "album")
    expect(tab.locator(KEPT)).to_have_count(3)

    asked = Requests(tab)
    tab.reload()
    tab.locator("#folder").set_input_files(tmp_path / "album")
    expect(tab.locator(row("duplicate"))).to_have_count(3)
    expect(tab.get_by_role("link", name="Open drawn-0001.jpg")).to_have_attribute(
        "href", f"/images/{Image.objects.get(original_name='drawn-0001.jpg').pk}/"
    )
    assert asked.sent() == []
    assert len([r for r in asked.all if r.url.endswith("/images/known/")]) == 1


def test_what_lies_in_the_trash_comes_back(tab: Page, member: User, tmp_path: Path) -> None:
    from gallery.library import service
    from tests.conftest import upload

    (path,) = drawn(tmp_path, 1)
    image = upload(member, path.read_bytes(), name=path.name)
    service.delete_image(image)
    choose(tab, path)
    expect(tab.locator(KEPT)).to_have_count(1)
    assert Image.objects.owned_by(member).get() == image


def test_files_are_dropped_and_pasted(tab: Page, tmp_path: Path) -> None:
    first, second = drawn(tmp_path, 2)
    hand_over(tab, "dragenter", first)
    expect(tab.locator("#dropzone")).to_contain_class("over")
    hand_over(tab, "drop", first)
    expect(tab.locator("#dropzone")).not_to_contain_class("over")
    hand_over(tab, "paste", second)
    expect(tab.locator(KEPT)).to_have_count(2)


def test_a_folder_gives_its_pictures(tab: Page, tmp_path: Path) -> None:
    drawn(tmp_path / "album", 2)
    drawn(tmp_path / "album" / "inner", 3)
    (tmp_path / "album" / "notes.txt").write_text("no picture")
    tab.locator("#folder").set_input_files(tmp_path / "album")
    expect(tab.locator(".toast")).to_contain_text("left out: 1")
    # Both folders contain the same first two pictures.
    expect(tab.locator(KEPT)).to_have_count(3)
    expect(tab.locator(row("duplicate"))).to_have_count(2)


# --- Album, room ------------------------------------------------------------------


def test_pictures_go_into_an_album(tab: Page, member: User, tmp_path: Path) -> None:
    first, second = drawn(tmp_path, 2)
    choose(tab, first)
    expect(tab.locator(KEPT)).to_have_count(1)

    tab.get_by_label("Album", exact=True).select_option("New album …")
    tab.get_by_label("Name of the album").fill("Summer")
    choose(tab, first, second)
    expect(tab.locator(KEPT)).to_have_count(2)
    expect(tab.locator(row("duplicate"))).to_have_count(1)
    album = Album.objects.get(owner=member)
    assert album.title == "Summer"
    assert set(album.items.values_list("image__original_name", flat=True)) == {
        first.name,
        second.name,
    }
    expect(tab.get_by_label("Album", exact=True)).to_have_value(str(album.pk))


def test_an_album_without_a_name_is_asked_for(tab: Page, tmp_path: Path) -> None:
    tab.get_by_label("Album", exact=True).select_option("New album …")
    choose(tab, *drawn(tmp_path, 1))
    expect(tab.locator("#album-error")).to_have_text("Give the new album a name.")
    expect(tab.locator(".upload-row")).to_have_count(0)
    tab.get_by_label("Album", exact=True).select_option("None")
    expect(tab.locator(KEPT)).to_have_count(1)


def test_what_does_not_fit_is_said_before_it_is_sent(
    site: Site, member: User, tmp_path: Path
) -> None:
    first, second = drawn(tmp_path, 2)
    member.quota_bytes = first.stat().st_size + 10
    member.quota_images = 0
    member.save()
    site.enter(member)
    tab = site.open("/upload/")
    expect(tab.locator("#usage")).to_contain_text("of")
    asked = Requests(tab)
    choose(tab, first, second)
    expect(tab.locator(KEPT)).to_have_count(1)
    expect(tab.locator(row("failed"))).to_contain_text("Does not fit")
    expect(tab.locator("#usage")).to_have_attribute("data-level", "nearly")
    assert len([r for r in asked.sent() if r.method == "POST"]) == 1


# --- Pause, retry, cancel ---------------------------------------------------------


def test_one_failing_file_holds_up_nobody(tab: Page, site: Site, tmp_path: Path) -> None:
    site.expected_errors = ["500"]
    broken = True

    def fail_at_first(route: Route) -> None:
        if broken and "ZHJhd24tMDAwMS5qcGc=" in route.request.headers["upload-metadata"]:
            route.fulfill(status=500, body="")
        else:
            route.continue_()

    tab.route(UPLOADS, fail_at_first)
    choose(tab, *drawn(tmp_path, 4))
    failed = tab.locator(row("failed"))
    expect(tab.locator(KEPT)).to_have_count(3)
    expect(failed).to_contain_text("drawn-0001.jpg")
    expect(failed).to_contain_text("The server cannot take it right now")

    tab.get_by_role("button", name="Retry drawn-0001.jpg").click()
    expect(failed).to_have_count(1)
    broken = False
    tab.get_by_role("button", name="Retry all").click()
    expect(tab.locator(KEPT)).to_have_count(4)
    assert Image.objects.count() == 4


def test_a_file_that_is_no_picture_is_not_to_be_sent_again(tab: Page, tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"no picture at all")
    choose(tab, path)
    failed = tab.locator(row("failed"))
    expect(failed).to_contain_text("broken.jpg")
    expect(failed.get_by_role("button", name="Retry broken.jpg")).to_be_hidden()
    expect(tab.get_by_role("button", name="Retry all")).to_be_hidden()


def test_two_at_once_and_cancelling_the_rest(tab: Page, site: Site, tmp_path: Path) -> None:
    site.expected_errors = ["ERR_", "Failed to load"]
    tab.route(UPLOADS, lambda route: None)  # never answered
    choose(tab, *drawn(tmp_path, 10))
    expect(tab.locator(row("sending"))).to_have_count(2)
    expect(tab.locator(row("waiting"))).to_have_count(8)

    tab.get_by_role("button", name="Cancel drawn-0009.jpg").click()
    expect(tab.locator(row("cancelled"))).to_have_count(1)
    tab.get_by_role("button", name="Cancel all").click()
    expect(tab.locator(row("cancelled"))).to_have_count(10)
    assert tab.evaluate(MAY_LEAVE)
    assert not Image.objects.exists()


def test_pausing_one_and_all(tab: Page, site: Site, tmp_path: Path) -> None:
    site.expected_errors = ["ERR_", "Failed to load"]
    tab.route(UPLOADS, lambda route: None)
    choose(tab, *drawn(tmp_path, 5))
    expect(tab.locator(row("sending"))).to_have_count(2)
    tab.get_by_role("button", name="Pause drawn-0000.jpg").click()
    expect(tab.locator(row("paused"))).to_have_count(1)
    expect(tab.locator(row("sending"))).to_have_count(2)
    tab.get_by_role("button", name="Pause all").click()
    expect(tab.locator(row("paused"))).to_have_count(5)

    tab.unroute(UPLOADS)
    tab.get_by_role("button", name="Resume drawn-0000.jpg").click()
    expect(tab.locator(KEPT)).to_have_count(1)
    expect(tab.locator(row("paused"))).to_have_count(4)
    tab.get_by_role("button", name="Resume all").click()
    # A request that was held during the pause may still reach the server. The page then finds it
    # there, and does not send it twice.
    expect(tab.locator(f"{KEPT}, {row('duplicate')}")).to_have_count(5)
    assert Image.objects.count() == 5


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_patience_gets_it(
    tab: Page, site: Site, tmp_path: Path, status: int
) -> None:
    site.expected_errors = [str(status)]
    refusals = 0

    def refuse_twice(route: Route) -> None:
        nonlocal refusals
        refusals += 1
        if refusals > 2:
            route.continue_()
        else:
            route.fulfill(status=status, headers={"Retry-After": "1"}, json={"errors": []})

    tab.route(UPLOADS, refuse_twice)
    choose(tab, *drawn(tmp_path, 2))
    expect(tab.locator("#notice")).to_be_visible()
    expect(tab.locator(KEPT)).to_have_count(2)
    expect(tab.locator("#notice")).to_be_hidden()


# --- Imports ----------------------------------------------------------------------


def test_a_zip_file_is_imported(media_worker: Any, tab: Page, member: User, tmp_path: Path) -> None:
    import zipfile

    archive = tmp_path / "holiday.zip"
    with zipfile.ZipFile(archive, "w") as pack:
        for path in drawn(tmp_path / "in", 3):
            pack.write(path, f"2024/{path.name}")
        pack.writestr("2024/broken.jpg", "this is text")
    choose(tab, archive)
    batch = tab.locator(".import-row")
    expect(batch).to_contain_text("holiday.zip")
    expect(batch).to_have_attribute("data-state", "done", timeout=30_000)
    expect(batch).to_contain_text("4 of 4: 3 added, 0 already there, 1 failed")
    batch.get_by_text("What failed").click()
    expect(batch.locator("ul")).to_contain_text("broken.jpg")
    expect(tab.locator(row("unpacking"))).to_have_count(1)
    assert Image.objects.owned_by(member).count() == 3

    tab.reload()  # it stays visible until it is removed
    expect(batch).to_contain_text("holiday.zip")
    batch.get_by_role("button", name="Take off the list").click()
    expect(batch).to_have_count(0)


def test_addresses_are_imported(media_worker: Any, tab: Page) -> None:
    tab.get_by_text("Import from the web").click()
    tab.get_by_role("button", name="Import", exact=True).click()
    expect(tab.locator("#address-error")).to_have_text("Enter at least one address.")
    tab.get_by_label("Addresses of pictures").fill("http://127.0.0.1/a.jpg\nno address")
    tab.get_by_role("button", name="Import", exact=True).click()
    batch = tab.locator(".import-row")
    expect(batch).to_contain_text("2 of 2: 0 added, 0 already there, 2 failed", timeout=30_000)
    expect(tab.get_by_label("Addresses of pictures")).to_have_value("")
    # Neither of them is ever the address of a picture.
    expect(batch.get_by_role("button", name="Retry failed")).to_be_hidden()


# --- Thousands, keyboard, phone ---------------------------------------------------

# This keeps the longest task of the page itself, after making the files.
MANY = """() => {
    const transfer = new DataTransfer();
    for (let n = 0; n < 2000; n++) {
        transfer.items.add(new File([`${n}`], `${n}.jpg`, { type: "image/jpeg" }));
    }
    const field = document.getElementById("files");
    field.files = transfer.files;
    field.dispatchEvent(new Event("change"));
    window.longest = 0;
    const began = performance.now();
    new PerformanceObserver((list) => {
        for (const { startTime, duration } of list.getEntries()) {
            if (startTime > began) window.longest = Math.max(window.longest, duration);
        }
    }).observe({ type: "longtask" });
}"""


def add_thousands(tab: Page, site: Site) -> None:
    """Make the files in the page: handing over 2,000 paths takes the test longer than the page."""
    site.expected_errors = ["ERR_", "Failed to load"]
    tab.route(UPLOADS, lambda route: None)
    tab.evaluate(MANY)
    expect(tab.locator("#summary")).to_have_text("0 of 2,000 done")


def test_two_thousand_files_are_queued_at_once(tab: Page, site: Site) -> None:
    add_thousands(tab, site)
    rows = tab.locator(".upload-row")
    assert 3 < rows.count() < 60
    expect(rows.first).to_have_attribute("aria-setsize", "2000")
    expect(rows.first).to_have_attribute("aria-posinset", "1")
    tab.mouse.wheel(0, 999 * 64)
    expect(tab.get_by_text("999.jpg", exact=True)).to_be_attached()
    assert rows.count() < 60
    # All are looked up, though only two are being sent.
    expect(tab.locator("#parts")).to_contain_text("To do 2,000")
    tab.get_by_role("button", name="Cancel all").click()
    expect(tab.locator("#cancel-all")).to_be_hidden()
    print(f"longest task of the page: {tab.evaluate('() => longest'):.0f} ms")


def test_the_list_is_walked_by_keys(tab: Page, site: Site) -> None:
    add_thousands(tab, site)
    expect(tab.locator(row("sending"))).to_have_count(2)
    tab.locator("#parts input:checked").focus()
    tab.keyboard.press("Tab")
    focused = tab.locator(":focus")
    expect(focused).to_contain_text("0.jpg")
    tab.keyboard.press("ArrowDown")
    expect(focused).to_contain_text("1.jpg")
    tab.keyboard.press("End")
    expect(focused).to_contain_text("1999.jpg")
    expect(focused).to_be_in_viewport()
    tab.keyboard.press("ArrowUp")
    expect(focused).to_contain_text("1998.jpg")
    expect(focused).to_have_attribute("data-state", "waiting")
    tab.keyboard.press("Tab")  # pause
    tab.keyboard.press("Tab")
    expect(focused).to_have_accessible_name("Cancel 1998.jpg")
    tab.keyboard.press("Enter")
    expect(focused).to_contain_text("1998.jpg")
    expect(focused).to_contain_text("Cancelled")
    tab.keyboard.press("Home")
    expect(focused).to_contain_text("0.jpg")


def test_rows_fit_a_phone(phone: None, tab: Page, tmp_path: Path) -> None:
    text = tmp_path / ("unbreakable" * 8 + ".jpg")
    text.write_text("this is text")
    choose(tab, text, *drawn(tmp_path, 2))
    expect(tab.locator(row("failed"))).to_have_count(1)
    width = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert tab.evaluate(width) <= 0
    assert tab.evaluate(
        """() => [...document.querySelectorAll(".upload-row")].every(
            (row) => row.scrollHeight <= row.clientHeight + 1)"""
    ), "what a row says is cut off"


# --- SHA-256 ----------------------------------------------------------------------


def test_sha256_agrees_with_the_browsers_own(tab: Page) -> None:
    assert tab.evaluate(
        """async () => {
            const { Sha256 } = await import("clipsite/upload/sha256");
            const hash = (...pieces) => {
                const digest = new Sha256();
                for (const piece of pieces) digest.update(new TextEncoder().encode(piece));
                return digest.hex();
            };
            return [hash(""), hash("abc"), hash("a", "", "bc"), hash("a".repeat(1000000))];
        }"""
    ) == [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    ]
    different = tab.evaluate(
        """async () => {
            const { Sha256 } = await import("clipsite/upload/sha256");
            const hex = (buffer) => [...new Uint8Array(buffer)]
                .map((byte) => byte.toString(16).padStart(2, "0")).join("");
            const wrong = [];
            for (let length = 0; length < 300; length++) {
                const bytes = crypto.getRandomValues(new Uint8Array(length));
                const digest = new Sha256();
                const cut = Math.floor(Math.random() * (length + 1));
                digest.update(bytes.subarray(0, cut));
                digest.update(bytes.subarray(cut));
                const expected = hex(await crypto.subtle.digest("SHA-256", bytes));
                if (digest.hex() !== expected) wrong.push([length, cut]);
            }
            return wrong;
        }"""
    )
    assert different == []


def test_files_are_hashed_the_same_without_the_browsers_own(tab: Page, tmp_path: Path) -> None:
    """Plain http has no crypto.subtle."""
    tab.route(
        "**/js/upload/hash-worker.js",
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            body="Object.defineProperty(crypto, 'subtle', {value: undefined});" + answer.text(),
        ),
    )
    tab.reload()
    (path,) = drawn(tmp_path, 1)
    choose(tab, path)
    expect(tab.locator(KEPT)).to_have_count(1)
    assert ResumableUpload.objects.get().sha256 == Image.objects.get().sha256
