"""Good input for an operation of the API, by its schema. Most of a request must be right, or its
wrong part is never read."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.openapi import DOCUMENT


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def value_of(schema: dict[str, Any], random: Random, known: dict[str, str], depth: int = 0) -> Any:
    """Return a value. `known` are existing ids, by the names of what they identify."""
    schema = resolved(schema)
    for joined in ("allOf", "oneOf", "anyOf"):
        if joined in schema:
            return value_of(random.choice(schema[joined]), random, known, depth)
    if "enum" in schema:
        return random.choice(schema["enum"])
    match schema.get("type"):
        case "object" if depth < 6:
            required = schema.get("required", [])
            return {
                name: value_of(part, random, known, depth + 1)
                for name, part in schema.get("properties", {}).items()
                if name in required or random.random() < 0.4
            }
        case "array":
            count = random.choice((0, 1, 2, schema.get("minItems", 1)))
            return [value_of(schema["items"], random, known, depth + 1) for _ in range(count)]
        case "integer":
            return random.choice((schema.get("minimum", 0), schema.get("maximum", 3), 1))
        case "number":
            return random.choice((schema.get("minimum", 0), schema.get("maximum", 1), 0.5))
        case "boolean":
            return random.random() < 0.5
    return _text(schema, random, known)


def _text(schema: dict[str, Any], random: Random, known: dict[str, str]) -> Any:
    match schema.get("format"):
        case "uuid":
            return random.choice(list(known.values()))
        case "date":
            return random.choice(("2024-05-01", "0001-01-01", "9999-12-31"))
        case "date-time":
            return random.choice(
                ("2024-05-01T10:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z")
            )
        case "email":
            return "somebody@example.org"
        case "uri":
            return "http://127.0.0.1:9/a.jpg"
    return random.choice(("red", "a red car", "alice", "private", *known.values()))
