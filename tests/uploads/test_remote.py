"""Pictures from addresses that users enter: which are fetched, and which never are."""

from __future__ import annotations

import ipaddress
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gallery.errors import Refusal, TooLarge
from gallery.uploads import addresses, remote
from tests.conftest import draw

Reply = Callable[[BaseHTTPRequestHandler], None]


def web_port() -> int:
    """Return a free port among those that pictures are fetched from."""
    for port in random.sample(range(8000, 9000), 1000):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("All ports from 8000 to 8999 are taken.")


class Site(ThreadingHTTPServer):
    """A web server of somebody else. `pages` maps a path to its answer."""

    daemon_threads = True

    def __init__(self) -> None:
        self.pages: dict[str, Reply] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        super().__init__(("127.0.0.1", web_port()), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, path: str, host: str = "pictures.example", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: Any = self.server
        site.requests.append((self.path, dict(self.headers)))
        site.pages[self.path.partition("?")[0]](self)

    def log_message(self, *_args: Any) -> None:
        pass


def content(data: bytes, status: int = 200, **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(data)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return reply


def redirect(location: str, status: int = 302) -> Reply:
    return content(b"", status, Location=location)


@pytest.fixture(autouse=True)
def upload_dir(tmp_path: Path, settings: Any) -> Path:
    settings.UPLOAD_DIR = str(tmp_path / "uploads")
    return tmp_path / "uploads"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.shutdown()
    site.server_close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The answers of the name server, in place of the real one. The check of addresses is the real
    one, except for those in `trusted`."""
    known: dict[str, list[str]] = {"pictures.example": ["127.0.0.1"], "trusted": ["127.0.0.1"]}
    is_public = addresses.is_public

    def look_up(host: str, port: int) -> list[str]:
        known.setdefault("asked", []).append(host)
        if host not in known:
            known[host] = []
        found = known[host] or ([host] if _is_address(host) else [])
        if not found:
            raise socket.gaierror(-2, "Name or service not known")
        return list(found)

    monkeypatch.setattr(addresses, "look_up", look_up)
    monkeypatch.setattr(
        addresses, "is_public", lambda address: address in known["trusted"] or is_public(address)
    )
    return known


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def fetched(url: str) -> bytes:
    with remote.fetch(url).file as file:
        return file.read()


def refused(url: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        remote.fetch(url)
    assert "127.0.0.1" not in str(caught.value)
    return caught.value


# --- What is fetched --------------------------------------------------------------


def test_a_picture_is_fetched_with_its_name(site: Site, names: Any) -> None:
    data = draw()
    site.pages["/photos/%E6%B9%96%20a.jpg"] = content(data, Content_Type="image/jpeg")
    got = remote.fetch(site.url("/photos/湖%20a.jpg?size=large&x=é#top"))
    with got.file as file:
        assert file.read() == data
        assert file.size == len(data)
    assert got.name == "湖 a.jpg"
    path, headers = site.requests[0]
    assert path == "/photos/%E6%B9%96%20a.jpg?size=large&x=%C3%A9"
    assert headers["Host"] == f"pictures.example:{site.port}"
    assert "Clipsite" in headers["User-Agent"]
    assert "Cookie" not in headers
    assert "Authorization" not in headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_and_checked(site: Site, names: Any, status: int) -> None:
    data = draw()
    names["other.example"] = ["127.0.0.1"]
    site.pages["/a"] = redirect("/b/", status)
    site.pages["/b/"] = redirect(site.url("/c.png", host="other.example"), status)
    site.pages["/c.png"] = content(data)
    got = remote.fetch(site.url("/a"))
    with got.file as file:
        assert file.read() == data
    assert got.name == "c.png"
    assert names["asked"] == ["pictures.example", "pictures.example", "other.example"]


def test_proxies_of_the_environment_are_not_used(
    site: Site, names: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.pages["/a"] = content(b"data")
    assert fetched(site.url("/a")) == b"data"


def test_nothing_is_left_on_the_disk(site: Site, names: Any, upload_dir: Path) -> None:
    site.pages["/a"] = content(b"x" * 6_000_000)
    got = remote.fetch(site.url("/a"))
    assert got.file.size == 6_000_000
    got.file.close()
    assert list(upload_dir.iterdir()) == []


# --- What never is ----------------------------------------------------------------


NO_WEB_PORTS = [0, 22, 25, 79, 81, 442, 444, 3306, 5432, 6379, 7999, 9000, 9200, 11211, 65535]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://pictures.example/a.jpg", "bad_url"),
        ("file:///etc/passwd", "bad_url"),
        ("gopher://pictures.example/", "bad_url"),
        ("//pictures.example/a", "bad_url"),
        ("pictures.example/a.jpg", "bad_url"),
        ("http://", "bad_url"),
        ("http:///a.jpg", "bad_url"),
        ("http://pictures.example:99999/", "bad_url"),
        ("http://pictures.example:x/", "bad_url"),
        ("http://[::1/", "bad_url"),
        ("http://pictures.example/a b", "bad_url"),
        ("http://pictures.example/\r\nHost: x", "bad_url"),
        ("http://pictures.example/\u2028", "bad_url"),
        ("http://pictures.example/\x00", "bad_url"),
        (f"http://{'a' * 64}.example/", "bad_url"),
        ("http://pictures.example/" + "a" * 2000, "bad_url"),
        ("http://user@pictures.example/", "url_with_password"),
        ("http://user:word@pictures.example/", "url_with_password"),
        ("http://:@pictures.example/", "url_with_password"),
        ("http://pictures.example@169.254.169.254/", "url_with_password"),
        *((f"http://pictures.example:{port}/a.jpg", "bad_port") for port in NO_WEB_PORTS),
    ],
)
def test_what_is_no_address_of_a_picture_is_refused(names: Any, url: str, code: str) -> None:
    assert refused(url).code == code
    assert "asked" not in names


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
        *("255.255.255.255", "198.18.0.1", "192.0.2.1", "::", "::1", "fe80::1", "fe80::1%eth0"),
        *("fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
        *("64:ff9b:1::1", "::7f00:1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "fec0::1"),
        # Protocol assignments, relays, and addresses of the own network.
        *("192.0.0.1", "192.0.0.8", "192.0.0.192", "192.0.0.255", "192.88.99.1", "192.88.99.255"),
        *("192.31.196.1", "192.52.193.1", "192.175.48.6", "198.19.255.255", "198.51.100.1"),
        *("203.0.113.7", "2001:2::1", "2001:1::1", "2001:20::1", "2001:30::1", "2620:4f:8000::1"),
        # SIIT, with and without an inner address behind it.
        *("::ffff:0:127.0.0.1", "::ffff:0:10.0.0.1", "::ffff:0:8.8.8.8", "::ffff:0:0:0"),
        # ISATAP under a public prefix, with both forms of its identifier.
        *("2606:4700::5efe:10.0.0.1", "2606:4700::5efe:127.0.0.1", "2606:4700::200:5efe:a00:1"),
        *("2606:4700:1:2:0:5efe:8.8.8.8", "fe80::5efe:10.0.0.1"),
        # Segment routing, discard, documentation, and unassigned parts of IPv6.
        *("5f00::1", "5f00:ffff::1", "100::1", "3fff::1", "4000::1", "1000::1", "fe00::1"),
        # Every way from IPv6 to IPv4 that leads to an inner address.
        *("64:ff9b::192.0.0.8", "64:ff9b::192.88.99.1", "64:ff9b::10.1.2.3", "64:ff9b:1::808:808"),
        *("::ffff:192.0.0.8", "::ffff:169.254.169.254", "::ffff:255.255.255.255", "::10.0.0.1"),
        *("::8.8.8.8", "2002:c0a8:101::1", "2002:808:808::1", "2001:0:808:808::1"),
        # With a zone, an address belongs to one cable.
        *("fe80::1%1", "2606:4700::1111%eth0", "::1%lo", "ff02::1%eth0", "ff0e::1"),
        *("", "localhost", "127.1", "8.8.8.8/32", "8.8.8.8%eth0"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not addresses.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "93.184.216.34", "1.0.0.1", "100.63.255.255", "172.32.0.1", "223.255.255.254"),
        *("192.0.1.1", "192.88.98.255", "192.88.100.1", "198.17.255.255", "198.20.0.1"),
        *("2606:4700::1111", "2001:4860:4860::8888", "2001:200::1", "2a00:1450::1", "2003::1"),
        *("::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::5eff:8.8.8.8"),
    ],
)
def test_addresses_that_are_public(address: str) -> None:
    assert addresses.is_public(address)


@pytest.mark.parametrize("port", ["", ":80", ":443", ":8000", ":8443", ":8999"])
def test_ports_of_web_servers(port: str) -> None:
    assert remote.parse(f"http://pictures.example{port}/a.jpg").host == "pictures.example"


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]"),
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0", "LOCALHOST", "localhost."),
    ],
)
def test_this_machine_is_never_asked(site: Site, host: str) -> None:
    """The machine's own name service resolves them, in rare notations, too."""
    refusal = refused(site.url("/secret", host=host))
    assert refusal.code in {"not_public", "bad_url"}
    assert site.requests == []


def test_one_address_inside_is_enough_to_refuse(site: Site, names: Any) -> None:
    names["mixed.example"] = ["8.8.8.8", "10.0.0.1"]
    assert refused(site.url("/a", host="mixed.example")).code == "not_public"


def test_what_is_unknown_and_what_is_inside_sound_alike(names: Any) -> None:
    names["inside.example"] = ["10.0.0.1"]
    inside, unknown = refused("http://inside.example/"), refused("http://unknown.example/")
    assert (inside.code, str(inside)) == (unknown.code, str(unknown))


def test_a_redirect_to_the_inside_is_not_followed(site: Site, names: Any) -> None:
    inner = Site()
    inner.pages["/secret"] = content(b"secret")
    names["inside.example"] = ["10.0.0.1"]
    for place in (
        f"http://inside.example:{inner.port}/secret",
        f"http://10.0.0.1:{inner.port}/secret",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        f"http://a:b@pictures.example:{site.port}/ok",
        "http://pictures.example:6379/",
        f"http://[2606:4700::5efe:10.0.0.1]:{inner.port}/secret",
    ):
        site.pages["/a"] = redirect(place)
        assert refused(site.url("/a")).code in {
            *("not_public", "bad_url", "url_with_password", "bad_port")
        }
    assert inner.requests == []
    inner.shutdown()
    inner.server_close()


def test_a_name_that_changes_its_address_is_not_asked_again(site: Site, names: Any) -> None:
    """DNS rebinding: the name is public when it is checked, and inner when it is used."""
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    site.pages["/a"] = content(b"data")

    class Changing(list[str]):
        def __iter__(self) -> Iterator[str]:
            return iter(answers.pop(0))

        def __bool__(self) -> bool:
            return True

    names["changing.example"] = Changing()
    assert fetched(site.url("/a", host="changing.example")) == b"data"
    assert answers == [["10.0.0.1"]], "one look-up, and the connection goes there"
    assert refused(site.url("/a", host="changing.example")).code == "not_public"


def test_redirects_without_end_are_refused(site: Site, names: Any) -> None:
    site.pages["/a"] = redirect("/a")
    assert refused(site.url("/a")).code == "too_many_redirects"
    assert len(site.requests) == remote.MAX_REDIRECTS + 1


# --- What servers do ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((status, "not_found_there") for status in (204, 304, 401, 403, 404, 410)),
        *((status, "not_now_there") for status in (429, 500, 503)),
    ],
)
def test_a_server_that_gives_nothing_away(site: Site, names: Any, status: int, code: str) -> None:
    site.pages["/a"] = content(b"", status)
    refusal = refused(site.url("/a"))
    assert refusal.code == code
    assert str(status) in str(refusal)


