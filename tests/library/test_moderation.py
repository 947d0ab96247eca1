"""Hiding pictures: who may do it, what others still see, and the options of the owner."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from gallery.accounts import moderation, roles
from gallery.errors import Refusal
from gallery.models import Album, AlbumItem, AlbumShare, Image, User
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.web_tools import browser

pytestmark = pytest.mark.django_db

HIDDEN = "/api/v1/moderation/images/"
REASON = {"reason": "It shows somebody else's child."}


def hide_address(image: Image) -> str:
    return f"/api/v1/images/{image.pk}/hide/"


@pytest.fixture
def mo(db: None) -> User:
    user = User.objects.create_user("mo", "mo@example.org", "mo-password")
    roles.take_role(user, User.Role.MODERATOR)
    user.save()
    return user


@pytest.fixture
def public(alice: User) -> Image:
    return upload(alice, title="Lighthouse", visibility="public")


def statuses(image: Image, *viewers: User | None) -> list[int]:
    return [api(viewer).get(f"/api/v1/images/{image.pk}/").status_code for viewer in viewers]


# --- The API ------------------------------------------------------------------------


def test_a_hidden_picture_is_its_owners_and_moderators_alone(
    alice: User, bob: User, mo: User, public: Image
) -> None:
    answer = api(mo).post(hide_address(public), REASON)
    assert answer.status_code == 200
    assert statuses(public, alice, mo, bob, None) == [200, 200, 404, 404]
    for part in ("file/", "thumbnail/"):
        address = f"/api/v1/images/{public.pk}/{part}"
        assert [api(user).get(address).status_code for user in (bob, None)] == [404, 404]
    assert browser(bob).get(reverse("image", args=[public.pk])).status_code == 404
    listed = [api(user).get("/api/v1/images/").json()["results"] for user in (bob, mo, alice)]
    assert [len(rows) for rows in listed] == [0, 0, 1]


def test_the_owner_cannot_undo_it(alice: User, bob: User, mo: User, public: Image) -> None:
    moderation.hide(public, mo, "Why")
    client, address = api(alice), f"/api/v1/images/{public.pk}/"
    for visibility in ("private", "unlisted", "public"):
        assert client.patch(address, {"visibility": visibility}).status_code == 200
        assert statuses(public, bob, None) == [404, 404]
    client.delete(address)
    client.post(f"{address}restore/")
    album = Album.objects.create(owner=alice, title="Ours")
    AlbumItem.objects.create(album=album, image=public, position=1)
    AlbumShare.objects.create(album=album, user=bob)
    assert statuses(public, bob, None) == [404, 404]
    assert client.delete(hide_address(public)).status_code == 404
    # A second upload of the same bytes is the same picture.
    upload(alice, visibility="public")
    assert statuses(public, bob, None) == [404, 404]


def test_showing_it_again(alice: User, bob: User, mo: User, public: Image) -> None:
    moderation.hide(public, mo, "Why")
    assert api(mo).delete(hide_address(public)).status_code == 200
    assert statuses(public, bob, None) == [200, 200]
    public.refresh_from_db()
    assert (public.hidden_at, public.hidden_by, public.hidden_reason) == (None, None, "")


def test_another_moderator_may_show_it_again(mo: User, public: Image, bob: User) -> None:
    moderation.hide(public, mo, "Why")
    roles.take_role(bob, User.Role.ADMINISTRATOR)
    bob.save()
    assert api(bob).delete(hide_address(public)).status_code == 200


def test_moderators_judge_what_they_can_see_and_nothing_else(
    alice: User, mo: User, public: Image
) -> None:
    private = upload(alice, draw(colour="blue"))
    unlisted = upload(alice, draw(colour="gold"), visibility="unlisted")
    assert api(mo).post(hide_address(private), REASON).status_code == 404
    assert api(mo).post(hide_address(unlisted), REASON).status_code == 200
    private.refresh_from_db()
    assert private.hidden_at is None


def test_others_hide_nothing(alice: User, bob: User, public: Image) -> None:
    for user in (bob, alice):
        assert api(user).post(hide_address(public), REASON).status_code == 404
        assert api(user).delete(hide_address(public)).status_code == 404
        assert api(user).get(HIDDEN).status_code == 404
    assert api().post(hide_address(public), REASON).status_code == 404
    assert api().get(HIDDEN).status_code == 404
    public.refresh_from_db()
    assert public.hidden_at is None


def test_moderators_do_not_judge_their_own(alice: User, mo: User, bob: User) -> None:
    own = upload(mo, visibility="public")
    answer = api(mo).post(hide_address(own), REASON)
    assert (answer.status_code, code_of(answer)) == (400, "own_picture")
    roles.take_role(bob, User.Role.MODERATOR)
    bob.save()
    moderation.hide(own, bob, "Why")
    assert api(mo).delete(hide_address(own)).status_code == 400
    with pytest.raises(Refusal):
        moderation.unhide(own, mo)
    own.refresh_from_db()
    assert own.hidden_by == bob


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}])
def test_a_reason_is_needed(mo: User, public: Image, body: dict[str, Any]) -> None:
    answer = api(mo).post(hide_address(public), body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "reason"


def test_the_list_of_hidden_ones(alice: User, mo: User, public: Image) -> None:
    second = upload(alice, draw(colour="blue"), visibility="public")
    gone = upload(alice, draw(colour="gold"), visibility="public")
    for image in (public, second, gone):
        moderation.hide(image, mo, "Why")
    Image.objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)
    first = api(mo).get(HIDDEN, {"limit": 1}).json()
    rest = api(mo).get(first["next"]).json()
    ids = [row["id"] for row in [*first["results"], *rest["results"]]]
    assert ids == [str(second.pk), str(public.pk)]
    # The owner's private data stays private.
    assert first["results"][0]["sha256"] is None


# --- The pages ----------------------------------------------------------------------


def test_a_moderator_hides_on_the_page_and_shows_again(
    alice: User, bob: User, mo: User, public: Image
) -> None:
    client, page = browser(mo), reverse("image", args=[public.pk])
    assert reverse("image_hide", args=[public.pk]) in client.get(page).content.decode()
    assert client.post(reverse("image_hide", args=[public.pk]), REASON).url == page
    shown = client.get(page).content.decode()
    assert "Hidden from everyone but its owner." in shown
    assert "somebody else&#x27;s child" in shown
    assert "Lighthouse" in client.get(reverse("moderation")).content.decode()
    assert browser(bob).get(page).status_code == 404

    again = client.post(reverse("image_unhide", args=[public.pk]), {"next": page})
    assert again.url == page
    assert browser(bob).get(page).status_code == 200
    assert "Nothing is hidden" in client.get(reverse("moderation")).content.decode()


def test_the_owner_reads_why(alice: User, bob: User, mo: User, public: Image) -> None:
    page = reverse("image", args=[public.pk])
    assert "A moderator has hidden" not in browser(alice).get(page).content.decode()
    moderation.hide(public, mo, "It is <b>not</b> yours.")
    shown = browser(alice).get(page).content.decode()
    assert "A moderator has hidden this picture: only you see it." in shown
    assert "It is &lt;b&gt;not&lt;/b&gt; yours." in shown
    assert reverse("image_unhide", args=[public.pk]) not in shown


def test_users_have_no_such_buttons(alice: User, bob: User, public: Image) -> None:
    page = reverse("image", args=[public.pk])
    for user in (alice, bob, None):
        assert (
            reverse("image_hide", args=[public.pk]) not in browser(user).get(page).content.decode()
        )
    for name in ("image_hide", "image_unhide"):
        address = reverse(name, args=[public.pk])
        assert browser(bob).post(address, REASON).status_code == 404
        assert browser().post(address, REASON).status_code == 302
    public.refresh_from_db()
    assert public.hidden_at is None


def test_after_showing_a_private_one_the_moderator_is_led_to_the_list(
    alice: User, mo: User, public: Image
) -> None:
    moderation.hide(public, mo, "Why")
    Image.objects.filter(pk=public.pk).update(visibility="private")
    page = reverse("image", args=[public.pk])
    answer = browser(mo).post(reverse("image_unhide", args=[public.pk]), {"next": page})
    assert answer.url == reverse("moderation")


def test_without_a_reason_the_page_says_so(mo: User, public: Image) -> None:
    answer = browser(mo).post(reverse("image_hide", args=[public.pk]), {"reason": " "})
    assert answer.status_code == 400
    assert "Say why" in answer.content.decode()


def test_the_time_of_an_album_tells_nothing_of_hidden_pictures_in_it(
    alice: User, bob: User, mo: User, public: Image
) -> None:
    album = Album.objects.create(owner=alice, title="Coast")
    for place, image in enumerate([public, upload(alice, draw(colour="blue"))]):
        AlbumItem.objects.create(album=album, image=image, position=place)
    AlbumShare.objects.create(album=album, user=bob)
    moderation.hide(public, mo, "because")
    address = f"/api/v1/albums/{album.pk}/"
    before = api(bob).get(address).json()
    chosen = {"selection": {"ids": [str(public.pk)]}, "album": str(album.pk)}
    bulk = "/api/v1/images/bulk/"
    taken_out = api(alice).post(bulk, {**chosen, "action": "remove_from_album"}).json()
    assert api(bob).get(address).json() == before
    assert api(alice).post(taken_out["undo"]).status_code == 200
    moved = api(alice).post(f"{address}move/", {"ids": [str(public.pk)], "before": None})
    assert moved.json()["moved"] == 1
    assert api(bob).get(address).json() == before
    moderation.unhide(public, mo)
    api(alice).post(bulk, {**chosen, "action": "remove_from_album"})
    after = api(bob).get(address).json()
    assert after["count"] == 1
    assert after["updated_at"] > before["updated_at"]
