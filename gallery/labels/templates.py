"""Prompt templates: sentences that contain a category name and are then encoded."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from gallery.errors import Refusal

MAX_TEMPLATES = 20
MAX_TEMPLATE_CHARACTERS = 200

# By script: the template has the language of the category name.
DEFAULT_TEMPLATES = {"latin": "a photo of a {}", "han": "一张{}的照片"}

# Seven sentences whose mean is better than any single one for photographs. Source: the notebook
# of Radford et al., 2021; open_clip's SIMPLE_IMAGENET_TEMPLATES.
ENSEMBLE = (
    "itap of a {}.",
    "a bad photo of the {}.",
    "a origami {}.",
    "a photo of the large {}.",
    "a {} in a video game.",
    "art of the {}.",
    "a photo of the small {}.",
)

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_PLACEHOLDER = re.compile(r"\{\w*\}")


def script_of(text: str) -> str:
    """Return "han" if the text contains a Chinese character, else "latin"."""
    return "han" if _HAN.search(text) else "latin"


def clean_templates(templates: list[str] | None, most: int = MAX_TEMPLATES) -> list[str]:
    """Clean templates from a request. Each needs exactly one placeholder, `{}` or `{category}`.

    None or an empty list means the default of each name's script. Raises Refusal
    (too_many_templates, bad_template).
    """
    cleaned = [template.strip() for template in templates or [] if template.strip()]
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


def texts_for(classname: str, templates: list[str]) -> list[str]:
    """Return the texts whose mean vector represents a class."""
    chosen = templates or [DEFAULT_TEMPLATES[script_of(classname)]]
    return [fill(template, classname) for template in chosen]
