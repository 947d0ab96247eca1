"""Resumable uploads by the tus protocol 1.0.0, and a check for files that the user has already."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.http import http_date
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import MethodNotAllowed, NotFound, UnsupportedMediaType
from rest_framework.permissions import IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.pagination import NewestFirst
from gallery.api.serializers.errors import ErrorResponseSerializer
from gallery.api.serializers.uploads import (
    HashesSerializer,
    KnownSerializer,
    UploadStateSerializer,
)
from gallery.api.streams import LeftUnread, RequestBody
from gallery.api.views.base import ApiView
from gallery.errors import Refusal
from gallery.library import service
from gallery.models import ResumableUpload
from gallery.uploads import checksums, tus
from gallery.uploads.acceptance import finish
from gallery.uploads.checksums import Checksum
from gallery.uploads.errors import Crowded, UnsupportedVersion

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"
PART = "application/offset+octet-stream"
_LARGEST = 2**63 - 1


def _header(name: str, description: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(
        name, location=OpenApiParameter.HEADER, description=description, required=required
    )


TUS_RESUMABLE = OpenApiParameter(
    "Tus-Resumable",
    {"type": "string", "enum": [VERSION]},
    location=OpenApiParameter.HEADER,
    required=True,
)
UPLOAD_CHECKSUM = _header(
    "Upload-Checksum", "`sha1 …` or `sha256 …` of this part, in base64: all of it or nothing."
)
ERRORS = dict.fromkeys((409, 412, 413, 423, 460, 503, 507), ErrorResponseSerializer)


class TusView(ApiView):
    """A view of the tus protocol. Every response names the protocol version."""

    parser_classes = [LeftUnread]
    # GET is our own addition for pages and people, and needs no version header.
    versioned_methods = {"HEAD", "POST", "PATCH", "DELETE"}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.find(**kwargs)
        version = request.headers.get("Tus-Resumable")
        if request.method in self.versioned_methods and version != VERSION:
            raise UnsupportedVersion

    def find(self, **kwargs: Any) -> None:
        """Look up the object of the address, before the version is checked."""

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(*args, **kwargs)
        response["Tus-Resumable"] = VERSION
        if response.status_code == UnsupportedVersion.status:
            response["Tus-Version"] = VERSION
        return response

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return Response(
            status=204,
            headers={
                "Tus-Version": VERSION,
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(tus.largest_length()),
                "Tus-Checksum-Algorithm": ",".join(checksums.ALGORITHMS),
            },
        )

    def receive(self, request: Request, upload: ResumableUpload, offset: int) -> ResumableUpload:
        """Store the body while it arrives."""
        header = request.headers.get("Upload-Checksum")
        checksum = Checksum(header) if header is not None else None
        return tus.receive(upload, offset, RequestBody(request._request), checksum)


class UploadListView(TusView):
    queryset = ResumableUpload.objects.all()
    serializer_class = UploadStateSerializer
    permission_classes = [IsAuthenticatedOrReadOnly]
    pagination_class = NewestFirst
    throttle_scopes = {"POST": "upload"}

    def get_queryset(self) -> QuerySet[ResumableUpload]:
        return tus.unfinished(self.account())

    @extend_schema(
        operation_id="uploads_list",
        tags=["uploads"],
        responses={200: UploadStateSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Your unfinished uploads, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="uploads_create",
        tags=["uploads"],
        parameters=[
            TUS_RESUMABLE,
            _header("Upload-Length", "Of the whole file, in bytes.", required=True),
            _header(
                "Upload-Metadata",
                "`filename`, `title`, `description`, `visibility`, `album`, `sha256` of the whole "
                "file, `kind` (`image` or `zip`): each with its value in base64.",
            ),
            UPLOAD_CHECKSUM,
        ],
        request={PART: OpenApiTypes.BINARY},
        responses={201: None, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Start the upload of a file. The body may contain its first part."""
        length = _whole_number(request, "Upload-Length")
        upload = tus.create(self.account(), length, request.headers.get("Upload-Metadata", ""))
        if request.content_type == PART:
            try:
                upload = self.receive(request, upload, 0)
            except (Refusal, Crowded):
                # The client does not know the address, so it can only start again.
                tus.terminate(upload.pk)
                raise
        address = request.build_absolute_uri(reverse("api:upload", args=[upload.pk]))
        return Response(status=201, headers={"Location": address, **_progress(upload)})


