"""The texts and addresses for the selection scripts (static/js/select), and the undo view."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import get_script_prefix, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gallery.models import Change
from gallery.organising import changes
from gallery.web import toasts
from gallery.web.access import member, signed_in


def config() -> dict[str, Any]:
    return _config(get_language(), get_script_prefix())


# Scripts put the id of an album in its place.
_ANY = UUID(int=0)


@lru_cache
def _config(_language: str | None, _prefix: str) -> dict[str, Any]:
    return {
        "bulk": reverse("api:images-bulk"),
        "count": reverse("api:selection-count"),
        "albums": reverse("api:albums"),
        "downloads": reverse("api:downloads"),
        "portrait": reverse("api:account-portrait"),
        "album": reverse("album", args=[_ANY]),
        "anyAlbum": str(_ANY),
        "days": reverse("home"),
        "texts": {**_plain(), **_counted(), "done": _done()},
    }


# The scripts replace the words in braces. Sentences with a number have two forms, for one and
# for many.
_FORMS = (1, 2)


def _plain() -> dict[str, str]:
    return {
        "check": _("Select {name}"),
        "checkAll": _("Select all of {name}"),
        "selected": _("{count} selected"),
        "wholeSelected": _("All {count} selected"),
        "selectWhole": _("Select all {count}"),
        "most": _("At most {most} can be picked one by one. Select all of them instead."),
        "noTags": _("Type a tag, or tick one."),
        "unchanged": _("Nothing had to be changed."),
        "measuring": _("Adding up the sizes…"),
        "downloading": _("The download begins. Your browser shows how far it is."),
        "open": _("Open"),
        "show": _("Show"),
        "newPortrait": _("This is your picture now."),
        "newCover": _("This picture is the album's cover now."),
    }


def _counted() -> dict[str, list[str]]:
    return {
        "undone": [ngettext("Undone.", "Undone for {count} pictures.", n) for n in _FORMS],
        "skipped": [
            ngettext(
                "{count} is not yours and stays as it is.",
                "{count} are not yours and stay as they are.",
                n,
            )
            for n in _FORMS
        ],
        "toAlbum": [
            ngettext("Add {count} picture to an album", "Add {count} pictures to an album", n)
            for n in _FORMS
        ],
        "addedTo": [
            ngettext(
                "{count} picture added to “{album}”.", "{count} pictures added to “{album}”.", n
            )
            for n in _FORMS
        ],
        "shareThem": [
            ngettext("Share {count} picture", "Share {count} pictures", n) for n in _FORMS
        ],
        "sharedThem": [
            ngettext("{count} picture shared.", "{count} pictures shared.", n) for n in _FORMS
        ],
        "notShared": [
            ngettext(
                "{count} is not yours and is not shared.",
                "{count} are not yours and are not shared.",
                n,
            )
            for n in _FORMS
        ],
        "tagThem": [ngettext("Tag {count} picture", "Tag {count} pictures", n) for n in _FORMS],
        "visibilityOf": [
            ngettext("Visibility of {count} picture", "Visibility of {count} pictures", n)
            for n in _FORMS
        ],
        "dateOf": [
            ngettext("Change the date of {count} picture", "Change the date of {count} pictures", n)
            for n in _FORMS
        ],
        "numbersIn": [
            _("Empty: no title."),
            _("{n} becomes a number, the earliest picture first: “Trip {n}”. Empty: no title."),
        ],
        "titleOf": [
            ngettext(
                "Change the title of {count} picture", "Change the title of {count} pictures", n
            )
            for n in _FORMS
        ],
        "rateThem": [ngettext("Rate {count} picture", "Rate {count} pictures", n) for n in _FORMS],
        "purgeThem": [
            ngettext("Delete {count} picture for good?", "Delete {count} pictures for good?", n)
            for n in _FORMS
        ],
        "size": [
            ngettext("{count} picture, about {size}.", "{count} pictures, about {size}.", n)
            for n in _FORMS
        ],
    }


def _done() -> dict[str, list[str]]:
    """Return the notices after an action, by action."""
    return {
        "add_to_album": [
            ngettext("{count} picture added.", "{count} pictures added.", n) for n in _FORMS
        ],
        "remove_from_album": [
            ngettext(
                "{count} picture taken out of the album.",
                "{count} pictures taken out of the album.",
                n,
            )
            for n in _FORMS
        ],
        "add_tags": [
            ngettext("{count} picture tagged.", "{count} pictures tagged.", n) for n in _FORMS
        ],
        "remove_tags": [
            ngettext("Tags removed from {count} picture.", "Tags removed from {count} pictures.", n)
            for n in _FORMS
        ],
        "set_visibility": [
            ngettext("{count} picture changed.", "{count} pictures changed.", n) for n in _FORMS
        ],
        "favourite": [
            ngettext("{count} new favourite.", "{count} new favourites.", n) for n in _FORMS
        ],
        "unfavourite": [
            ngettext(
                "{count} picture is no longer a favourite.",
                "{count} pictures are no longer favourites.",
                n,
            )
            for n in _FORMS
        ],
        "rate": [ngettext("{count} picture rated.", "{count} pictures rated.", n) for n in _FORMS],
        "set_title": [
            ngettext("Title of {count} picture changed.", "Titles of {count} pictures changed.", n)
            for n in _FORMS
        ],
        "set_date": _dated(),
        "shift_date": _dated(),
        "rotate": [
            ngettext(
                "{count} picture rotated. The original is kept.",
                "{count} pictures rotated. The originals are kept.",
                n,
            )
            for n in _FORMS
        ],
        "to_original": [
            ngettext(
                "{count} picture looks like its original again.",
                "{count} pictures look like their originals again.",
                n,
            )
            for n in _FORMS
        ],
        "archive": [
            ngettext("{count} picture archived.", "{count} pictures archived.", n) for n in _FORMS
        ],
        "unarchive": [
            ngettext("{count} picture unarchived.", "{count} pictures unarchived.", n)
            for n in _FORMS
        ],
        "trash": [
            ngettext(
                "{count} picture moved to the trash.", "{count} pictures moved to the trash.", n
            )
            for n in _FORMS
        ],
        "restore": [
            ngettext("{count} picture restored.", "{count} pictures restored.", n) for n in _FORMS
        ],
        "purge": [
            ngettext("{count} picture deleted for good.", "{count} pictures deleted for good.", n)
            for n in _FORMS
        ],
        "reencode": [
            ngettext(
                "{count} picture is being encoded again.",
                "{count} pictures are being encoded again.",
                n,
            )
            for n in _FORMS
        ],
    }


def _dated() -> list[str]:
    return [
        ngettext("Date of {count} picture changed.", "Dates of {count} pictures changed.", n)
        for n in _FORMS
    ]


@require_POST
@signed_in
def undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Undo one action, for the notices of a page."""
    try:
        restored = changes.undo(pk, member(request))
    except Change.DoesNotExist as error:
        raise Http404 from error
    text = ngettext("Undone.", "Undone for %(n)d pictures.", restored)
    toasts.say(request, text % {"n": restored})
    came_from = request.headers.get("Referer", "")
    known = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, request.is_secure())
    return redirect(came_from if known else "home")
