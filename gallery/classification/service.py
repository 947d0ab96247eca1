"""Zero-shot classification: the probabilities of free categories, with the model's logit scale.

Source of the method: Radford et al., 2021, "Learning Transferable Visual Models From Natural
Language Supervision", section 3.1. For sigmoid models: Zhai et al., 2023, "Sigmoid Loss for
Language Image Pre-Training".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from gallery import rate_limits, requester
from gallery.encoders import client
from gallery.encoders.base import Vectors
from gallery.errors import Refusal
from gallery.indexing.spaces import require_active_space
from gallery.indexing.vectors import stored_vector
from gallery.labels import defaults, fitting
from gallery.labels.definition import CategoryForm, Definition, Mode
from gallery.labels.fitting import Weights
from gallery.labels.probabilities import of_vector
from gallery.labels.templates import clean_templates, texts_for, used_for
from gallery.library.query_picture import QueryPicture
from gallery.models import EmbeddingSpace, Image, LabelSet
from gallery.spelling import normalise_text

MAX_CLASSNAMES = 1000
# Lower limits for visitors, because there may be many of them.
MAX_VISITOR_CLASSNAMES = 50
MAX_CLASSNAME_CHARACTERS = 200
# Classes times templates: the number of texts that one request encodes.
MAX_TEXTS = 5000
MAX_VISITOR_TEXTS = 250


@dataclass(frozen=True)
class ClassProbability:
    """The probability of one class, in [0, 1]. The probabilities of all classes sum to 1, except
    in the mode “any” (which spaces trained with a sigmoid loss have unless another is asked for),
    where classes are independent. `is_none` marks the background class; its `classname` is
    empty."""

    classname: str
    probability: float
    is_none: bool = False


@dataclass(frozen=True)
class Classification:
    """All classes, the most probable first, with the space and the templates that were used."""

    results: list[ClassProbability]
    space: EmbeddingSpace
    templates: list[str]


def parse_classnames(text: str) -> list[str]:
    """Split the category names of a form at commas, semicolons (also ，、；) and line ends."""
    return [name.strip() for name in re.split(r"[,，、;；\n\r]+", text) if name.strip()]


def clean_classnames(classnames: Sequence[str]) -> list[str]:
    """Return the names trimmed, without duplicates, in their order. Raises Refusal
    (no_classnames, too_many_classnames, classname_too_long)."""
    names = list(dict.fromkeys(filter(None, map(normalise_text, classnames))))
    if not names:
        raise Refusal("no_classnames", _("Name at least one category."), "classnames")
    most = MAX_VISITOR_CLASSNAMES if _for_visitor() else MAX_CLASSNAMES
    if len(names) > most:
        raise Refusal(
            "too_many_classnames",
            _("Name at most %(max)d categories.") % {"max": most},
            "classnames",
        )
    if any(len(name) > MAX_CLASSNAME_CHARACTERS for name in names):
        raise Refusal(
            "classname_too_long",
            _("A category name may have at most %(max)d characters.")
            % {"max": MAX_CLASSNAME_CHARACTERS},
            "classnames",
        )
    return names


def classify_image(
    image: Image,
    classnames: Sequence[str] = (),
    *,
    templates: list[str] | None = None,
    none_of_these: bool = False,
    mode: str | None = None,
    label_set: LabelSet | None = None,
) -> Classification:
    """Classify a stored picture by its vector in the active space: against `classnames` or, if
    given, the categories of `label_set` with all that it has learned. Without a `mode` the
    classes exclude each other, unless the space was trained with a sigmoid loss.

    The caller must check that the viewer may see both. Raises Refusal, TooMany and Unavailable.
    """
    asked = _asked(classnames, templates, none_of_these, mode, label_set)
    space = require_active_space()
    vector = stored_vector(image, space)
    return _classify(vector, asked, space)


def classify_picture(
    picture: QueryPicture,
    classnames: Sequence[str] = (),
    *,
    templates: list[str] | None = None,
    none_of_these: bool = False,
    mode: str | None = None,
    label_set: LabelSet | None = None,
) -> Classification:
    """Classify a picture that is not kept, as `classify_image` does."""
    asked = _asked(classnames, templates, none_of_these, mode, label_set)
    space = require_active_space()
    vector = client.encode_picture(space, picture.packed)
    return _classify(vector, asked, space)


@dataclass(frozen=True)
class _Asked:
    """What a picture is classified against: a label set, or names with their templates."""

    label_set: LabelSet | None
    names: list[str]
    templates: list[str]
    none_of_these: bool
    mode: str | None


def _for_visitor() -> bool:
    who = requester.current()
    return who is not None and not who.account


def _clean(classnames: Sequence[str], templates: list[str] | None) -> tuple[list[str], list[str]]:
    names, wording = clean_classnames(classnames), clean_templates(templates)
    most = MAX_VISITOR_TEXTS if _for_visitor() else MAX_TEXTS
    if sum(len(texts_for(name, wording)) for name in names) > most:
        raise Refusal(
            "too_many_classnames",
            _("Too many categories for so many templates: use fewer of either."),
            "classnames",
        )
    return names, wording


def _asked(
    classnames: Sequence[str],
    templates: list[str] | None,
    none_of_these: bool,
    mode: str | None,
    label_set: LabelSet | None,
) -> _Asked:
    if label_set is not None:
        return _Asked(label_set, [], [], none_of_these, mode)
    names, wording = _clean(classnames, templates)
    return _Asked(None, names, wording, none_of_these, mode)


def _classify(vector: Vectors, asked: _Asked, space: EmbeddingSpace) -> Classification:
    if asked.label_set is not None:
        return _by_set(vector, asked.label_set, asked.none_of_these, space)
    is_biased = space.logit_bias is not None
    definition = Definition(
        mode=asked.mode or (Mode.ANY if is_biased else Mode.ONE),
        none_of_these=asked.none_of_these,
        templates=tuple(asked.templates),
        categories=tuple(CategoryForm(name) for name in asked.names),
    )
    # The model's own scale: nothing has been learned of these names.
    usual = replace(defaults.of(space, judged=definition.mode == Mode.ANY), one=1.0)
    weights, _texts = fitting.zero_shot(space, definition, _encode, usual)
    used = used_for(asked.names, asked.templates)
    return _sorted(vector, weights, asked.names, asked.none_of_these, space, used)


def _by_set(
    vector: Vectors, label_set: LabelSet, none_of_these: bool, space: EmbeddingSpace
) -> Classification:
    fit = fitting.require(label_set, space)
    version = fit.version
    names = [entry["name"] for entry in version.categories]
    used = used_for(names, version.templates)
    with_none = none_of_these or (version.mode == Mode.ONE and version.none_of_these)
    return _sorted(vector, fitting.weights_of(fit), names, with_none, space, used)


def _sorted(
    vector: Vectors,
    weights: Weights,
    names: Sequence[str],
    none_of_these: bool,
    space: EmbeddingSpace,
    templates: list[str],
) -> Classification:
    shares, none = of_vector(weights, vector)
    results = [
        ClassProbability(name, float(share)) for name, share in zip(names, shares, strict=True)
    ]
    if none_of_these:
        results.append(ClassProbability("", none, is_none=True))
    results.sort(key=lambda result: -result.probability)
    return Classification(results, space, templates)


def _encode(space: Any, texts: list[str]) -> Vectors:
    return client.encode_texts(space, texts, charge=rate_limits.charge_classification)