class UploadDetailView(TusView):
    serializer_class = UploadStateSerializer
    throttle_scopes = {"PATCH": "upload", "POST": "upload"}
    upload: ResumableUpload

    def find(self, **kwargs: Any) -> None:
        """Look up the upload. Uploads of others answer 404 for every method."""
        mine = ResumableUpload.objects.filter(owner_id=self.request.user.pk or 0)
        upload = mine.filter(pk=kwargs["pk"]).first()
        if upload is None:
            raise NotFound(_("There is no such upload: it has expired, or it is not yours."))
        self.upload = upload

    @extend_schema(operation_id="uploads_read", tags=["uploads"])
    def get(self, request: Request, pk: UUID) -> Response:
        """The progress of an upload and its result. It is available for a day after the end."""
        return Response(self.get_serializer(self._finished()).data)

    @extend_schema(exclude=True)
    def head(self, request: Request, pk: UUID) -> Response:
        upload = self._finished()
        headers = {"Upload-Length": str(upload.length), **_progress(upload)}
        if sent := upload.metadata.get("sent"):
            headers["Upload-Metadata"] = sent
        return Response(headers=headers)

    @extend_schema(
        operation_id="uploads_send",
        tags=["uploads"],
        parameters=[
            TUS_RESUMABLE,
            _header("Upload-Offset", "Where this part begins.", required=True),
            UPLOAD_CHECKSUM,
        ],
        request={PART: OpenApiTypes.BINARY},
        responses={204: None, 410: ErrorResponseSerializer, **ERRORS},
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        """Send a part. Bytes that arrive are kept even if the connection breaks; HEAD returns
        their number. The last part answers 204 even if the file is refused as a picture; GET
        returns the result."""
        if request.content_type != PART:
            raise UnsupportedMediaType(request.content_type or "")
        upload = self.receive(request, self.upload, _whole_number(request, "Upload-Offset"))
        return Response(status=204, headers=_progress(upload))

    @extend_schema(
        operation_id="uploads_cancel",
        tags=["uploads"],
        parameters=[TUS_RESUMABLE],
        responses={204: None, 412: ErrorResponseSerializer, 423: ErrorResponseSerializer},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete an upload and its received bytes. If it became a picture, the picture stays."""
        tus.terminate(pk)
        return Response(status=204)

    @extend_schema(exclude=True)
    def post(self, request: Request, pk: UUID) -> Response:
        """Run the method of the header `X-HTTP-Method-Override`. The protocol requires this for
        clients in networks that block other methods."""
        match request.headers.get("X-HTTP-Method-Override"):
            case "PATCH":
                return self.patch(request, pk)
            case "DELETE":
                return self.delete(request, pk)
            case _:
                raise MethodNotAllowed("POST")

    def _finished(self) -> ResumableUpload:
        """Return the upload. Finish it first if the process that received it died before doing
        so."""
        if tus.is_whole(self.upload):
            finish(self.upload.pk)
            self.upload.refresh_from_db()
        return self.upload


class KnownImagesView(ApiView):
    serializer_class = KnownSerializer
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="images_known",
        tags=["uploads"],
        request=HashesSerializer,
        responses={200: KnownSerializer},
    )
    def post(self, request: Request) -> Response:
        """Find out which of these files you have already and need not send."""
        form = HashesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        hashes = {sha256.lower() for sha256 in form.validated_data["sha256"]}
        known = service.known_images(self.account(), hashes)
        answer = {
            sha256: {"id": image.pk, "in_trash": image.deleted_at is not None}
            for sha256, image in known.items()
        }
        return Response(self.get_serializer({"known": answer}).data)


def _progress(upload: ResumableUpload) -> dict[str, str]:
    headers = {"Upload-Offset": str(tus.offset_of(upload))}
    if upload.state == ResumableUpload.State.RECEIVING:
        headers["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    return headers


def _whole_number(request: Request, name: str) -> int:
    """Read a number of bytes from a header. Raises Refusal (bad_header)."""
    text = request.headers.get(name, "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not 0 <= number <= _LARGEST:
        raise Refusal("bad_header", _("The header %(name)s is a number of bytes.") % {"name": name})
    return number
