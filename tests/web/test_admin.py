"""The admin: every page with real data, every action, and who has access."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from gallery import task_names
from gallery.accounts import deletion, invitations
from gallery.indexing import encoding
from gallery.models import (
    Album,
    Analysis,
    EmbeddingSpace,
    Group,
    Image,
    ImportBatch,
    Invitation,
    ResumableUpload,
    ShareLink,
    User,
)
from tests.conftest import draw, upload
from tests.factories import make_space, set_state, set_vector
from tests.web_tools import confirmed

State = EmbeddingSpace.State
REASON = "The picture cannot be decoded.\nOSError('cut off')"
LISTS = ("image", "embeddingspace", "analysis", "user")


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    """The tasks, recorded instead of sent."""
    sent: list[tuple[str, tuple[Any, ...]]] = []
    monkeypatch.setattr("gallery.dispatch._send", lambda name, args: sent.append((name, args)))
    return sent


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", "boss@example.org", "boss-password")


@pytest.fixture
def admin(boss: User) -> Client:
    return confirmed(boss)


@pytest.fixture
def space(db: None) -> EmbeddingSpace:
    return EmbeddingSpace.objects.create(
        architecture="starter", state=State.ACTIVE, dimensions=3, logit_scale=100.0,
        activated_at=timezone.now(),
    )  # fmt: skip


@pytest.fixture
def picture(alice: User, space: EmbeddingSpace) -> Image:
    image = upload(alice, title="Lighthouse", name="tower.jpg")
    set_vector(image, space, [1, 0, 0])
    return image


@pytest.fixture
def failed(alice: User, space: EmbeddingSpace) -> Analysis:
    image = upload(alice, draw(colour="blue"), title="Broken")
    why = {"reason_code": "damaged", "reason": REASON, "attempts": 3}
    return set_state(image, encoding.name_of(space), "failed", **why)


def list_url(model: str) -> str:
    return reverse(f"admin:gallery_{model}_changelist")


def act(client: Client, model: str, action: str, *ids: Any) -> str:
    """Run a list action on the rows `ids`. Return the text of the next page."""
    data = {"action": action, "_selected_action": [str(pk) for pk in ids]}
    response = client.post(list_url(model), data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


# --- Who is let in ----------------------------------------------------------------


def test_signs_in_with_the_account_of_the_site(boss: User) -> None:
    """The sign-in page of the site asks for the second factor."""
    client = Client()
    page = client.get("/admin/", follow=True)
    address, _status = page.redirect_chain[-1]
    assert address.startswith(reverse("account_login"))
    data = {"login": "boss", "password": "boss-password"}
    assert client.post(address, data).url == "/admin/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("model", LISTS)
def test_an_ordinary_user_is_sent_away(alice: User, model: str) -> None:
    client = Client()
    client.force_login(alice)
    response = client.get(list_url(model))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))


def test_an_ordinary_user_sees_no_thumbnail_through_the_admin(bob: User, picture: Image) -> None:
    client = Client()
    client.force_login(bob)
    url = reverse("admin:gallery_image_thumbnail", args=[picture.pk, 320])
    assert client.get(url).status_code == 302


def test_staff_without_rights_on_pictures_see_none(bob: User, picture: Image) -> None:
    bob.is_staff = True
    bob.save()
    client = Client()
    client.force_login(bob)
    url = reverse("admin:gallery_image_thumbnail", args=[picture.pk, 320])
    assert client.get(url).status_code == 403
    assert client.get(list_url("image")).status_code == 403


# --- Pages ------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("model", LISTS)
def test_lists(admin: Client, picture: Image, failed: Analysis, model: str, language: str) -> None:
    response = admin.get(list_url(model), headers={"Accept-Language": language})
    assert response.status_code == 200
    assert f'<html lang="{language}"' in response.content.decode()


@pytest.mark.parametrize("model", ["authtoken", "emailaddress", "group"])
def test_lists_of_libraries_have_the_same_look(admin: Client, alice: User, model: str) -> None:
    AuthToken.objects.create(alice)
    apps = {"authtoken": "knox", "emailaddress": "account", "group": "auth"}
    response = admin.get(reverse(f"admin:{apps[model]}_{model}_changelist"))
    assert response.status_code == 200
    assert "unfold" in response.content.decode()


def test_detail_pages(admin: Client, picture: Image, failed: Analysis) -> None:
    for instance in (picture, failed, EmbeddingSpace.objects.get(), picture.owner):
        name = instance._meta.model_name
        response = admin.get(reverse(f"admin:gallery_{name}_change", args=[instance.pk]))
        assert response.status_code == 200, name


def test_dashboard_counts_and_tells_the_state_of_each_part(
    admin: Client, picture: Image, failed: Analysis
) -> None:
    response = admin.get("/admin/")
    figures = {str(figure.title): figure.value for figure in response.context["figures"]}
    assert figures == {"Pictures": 2, "Waiting to be encoded": 0, "Failed": 1, "Accounts": 2}
    parts = {str(part["name"]): part["status"].ok for part in response.context["parts"]}
    assert parts["Database"]
    assert set(parts) == {
        *("Database", "Queue", "Encoder worker", "Embedding space"),
        *("Storage of pictures", "Work on pictures"),
    }


def test_every_link_of_the_sidebar_works(admin: Client, space: EmbeddingSpace) -> None:
    groups = admin.get("/admin/").context["sidebar_navigation"]
    links = [str(item["link"]) for group in groups for item in group["items"]]
    assert len(links) == 20
    for link in links:
        assert admin.get(link).status_code == 200, link


def test_lists_fetch_no_vectors(
    admin: Client, picture: Image, failed: Analysis, django_assert_max_num_queries: Any
) -> None:
    for model in LISTS:
        with django_assert_max_num_queries(20) as queries:
            admin.get(list_url(model))
        fetched = [q["sql"] for q in queries.captured_queries if '"vector"' in q["sql"]]
        assert fetched == [], model


# --- Pictures ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", {"Lighthouse", "Broken"}),
        ("index=failed", {"Broken"}),
        ("index=ready", {"Lighthouse"}),
        ("trash=yes", set()),
        ("q=tower.jpg", {"Lighthouse"}),
        ("visibility__exact=public", set()),
    ],
)
def test_pictures_are_found_by_state_and_text(
    admin: Client, picture: Image, failed: Analysis, query: str, titles: set[str]
) -> None:
    result = admin.get(f"{list_url('image')}?{query}").context["cl"].result_list
    assert {image.title for image in result} == titles


def test_thumbnail_of_a_private_picture(admin: Client, picture: Image) -> None:
    url = reverse("admin:gallery_image_thumbnail", args=[picture.pk, 320])
    response = admin.get(url)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("image/")


def test_where_a_picture_was_taken_stays_with_its_owner(admin: Client, picture: Image) -> None:
    Image.objects.filter(pk=picture.pk).update(latitude=31.2345, longitude=121.4567)
    page = admin.get(reverse("admin:gallery_image_change", args=[picture.pk])).content.decode()
    assert "31.23" not in page
    assert "121.45" not in page


def test_texts_can_be_changed(admin: Client, picture: Image) -> None:
    url = reverse("admin:gallery_image_change", args=[picture.pk])
    data = {"title": "Old tower", "description": "By the sea", "visibility": "public"}
    assert admin.post(url, data).status_code == 302
    picture.refresh_from_db()
    assert (picture.title, picture.visibility) == ("Old tower", "public")


def encoded(image: Image) -> Analysis:
    return image.analyses.get(analyser__startswith="encoding-")


def test_encode_again(
    admin: Client, picture: Image, rung: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        page = act(admin, "image", "reencode", picture.pk)
    assert "1 picture waits to be encoded." in page
    assert encoded(picture).state == "waiting"
    assert picture.embeddings.exists(), "found until there is another vector"
    assert ("gallery.tasks.index_pending", ()) in rung


def test_retry_leaves_alone_what_did_not_fail(
    admin: Client, picture: Image, failed: Analysis
) -> None:
    drawn = set_state(failed.image, "renditions", "failed", reason_code="damaged", attempts=1)
    act(admin, "image", "retry_failed", picture.pk, failed.image_id)
    for row in (failed, drawn):
        row.refresh_from_db()
        assert (row.state, row.reason_code, row.reason, row.attempts) == ("waiting", "", "", 0)
    assert encoded(picture).state == "done"


def test_thumbnails_are_made_again(
    admin: Client, picture: Image, rung: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    drawn = set_state(picture, "renditions", "failed", reason="Why\nOSError", attempts=3)
    page = admin.get(reverse("admin:gallery_image_change", args=[picture.pk])).content.decode()
    assert "Why" in page
    with django_capture_on_commit_callbacks(execute=True):
        act(admin, "image", "render_again", picture.pk)
    drawn.refresh_from_db()
    assert (drawn.state, drawn.reason, drawn.attempts) == ("waiting", "", 0)
    assert ("gallery.tasks.analyse_pending", ()) in rung
    assert encoded(picture).state == "done"


@pytest.mark.parametrize(
    ("state", "shown"), [("waiting", "Pending"), ("done", "Ready"), ("failed", "Failed")]
)
def test_the_list_tells_the_state_of_thumbnails(
    admin: Client, picture: Image, state: str, shown: str
) -> None:
    set_state(picture, "renditions", state)
    response = admin.get(list_url("image"), {"o": "6"})
    assert [shown] == [
        response.context["cl"].model_admin.render_name(row)
        for row in response.context["cl"].result_list
    ]


def test_trash_and_back(admin: Client, picture: Image) -> None:
    act(admin, "image", "move_to_trash", picture.pk)
    picture.refresh_from_db()
    assert picture.deleted_at is not None
    act(admin, "image", "restore", picture.pk)
    picture.refresh_from_db()
    assert picture.deleted_at is None


def test_deleting_removes_the_file_too(
    admin: Client, picture: Image, django_capture_on_commit_callbacks: Any
) -> None:
    storage, name = picture.file.storage, picture.file.name
    url = reverse("admin:gallery_image_delete", args=[picture.pk])
    assert "Lighthouse" in admin.get(url).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(url, {"post": "yes"})
    assert not Image.objects.filter(pk=picture.pk).exists()
    assert not storage.exists(name)


# --- Failures ---------------------------------------------------------------------


def test_failures_list_the_reasons_of_the_failed_alone(
    admin: Client, picture: Image, failed: Analysis
) -> None:
    set_state(
        failed.image, "visual_features", "failed", reason_code="needs"
    )  # told by what it needs
    response = admin.get(list_url("analysis"))
    assert list(response.context["cl"].result_list) == [failed]
    assert "The picture cannot be decoded." in response.content.decode()


def test_failures_are_found_by_what_failed_and_why(admin: Client, failed: Analysis) -> None:
    drawn = set_state(failed.image, "renditions", "failed", reason_code="original_missing")
    for query, found in (
        ({}, {failed, drawn}),
        ({"analyser": "renditions"}, {drawn}),
        ({"reason_code": "damaged"}, {failed}),
        ({"q": "Broken"}, {failed, drawn}),
        ({"q": "cut off"}, {failed}),
    ):
        response = admin.get(list_url("analysis"), query)
        assert set(response.context["cl"].result_list) == found, query


def test_failures_can_be_tried_again(admin: Client, failed: Analysis) -> None:
    assert "1 picture is tried again." in act(admin, "analysis", "retry", failed.pk)
    failed.refresh_from_db()
    assert failed.state == "waiting"


# --- Spaces -----------------------------------------------------------------------


def test_spaces_show_counts_and_errors(
    admin: Client, picture: Image, failed: Analysis, space: EmbeddingSpace
) -> None:
    EmbeddingSpace.objects.create(
        architecture="no-such-model", state=State.FAILED, error="There is no such model."
    )
    response = admin.get(list_url("embeddingspace"))
    counted = {row.architecture: row for row in response.context["cl"].result_list}
    starter = counted["starter"]
    assert (starter.done, starter.waiting, starter.failed) == (1, 0, 1)
    assert "There is no such model." in response.content.decode()


def test_a_new_space_is_built_beside_the_active_one(
    admin: Client, picture: Image, rung: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    url = reverse("admin:gallery_embeddingspace_add")
    data = {"architecture": "ViT-B-32", "pretrained": "openai"}
    with django_capture_on_commit_callbacks(execute=True):
        assert admin.post(url, data).status_code == 302
    new = EmbeddingSpace.objects.get(architecture="ViT-B-32")
    assert new.state == State.BUILDING
    assert not picture.analyses.filter(analyser=encoding.name_of(new)).exists(), "by a worker"
    assert EmbeddingSpace.objects.get(state=State.ACTIVE).architecture == "starter"
    assert ("gallery.tasks.prepare_spaces", ()) in rung


def test_a_refused_space_says_why_and_keeps_what_was_typed(
    admin: Client, space: EmbeddingSpace
) -> None:
    url = reverse("admin:gallery_embeddingspace_add")
    data = {"architecture": "starter", "pretrained": ""}
    page = admin.post(url, data, follow=True).content.decode()
    assert "This model is in use already." in page
    assert 'value="starter"' in page
    assert EmbeddingSpace.objects.count() == 1


def space_action(client: Client, action: str, *args: Any) -> str:
    """Open an action's dialog, confirm it, and read the next list."""
    url = reverse(f"admin:gallery_embeddingspace_{action}", args=args)
    states = list(EmbeddingSpace.objects.order_by("pk").values_list("state", flat=True))
    assert client.get(url).status_code == 200
    # Opening the dialog changes nothing.
    assert states == list(EmbeddingSpace.objects.order_by("pk").values_list("state", flat=True))
    response = client.post(url, {"_form_submitted": "on"})
    assert response.status_code == 200
    return client.get(response["HX-Redirect"]).content.decode()


