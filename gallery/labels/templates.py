"""Prompt templates: sentences that contain a category name and are then encoded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.labels import ensembles

MAX_TEMPLATES = 20
MAX_TEMPLATE_CHARACTERS = 200

# By script: the template has the language of the category name.
DEFAULT_TEMPLATES = {"latin": "a photo of a {}", "han": "一张{}的照片"}
# In the place of templates: the many sentences of gallery.labels.ensembles.
ENSEMBLE = "ensemble"

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_PLACEHOLDER = re.compile(r"\{\w*\}")


def script_of(text: str) -> str:
    """Return "han" if the text contains a Chinese character, else "latin"."""
    return "han" if _HAN.search(text) else "latin"


def clean_templates(templates: Sequence[str] | str | None, most: int = MAX_TEMPLATES) -> list[str]:
    """Clean templates from a request. Each needs exactly one placeholder, `{}` or `{category}`.

    None or an empty list means the default of each name's script, and ENSEMBLE, alone, the
    sentences of its ensemble. Raises Refusal (too_many_templates, bad_template).
    """
    given = [templates] if isinstance(templates, str) else templates or []
    cleaned = [template.strip() for template in given if template.strip()]
    if is_ensemble(cleaned):
        return cleaned
    if len(cleaned) > most:
        raise Refusal(
            "too_many_templates",
            _("Use at most %(max)d templates.") % {"max": most},
            "templates",
        )
    for template in cleaned:
        if not has_place(template) or len(template) > MAX_TEMPLATE_CHARACTERS:
            raise Refusal(
                "bad_template",
                _("A template needs {} once, where the category goes: “a photo of a {}”."),
                "templates",
            )
    return cleaned


def has_place(template: str) -> bool:
    """Whether `template` has exactly one placeholder."""
    return len(_PLACEHOLDER.findall(template)) == 1


def fill(template: str, classname: str) -> str:
    return _PLACEHOLDER.sub(lambda match: classname, template)


def is_ensemble(templates: Sequence[str]) -> bool:
    return list(templates) == [ENSEMBLE]


def texts_for(classname: str, templates: Sequence[str]) -> list[str]:
    """Return the texts whose mean vector represents a class."""
    return [fill(template, classname) for template in _chosen(classname, templates)]


def used_for(classnames: Iterable[str], templates: Sequence[str]) -> list[str]:
    """Return the templates that these names are filled into."""
    return list(dict.fromkeys(each for name in classnames for each in _chosen(name, templates)))


def shown(templates: Sequence[str]) -> list[str] | str:
    """Return templates as the API and files have them: a list, or ENSEMBLE."""
    return ENSEMBLE if is_ensemble(templates) else list(templates)


def _chosen(classname: str, templates: Sequence[str]) -> Sequence[str]:
    if is_ensemble(templates):
        return ensembles.sentences(script_of(classname))
    return templates or [DEFAULT_TEMPLATES[script_of(classname)]]