def test_a_web_page_is_told_from_a_picture(site: Site, names: Any) -> None:
    site.pages["/a"] = content(b"<html>", Content_Type="text/html; charset=utf-8")
    assert refused(site.url("/a")).code == "web_page"


def test_size_is_limited_by_what_is_said_and_by_what_comes(
    site: Site, names: Any, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    site.pages["/said"] = content(b"", Content_Length="1001")
    site.pages["/exact"] = content(b"x" * 1000)

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 100)
        except OSError:
            pass

    site.pages["/endless"] = endless
    for path in ("/said", "/endless"):
        refusal = refused(site.url(path))
        assert isinstance(refusal, TooLarge)
        assert refusal.code == "too_large"
    assert len(fetched(site.url("/exact"))) == 1000


def test_a_file_that_ends_early_is_refused(site: Site, names: Any) -> None:
    site.pages["/a"] = content(b"half", Content_Length="1000")
    assert refused(site.url("/a")).code == "not_reached"


def test_a_server_that_is_silent_or_dribbles_is_left(
    site: Site, names: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(remote, "TOTAL_SECONDS", 1.0)
    released = threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        released.wait(20)

    def dribble(write: Callable[[bytes], Any], line: bytes) -> None:
        try:
            while not released.is_set():
                write(line)
                time.sleep(0.05)
        except OSError:
            pass

    def slow_content(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        dribble(handler.wfile.write, b"x")

    def slow_headers(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        dribble(handler.wfile.write, b"x")

    site.pages.update({"/silent": silent, "/content": slow_content, "/headers": slow_headers})
    try:
        for path in site.pages:
            assert refused(site.url(path)).code == "too_slow", path
    finally:
        released.set()


def test_no_http_is_no_answer(names: Any) -> None:
    port = web_port()
    with socket.create_server(("127.0.0.1", port)) as listener:

        def babble() -> None:
            connection, _address = listener.accept()
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            connection.close()

        thread = threading.Thread(target=babble)
        thread.start()
        refusal = refused(f"http://pictures.example:{port}/")
        thread.join(10)
    assert refusal.code == "not_reached"
    assert "SSH" not in str(refusal)
    assert refused(f"http://pictures.example:{port}/").code == "not_reached", "nobody listens"


# --- TLS ----------------------------------------------------------------------------


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """Return a self-signed certificate for `host`, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{host}.pem", folder / f"{host}.key"
    public.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return public, private


def test_the_certificate_has_to_be_the_names(
    site: Site, names: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes to a checked address, and TLS is for the name."""
    public, private = certificate(tmp_path, "pictures.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    told = []
    context.sni_callback = lambda _socket, name, _context: told.append(name)
    site.socket = context.wrap_socket(site.socket, server_side=True)
    site.pages["/a"] = content(b"data")

    assert refused(site.url("/a", scheme="https")).code == "not_reached", "nobody trusts it yet"
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    assert fetched(site.url("/a", scheme="https")) == b"data"
    assert told[-1] == "pictures.example"

    names["other.example"] = ["127.0.0.1"]
    assert refused(site.url("/a", host="other.example", scheme="https")).code == "not_reached"
    assert len(site.requests) == 1


# --- Name servers that do not answer ------------------------------------------------


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names that a silent name server was asked for."""
    asked: list[str] = []
    end = threading.Event()
    look_up = addresses.look_up

    def hang(host: str, port: int) -> list[str]:
        asked.append(host)
        if "slow" in host:
            end.wait(60)
        return look_up(host, port)

    monkeypatch.setattr(addresses, "look_up", hang)
    yield asked
    end.set()


def test_a_name_server_that_hangs_takes_no_longer_than_any_silence(
    names: Any, hanging: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SILENCE_SECONDS", 0.3)
    started = time.monotonic()
    assert refused("https://slow.example/a.jpg").code == "too_slow"
    assert time.monotonic() - started < 2
    assert hanging == ["slow.example"]


def test_look_ups_of_redirects_share_the_deadline(
    site: Site, names: Any, hanging: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "TOTAL_SECONDS", 0.5)
    site.pages["/a.jpg"] = redirect("https://slow.example/b.jpg")
    started = time.monotonic()
    assert refused(site.url("/a.jpg")).code == "too_slow"
    assert time.monotonic() - started < 2


def test_look_ups_that_hang_do_not_pile_up(
    names: Any, hanging: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(addresses, "_look_ups", threading.BoundedSemaphore(3))
    for _ in range(6):
        assert refused("https://slow.example/a.jpg").code == "too_slow"
    assert len(hanging) == 3


def test_a_connection_that_comes_after_the_deadline_is_not_used(
    site: Site, names: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline passes before there is a connection that could be closed."""
    monkeypatch.setattr(remote, "TOTAL_SECONDS", 0.3)
    connect = remote.HTTPConnection.connect

    def late(connection: Any) -> None:
        time.sleep(0.6)
        connect(connection)

    monkeypatch.setattr(remote.HTTPConnection, "connect", late)
    site.pages["/a.jpg"] = content(draw())
    assert refused(site.url("/a.jpg")).code == "too_slow"
    assert site.requests == []
