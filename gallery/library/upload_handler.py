"""Stops storing a file that is too large, and still answers properly.

If the connection were closed, the browser would show a network error instead of our sentence.
The rest of the request is therefore read and discarded.
"""

from __future__ import annotations

import io
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class SizeLimitUploadHandler(FileUploadHandler):
    """The first of FILE_UPLOAD_HANDLERS: past MAX_UPLOAD_BYTES it passes nothing on.

    Such a file arrives in request.FILES without content but with its true size, and validation
    refuses it. `request.META["clipsite.upload_too_large"]` is set as well, for code that has
    to know before it reads the files.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self._received += len(raw_data)
        if self._received <= settings.MAX_UPLOAD_BYTES:
            return raw_data
        if self.request is not None:
            self.request.META["clipsite.upload_too_large"] = True
        return None

    def file_complete(self, file_size: int) -> UploadedFile | None:
        if self._received <= settings.MAX_UPLOAD_BYTES:
            return None
        return UploadedFile(
            file=io.BytesIO(),
            name=self.file_name,
            content_type=self.content_type,
            size=self._received,
        )
