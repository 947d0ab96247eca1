"""The first page of the admin: numbers of objects, the state of all parts, and the progress of
the workers.

UNFOLD in the settings names this page, the sidebar and the icon.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gallery.indexing import states, titles
from gallery.indexing.spaces import active_space
from gallery.models import Analysis, Image, Outage, User
from gallery.status import readiness
from gallery.work import coverage


@dataclass(frozen=True)
class Figure:
    """One number of the dashboard and the page behind it."""

    title: str | Promise
    value: int
    link: str


PART_NAMES = {
    "database": _("Database"),
    "broker": _("Queue"),
    "worker": _("Encoder worker"),
    "space": _("Embedding space"),
    "storage": _("Storage of pictures"),
    "work": _("Work on pictures"),
}


def favicon(request: HttpRequest) -> str:
    """The address of the icon that the site itself uses."""
    return static("favicon.svg")


def style_sheet(request: HttpRequest) -> str:
    """The address of what Unfold's own styles lack."""
    return static("css/admin.css")


def script(request: HttpRequest) -> str:
    """The address of what Unfold's own pages lack for screen readers."""
    return static("js/admin/landmarks.js")


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures and the state of each part to the context of the page."""
    context["figures"] = figures()
    context["parts"] = [
        {"name": PART_NAMES.get(name, name), "status": status}
        for name, status in readiness().items()
    ]
    context["coverage"] = [_covered(each) for each in coverage.count()]
    context["outages"] = [
        {"sentence": titles.told(outage), "detail": outage.detail}
        for outage in Outage.objects.order_by("since")
    ]
    return context


def _covered(each: coverage.Coverage) -> dict[str, Any]:
    """One line of the coverage table. Failures link to the list of failures, except those that
    failed only because an earlier step failed."""
    failures = reverse("admin:gallery_analysis_changelist")
    return {
        "title": titles.title_of(each.analyser),
        "counts": each,
        "failures": [
            {
                "code": code,
                "count": count,
                "link": f"{failures}?{urlencode({'analyser': each.analyser, 'reason_code': code})}",
            }
            for code, count in sorted(each.failed_by_reason.items())
            if code != coverage.NEEDS
        ],
        "needs": each.failed_by_reason.get(coverage.NEEDS, 0),
    }


def figures() -> list[Figure]:
    images = reverse("admin:gallery_image_changelist")
    kept = Image.objects.filter(deleted_at__isnull=True).count()
    space = active_space()
    encoding = states.counts(space) if space else Counter[str]()
    failed = Analysis.objects.filter(state=Analysis.State.FAILED).exclude(reason_code="needs")
    return [
        Figure(_("Pictures"), kept, f"{images}?trash=no"),
        Figure(_("Waiting to be encoded"), encoding["waiting"], f"{images}?index=pending"),
        Figure(_("Failed"), failed.count(), reverse("admin:gallery_analysis_changelist")),
        Figure(_("Accounts"), User.objects.count(), reverse("admin:gallery_user_changelist")),
    ]


def _item(title: Promise | str, icon: str, app: str, model: str) -> dict[str, Any]:
    """One line of the sidebar, for users who may see the page behind it."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{model}"),
    }


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar."""
    return [
        {
            "title": _("Gallery"),
            "items": [
                _item(_("Pictures"), "image", "gallery", "image"),
                _item(_("Albums"), "photo_album", "gallery", "album"),
                _item(_("Saved searches"), "bookmark", "gallery", "savedsearch"),
                _item(_("Share links"), "link", "gallery", "sharelink"),
                _item(_("Groups of people"), "diversity_3", "gallery", "group"),
                _item(_("Imports"), "unarchive", "gallery", "importbatch"),
                _item(_("Uploads"), "upload", "gallery", "resumableupload"),
                _item(_("Embedding spaces"), "hub", "gallery", "embeddingspace"),
                _item(_("Recall of the index"), "troubleshoot", "gallery", "recallmeasurement"),
                _item(_("Maps"), "map", "gallery", "exploremap"),
                _item(_("Failures"), "error", "gallery", "analysis"),
                {
                    "title": _("Components"),
                    "icon": "widgets",
                    "link": reverse_lazy("components"),
                },
            ],
        },
        {
            "title": _("Accounts"),
            "items": [
                _item(_("Accounts"), "person", "gallery", "user"),
                _item(_("Invitations"), "forward_to_inbox", "gallery", "invitation"),
                _item(_("Groups"), "group", "auth", "group"),
                _item(_("Email addresses"), "mail", "account", "emailaddress"),
                _item(_("API tokens"), "key", "knox", "authtoken"),
                _item(_("Second factors"), "phonelink_lock", "mfa", "authenticator"),
                _item(_("Sessions"), "devices", "usersessions", "usersession"),
                _item(_("Security events"), "policy", "gallery", "securityevent"),
            ],
        },
    ]
