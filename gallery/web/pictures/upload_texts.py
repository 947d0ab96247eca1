"""The texts of the scripts of the upload page. The scripts replace the words in braces."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _


def texts() -> dict[str, Any]:
    return {**_states(), **_controls(), **_summary(), **_reasons_to_wait(), **_room(), **_imports()}


def _states() -> dict[str, str]:
    """Return one text for each state of a file and for each kind of failure."""
    return {
        "checking": _("Looking whether it is in your gallery"),
        "waiting": _("Waiting"),
        "sending": _("Uploading, {percent} %"),
        "held": _("{percent} %, waiting for the server"),
        "paused": _("Paused at {percent} %"),
        "received": _("Uploaded, being checked"),
        "pending": _("Processing"),
        "ready": _("Ready to be found"),
        "duplicate": _("Already in your gallery"),
        "restored": _("Restored from the trash"),
        "unpacking": _("Uploaded. Its import is shown above."),
        "cancelled": _("Cancelled"),
        "missing": _("From your last visit: choose this file again to go on"),
        "gone": _("No longer in your gallery"),
        "server": _("The server cannot take it right now. Retry in a moment."),
        "unreadable": _("Your browser cannot read this file. Choose it again."),
    }


def _controls() -> dict[str, str]:
    return {
        "cancelOne": _("Cancel {name}"),
        "retryOne": _("Retry {name}"),
        "pauseOne": _("Pause {name}"),
        "resumeOne": _("Resume {name}"),
        "openOne": _("Open {name}"),
        "progressOf": _("Upload of {name}"),
        "nothing": _("There is no picture in what you dropped."),
        "skipped": _("Files that are no pictures were left out: {count}"),
        "repeated": _("In the list already: {count}"),
        "nameAlbum": _("Give the new album a name."),
        "albumMade": _("Album created. What you add next goes there."),
    }


def _summary() -> dict[str, str]:
    return {
        "summary": _("{done} of {all} done"),
        "summaryEncoding": _("{encoding} processing"),
        "summaryFailed": _("{failed} failed"),
        "allDone": _("All done: {ready} ready, {duplicates} already there, {failed} failed"),
        "amount": _("{sent} of {all}"),
        "timeLeft": _("{time} left"),
        "missingFiles": _(
            "Files of your last visit that were not finished: {count}. Choose them again "
            "and they continue where they stopped."
        ),
    }


def _reasons_to_wait() -> dict[str, str]:
    """Return the reasons why all uploads wait."""
    return {
        "lost": _("The server does not answer. Uploads go on by themselves when it does."),
        "busy": _("Many uploads at once: the server asks for a moment of patience."),
        "signedOut": _("You are signed out. Sign in again, and the uploads go on."),
        "nextTry": _("Next attempt in {time}"),
        "trying": _("Trying again …"),
    }


def _room() -> dict[str, str]:
    """Return the texts about storage. The scripts insert sizes with their units."""
    return {
        "usedBytes": _("{used} of {most} used"),
        "usedCount": _("{used} of {most} pictures"),
        "count": _("Pictures: {count}"),
        "noRoom": _("Does not fit: it has {size}, and {room} are left. Delete something first."),
        "noCount": _("Does not fit: your gallery is full with {most} pictures."),
    }


def _imports() -> dict[str, Any]:
    return {
        "addresses": _("From addresses"),
        "noAddress": _("Enter at least one address."),
        "importOf": _("Import of {name}"),
        "importCounts": _(
            "{done} of {total}: {added} added, {duplicates} already there, {failed} failed"
        ),
        "importCountsWithOthers": _(
            "{done} of {total}: {added} added, {duplicates} already there, {failed} failed, "
            "{left_out} left out as they are no pictures"
        ),
        "imports": {
            "pending": _("Waiting"),
            "running": _("Running"),
            "done": _("Done"),
            "failed": _("Failed"),
            "cancelled": _("Cancelled"),
        },
    }
