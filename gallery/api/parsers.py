from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from gallery.multipart import FormParser

if TYPE_CHECKING:
    from typing import IO


class MultiPartParser(parsers.MultiPartParser):
    """Parses forms as the pages do (gallery.multipart)."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        request = (parser_context or {})["request"]
        meta = {**request.META, "CONTENT_TYPE": media_type}
        encoding = (parser_context or {}).get("encoding", settings.DEFAULT_CHARSET)
        try:
            form = FormParser(meta, stream, request.upload_handlers, encoding)
            return parsers.DataAndFiles(*form.parse())
        except MultiPartParserError as error:
            raise ParseError(_("The form cannot be read: %(why)s") % {"why": error}) from error


class JSONParser(parsers.JSONParser):
    """Limits the body to DATA_UPLOAD_MAX_MEMORY_SIZE. REST framework reads the stream itself,
    so Django's own check does not apply."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig
        try:
            return super().parse(BytesIO(body), media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error
