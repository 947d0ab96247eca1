"""Hostile values for a word, a number, an id or a header."""

from __future__ import annotations

import io
import json
import struct
import uuid
import warnings
import zipfile
from random import Random
from typing import Any

# A script that must never appear as one in an answer.
SCRIPT = "<script>zq(1)</script>"

TEXTS = (
    "", " ", "a", "0", "-1", "1", "true", "null", "None", "NaN", "Infinity", "-Infinity", "1e400",
    "-1e400", "1e308", "0x10", "٣", "１２", "1_000", "2147483648", "9223372036854775808", "9" * 400,
    "9" * 5_000, "1." + "3" * 5_000, "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202egnp.exe",
    "a\r\nSet-Cookie: zq=1", "a\nb", "\x1b[31m", "\x7f", "\ufeff", "\u0000\u0001\u0002",
    "é" * 300,
    "e" + "\u0301" * 2_000, "👩‍👩‍👧‍👦" * 50, "ﷺ" * 500, "İ", "ß", "ſ", SCRIPT, f'"\'>{SCRIPT}',
    "javascript:alert(1)", "//evil.example", "https://evil.example/", "/\\evil.example",
    "http:evil.example", "../" * 20 + "etc/passwd", "..\\..\\win.ini", "/etc/passwd", "%00",
    "%2e%2e%2f", "%ff%fe", "%c0%af", "{{7*7}}", "${7*7}", "%s%n", "%(a)s", "{0}", "{a.b}",
    "' OR 1=1--", "\\", "\\\\", "'", '"', "%", "_", "a:*", "!()|&<->:*", "<2147483647>", "((((",
    "))))",
    "[" * 500, "{" * 500, '"' * 501, "-", "--", "-" * 300, "x" * 255, "x" * 256, "x" * 70_000,
)  # fmt: skip

QUERIES = (
    'a "b', '"a" "b" "c" ' * 20, "a^1e999", "a^-0", "a^NaN", "a^٣", 'like:x',
    "like:" + str(uuid.UUID(int=1)),
    f"like:{uuid.UUID(int=1)}[0,0,0,0]", f"like:{uuid.UUID(int=1)}[1e400,NaN,-1,9999]",
    "-like:", "size:>1e400mp",
    "size:>-1mp", "size:99999999999999999999mp", "after:99999", "before:0000", "on:2024-13-45",
    "after:0001-01-01",
    "on:9999-12-31", "after:-1", "color:red " * 50, "color:#gggggg", "color:#12345", 'camera:"',
    "album:\x00",
    "tag:" + "x" * 5_000, "owner:me owner:\ud800", 'words:"' + "a & " * 500, "words:!!!",
    'words:"\'\\"',
    "favourite:maybe", "visibility:public visibility:private", "orientation:" + "x" * 100, ":",
    "::::", "a:b:c",
    "- - -", '-"', "^", "^^^^", " " * 5_000, "a " * 3_000, "a" * 100_000, "狗" * 5_000, "🦊 " * 400,
)  # fmt: skip

IDS = (
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "{00000000-0000-0000-0000-000000000000}", "urn:uuid:00000000-0000-0000-0000-000000000000",
    "00000000000000000000000000000000", "00000000-0000-0000-0000-00000000000g", "0", "-1", "1",
    "99999999999999999999999", "2147483648", "9223372036854775807", "9223372036854775808", "a",
    "%00", "%0d%0a",
    "..%2f..%2f", "%ff", "٣", "admin", "alice", "bob", "me", "A" * 22, "A" * 5_000,
    "%F0%9F%A6%8A",
)  # fmt: skip

NUMBERS: tuple[Any, ...] = (
    0, -0.0, 1, -1, 2, 0.5, 1.5, 1e-320, 1e308, -1e308, 10**18, 2**31, 2**63, 2**64, 10**400,
    float("nan"), float("inf"), -float("inf"), True, False, None,
)  # fmt: skip

