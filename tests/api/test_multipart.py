"""Forms with files as real programs send them, to pages and API."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import RequestFactory

from clipsite.handlers import ReadableWSGIRequest
from clipsite.serving.arrival import Arrival
from gallery.models import Image
from gallery.multipart import FormParser
from tests.conftest import api, draw

pytestmark = pytest.mark.django_db

BOUNDARY = "xYz"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def part(disposition: bytes, content: bytes, kind: bytes = b"image/jpeg") -> bytes:
    typed = b"Content-Type: " + kind + b"\r\n" if kind else b""
    head = b"--xYz\r\nContent-Disposition: form-data; " + disposition + b"\r\n" + typed
    return head + b"\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--xYz--\r\n"


def named(name: bytes, content: bytes | None = None) -> bytes:
    return form(part(b'name="file"; filename="' + name + b'"', content or draw()))


def page_request(body: bytes) -> ReadableWSGIRequest:
    return ReadableWSGIRequest(RequestFactory().generic("POST", "/", body, TYPE).environ)


def sent(user: Any, body: bytes) -> Any:
    return api(user).generic("POST", "/api/v1/images/", body, content_type=TYPE)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Müller.jpg".encode("latin-1"), "Müller.jpg"),
        ("照片.jpg".encode("gbk"), "照片.jpg"),
        ("写真の木.jpg".encode("cp932"), "写真の木.jpg"),
        ("Привет.jpg".encode("cp1251"), "Привет.jpg"),
        (b"\xff\xfe\x80.jpg", None),
        ("👩‍👩‍👧 holiday.jpg".encode(), "👩‍👩‍👧 holiday.jpg"),
        ("می‌خواهم.jpg".encode(), "می‌خواهم.jpg"),
        ("שלום\u200f!.jpg".encode(), "שלום\u200f!.jpg"),
        (b"Tom &amp; Jerry.jpg", "Tom &amp; Jerry.jpg"),
        (b"<b>bold</b>.jpg", "b>.jpg"),
        (b"<b>bold.jpg", "<b>bold.jpg"),
        (b"100%41 &#65; %22.jpg", "100%41 &#65; %22.jpg"),
        (b'the \\"best\\".jpg', 'the "best".jpg'),
        (b"a; filename=b.jpg", "a; filename=b.jpg"),
        (rb"C:\photos\beach.jpg", "beach.jpg"),
        (b"../../etc/evil.jpg", "evil.jpg"),
        ("gpj.\u202eexe.jpg".encode(), "gpj.exe.jpg"),
        (b"..", "blob"),
        (b"a\x01b.jpg", "ab.jpg"),
        (("ä" * 300 + ".jpg").encode(), "ä" * 251 + ".jpg"),
    ],
)
def test_a_name_is_kept_as_it_is_but_for_folders_and_tricks(name, kept, alice) -> None:
    body = named(name)
    answer = sent(alice, body)
    assert answer.status_code == 201, answer.content
    stored = Image.objects.get().original_name
    assert stored == kept or (kept is None and stored.endswith(".jpg"))
    assert page_request(body).FILES["file"].name == stored


def test_a_name_after_rfc_5987_counts(alice) -> None:
    disposition = b"name=\"file\"; filename*=UTF-8''%E7%85%A7%E7%89%87.jpg"
    assert sent(alice, form(part(disposition, draw()))).status_code == 201
    assert Image.objects.get().original_name == "照片.jpg"


@pytest.mark.parametrize("disposition", [b'name="file"', b'name="file"; filename=""'])
def test_a_file_without_a_name_is_a_file(disposition, alice) -> None:
    body = form(part(disposition, draw()), part(b'name="title"', b"Sea", b""))
    assert sent(alice, body).status_code == 201
    request = page_request(body)
    assert request.FILES["file"].read() == draw()
    assert request.POST["title"] == "Sea"


def test_a_field_that_was_left_empty_is_none(alice) -> None:
    """Browsers send this where no file was chosen."""
    body = form(part(b'name="file"; filename=""', b"", b"application/octet-stream"))
    answer = sent(alice, body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "no_file"
    assert "file" not in page_request(body).FILES


def test_texts_of_any_kind_stay_fields() -> None:
    body = form(
        part(b'name="title"', "é\r\n\r\n--xY".encode(), b"text/plain; charset=utf-8"),
        part('name="größe"'.encode("latin-1"), b"1", b""),
    )
    request = page_request(body)
    assert request.POST["title"] == "é\r\n\r\n--xY"
    assert request.POST["größe"] == "1"
    assert not request.FILES


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1000, 10**6])
def test_a_form_is_the_same_in_any_pieces(size: int, settings) -> None:
    """A boundary or a header may lie across two pieces."""
    content = draw() + b"\r\n--xY\r\n\r\n" + bytes(range(256))
    body = form(
        part('name="file"; filename="Müller.jpg"'.encode("latin-1"), content),
        part(b'name="file"; filename="b.jpg"', b""),
        part(b'name="tags"', b"sea", b""),
    )

    class Slow(io.BytesIO):
        def read(self, wanted: int | None = -1) -> bytes:
            return super().read(min(size, wanted or size))

    meta = {"CONTENT_TYPE": TYPE, "CONTENT_LENGTH": str(len(body))}
    handlers = RequestFactory().post("/").upload_handlers
    fields, files = FormParser(meta, Slow(body), handlers).parse()
    first, second = files.getlist("file")
    assert (first.name, first.read()) == ("Müller.jpg", content)
    assert (second.name, second.read()) == ("b.jpg", b"")
    assert fields["tags"] == "sea"


def test_a_body_in_chunks_is_told_what_is_missing() -> None:
    """Django would read it as an empty form. Parts of resumable uploads may come in chunks."""
    arrival = Arrival(10**9)
    arrival.feed(b"POST /api/v1/images/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n")
    assert arrival.refused is not None
    answer = arrival.refused.answer()
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"Content-Length" in answer
    streamed = Arrival(10**9)
    streamed.feed(
        b"PATCH /api/v1/uploads/1/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: application/offset+octet-stream\r\n\r\n5\r\n"
    )
    assert streamed.refused is None
    assert streamed.is_ready


@pytest.mark.parametrize(
    "name",
    [b"KLINGON''M%C3%BCller.jpg", b"UTF-8''M%FCller.jpg", b"ISO-8859-1'en'M%FCller.jpg",
     b"''M%C3%BCller.jpg"],
)  # fmt: skip
def test_an_encoded_name_need_not_keep_its_word(alice: Any, name: bytes) -> None:
    answer = sent(alice, form(part(b'name="file"; filename*=' + name, draw())))

    assert answer.status_code == 201
    assert answer.json()["original_name"] == "Müller.jpg"


def test_a_form_that_breaks_off_says_so(alice: Any) -> None:
    answer = sent(alice, part(b'name="file"; filename="a.jpg"', draw()))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "parse_error"


@pytest.mark.parametrize("written", ["utf-8", "cp1252"])
def test_values_are_read_in_their_code_page(alice: Any, written: str) -> None:
    title = part(b'name="title"', "Müller am See".encode(written), kind=b"")
    answer = sent(alice, form(title, part(b'name="file"; filename="a.jpg"', draw())))

    assert answer.json()["title"] == "Müller am See"


def test_chinese_values_too(alice: Any) -> None:
    title = part(b'name="title"', "海边日落".encode("gbk"), kind=b"")
    answer = sent(alice, form(title, part(b'name="file"; filename="a.jpg"', draw())))

    assert answer.json()["title"] == "海边日落"
