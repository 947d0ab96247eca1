"""Zero-shot classification: the probabilities of free categories, with the model's logit scale.

Source of the method: Radford et al., 2021, "Learning Transferable Visual Models From Natural
Language Supervision", section 3.1. For sigmoid models: Zhai et al., 2023, "Sigmoid Loss for
Language Image Pre-Training".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from gallery import rate_limits, requester
from gallery.classification.templates import (
    BACKGROUND,
    DEFAULT_TEMPLATES,
    clean_templates,
    script_of,
    texts_for,
)
from gallery.encoders import client
from gallery.encoders.base import Vectors, l2_normalise
from gallery.errors import Refusal
from gallery.indexing.spaces import require_active_space
from gallery.indexing.vectors import stored_vector
from gallery.library.query_picture import QueryPicture
from gallery.models import EmbeddingSpace, Image
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
    in spaces trained with a sigmoid loss, where classes are independent. `is_none` marks the
    background class; its `classname` is empty."""

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
    classnames: Sequence[str],
    *,
    templates: list[str] | None = None,
    none_of_these: bool = False,
) -> Classification:
    """Classify a stored picture by its vector in the active space.

    The caller must check that the viewer may see it. Raises Refusal, TooMany and Unavailable.
    """
    names, wording = _clean(classnames, templates)
    space = require_active_space()
    vector = stored_vector(image, space)
    return _classify(vector, names, wording, none_of_these, space)


def classify_picture(
    picture: QueryPicture,
    classnames: Sequence[str],
    *,
    templates: list[str] | None = None,
    none_of_these: bool = False,
) -> Classification:
    """Classify a picture that is not kept. Raises Refusal, TooMany and Unavailable."""
    names, wording = _clean(classnames, templates)
    space = require_active_space()
    vector = client.encode_picture(space, picture.packed)
    return _classify(vector, names, wording, none_of_these, space)


def probabilities(cosines: Vectors, space: EmbeddingSpace) -> Vectors:
    """Convert (n,) cosines to (n,) probabilities with the model's logit scale.

    This is softmax(scale * cosine) for CLIP, and sigmoid(scale * cosine + bias) for models with
    a bias, which were trained with a sigmoid loss. Raises ValueError if the scale is unknown.
    """
    if space.logit_scale is None:
        raise ValueError(f"{space} was never loaded: its logit scale is unknown.")
    logits = np.asarray(cosines, dtype=np.float64) * space.logit_scale
    if space.logit_bias is not None:
        return np.asarray(1.0 / (1.0 + np.exp(-(logits + space.logit_bias))), dtype=np.float32)
    exponentials = np.exp(logits - logits.max())
    return np.asarray(exponentials / exponentials.sum(), dtype=np.float32)


def class_weights(
    space: EmbeddingSpace,
    texts_per_class: list[list[str]],
    encode: Callable[[EmbeddingSpace, list[str]], Vectors],
) -> Vectors:
    """Return (n, d) unit vectors: for each class the normalised mean of its texts' vectors."""
    vectors = encode(space, [text for texts in texts_per_class for text in texts])
    ends = np.cumsum([len(texts) for texts in texts_per_class])
    means = [part.mean(axis=0) for part in np.split(vectors, ends[:-1])]
    return l2_normalise(np.stack(means))


def _for_visitor() -> bool:
    who = requester.current()
    return who is not None and not who.account


def _clean(classnames: Sequence[str], templates: list[str] | None) -> tuple[list[str], list[str]]:
    names, wording = clean_classnames(classnames), clean_templates(templates)
    most = MAX_VISITOR_TEXTS if _for_visitor() else MAX_TEXTS
    if len(names) * max(len(wording), 1) > most:
        raise Refusal(
            "too_many_classnames",
            _("Too many categories for so many templates: use fewer of either."),
            "classnames",
        )
    return names, wording


def _encode(space: EmbeddingSpace, texts: list[str]) -> Vectors:
    return client.encode_texts(space, texts, charge=rate_limits.charge_classification)


def _classify(
    vector: Vectors,
    names: list[str],
    templates: list[str],
    none_of_these: bool,
    space: EmbeddingSpace,
) -> Classification:
    classes = [(name, False) for name in names]
    texts = [texts_for(name, templates) for name in names]
    if none_of_these:
        classes.append(("", True))
        texts.append([BACKGROUND[script_of("".join(names))]])
    shares = probabilities(class_weights(space, texts, _encode) @ vector, space)
    results = [
        ClassProbability(name, float(share), is_none)
        for (name, is_none), share in zip(classes, shares, strict=True)
    ]
    results.sort(key=lambda result: -result.probability)
    used = templates or list(dict.fromkeys(DEFAULT_TEMPLATES[script_of(name)] for name in names))
    return Classification(results, space, used)