HEADERS: dict[str, tuple[str, ...]] = {
    "Range": (
        "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=5-2", "bytes=0-99999999999999999999",
        "bytes=abc",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(2_000)), "bytes=0-," * 500, "items=0-1",
        "bytes",
        "bytes=--1", "bytes=0-0,-1", "bytes=\u0663-", "bytes= 0 - 0 ", "bytes=9999999-",
    ),
    "If-Range": ('"x"', "W/", "Wed, 99 Foo 9999 99:99:99 GMT"),
    "If-None-Match": ("*", '"', 'W/"', '"a",' * 5_000, "\xff\xfe", '"\x00"', "a" * 20_000),
    "If-Match": ("*", '"', "a" * 5_000),
    "If-Modified-Since": ("0", "Thu, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
    "x" * 5_000),
    "Accept": ("*/*;q=nan", "text/html;q=1e999", ",".join(["a/b;q=0.1"] * 3_000), "/",
    "application/xml", ";;;;", "*"),
    "Accept-Language": ("zh-hans;q=9", "x" * 9_000, ",".join(["en;q=0.1"] * 900), "\xff",
    "../..", "en-" * 200, "*"),
    "Accept-Encoding": ("gzip;q=nan", "x" * 5_000, "identity;q=0"),
    "Authorization": ("Token", "Token ", "Token a b", "Token \xff", "Token " + "a" * 9_000,
    "Basic !!!", "Bearer x", "token x"),
    "Cookie": ("sessionid=" + "a" * 5_000, "a=b; " * 3_000, "csrftoken=\xff; sessionid=\x01",
    "=;=;=", "messages=W1sx"),
    "Content-Encoding": ("gzip", "br", "x" * 999),
    "Content-Length": ("-1", "abc", "99999999999", "0", "\u0663"),
    "X-Forwarded-For": ("1.2.3.4," * 2_000, "x", "::ffff:1.2.3.4", "\xff", "999.1.1.1"),
    "X-Forwarded-Host": ("evil.example", "a b", "\xff"),
    "X-Forwarded-Proto": ("https", "javascript"),
    "Host": ("evil.example", "testserver:99999", "[::1", "a" * 3_000, "", "testserver\x00",
    "\xff"),
    "Origin": ("null", "https://evil.example", "\xff", "x" * 5_000),
    "Referer": ("https://evil.example/", "\xff\x00", "http://[", "x" * 9_000, "//"),
    "HX-Request": ("true", "false", "\xff"),
    "HX-Current-URL": ("http://[", "javascript:x", "\xff",
    "https://evil.example/?" + "a=" * 3_000, "//[::1"),
    "HX-Target": ("x" * 5_000, SCRIPT, "\xff"),
    "X-HTTP-Method-Override": ("PATCH", "DELETE", "TRACE", "\xff", "x" * 5_000),
    "X-Share-Key": ("x", "x" * 9_000, "a:b:c", "\xff", "....", "eyJhIjoxfQ:1abcde:x"),
    "X-Requested-With": ("XMLHttpRequest",),
    "Idempotency-Key": ("", "x" * 9_000, "\xff"),
    "Tus-Resumable": ("1.0.0", "0.0.0", "x", ""),
    "Upload-Length": ("0", "-1", "99999999999999999999999", "NaN", "1e3", "\u0663", "", "10"),
    "Upload-Offset": ("0", "-1", "99999999999999999999999", "NaN", "1.0", "", "5"),
    "Upload-Defer-Length": ("1", "0", "x"),
    "Upload-Concat": ("partial", "final;/a /b", "x"),
    "Upload-Checksum": ("sha1 !!!", "md5 AAAA", "sha1", "sha1 " + "A" * 9_000, "\xff \xff",
    "sha256 " + "A" * 43 + "="),
    "Upload-Metadata": (
        "filename", "filename !!!", "filename AAAA,filename AAAA", "," * 5_000,
        "a " + "A" * 30_000,
        "album " + "QUFB" * 9, "visibility eA==", "filename gICA", "tags W1tbW1tbW1tb",
        "\xff \xff", "a b c",
        "filename " + "Li4vLi4vZXRjL3Bhc3N3ZA==", "=,=", "filename AA==",
        "captured_at MTAwMDAtMDEtMDE=",
    ),
    "Transfer-Encoding": ("chunked", "gzip, chunked", "x"),
    "Expect": ("100-continue", "x"),
}  # fmt: skip

