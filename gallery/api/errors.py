"""Convert exceptions of views to the standard error body."""

from __future__ import annotations

import logging

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from drf_standardized_errors import handler
from rest_framework.exceptions import APIException, ErrorDetail, ParseError, ValidationError
from rest_framework.response import Response

from gallery.errors import Refusal, TooLarge, Unavailable
from gallery.errors_json import error_response

logger = logging.getLogger(__name__)

DATABASE_RETRY_SECONDS = 5


class _Refused(APIException):
    """A `Refusal` whose status is not 400 (a 400 becomes a ValidationError)."""

    def __init__(self, refusal: Refusal) -> None:
        self.status_code = refusal.status
        super().__init__(_detail(refusal))
        if refusal.retry_after is not None:
            self.wait = refusal.retry_after  # the handler turns it into Retry-After


class _ServiceUnavailable(APIException):
    status_code = 503

    def __init__(self, cause: Unavailable) -> None:
        super().__init__(str(cause.message), code=cause.code)
        self.wait = cause.retry_after  # the handler turns it into Retry-After


def _detail(refusal: Refusal) -> dict[str, list[ErrorDetail]] | list[ErrorDetail]:
    errors = [ErrorDetail(str(refusal.message), refusal.code)]
    return {refusal.field: errors} if refusal.field else errors


class ExceptionHandler(handler.ExceptionHandler):
    """Also handles the application's own errors, a database that is down, and requests that
    Django cannot read."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        match exc:
            case Unavailable():
                return _ServiceUnavailable(exc)
            case OperationalError() | InterfaceError():
                return _ServiceUnavailable(_database_down())
            case Refusal():
                return _refused(exc)
            case RequestDataTooBig():
                return _Refused(
                    TooLarge("request_too_large", _("The request is too large: send less text."))
                )
            case SuspiciousOperation() | BadRequest() | MultiPartParserError():
                return ParseError(_("The request cannot be read: check how it is encoded."))
            case UnreadablePostError():
                return ParseError(_("The request ended early: send it again."))
        return super().convert_known_exceptions(exc)

    def convert_unhandled_exceptions(self, exc: Exception) -> APIException:
        if isinstance(exc, APIException):
            return exc
        return APIException(_("Something went wrong on the server. Try again later."))

    def report_exception(self, exc: APIException, response: Response) -> None:
        """A component that is down or full is not a bug: log one line and notify no bug
        tracker."""
        if isinstance(exc, _ServiceUnavailable | _Refused):
            logger.warning("%s: %r", exc.get_codes(), self.exc)
        else:
            super().report_exception(exc, response)


def _refused(refusal: Refusal) -> APIException:
    return ValidationError(_detail(refusal)) if refusal.status == 400 else _Refused(refusal)


def _database_down() -> Unavailable:
    return Unavailable(
        "database_down",
        _("The database does not answer. Try again in a few seconds."),
        DATABASE_RETRY_SECONDS,
    )


@csrf_exempt
def unknown_address(request: HttpRequest) -> HttpResponse:
    """Answer 404. This is the last route under /api/, for paths that no other route matches."""
    return error_response(
        404,
        "not_found",
        _("Nothing is at this address. Addresses of the API end with a slash."),
    )
