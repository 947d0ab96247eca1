"""The upload page: many files, folders, failures, retries and cancelling."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from gallery.models import Image, User
from tests.browser.conftest import Site, hand_over
from tests.conftest import draw

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Uploaded, whether or not an encoder runs.
KEPT = ":is([data-state=pending], [data-state=ready])"


def drawn(folder: Path, count: int) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        path = folder / f"drawn-{number:04}.jpg"
        path.write_bytes(draw(colour=(number % 256, number // 256, 90)))
        paths.append(path)
    return paths


def test_states_of_good_and_bad_files(site: Site, member: User, tmp_path: Path) -> None:
    site.expected_errors = ["400"]
    first, second = drawn(tmp_path, 2)
    text = tmp_path / "text.jpg"
    text.write_text("this is text")
    site.sign_in(member)
    page = site.open("/upload/")
    page.get_by_text("Public", exact=True).click()
    page.locator("#files").set_input_files([first, text, second])
    rows = page.locator(".upload-row")
    expect(page.locator(f".upload-row{KEPT}")).to_have_count(2)
    expect(rows.nth(1)).to_have_attribute("data-state", "failed")
    expect(rows.nth(1)).to_contain_text("holds no picture")
    assert set(Image.objects.values_list("visibility", flat=True)) == {"public"}

    page.locator("#files").set_input_files([first])
    expect(rows.nth(3)).to_have_attribute("data-state", "duplicate")
    expect(rows.nth(3).get_by_role("link", name="Open")).to_have_attribute(
        "href", f"{site.url}/images/{Image.objects.get(original_name=first.name).pk}/"
    )


def test_files_are_dropped_and_pasted(site: Site, member: User, tmp_path: Path) -> None:
    first, second = drawn(tmp_path, 2)
    site.sign_in(member)
    page = site.open("/upload/")
    hand_over(page, "dragenter", first)
    expect(page.locator("#dropzone")).to_contain_class("over")
    hand_over(page, "drop", first)
    expect(page.locator("#dropzone")).not_to_contain_class("over")
    hand_over(page, "paste", second)
    expect(page.locator(f".upload-row{KEPT}")).to_have_count(2)


def test_retry_after_the_connection_broke(site: Site, member: User, tmp_path: Path) -> None:
    site.expected_errors = ["ERR_", "Failed to load"]
    site.sign_in(member)
    page = site.open("/upload/")
    broken = True

    def fail_at_first(route: Route) -> None:
        route.abort() if broken else route.continue_()

    page.route("**/api/v1/images/", fail_at_first)
    page.locator("#files").set_input_files(drawn(tmp_path, 4))
    failed = page.locator(".upload-row[data-state=failed]")
    expect(failed).to_have_count(4)
    expect(failed.first).to_contain_text("The connection broke")
    assert not Image.objects.exists()

    broken = False
    page.get_by_role("button", name="Retry drawn-0000.jpg").click()
    expect(failed).to_have_count(3)
    page.get_by_role("button", name="Retry all").click()
    expect(page.locator(f".upload-row{KEPT}")).to_have_count(4)
    assert Image.objects.count() == 4


def test_three_at_once_and_cancelling_the_rest(site: Site, member: User, tmp_path: Path) -> None:
    site.expected_errors = ["ERR_", "Failed to load"]
    site.sign_in(member)
    page = site.open("/upload/")
    page.route("**/api/v1/images/", lambda route: None)  # never answered
    page.locator("#files").set_input_files(drawn(tmp_path, 10))
    expect(page.locator(".upload-row[data-state=uploading]")).to_have_count(3)
    expect(page.locator(".upload-row[data-state=waiting]")).to_have_count(7)
    assert page.evaluate("() => !dispatchEvent(new Event('beforeunload', {cancelable: true}))")

    page.get_by_role("button", name="Cancel the rest").click()
    expect(page.locator(".upload-row[data-state=cancelled]")).to_have_count(10)
    assert page.evaluate("() => dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    assert not Image.objects.exists()


def test_a_server_that_asks_for_patience_gets_it(site: Site, member: User, tmp_path: Path) -> None:
    site.expected_errors = ["429"]
    site.sign_in(member)
    page = site.open("/upload/")
    refusals = 0

    def refuse_twice(route: Route) -> None:
        nonlocal refusals
        refusals += 1
        if refusals > 2:
            route.continue_()
        else:
            route.fulfill(status=429, headers={"Retry-After": "1"}, json={"errors": []})

    page.route("**/api/v1/images/", refuse_twice)
    page.locator("#files").set_input_files(drawn(tmp_path, 2))
    expect(page.locator(f".upload-row{KEPT}")).to_have_count(2)


def test_a_folder_gives_its_pictures(site: Site, member: User, tmp_path: Path) -> None:
    drawn(tmp_path / "album", 2)
    drawn(tmp_path / "album" / "inner", 3)
    (tmp_path / "album" / "notes.txt").write_text("no picture")
    site.sign_in(member)
    page = site.open("/upload/")
    page.locator("#folder").set_input_files(tmp_path / "album")
    expect(page.locator(".toast")).to_contain_text("left out: 1")
    # Both folders hold the same first two pictures.
    expect(page.locator(f".upload-row{KEPT}")).to_have_count(3)
    expect(page.locator(".upload-row[data-state=duplicate]")).to_have_count(2)


def test_two_thousand_files_are_queued_at_once(site: Site, member: User, tmp_path: Path) -> None:
    site.expected_errors = ["ERR_", "Failed to load"]
    site.sign_in(member)
    page = site.open("/upload/")
    page.route("**/api/v1/images/", lambda route: None)
    # Made in the page: handing over 2,000 paths takes the test longer than the page.
    page.evaluate(
        """() => {
            const transfer = new DataTransfer();
            for (let n = 0; n < 2000; n++) {
                transfer.items.add(new File([`${n}`], `${n}.jpg`, {type: "image/jpeg"}));
            }
            const field = document.getElementById("files");
            field.files = transfer.files;
            field.dispatchEvent(new Event("change"));
        }"""
    )
    expect(page.locator("#summary")).to_have_text("0 of 2,000 done")
    assert page.locator(".upload-row").count() < 500
    expect(page.locator("#beyond")).to_be_visible()
    page.get_by_role("button", name="Cancel the rest").click()
    expect(page.locator("#cancel-all")).to_be_hidden()