TYPES = (
    "application/json", "application/json; charset=utf-16", "application/json; charset=rot13",
    "application/json; charset=\xff", "application/json; charset=utf-7",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=nope", "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=" + "x" * 300, 'multipart/form-data; boundary="\xff"',
    "multipart/mixed; boundary=x",
    "application/offset+octet-stream", "application/octet-stream", "text/plain", "image/jpeg",
    "application/xml",
    "text/html", "", "/", "json", "a/b/c", ";", "application/json;" * 100, "x" * 5_000,
)  # fmt: skip


def text(random: Random) -> str:
    kind = random.random()
    if kind < 0.55:
        return random.choice(TEXTS)
    if kind < 0.85:
        return random.choice(QUERIES)
    if kind < 0.95:
        return random.choice(IDS)
    return random.choice(("x", "é", "\x00", "%", "狗", "\\")) * random.choice(
        (10, 2_000, 1_000_000)
    )


def json_value(random: Random, depth: int = 0) -> Any:
    kind = random.random()
    if kind < 0.45:
        return text(random) if depth == 0 else text(random)[:5_000]
    if kind < 0.75 or depth > 2:
        return random.choice(NUMBERS)
    if kind < 0.88:
        count = random.choice((0, 1, 2, 5)) if depth else random.choice((0, 1, 5, 300))
        return [json_value(random, depth + 1) for _ in range(count)]
    names = [text(random)[:200] for _ in range(random.choice((0, 1, 3)))]
    return {name: json_value(random, depth + 1) for name in names}


def broken_json(random: Random, whole: bytes) -> bytes:
    """Return invalid JSON, or JSON that is far too much."""
    deep = random.choice((1_000, 10_000, 200_000))
    utf_16 = whole.decode("utf-8", "replace").encode("utf-16")
    return random.choice((
        b"[" * deep, b"[" * deep + b"]" * deep, b'{"a":' * deep,
        b'{"a":' * deep + b"1" + b"}" * deep, b'{"q": ' + b"[" * deep + b"]" * deep + b"}",
        whole[: random.randrange(len(whole) + 1)], whole + b"}", b"\xef\xbb\xbf" + whole, utf_16,
        b"9" * deep, b'{"limit": ' + b"9" * deep + b"}", b'{"limit": 1e' + b"9" * 300 + b"}",
        b"", b"null", b'"text"', b"[]", b"NaN", b'{"q": NaN, "limit": Infinity}',
        b'{"q": "\\ud800"}', b'{"q": "\xed\xa0\x80"}', b'{"q": "\xc0\xaf"}', b'{"q": "\xff"}',
        b'{"q": "\\u0000"}', b'{"q": "a", "q": "b"}', b"{" + b'"a": 1, ' * 20_000 + b'"b": 1}',
        b'{"terms": [' + b'{"text": "a"},' * 5_000 + b'{"text": "a"}]}', b"\x00" * 1_000,
        b"\x1f\x8b" + bytes(50),
    ))  # fmt: skip


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


# --- ZIP files --------------------------------------------------------------------


