"""Upper limits of an account: the last allowed row, the first refused one, rows of others, and
concurrent requests."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from allauth.core import context
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.utils import get_form_class
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.formats import number_format

from gallery.accounts import invitations, tokens
from gallery.errors import Refusal
from gallery.library import caps
from gallery.models import (
    Album,
    Change,
    Download,
    Favourite,
    Group,
    Image,
    ImportBatch,
    Invitation,
    ResumableUpload,
    SavedSearch,
    ShareLink,
    Tag,
    User,
)
from gallery.organising import albums, changes, downloads, favourites, saved_searches, tags
from gallery.search.query.query import Query
from gallery.sharing import groups, links, shares
from gallery.uploads import imports, tus
from tests.api_tools import code_of
from tests.conftest import api, draw, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dispatched")]

Make = Callable[[User, int], Any]


def make_image(owner: User) -> Image:
    """Create a row without a file."""
    sha256 = uuid.uuid4().hex * 2
    facts = {"file": "x", "byte_size": 1, "content_type": "image/jpeg", "width": 1, "height": 1}
    return Image.objects.create(owner=owner, sha256=sha256, **facts)


def make_album(user: User, number: int) -> Any:
    return albums.create(user, f"Album {number}")


def make_group(user: User, number: int) -> Any:
    return groups.create_group(user, f"Group {number}")


def make_member(user: User, number: int) -> Any:
    group, _is_new = Group.objects.get_or_create(owner=user, name="All")
    User.objects.get_or_create(username=f"member-{number}")
    return groups.add_member(group, f"member-{number}")


def make_share(user: User, number: int) -> Any:
    """Create a share in a new album: the limit counts for the account."""
    album = Album.objects.create(owner=user, title=f"{number}")
    User.objects.get_or_create(username=f"guest-{number}")
    return shares.share_with_person(album, f"guest-{number}", "view", user)


def make_link(user: User, number: int) -> Any:
    album, _is_new = Album.objects.get_or_create(owner=user, title="Linked")
    return links.create_link(by=user, album=album)


def make_invitation(user: User, number: int) -> Any:
    return invitations.invite(user)


def make_tag(user: User, number: int) -> Any:
    """Create a tag on a picture, so that it is used."""
    return tags.set_tags(make_image(user), [f"tag {number}"])


def make_favourite(user: User, number: int) -> Any:
    return favourites.mark(user, [make_image(user).pk])


def make_search(user: User, number: int) -> Any:
    return saved_searches.save(user, f"search {number}", Query(filters={"camera": "x"}))


def make_import(user: User, number: int) -> Any:
    urls = [f"https://pictures.example/{number}.jpg"]
    return imports.create_from_urls(user, urls, visibility="private", album_id=None)


CAPPED: list[tuple[str, Make]] = [
    ("ALBUMS", make_album),
    ("GROUPS", make_group),
    ("MEMBERS", make_member),
    ("SHARES", make_share),
    ("LINKS", make_link),
    ("INVITATIONS", make_invitation),
    ("TAGS", make_tag),
    ("FAVOURITES", make_favourite),
    ("SAVED_SEARCHES", make_search),
    ("IMPORTS", make_import),
]


@pytest.fixture
def least(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], caps.Cap]:
    """Lowers a limit."""

    def lower(name: str, most: int) -> caps.Cap:
        cap = replace(getattr(caps, name), most=most)
        monkeypatch.setattr(caps, name, cap)
        return cap

    return lower


@pytest.mark.parametrize(("name", "make"), CAPPED)
def test_the_last_one_and_the_one_after_it(
    alice: User, bob: User, least: Callable[[str, int], caps.Cap], name: str, make: Make
) -> None:
    cap = least(name, 3)
    for number in range(3):
        make(alice, number)
    with pytest.raises(Refusal) as caught, transaction.atomic():
        make(alice, 3)
    assert caught.value.code == cap.code
    make(bob, 0)


@pytest.mark.parametrize("name", [name for name, _make in CAPPED if name != "IMPORTS"])
def test_sentences_say_how_many(name: str) -> None:
    cap: caps.Cap = getattr(caps, name)
    assert number_format(cap.most) in str(cap.refusal())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "make", "count"),
    [
        ("ALBUMS", make_album, lambda user: Album.objects.filter(owner=user).count()),
        ("GROUPS", make_group, lambda user: Group.objects.filter(owner=user).count()),
        ("LINKS", make_link, lambda user: ShareLink.objects.filter(created_by=user).count()),
        ("INVITATIONS", make_invitation, lambda user: Invitation.objects.count()),
        ("TAGS", make_tag, lambda user: Tag.objects.filter(owner=user).count()),
        ("FAVOURITES", make_favourite, lambda user: Favourite.objects.filter(user=user).count()),
        ("SAVED_SEARCHES", make_search, lambda user: SavedSearch.objects.count()),
        ("IMPORTS", make_import, lambda user: ImportBatch.objects.count()),
    ],
)
def test_many_requests_at_once_never_pass_a_cap(
    alice: User,
    least: Callable[[str, int], caps.Cap],
    name: str,
    make: Make,
    count: Callable[[User], int],
) -> None:
    cap = least(name, 4)
    Album.objects.create(owner=alice, title="Linked") if name == "LINKS" else None
    start = threading.Barrier(8)

    def race(number: int) -> str:
        try:
            start.wait(20)
            make(User.objects.get(pk=alice.pk), number)
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(race, range(8)))
    assert outcomes == [""] * 4 + [cap.code] * 4
    assert count(alice) == 4


def test_an_album_takes_so_many_pictures(
    alice: User, least: Callable[[str, int], caps.Cap]
) -> None:
    least("PICTURES_OF_ALBUM", 2)
    album = albums.create(alice, "Small")
    pictures = [make_image(alice).pk for _number in range(3)]
    with pytest.raises(Refusal) as caught:
        albums.add_images(album, Image.objects.filter(pk__in=pictures), alice)
    assert caught.value.code == "too_many_pictures"
    assert album.items.count() == 0, "all or nothing"
    assert albums.add_images(album, Image.objects.filter(pk__in=pictures[:2]), alice) == 2


def test_unused_tags_make_room_before_any_is_refused(
    alice: User, least: Callable[[str, int], caps.Cap]
) -> None:
    """No list shows them, so nobody could remove them."""
    least("TAGS", 3)
    image = make_image(alice)
    for number in range(6):
        tags.set_tags(image, [f"tag {number}"])
    assert Tag.objects.filter(owner=alice).count() <= 3
    assert [tag.name for tag in image.tags.all()] == ["tag 5"]


def test_links_that_ended_make_room_and_are_forgotten(
    alice: User, least: Callable[[str, int], caps.Cap], monkeypatch: pytest.MonkeyPatch
) -> None:
    least("LINKS", 2)
    monkeypatch.setattr(caps, "ENDED_KEPT", 3)
    for number in range(8):
        links.revoke_link(make_link(alice, number))
        invitations.revoke(make_invitation(alice, number))
    make_link(alice, 8)
    make_invitation(alice, 8)
    assert ShareLink.objects.filter(created_by=alice).count() == 4
    assert ShareLink.objects.live().count() == 1
    assert Invitation.objects.count() <= 5
    assert Invitation.objects.live().count() == 1


def test_what_tells_of_the_past_is_cut(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CHANGES_KEPT", "DOWNLOADS_KEPT", "IMPORTS_KEPT"):
        monkeypatch.setattr(caps, name, 3)
    changes.record(bob, "trash", {"ids": []})
    last: Change | None = None
    image = upload(alice)
    for number in range(6):
        last = changes.record(alice, "trash", {"number": number})
        downloads.of_selection(Image.objects.filter(pk=image.pk), alice)
        batch = make_import(alice, number)
        ImportBatch.objects.filter(pk=batch.pk).update(state="done", finished_at=timezone.now())
    assert Change.objects.filter(user=alice).count() == 3
    assert last in Change.objects.all(), "the latest is kept"
    assert Change.objects.filter(user=bob).count() == 1
    assert Download.objects.filter(user=alice).count() == 3
    assert ImportBatch.objects.filter(owner=alice).count() <= 4


@pytest.mark.django_db(transaction=True)
def test_uploads_that_are_announced_at_once(alice: User, settings: Any) -> None:
    settings.MAX_UNFINISHED_UPLOADS = 3
    start = threading.Barrier(6)

    def race(_number: int) -> str:
        try:
            start.wait(20)
            tus.create(User.objects.get(pk=alice.pk), 10, "")
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(6) as pool:
        outcomes = sorted(pool.map(race, range(6)))
    assert outcomes == [""] * 3 + ["too_many_uploads"] * 3
    assert ResumableUpload.objects.count() == 3


def test_passkeys(
    alice: User, bob: User, rf: RequestFactory, least: Callable[[str, int], caps.Cap]
) -> None:
    cap = least("PASSKEYS", 2)
    for number in range(2):
        Authenticator.objects.create(user=alice, type="webauthn", data={"name": str(number)})
    form = get_form_class(app_settings.FORMS, "add_webauthn", None)
    sent = {"name": "third", "credential": "null"}
    with context.request_context(rf.get("/")):
        full, empty = form(user=alice, data=sent), form(user=bob, data=sent)
        assert full.non_field_errors() == [str(cap.refusal())]
        assert empty.non_field_errors() == []


def test_results_of_very_many_uploads_are_forgotten(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caps, "UPLOADS_KEPT", 3)
    later = timezone.now() + timedelta(days=1)
    for owner, state, count in [
        (alice, "refused", 6),
        (bob, "refused", 2),
        (alice, "receiving", 5),
    ]:
        for _number in range(count):
            ResumableUpload.objects.create(owner=owner, length=1, state=state, expires_at=later)
    tus.expire()
    kept = ResumableUpload.objects.values_list("owner__username", "state")
    assert sorted(kept) == sorted(
        [("alice", "refused")] * 3 + [("bob", "refused")] * 2 + [("alice", "receiving")] * 5
    )


def test_tokens_have_their_number_here() -> None:
    assert tokens.MAX_TOKENS == caps.TOKENS


def test_pages_and_api_say_it(
    client: Client, alice: User, least: Callable[[str, int], caps.Cap]
) -> None:
    client.force_login(alice)
    least("ALBUMS", 0)
    least("GROUPS", 0)
    least("FAVOURITES", 0)
    page = client.post("/albums/new/", {"title": "One"})
    assert page.status_code == 400
    assert "albums" in page.content.decode()
    assert code_of(api(alice).post("/api/v1/albums/", {"title": "One"})) == "too_many_albums"
    assert code_of(api(alice).post("/api/v1/groups/", {"name": "One"})) == "too_many_groups"
    image = upload(alice, draw())
    answer = api(alice).put(f"/api/v1/images/{image.pk}/favourite/")
    assert code_of(answer) == "too_many_favourites"
    assert not Favourite.objects.exists()
