"""The pages of share links, for visitors and for the people who made them."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from gallery.library import service
from gallery.models import Album, Image, ShareLink, User
from gallery.sharing import downloads, link_contents, links
from tests.conftest import draw, upload
from tests.sharing_tools import album_of, link_to, page_of, put, share, visitor
from tests.web_tools import attributes, browser

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def pictures(alice: User) -> list[Image]:
    return [upload(alice, draw(colour=c), title=c.title()) for c in ("red", "green", "blue")]


@pytest.fixture
def album(alice: User, pictures: list[Image]) -> Album:
    return album_of(alice, *pictures)


def text(response: Any) -> str:
    return response.content.decode()


def unpacked(response: Any) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


# --- Visitors -------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["anonymous", "bob", "alice"])
def test_anybody_with_the_address_sees_the_album(alice, bob, album, pictures, who: str) -> None:
    link = link_to(album)
    client = {"anonymous": visitor(), "bob": browser(bob), "alice": browser(alice)}[who]
    page = client.get(page_of(link))
    assert page.status_code == 200
    assert "3 pictures, shared by alice" in text(page)
    tiles = [a for a in attributes(page, "href") if "/images/" in a]
    assert tiles == [page_of(link, f"images/{image.pk}/") for image in pictures]
    for address in attributes(page, "src"):
        if "thumbnail" in address:
            assert address.startswith(f"/api/v1/shared/{link.token}/")
            assert client.get(address).status_code == 200
    assert "Download" not in text(page)


def test_one_walks_from_picture_to_picture(album, pictures) -> None:
    link = link_to(album)
    client = visitor()
    client.get(page_of(link))

    def walk(image: Image) -> list[str]:
        page = client.get(page_of(link, f"images/{image.pk}/"))
        assert image.title in text(page)
        return [
            a.split("/")[-2] for a in re.findall(r'rel="(?:prev|next)" href="([^"]+)"', text(page))
        ]

    first, second, third = pictures
    assert walk(first) == [str(second.pk)]
    assert walk(second) == [str(first.pk), str(third.pk)]
    assert walk(third) == [str(second.pk)]


def test_the_place_of_a_picture_is_told_and_one_that_has_left_has_none(album, pictures) -> None:
    link = link_to(album)
    first, second, third = pictures
    found = link_contents.neighbours(link, second)
    assert found == link_contents.Neighbours(before=first.pk, after=third.pk, place=2, count=3)
    service.delete_image(second)  # while its page is being made
    assert link_contents.neighbours(link, second) is None
    assert link_contents.neighbours(link, third) == link_contents.Neighbours(
        first.pk, None, place=2, count=2
    )


def test_small_pictures_of_the_album_stand_below_one(album, pictures) -> None:
    link = link_to(album)
    first, second, third = pictures
    assert link_contents.window(link, second, 1) == [first, second, third]
    assert link_contents.window(link, first, 1) == [first, second]
    page = text(visitor().get(page_of(link, f"images/{third.pk}/")))
    strip = page.partition('class="filmstrip"')[2].partition("</nav>")[0]
    assert re.findall(r"images/([0-9a-f-]{36})/\"", strip) == [str(one.pk) for one in pictures]
    # Its thumbnails open by the link alone.
    assert strip.count(f"/api/v1/shared/{link.token}/thumbnails/") == 3
    service.delete_image(second)
    assert link_contents.window(link, second, 1) == []
    assert link_contents.window(link, first, 1) == [first, third]


def test_a_link_to_a_picture_shows_it_at_once(alice, pictures) -> None:
    link = link_to(pictures[0], allow_download=True)
    page = visitor().get(page_of(link))
    assert "Red" in text(page)
    assert f"/api/v1/shared/{link.token}/images/{pictures[0].pk}/file/?download=1" in text(page)
    assert 'rel="next"' not in text(page)


def test_long_albums_are_shown_part_by_part(alice, album, pictures, monkeypatch: Any) -> None:
    monkeypatch.setattr("gallery.web.sharing.visitor_pages.PAGE", 2)
    link = link_to(album)
    client = visitor()
    page = client.get(page_of(link))
    (more,) = [a for a in attributes(page, "hx-get") if "after=" in a]
    rest = client.get(more, **HTMX)
    assert [a.split("/")[-2] for a in attributes(rest, "href")] == [str(pictures[2].pk)]
    links.revoke_link(link)
    gone = client.get(more, **HTMX)
    assert gone.status_code == 404
    assert "does not work any more" in text(gone)


def test_an_empty_album_says_so(alice) -> None:
    assert "No pictures yet" in text(visitor().get(page_of(link_to(album_of(alice)))))


def test_the_password_is_asked_for_once(album, pictures) -> None:
    link = link_to(album, password="a secret")
    client = visitor()
    door = client.get(page_of(link))
    assert "These pictures have a password" in text(door)
    assert "Holidays" not in text(door)
    inside = page_of(link, f"images/{pictures[0].pk}/")
    assert client.get(inside)["Location"] == page_of(link)
    assert client.get(page_of(link, "download/"))["Location"] == page_of(link)

    wrong = client.post(page_of(link, "unlock/"), {"password": "wrong one"})
    assert wrong.status_code == 400
    assert "This is not the password" in text(wrong)
    assert "wrong one" not in text(wrong)

    right = client.post(page_of(link, "unlock/"), {"password": "a secret"}, follow=True)
    assert "3 pictures, shared by alice" in text(right)
    assert client.get(inside).status_code == 200
    assert ShareLink.objects.get().use_count == 1
    assert "These pictures have a password" in text(visitor().get(page_of(link)))

    links.change_link(link, {"password": "another"})
    assert "These pictures have a password" in text(client.get(page_of(link)))
    assert client.get(inside).status_code == 302


def test_tries_of_the_password_are_counted(album) -> None:
    link = link_to(album, password="a secret")
    client = visitor()
    for _ in range(10):
        client.post(page_of(link, "unlock/"), {"password": "wrong one"})
    answer = client.post(page_of(link, "unlock/"), {"password": "a secret"})
    assert answer.status_code == 429
    assert "Too many attempts" in text(answer)
    assert int(answer["Retry-After"]) > 0


def test_a_browser_that_tells_no_origin_may_type_the_password(album) -> None:
    """The page forbids the browser to send its origin. Django would take that for an attack."""
    from django.test import Client

    link = link_to(album, password="a secret")
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        page_of(link, "unlock/"), {"password": "a secret"}, headers={"Origin": "null"}
    )
    assert answer.status_code == 302


def test_a_link_with_counted_visits_asks_before_it_opens(album) -> None:
    link = link_to(album, max_uses=1)
    first, second = visitor(), visitor()
    assert "only so many times" in text(first.get(page_of(link)))
    first.post(page_of(link, "unlock/"))
    assert "3 pictures" in text(first.get(page_of(link)))
    assert second.get(page_of(link)).status_code == 404
    assert second.post(page_of(link, "unlock/")).status_code == 404
    assert "3 pictures" in text(first.get(page_of(link)))


def test_a_visit_is_counted_once_a_session(album) -> None:
    link = link_to(album)
    client = visitor()
    client.head(page_of(link))
    for _ in range(3):
        client.get(page_of(link))
    visitor().get(page_of(link))
    link.refresh_from_db()
    assert link.use_count == 2


def test_all_that_does_not_work_looks_the_same(alice, album, pictures) -> None:
    revoked, expired, used_up, stopped = (link_to(album) for _ in range(4))
    links.revoke_link(revoked)
    ShareLink.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    ShareLink.objects.filter(pk=used_up.pk).update(max_uses=1, use_count=1)
    service.delete_image(pictures[0])
    ShareLink.objects.filter(pk=stopped.pk).update(album=None, image=pictures[0])
    addresses = [page_of(link) for link in (revoked, expired, used_up, stopped)]
    addresses += ["/s/unknown/", "/s/%00/", "/s/%E4%B8%AD/"]
    pages = set()
    for address in addresses:
        answer = visitor().get(address)
        assert answer.status_code == 404
        assert "This link does not work any more" in text(answer)
        # Values that are new in every answer, and the address itself.
        pages.add(re.sub(r'nonce="[^"]*"|"X-CSRFToken": "[^"]*"|value="[^"]*"', "", text(answer)))
    assert len(pages) == 1


def test_pages_behind_a_link_are_neither_found_nor_kept(album, pictures) -> None:
    link = link_to(album, password="a secret", allow_download=True)
    client = visitor()
    answers = [client.get(page_of(link)), client.get("/s/unknown/")]
    client.post(page_of(link, "unlock/"), {"password": "a secret"})
    rests = ("", f"images/{pictures[0].pk}/", "download/")
    answers += [client.get(page_of(link, rest)) for rest in rests]
    for answer in answers:
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer["X-Robots-Tag"]
        assert answer["Cache-Control"] == "private, no-store"
    assert '<meta name="robots" content="noindex' in text(answers[0])


def test_visitors_choose_the_language(album) -> None:
    link = link_to(album)
    client = visitor()
    answer = client.get(page_of(link), {"language": "zh-hans"})
    assert answer["Location"] == page_of(link)
    assert 'lang="zh-hans"' in text(client.get(page_of(link)))
    assert client.get(page_of(link), {"language": "xx"}).status_code == 200


# --- ZIP ------------------------------------------------------------------------------


def test_all_is_downloaded_as_one_archive(album, pictures) -> None:
    link = link_to(album, allow_download=True)
    client = visitor()
    assert page_of(link, "download/") in attributes(client.get(page_of(link)), "href")
    answer = client.get(page_of(link, "download/"))
    assert answer["Content-Disposition"] == 'attachment; filename="Holidays.zip"'
    assert list(unpacked(answer)) == ["001.webp", "002.webp", "003.webp"]


def test_an_archive_is_refused_where_it_is_not_allowed(album) -> None:
    assert visitor().get(page_of(link_to(album), "download/")).status_code == 403


@pytest.mark.parametrize("what", ["taken out", "hidden", "deleted", "revoked", "file missing"])
def test_what_is_no_longer_shown_is_left_out_of_an_archive_on_its_way(
    album, pictures, what: str, settings: Any
) -> None:
    link = link_to(album, allow_download=True)
    answer = downloads.zip_response(link)
    second = pictures[1]
    if what == "taken out":
        album.items.filter(image=second).delete()
    elif what == "hidden":
        Image.objects.filter(pk=second.pk).update(hidden_at=timezone.now())
    elif what == "deleted":
        service.delete_image(second)
    elif what == "revoked":
        links.revoke_link(link)
    else:
        from pathlib import Path

        (Path(settings.MEDIA_ROOT) / str(second.file)).unlink()
    files = unpacked(answer)
    left = {"001.webp", "003.webp"} if what != "revoked" else set()
    assert set(files) == {*left, "left-out.txt"}
    assert b"002.webp" in files["left-out.txt"]


@pytest.mark.parametrize("title", ['a/b:"c"*', "..", "假期", "x" * 200])
def test_titles_make_safe_names_of_archives(alice, title: str) -> None:
    link = link_to(album_of(alice, upload(alice), title=title), allow_download=True)
    header = visitor().get(page_of(link, "download/"))["Content-Disposition"]
    assert header.startswith("attachment; ")
    assert header.isascii()
    assert header.isprintable()


# --- Who made them ----------------------------------------------------------------------


def test_a_link_is_made_in_the_panel(alice, album, pictures) -> None:
    client = browser(alice)
    for target in (f"albums/{album.pk}", f"images/{pictures[0].pk}"):
        assert "No links yet" in text(client.get(f"/{target}/sharing/", **HTMX))
        until = (timezone.localdate() + timedelta(days=3)).isoformat()
        values = {"name": "For Oma", "password": "a secret", "expires_on": until, "max_uses": "5"}
        answer = client.post(f"/{target}/links/", {**values, "allow_download": "on"}, **HTMX)
        link = ShareLink.objects.latest("created_at")
        assert f"http://testserver/s/{link.token}/" in text(answer)
        assert (link.max_uses, link.allow_download, bool(link.password)) == (5, True, True)
        assert timezone.localtime(link.expires_at).date().isoformat() == until
        assert client.post(f"/{target}/links/", {}).status_code == 302


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"password": "abc"}, "Choose a password of 6 to 128 characters."),
        ({"expires_on": "2020-01-01"}, "Choose a time that is still to come."),
        ({"max_uses": "0"}, "greater than or equal to 1"),
        ({"max_uses": "many"}, "Enter a whole number."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    alice, album, values: dict[str, str], sentence: str
) -> None:
    client = browser(alice)
    answer = client.post(f"/albums/{album.pk}/links/", {"name": "Kept", **values}, **HTMX)
    assert answer.status_code == 400
    assert sentence in text(answer)
    assert 'value="Kept"' in text(answer)
    link = link_to(album)
    answer = client.post(reverse("link_edit", args=[link.pk]), {"name": "Kept", **values})
    assert answer.status_code == 400
    assert sentence in text(answer)


def test_the_list_shows_all_links_and_their_states(alice, album, pictures) -> None:
    client = browser(alice)
    assert "No links yet" in text(client.get("/links/"))
    link_to(album, name="Live")
    links.revoke_link(link_to(pictures[0], name="Dead"))
    page = text(client.get("/links/"))
    assert page.index("Dead") < page.index("Live")
    assert "Revoked" in page
    assert "Works" in page
    assert "Holidays" in page


def test_a_link_is_changed_and_revoked_on_the_page(alice, album) -> None:
    until = timezone.now() + timedelta(hours=30)
    link = link_to(album, password="a secret", expires_at=until)
    client = browser(alice)
    address = reverse("link_edit", args=[link.pk])
    form = text(client.get(address, **HTMX))
    day = timezone.localtime(until).date().isoformat()
    assert f'value="{day}"' in form
    hashed = link.password

    client.post(address, {"name": "New", "expires_on": day}, **HTMX)
    link.refresh_from_db()
    assert (link.name, link.password, link.expires_at) == ("New", hashed, until)

    client.post(address, {"name": "New", "no_password": "on"}, **HTMX)
    link.refresh_from_db()
    assert (link.password, link.expires_at) == ("", None)

    answer = client.post(reverse("link_revoke", args=[link.pk]), **HTMX)
    assert "Revoked" in text(answer)
    assert visitor().get(page_of(link)).status_code == 404


def test_the_code_for_phones_is_drawn(alice, album) -> None:
    page = browser(alice).get(reverse("link_qr", args=[link_to(album).pk]))
    assert "<path" in text(page)


def test_links_of_others_have_no_pages(bob, alice, album) -> None:
    link = link_to(album)
    share(album, bob, "add")
    for name, method in [
        ("link", "get"),
        ("link_edit", "get"),
        ("link_edit", "post"),
        ("link_revoke", "post"),
        ("link_qr", "get"),
    ]:
        address = reverse(name, args=[link.pk])
        assert getattr(browser(bob), method)(address).status_code == 404
        assert getattr(browser(), method)(address).status_code == 302
    link.refresh_from_db()
    assert link.revoked_at is None


def test_a_picture_put_into_the_album_later_is_shown(alice, album) -> None:
    link = link_to(album)
    put(album, upload(alice, draw(colour="gold")))
    assert "4 pictures" in text(visitor().get(page_of(link)))