def zip_file(random: Random, picture: bytes) -> bytes:
    """Return a ZIP file whose directory promises more than its content, or far too much."""
    names = (
        "a.jpg", "../../a.jpg", "/etc/passwd", "a\\..\\b.jpg", "C:\\a.jpg", "a\x00b.jpg",
        "\u202egpj.exe", "x" * 5_000,
        "d/" * 500 + "a.jpg", "a.zip", "", ".", "..", "狗.jpg", "__MACOSX/._a.jpg", "con.jpg",
        "a\nb.jpg",
    )  # fmt: skip
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # the same name again
        for _ in range(random.choice((0, 1, 3, 10, 10, 300))):
            archive.writestr(
                zipfile.ZipInfo(random.choice(names)), picture if random.random() < 0.5 else b"x"
            )
        if random.random() < 0.3:
            archive.writestr("zeros.jpg", bytes(5_000_000))
        if random.random() < 0.2:
            archive.writestr("inner.zip", buffer.getvalue())
    data = bytearray(buffer.getvalue())
    kind = random.random()
    if kind < 0.3:  # all entries are at the same place: they overlap
        at = 0
        while (at := data.find(b"PK\x01\x02", at)) >= 0:
            struct.pack_into("<L", data, at + 42, 0)
            at += 4
    elif kind < 0.5:  # sizes and counts of another file
        for magic, offset, width in (
            (b"PK\x01\x02", 24, "<L"),
            (b"PK\x05\x06", 10, "<H"),
            (b"PK\x05\x06", 16, "<L"),
        ):
            at = data.rfind(magic)
            if at >= 0 and random.random() < 0.6:
                struct.pack_into(width, data, at + offset, random.choice((0, 1, 0xFFFF)))
    elif kind < 0.7:
        for _ in range(20):
            data[random.randrange(len(data))] = random.randrange(256)
    elif kind < 0.8:
        data = data[: random.randrange(len(data))]
    return bytes(data)


# --- Forms ------------------------------------------------------------------------


def multipart(
    random: Random, fields: list[tuple[str, str]], files: list[tuple[str, bytes]]
) -> tuple[bytes, str]:
    """Return a form with files, and its content type. Sometimes it has faults."""
    boundary = random.choice(("zq", "-" * 60, "a'b", "x" * 70))
    parts = []
    for name, value in fields:
        parts.append(_part(random, f'name="{name}"', value.encode("utf-8", "surrogatepass")))
    for name, data in files:
        filename = random.choice(("a.jpg", *TEXTS, "x.zip"))[:2_000]
        mark = random.choice(("filename", "filename", "filename", "filename*", "FileName"))
        quoted = filename if random.random() < 0.2 else filename.replace('"', "%22")
        parts.append(_part(random, f'name="{name}"; {mark}="{quoted}"', data))
    if random.random() < 0.1:
        size = sum(map(len, parts)) + 1
        parts *= min(random.choice((50, 1_500, 10_000)), 1 + 3_000_000 // size)
    if random.random() < 0.08:  # one form within another
        inner = b"--in\r\n" + b"\r\n--in\r\n".join(parts[:50]) + b"\r\n--in--"
        parts.append(b"Content-Type: multipart/mixed; boundary=in\r\n\r\n" + inner)
    line = b"--" + boundary.encode()
    body = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts)
    body += line + b"--\r\n" if random.random() < 0.9 else b""
    if random.random() < 0.1:
        body = body[: random.randrange(len(body) + 1)]
    return body, f"multipart/form-data; boundary={boundary}"


def _part(random: Random, disposition: str, data: bytes) -> bytes:
    head = f"Content-Disposition: form-data; {disposition}\r\n".encode("utf-8", "surrogatepass")
    if random.random() < 0.2:
        head += random.choice((
            b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: x\r\n",
            b"Content-Type: text/plain; charset=rot13\r\n", b"Content-Length: -5\r\n",
            b"X: " + b"a" * 20_000 + b"\r\n",
            b"X: y\r\n" * 3_000, b"\r\n" * 3, b"Content-Type: \xff\r\n",
            b"Content-Disposition: form-data\r\n",
        ))  # fmt: skip
    return head + b"\r\n" + data