def test_activate_and_roll_back(
    admin: Client, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = EmbeddingSpace.objects.create(architecture="larger", dimensions=4)
    assert "index of this model is still being built" in space_action(admin, "activate", new.pk)
    # Indexes are built outside transactions, by the worker (tests/work/test_indexing.py).
    monkeypatch.setattr("gallery.indexing.vector_indexes.has_index", lambda space: True)
    assert "Searches use larger now." in space_action(admin, "activate", new.pk)
    new.refresh_from_db()
    assert new.state == State.ACTIVE
    assert "Searches use starter now." in space_action(admin, "roll_back")
    space.refresh_from_db()
    assert space.state == State.ACTIVE


def test_a_space_that_is_not_ready_is_not_activated(
    admin: Client, picture: Image, space: EmbeddingSpace
) -> None:
    new = EmbeddingSpace.objects.create(architecture="larger", dimensions=4)
    set_state(picture, encoding.name_of(new), "failed", reason_code="damaged")
    page = space_action(admin, "activate", new.pk)
    assert "1 picture" in page
    space.refresh_from_db()
    assert space.state == State.ACTIVE


def test_a_failed_model_is_loaded_again(admin: Client, space: EmbeddingSpace) -> None:
    broken = EmbeddingSpace.objects.create(
        architecture="gone", state=State.FAILED, error="There is no such model."
    )
    space_action(admin, "load_again", broken.pk)
    broken.refresh_from_db()
    assert (broken.state, broken.error) == (State.BUILDING, "")


def test_a_retired_space_can_be_deleted_the_active_one_cannot(
    admin: Client, picture: Image, space: EmbeddingSpace
) -> None:
    old = make_space(State.RETIRED, architecture="old")
    set_vector(picture, old, [0, 1, 0])
    delete = "admin:gallery_embeddingspace_delete"
    assert admin.post(reverse(delete, args=[space.pk]), {"post": "yes"}).status_code == 403
    assert admin.post(reverse(delete, args=[old.pk]), {"post": "yes"}).status_code == 302
    assert list(EmbeddingSpace.objects.all()) == [space]
    assert picture.embeddings.count() == 1
    assert not picture.analyses.filter(analyser=encoding.name_of(old)).exists()


# --- Accounts ---------------------------------------------------------------------


def test_deleting_an_account_removes_its_files(
    admin: Client,
    picture: Image,
    alice: User,
    rung: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    """It works like a deletion by the user: the account is gone at once, and a worker does the
    rest."""
    storage, name = picture.file.storage, picture.file.name
    page = admin.get(reverse("admin:gallery_user_delete", args=[alice.pk])).content.decode()
    assert "alice" in page
    with django_capture_on_commit_callbacks(execute=True):
        response = admin.post(
            reverse("admin:gallery_user_delete", args=[alice.pk]), {"post": "yes"}
        )
    assert response.status_code == 302
    assert (task_names.REMOVE_ACCOUNTS, ()) in rung
    assert not User.objects.get(pk=alice.pk).is_active
    with django_capture_on_commit_callbacks(execute=True):
        deletion.remove_requested()
    assert not User.objects.filter(username="alice").exists()
    assert not storage.exists(name)


def account_form(**changes: Any) -> dict[str, Any]:
    kept = {"username": "alice", "display_name": "", "email": "alice@example.org"}
    return {**kept, "language": "", "role": "user", "is_active": "on", **changes}


def test_rights_are_changed_by_role(admin: Client, alice: User) -> None:
    url = reverse("admin:gallery_user_change", args=[alice.pk])
    data = account_form(role="moderator", quota_images="7", email="new@example.org")
    assert admin.post(url, data).status_code == 302
    alice.refresh_from_db()
    assert (alice.role, alice.is_staff, alice.quota_images) == ("moderator", False, 7)
    assert alice.emailaddress_set.get().email == "new@example.org"
    admin.post(url, account_form(role="administrator"))
    alice.refresh_from_db()
    assert (alice.is_staff, alice.is_superuser, alice.quota_images) == (True, True, None)


@pytest.mark.parametrize("changes", [{"role": "user"}, {"is_active": ""}])
def test_the_last_administrator_stays(
    admin: Client, boss: User, alice: User, changes: dict[str, Any]
) -> None:
    url = reverse("admin:gallery_user_change", args=[boss.pk])
    data = account_form(username="boss", email=boss.email, role="administrator")
    page = admin.post(url, data | changes).content.decode()
    assert "This is the last administrator." in page
    delete = reverse("admin:gallery_user_delete", args=[boss.pk])
    assert "would require deleting the following protected" in admin.get(delete).content.decode()
    admin.post(delete, {"post": "yes"})
    act(admin, "user", "delete_selected", boss.pk, alice.pk)
    boss.refresh_from_db()
    assert (boss.is_administrator, boss.is_active, boss.deletion_requested_at) == (True, True, None)


def test_the_address_of_another_is_refused(admin: Client, alice: User, bob: User) -> None:
    url = reverse("admin:gallery_user_change", args=[alice.pk])
    page = admin.post(url, account_form(email="BOB@example.org")).content.decode()
    assert "Another account has this email address." in page
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"


def test_an_account_that_is_being_deleted_can_only_be_looked_at(admin: Client, alice: User) -> None:
    deletion.request_deletion(alice)
    url = reverse("admin:gallery_user_change", args=[alice.pk])
    assert admin.get(url).status_code == 200
    assert admin.post(url, account_form()).status_code == 403


# --- What is made elsewhere -------------------------------------------------------


@pytest.fixture
def others(boss: User, alice: User, bob: User, picture: Image) -> dict[str, Any]:
    """One row of each model that the admin only shows, by the name of its model."""
    album = Album.objects.create(owner=alice, title="Trip")
    album.shares.create(user=bob)
    group = Group.objects.create(owner=alice, name="Family")
    group.members.add(bob)
    made = [
        album,
        group,
        ShareLink.objects.create(album=album, created_by=alice),
        invitations.invite(boss, "new@example.org"),
        ImportBatch.objects.create(owner=alice, kind="urls", name="Three addresses"),
        ResumableUpload.objects.create(
            owner=alice, name="beach.jpg", length=10, expires_at=timezone.now()
        ),
    ]
    return {str(row._meta.model_name): row for row in made}


OTHERS = ["album", "group", "sharelink", "invitation", "importbatch", "resumableupload"]


@pytest.mark.parametrize("model", OTHERS)
def test_the_rest_is_shown_and_not_edited(
    admin: Client, bob: User, others: dict[str, Any], model: str
) -> None:
    row = others[model]
    page = reverse(f"admin:gallery_{model}_change", args=[row.pk])
    assert admin.get(list_url(model)).context["cl"].result_count == 1
    assert admin.get(list_url(model), {"q": "alice", "live": "yes"}).status_code in (200, 302)
    assert admin.get(page).status_code == 200
    assert admin.post(page, {"title": "Mine"}).status_code == 403
    assert admin.get(reverse(f"admin:gallery_{model}_add")).status_code == 403
    delete = reverse(f"admin:gallery_{model}_delete", args=[row.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 403
    stranger = Client()
    stranger.force_login(bob)
    assert stranger.get(list_url(model)).status_code == 302


def test_what_opens_something_is_not_shown(admin: Client, others: dict[str, Any]) -> None:
    for model, secret in (
        ("sharelink", others["sharelink"].token),
        ("invitation", others["invitation"].code),
    ):
        page = reverse(f"admin:gallery_{model}_change", args=[others[model].pk])
        for address in (page, list_url(model)):
            assert secret not in admin.get(address).content.decode()


def test_links_and_invitations_are_revoked(admin: Client, others: dict[str, Any]) -> None:
    for model in ("sharelink", "invitation"):
        page = act(admin, model, "revoke", others[model].pk)
        assert "no longer works" in page
    assert not ShareLink.objects.live().exists()
    assert not Invitation.objects.live().exists()
    for model in ("sharelink", "invitation"):
        assert admin.get(list_url(model), {"live": "yes"}).context["cl"].result_count == 0
        assert admin.get(list_url(model), {"live": "no"}).context["cl"].result_count == 1


def test_deleting_a_token_signs_that_client_out(admin: Client, alice: User) -> None:
    token, _secret = AuthToken.objects.create(alice)
    url = reverse("admin:knox_authtoken_delete", args=[token.pk])
    assert admin.post(url, {"post": "yes"}).status_code == 302
    assert not AuthToken.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_with_a_nul_names_nothing(method, admin_client):
    for path in ("knox/authtoken/%00/change/", "gallery/user/%00/", "account/emailaddress/%00/"):
        assert getattr(admin_client, method)(f"/admin/{path}").status_code == 404
