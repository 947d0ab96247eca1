"""Editing, deleting, undo, trash and retry are for the owner alone."""

from __future__ import annotations

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from gallery.indexing import encoding
from gallery.library import service
from gallery.models import Image, User
from tests.conftest import draw, upload
from tests.factories import make_space, set_state, set_vector
from tests.web_tools import HTMX, attributes, browser, tiles

pytestmark = pytest.mark.django_db

CHANGES = {"title": "Morning", "description": "At the lake", "visibility": "public"}


def test_edit_in_place(alice: User) -> None:
    image = upload(alice)
    address = reverse("image_edit", args=[image.pk])
    client = browser(alice)
    form = client.get(address, headers=HTMX).content.decode()
    assert form.lstrip().startswith("<form")

    response = client.post(address, CHANGES, headers=HTMX)
    assert "Morning" in response.content.decode()
    image.refresh_from_db()
    assert (image.title, image.description, image.visibility) == tuple(CHANGES.values())


def test_edit_without_scripts(alice: User) -> None:
    image = upload(alice)
    address = reverse("image_edit", args=[image.pk])
    client = browser(alice)
    assert "<html" in client.get(address).content.decode()
    assert client.post(address, CHANGES).url == reverse("image", args=[image.pk])


@pytest.mark.parametrize(
    "wrong", [{"title": "x" * 201}, {"description": "x" * 5001}, {"visibility": "everybody"}]
)
def test_what_is_refused_is_said_beside_the_field(alice: User, wrong: dict[str, str]) -> None:
    image = upload(alice, title="Before")
    address = reverse("image_edit", args=[image.pk])
    response = browser(alice).post(address, CHANGES | wrong, headers=HTMX)
    (field,) = wrong
    assert f"id_{field}_error" in response.content.decode()
    image.refresh_from_db()
    assert image.title == "Before"


def test_delete_and_undo(alice: User) -> None:
    image = upload(alice, title="Kept")
    client = browser(alice)
    page = client.post(reverse("image_delete", args=[image.pk]), follow=True)
    assert tiles(page) == []
    assert "Picture deleted." in page.content.decode()

    undo = reverse("image_restore", args=[image.pk])
    assert undo in attributes(page, "action")
    assert "Kept" in client.post(undo, follow=True).content.decode()
    assert tiles(client.get("/")) == [str(image.pk)]


def test_deleting_leads_back_to_where_the_picture_was_found(alice: User) -> None:
    image = upload(alice)
    address = reverse("image_delete", args=[image.pk])
    back = "/search/?q=lake"
    assert browser(alice).post(address, {"next": back}).url == back


@pytest.mark.parametrize("next_", ["https://example.org/", "//example.org", "javascript:alert(1)"])
def test_no_form_leads_away_from_the_site(alice: User, next_: str) -> None:
    image = upload(alice)
    response = browser(alice).post(reverse("image_delete", args=[image.pk]), {"next": next_})
    assert response.url == "/"


def test_deleting_never_leads_to_the_deleted_picture(alice: User) -> None:
    image = upload(alice)
    page = reverse("image", args=[image.pk])
    assert browser(alice).post(f"{page}delete/", {"next": page}).url == "/"


def test_trash_shows_restores_and_removes(
    alice: User, django_capture_on_commit_callbacks: object
) -> None:
    first, second = upload(alice, title="First"), upload(alice, draw(colour="blue"), title="Second")
    client = browser(alice)
    for image in (first, second):
        service.delete_image(image)
    page = client.get(reverse("trash")).content.decode()
    assert page.index("Second") < page.index("First")
    thumbnail = client.get(reverse("trash_thumbnail", args=[first.pk]))
    assert thumbnail["Content-Type"] == "image/webp"

    client.post(reverse("image_restore", args=[first.pk]))
    assert Image.objects.owned_by(alice).get() == first

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        client.post(reverse("image_purge", args=[second.pk]))
    assert not Image.objects.filter(pk=second.pk).exists()
    assert not default_storage.exists(second.file.name)


def test_only_what_is_in_the_trash_can_be_removed(alice: User) -> None:
    image = upload(alice)
    assert browser(alice).post(reverse("image_purge", args=[image.pk])).status_code == 404
    assert Image.objects.owned_by(alice).exists()


def test_retry_what_failed(alice: User) -> None:
    space = make_space()
    image = upload(alice)
    row = set_state(
        image, encoding.name_of(space), "failed", reason_code="damaged",
        reason="The picture cannot be decoded.\nOSError()",
    )  # fmt: skip
    client = browser(alice)
    page = client.get(reverse("image", args=[image.pk])).content.decode()
    assert "cannot be decoded" in page
    assert "OSError" not in page

    answer = client.post(reverse("image_retry", args=[image.pk]), headers=HTMX)
    assert "Processing" in answer.content.decode()
    row.refresh_from_db()
    assert row.state == "waiting"


