"""Titles of the analysers, and sentences about things that are away."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from gallery.models import EmbeddingSpace, Outage
from gallery.work import originals

TITLES: dict[str, str | Promise] = {
    "renditions": _("Thumbnails"),
    "visual_features": _("Colours and shapes"),
    "comparison": _("Comparison with neighbours"),
    "labelling": _("Labels"),
}


def title_of(analyser: str) -> str | Promise:
    """The title of an analyser by its name. The title of an encoding names the model."""
    kind, _dash, number = analyser.partition("-")
    if kind == "encoding" and number.isdecimal():
        return _("Encoding with %(model)s") % {"model": _space(number)}
    return TITLES.get(analyser, analyser)


# Sentences about things that are away, by their names; models have a sentence of their own.
_AWAY = {
    originals.STORAGE: gettext_noop(
        "Since %(since)s, the storage of the pictures has not answered."
    ),
    originals.WRITING: gettext_noop(
        "Since %(since)s, the storage of the pictures has taken no files."
    ),
}


def told(outage: Outage) -> str:
    """A sentence for all users that says what is away and since when."""
    since = date_format(localtime(outage.since), "DATETIME_FORMAT")
    kind, _dash, number = outage.thing.partition("-")
    if kind == "model" and number.isdecimal():
        text = gettext("Since %(since)s, the model %(model)s has not been available.")
        return text % {"since": since, "model": _space(number)}
    if outage.thing in _AWAY:
        return gettext(_AWAY[outage.thing]) % {"since": since}
    text = gettext("Since %(since)s, %(thing)s has been away.")
    return text % {"since": since, "thing": outage.thing}


def _space(number: str) -> EmbeddingSpace | str:
    return EmbeddingSpace.objects.filter(pk=int(number)).first() or number
