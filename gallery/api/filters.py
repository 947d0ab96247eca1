"""The filters of pictures, with what the schema of the API says of their values."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from gallery.search.filters.fields import MAX_ALBUMS, MAX_IDS
from gallery.search.filters.image_filter import ImageFilter as ImageFilter

_TEXTS = {"type": "array", "items": {"type": "string"}}
_IDS = {"type": "array", "items": {"type": "string", "format": "uuid"}}
_VALUES: dict[str, Any] = {
    "id": {**_IDS, "description": f"Up to {MAX_IDS}: to follow uploads until they are `ready`."},
    "owner": OpenApiTypes.STR,
    "captured_after": OpenApiTypes.DATETIME,
    "captured_before": OpenApiTypes.DATETIME,
    "camera": OpenApiTypes.STR,
    "color": _TEXTS,
    "words": OpenApiTypes.STR,
    "size_min": OpenApiTypes.NUMBER,
    "size_max": OpenApiTypes.NUMBER,
    "album": {**_IDS, "maxItems": MAX_ALBUMS},
    "tag": _TEXTS,
    "category": _TEXTS,
    "favourite": OpenApiTypes.BOOL,
    "rating": OpenApiTypes.STR,
    "archived": OpenApiTypes.BOOL,
}

for _name, _value in _VALUES.items():
    extend_schema_field(_value)(ImageFilter.base_filters[_name])