@pytest.mark.parametrize("step", ["encoding", "renditions", "visual_features", "comparison"])
@pytest.mark.parametrize(
    ("code", "offered"),
    [("damaged", False), ("crashed", True), ("unknown", True), ("original_missing", True)],
)
def test_another_try_is_offered_where_the_picture_is_not_to_blame(
    alice: User, step: str, code: str, offered: bool
) -> None:
    """Any step may be the one that failed."""
    space = make_space()
    image = upload(alice)
    set_vector(image, space, [1, 0, 0])
    name = encoding.name_of(space) if step == "encoding" else step
    set_state(image, name, "failed", reason_code=code, reason="It failed.\nLog")
    page = browser(alice).get(reverse("image", args=[image.pk])).content.decode()
    assert (reverse("image_retry", args=[image.pk]) in page) is offered
    assert "It failed." in page


def test_what_fails_with_an_earlier_step_is_not_told(alice: User) -> None:
    image = upload(alice)
    set_vector(image, make_space(), [1, 0, 0])
    set_state(image, "renditions", "failed", reason_code="damaged", reason="No.")
    set_state(image, "visual_features", "failed", reason_code="needs", reason="An earlier step.")
    page = browser(alice).get(reverse("image", args=[image.pk])).content.decode()
    assert "No." in page
    assert "An earlier step." not in page


def test_what_fails_in_a_model_that_is_not_in_use_is_not_told(alice: User) -> None:
    image = upload(alice)
    set_vector(image, make_space(), [1, 0, 0])
    for state in ("building", "retired"):
        space = make_space(state, architecture=state)
        set_state(image, encoding.name_of(space), "failed", reason_code="crashed", reason="No.")
    page = browser(alice).get(reverse("image", args=[image.pk])).content.decode()
    assert reverse("image_retry", args=[image.pk]) not in page


def test_a_retry_is_of_all_that_failed(alice: User) -> None:
    space = make_space()
    image = upload(alice)
    for name in (encoding.name_of(space), "renditions", "visual_features"):
        set_state(image, name, "failed", reason_code="unknown", reason="No.", attempts=5)
    browser(alice).post(reverse("image_retry", args=[image.pk]))
    rows = image.analyses.all()
    assert {(row.state, row.attempts, row.reason) for row in rows} == {("waiting", 0, "")}


def test_the_state_tells_the_page_when_it_is_ready(alice: User) -> None:
    space = make_space()
    image = upload(alice)
    address = reverse("image_state", args=[image.pk])
    waiting = browser(alice).get(address, headers=HTMX)
    assert "hx-trigger" in waiting.content.decode()
    set_vector(image, space, [1, 0, 0])
    ready = browser(alice).get(address, headers=HTMX)
    assert "picture-ready" in ready["HX-Trigger"]
    assert "hx-trigger" not in ready.content.decode()


OWNERS_ROUTES = [
    ("get", "image_edit"),
    ("post", "image_edit"),
    ("get", "image_state"),
    ("post", "image_retry"),
    ("post", "image_delete"),
    ("post", "image_restore"),
    ("post", "image_purge"),
    ("get", "trash_thumbnail"),
]


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize(("method", "route"), OWNERS_ROUTES)
def test_others_change_nothing(
    alice: User, bob: User, method: str, route: str, deleted: bool
) -> None:
    """The picture is public. Another member gets 404, and a visitor the sign-in page."""
    image = upload(alice, title="Hers", visibility="public")
    if deleted:
        service.delete_image(image)
    address = reverse(route, args=[image.pk])
    assert getattr(browser(bob), method)(address, CHANGES).status_code == 404
    visitor = getattr(browser(), method)(address, CHANGES)
    assert visitor.status_code == 302
    assert visitor.url.startswith(reverse("account_login"))
    image.refresh_from_db()
    assert image.title == "Hers"
    assert bool(image.deleted_at) is deleted


def test_a_part_of_a_page_sends_a_signed_out_visitor_to_the_sign_in_page(alice: User) -> None:
    image = upload(alice)
    page = f"http://testserver{reverse('image', args=[image.pk])}"
    answer = browser().get(
        reverse("image_edit", args=[image.pk]), headers=HTMX | {"HX-Current-URL": page}
    )
    assert answer["HX-Redirect"].startswith(reverse("account_login"))
    assert "images" in answer["HX-Redirect"]


@pytest.mark.parametrize("route", ["image_delete", "image_restore", "image_purge", "image_retry"])
def test_changes_need_a_post(alice: User, route: str) -> None:
    image = upload(alice)
    assert browser(alice).get(reverse(route, args=[image.pk])).status_code == 405


def test_changes_need_the_csrf_token(alice: User) -> None:
    image = upload(alice)
    client = browser(alice)
    client.handler.enforce_csrf_checks = True
    response = client.post(reverse("image_delete", args=[image.pk]))
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()
