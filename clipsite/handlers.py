"""Reads requests before any middleware sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import ImmutableList, MultiValueDict
from django.utils.http import parse_header_parameters

from gallery.multipart import FormParser

_TOO_LATE = "You cannot alter upload handlers after the upload has been processed."
_EVERY_BYTE = bytes(range(256))


class _Readable(HttpRequest):
    """Reads forms with gallery.multipart.

    A charset that is no text encoding (rot13, zlib, idna, …) is ignored: Django uses any codec
    of Python, and then fails where nothing catches the error."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(
            meta.get("CONTENT_TYPE", "")
        )
        charset = self.content_params.get("charset")
        if charset is not None and _decodes_text(charset):
            self.encoding = charset

    def parse_file_upload(
        self, META: Mapping[str, Any], post_data: Any
    ) -> tuple[QueryDict, MultiValueDict[str, UploadedFile]]:
        handlers: ImmutableList[Any] = ImmutableList(self.upload_handlers, warning=_TOO_LATE)
        self.upload_handlers = handlers
        return FormParser(META, post_data, handlers, self.encoding).parse()


def _decodes_text(charset: str) -> bool:
    try:
        _EVERY_BYTE.decode(charset, "replace")
    except (LookupError, UnicodeError, ValueError):
        return False
    return True


class ReadableWSGIRequest(_Readable, WSGIRequest):
    pass


class ReadableASGIRequest(_Readable, ASGIRequest):
    pass


class WebHandler(WSGIHandler):
    request_class = ReadableWSGIRequest


class AsyncWebHandler(ASGIHandler):
    request_class = ReadableASGIRequest
