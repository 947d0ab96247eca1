"""The upload page. The files themselves go through the API."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gallery.models import Image
from gallery.web.access import signed_in


@require_safe
@signed_in
def upload(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "gallery/upload.html",
        {
            "visibilities": [
                (Image.Visibility.PRIVATE.value, _("Private")),
                (Image.Visibility.UNLISTED.value, _("By link")),
                (Image.Visibility.PUBLIC.value, _("Public")),
            ],
            "max_bytes": settings.MAX_UPLOAD_BYTES,
            "upload": {
                "images": reverse("api:images"),
                "login": f"{reverse('account_login')}?next={reverse('upload')}",
                "maxBytes": settings.MAX_UPLOAD_BYTES,
                "texts": _texts(),
            },
        },
    )


def _texts() -> dict[str, str]:
    """What the script says. Words in braces are filled in there."""
    return {
        "waiting": _("Waiting"),
        "uploading": _("Uploading, {percent} %"),
        "checking": _("Uploaded, being checked"),
        "pending": _("Being encoded"),
        "ready": _("Ready to be found"),
        "duplicate": _("Already in your gallery"),
        "restored": _("Taken back out of the trash"),
        "cancelled": _("Cancelled"),
        "gone": _("No longer in your gallery"),
        "network": _("The connection broke. Check it and retry."),
        "server": _("The server cannot take it right now. Retry in a moment."),
        "signedOut": _("You are signed out. Sign in again, then retry."),
        "tooLarge": _("This file is larger than {size} MB, the most that is accepted."),
        "patience": _("Many uploads at once: waiting {seconds} s"),
        "unreadable": _("Your browser cannot read this file. Choose it again."),
        "summary": _("{done} of {all} done"),
        "summaryEncoding": _("{encoding} being encoded"),
        "summaryFailed": _("{failed} failed"),
        "allDone": _("All done: {ready} ready, {duplicates} already there, {failed} failed"),
        "beyond": _("And {count} more, shown as their turn comes."),
        "cancelOne": _("Cancel {name}"),
        "retryOne": _("Retry {name}"),
        "progressOf": _("Upload of {name}"),
        "nothing": _("There is no picture in what you dropped."),
        "skipped": _("Files that are no pictures were left out: {count}"),
    }
