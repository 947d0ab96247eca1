"""Hostile requests. A number alone determines each of them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from tests.fuzz import plausible, values
from tests.fuzz.mutations import mutated

METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "X")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\{(\w+)\}")
# The names under which pages read their input.
_READ = re.compile(r'(?:GET|POST|FILES|query_params)(?:\.get|\.getlist|\[)\(?"([\w-]+)"')
# The length and the transfer of a body need real connections: see `sockets`.
_HEADERS = sorted(set(values.HEADERS) - {"Content-Length", "Transfer-Encoding", "Expect"})
_FIELDS = re.compile(r"^    (\w+) = (?:forms|serializers)\.\w+\(", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A request as it is sent. The query is part of the path."""

    actor: str
    method: str
    path: str
    headers: dict[str, str]
    content_type: str
    body: bytes

    def to_json(self) -> str:
        encoded = {**vars(self), "body": base64.b64encode(self.body).decode()}
        return json.dumps(encoded, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Case:
        stored = json.loads(text)
        return cls(**{**stored, "body": base64.b64decode(stored["body"])})


class Drawer:
    """`addresses` are routes with the names of their parameters. `of` returns values of existing
    things for them."""

    def __init__(
        self, addresses: Sequence[str], of: Callable[[str], dict[str, object]], seeds: list[bytes]
    ) -> None:
        self._pages = [a for a in addresses if not a.startswith(("/api/v1/", "/admin/"))]
        self._admin = [a for a in addresses if a.startswith("/admin/")]
        self._operations = [
            (path, method, operation)
            for path, methods in plausible.DOCUMENT["paths"].items()
            for method, operation in methods.items()
        ]
        self._of = of
        self._seeds = seeds
        self._names = _names()

    def draw(self, random: Random) -> Case:
        kind = random.random()
        if kind < 0.55:
            return self._api(random)
        if kind < 0.96:
            return self._page(random, random.choice(self._pages))
        return self._page(random, random.choice(self._admin), "administrator")

    # --- The API ------------------------------------------------------------------

    def _api(self, random: Random) -> Case:
        path, method, operation = random.choice(self._operations)
        known = {name: str(value) for name, value in self._of(path).items()} or {"id": "1"}
        parameters = operation.get("parameters", [])
        query = [
            (parameter["name"], self._spoilt(random, parameter["schema"], known))
            for parameter in parameters
            if parameter["in"] == "query" and random.random() < 0.5
        ]
        headers = self._headers(random)
        headers |= {
            parameter["name"]: _header_text(self._spoilt(random, parameter["schema"], known))
            for parameter in parameters
            if parameter["in"] == "header" and random.random() < 0.7
        }
        content = resolved_body(operation)
        content_type, body = "application/json", b""
        if content:
            content_type, body = self._api_body(random, content, known)
        elif random.random() < 0.2:
            body = values.broken_json(random, b"{}")
        if random.random() < 0.06:
            content_type = random.choice(values.TYPES)
        if random.random() < 0.06:
            method = random.choice(METHODS)
        return Case(
            actor=random.choices(("token", "alice", "visitor"), (70, 15, 15))[0],
            method=method.upper(),
            path=self._address(random, path) + self._query(random, query),
            headers=headers,
            content_type=content_type,
            body=body,
        )

    def _api_body(
        self, random: Random, content: dict[str, Any], known: dict[str, str]
    ) -> tuple[str, bytes]:
        kind = random.choice(sorted(content))
        schema = plausible.resolved(content[kind].get("schema", {}))
        if kind == "multipart/form-data":
            names = sorted(schema.get("properties", {"file": {}}))
            files = [name for name in names if "file" in name or "picture" in name]
            fields = [
                (name, _form_text(self._spoilt(random, schema["properties"][name], known)))
                for name in names
                if name not in files and random.random() < 0.5
            ]
            if random.random() < 0.15:
                fields += [(name, values.text(random)) for name in files]
            body, content_type = values.multipart(
                random, fields, [(name, self._file(random)) for name in files or ["file"]]
            )
            return content_type, body
        if kind == "application/json":
            whole = self._spoilt(random, schema, known)
            body = values.as_json(whole)
            return kind, values.broken_json(random, body) if random.random() < 0.15 else body
        return kind, self._file(random)

    def _spoilt(self, random: Random, schema: dict[str, Any], known: dict[str, str]) -> Any:
        """Return a good value with one or more parts replaced by bad ones."""
        good = plausible.value_of(schema, random, known)
        for _ in range(random.choices((0, 1, 2), (15, 70, 15))[0]):
            good = _exchanged(random, good)
        return good

    # --- Pages --------------------------------------------------------------------

    def _page(self, random: Random, address: str, actor: str | None = None) -> Case:
        method = random.choices(METHODS, (45, 42, 2, 2, 2, 2, 2, 1, 1, 1))[0]
        known = [str(value) for value in self._of(address).values()]

        def some() -> list[tuple[str, str]]:
            count = random.choice((0, 1, 1, 2, 3, 6))
            names = [random.choice(self._names) for _ in range(count)]
            good = ["red", "1", "2024-05-01", "private", "on", *known]
            return [
                (name, random.choice(good) if random.random() < 0.4 else values.text(random))
                for name in names
            ]

        content_type, body = "application/x-www-form-urlencoded", b""
        if method in ("POST", "PUT", "PATCH"):
            if random.random() < 0.3:
                files = [(random.choice(("file", "picture", "upload")), self._file(random))]
                body, content_type = values.multipart(random, some(), files)
            else:
                pairs = some()
                size = sum(len(value) for _name, value in pairs) + 1
                pairs *= min(random.choice((1, 1, 1, 1, 400)), 1 + 500_000 // size)
                body = _urlencoded(pairs).encode()
        if random.random() < 0.06:
            content_type = random.choice(values.TYPES)
        return Case(
            actor=actor or random.choices(("alice", "visitor"), (75, 25))[0],
            method=method,
            path=self._address(random, address) + self._query(random, some()),
            headers=self._headers(random),
            content_type=content_type,
            body=body,
        )

    # --- Both ---------------------------------------------------------------------

    def _address(self, random: Random, address: str) -> str:
        of = self._of(address)

        def fill(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if random.random() < 0.7:
                return str(of.get(name, 1))
            return random.choice(
                (*values.IDS, quote(values.text(random)[:3_000], safe="", errors="replace"))
            )

        path = _PARAMETER.sub(fill, address)
        kind = random.random()
        if kind < 0.02:
            path = path.rstrip("/")
        elif kind < 0.05:
            at = random.randrange(1, len(path) + 1)
            odd = ("//", "/./", "/../", "%2f", "%00", "%0d%0a", "%ff", "%c0%ae", ";x", "\\", "%25")
            path = path[:at] + random.choice(odd) + path[at:]
        return path if path.startswith("/") else f"/{path}"

    def _query(self, random: Random, pairs: list[tuple[str, Any]]) -> str:
        kind = random.random()
        if kind < 0.02:
            pairs = pairs + [(f"a{n}", "x") for n in range(random.choice((999, 1_001, 20_000)))]
        elif kind < 0.04:
            pairs = pairs * 50 if sum(len(str(value)) for _name, value in pairs) < 9_000 else pairs
        elif kind < 0.06:
            odd = (
                "%",
                "%zz",
                "=",
                "&&&",
                "%ff=%fe",
                "q=%00",
                "q=%ed%a0%80",
                "a[]=1&a[b]=2",
                "?",
                "#",
                "+" * 5_000,
            )
            return "?" + random.choice(odd)
        elif kind < 0.15:
            pairs = [*pairs, (random.choice(self._names), values.text(random))]
        return "?" + _urlencoded(pairs) if pairs else ""

    def _headers(self, random: Random) -> dict[str, str]:
        names = random.sample(_HEADERS, random.choices((0, 1, 2, 4), (45, 35, 15, 5))[0])
        return {name: _header_text(random.choice(values.HEADERS[name])) for name in names}

    def _file(self, random: Random) -> bytes:
        kind = random.random()
        if kind < 0.3:
            return mutated(random, self._seeds)
        if kind < 0.6:
            return random.choice(self._seeds)
        if kind < 0.85:
            return values.zip_file(random, self._seeds[0])
        return random.choice(
            (b"", b"x", bytes(3_000_000), b"<svg onload=alert(1)>", random.randbytes(500))
        )


def resolved_body(operation: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    return content


def _exchanged(random: Random, value: Any) -> Any:
    """Return the value with one part replaced, or a replacement for the whole."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(sorted(value))
        if random.random() < 0.1:
            return {**{k: v for k, v in value.items() if k != name}, values.text(random)[:300]: 1}
        return {**value, name: _exchanged(random, value[name])}
    if isinstance(value, list) and value and random.random() < 0.8:
        at = random.randrange(len(value))
        if random.random() < 0.15:
            return value * min(random.choice((2, 100, 3_000)), 1 + 1_000_000 // len(repr(value)))
        return [*value[:at], _exchanged(random, value[at]), *value[at + 1 :]]
    return values.json_value(random)


def _form_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _header_text(value: Any) -> str:
    """Return as much as a header can carry: a server refuses the rest itself."""
    text = _form_text(value).encode("utf-8", "surrogatepass").decode("latin-1")
    return re.sub(r"[\r\n\x00]", " ", text)[:30_000]


def _urlencoded(pairs: list[tuple[str, Any]]) -> str:
    texts = [(name, _form_text(value)) for name, value in pairs]
    return urlencode(texts, errors="surrogatepass")


def _names() -> list[str]:
    """Return the names that pages and forms read, from their sources. Nobody has to keep a list."""
    gallery = Path(__file__).parents[2] / "gallery"
    found = {"next", "page", "csrfmiddlewaretoken", "login", "password", "email", "code"}
    for source in (*gallery.glob("web/**/*.py"), *gallery.glob("sharing/*.py")):
        text = source.read_text()
        found.update(_READ.findall(text))
        found.update(_FIELDS.findall(text))
    for path in plausible.DOCUMENT["paths"].values():
        for operation in path.values():
            found.update(parameter["name"] for parameter in operation.get("parameters", []))
    return sorted(found)
