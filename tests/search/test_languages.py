"""The language guard: the languages of the model, the language of a query, and when a warning is
due."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from celery import current_app
from django.utils import translation

from gallery import task_names
from gallery.encoders.base import Vectors, l2_normalise
from gallery.indexing.spaces import active_space
from gallery.models import EmbeddingSpace
from gallery.search.relevance import calibration, languages
from gallery.search.relevance.language_probes import CAPTIONS, ENGLISH, PARTS
from tests.conftest import wait_for
from tests.factories import ColourEncoder

SHARES = {"en": 0.94, "zh": 0.97, "fr": 0.5, "de": 0.2, "ja": 0.7, "ko": 0.0, "ru": 0.0, "uk": 0.0}


def space(**shares: float) -> EmbeddingSpace:
    return EmbeddingSpace(architecture="any", languages=shares or SHARES)


# --- Which language is it? ----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("一只狗在沙滩上", "zh"),
        ("東京駅", "zh"),
        ("ラーメン", "ja"),
        ("浜辺を走る犬", "ja"),
        ("해변", "ko"),
        ("ชายหาด", "th"),
        ("собака на пляже", "ru"),
        ("їжак у лісі", "uk"),
        ("قطة", "ar"),
        ("सूर्यास्त", "hi"),
        ("ein Hund läuft am Strand", "de"),
        ("un perro corre por la playa", "es"),
        ("một con mèo đen", "vi"),
    ],
)
def test_tells_the_language(text: str, code: str) -> None:
    assert languages.language_of(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123 !?",
        "Berlin",
        "Anna Müller",
        "José García",
        "Schloss Neuschwanstein",
        "Rio de Janeiro",
        "Jean-Pierre",
        "IMG_2034",
        "Σκύλος",  # not measured
        "hund",  # one word is not enough
        "le chat",
        "tapas bar",
        "pasta al dente",
        "a dachshund in the garten",
        "a photo of ラーメン",
        "el capitan yosemite",
    ],
)
def test_says_nothing_where_it_is_not_sure(text: str) -> None:
    assert languages.language_of(text) is None


def test_english_is_never_taken_for_another_language() -> None:
    taken = {text: languages.language_of(text) for text in [*ENGLISH, *PARTS, *CAPTIONS["en"]]}
    assert {text: code for text, code in taken.items() if code is not None} == {}


def test_most_captions_are_recognised_and_hardly_any_is_mistaken() -> None:
    right = wrong = 0
    for code, texts in CAPTIONS.items():
        found = [languages.language_of(text) for text in texts if code != "en"]
        right += found.count(code)
        wrong += sum(other not in (None, code) for other in found)
    assert right >= 0.85 * 18 * len(ENGLISH)
    assert wrong <= 5


def test_each_language_says_the_same_things_in_its_own_words() -> None:
    for code, texts in CAPTIONS.items():
        assert len(texts) == len(set(texts)) == len(ENGLISH), code
    everything = [text for texts in CAPTIONS.values() for text in texts]
    assert len(set(everything)) == len(everything)


def test_the_identifier_comes_without_torch_and_without_the_network() -> None:
    """It runs in a separate process, where no connection can be made."""
    code = (
        "import socket, sys\n"
        "def refuse(*args, **kwargs): raise AssertionError('a connection')\n"
        "socket.socket.connect = socket.create_connection = refuse\n"
        "import django; django.setup()\n"
        "from gallery.search.relevance import languages\n"
        "assert languages.language_of('ein Hund läuft am Strand') == 'de'\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# --- When it is worth a word --------------------------------------------------------


def test_warns_of_a_language_that_the_model_does_not_know() -> None:
    text = str(languages.warning(space(), ["ein Hund läuft am Strand"]))
    assert "does not know German" in text
    assert "Chinese and English" in text


def test_says_so_where_a_model_knows_a_language_in_part() -> None:
    text = str(languages.warning(space(), ["un chien court sur la plage"]))
    assert "knows only some French" in text


@pytest.mark.parametrize(
    "texts",
    [[], ["a dog on the beach"], ["一只狗在沙滩上"], ["Anna Müller", "a dog"], ["gato"], [""]],
)
def test_says_nothing_of_what_the_model_knows_or_might(texts: list[str]) -> None:
    assert languages.warning(space(), texts) is None


def test_one_of_several_terms_is_enough() -> None:
    assert languages.warning(space(), ["a dog", "해변을 달리는 개"]) is not None


def test_a_multilingual_model_and_one_not_measured_warn_of_nothing() -> None:
    everything = dict.fromkeys(CAPTIONS, 0.95)
    unmeasured = EmbeddingSpace(architecture="any")
    for texts in CAPTIONS.values():
        assert languages.warning(space(**everything), list(texts[:2])) is None
        assert languages.warning(unmeasured, list(texts[:2])) is None


def test_a_model_that_knows_nothing_measured_is_not_said_to_know_something() -> None:
    text = str(languages.warning(space(de=0.1, en=0.2), ["ein Hund läuft am Strand"]))
    assert "German" in text
    assert "understands" not in text


def test_languages_are_named_in_that_of_the_page() -> None:
    with translation.override("zh-hans"):
        names = [languages.name_of(code) for code in CAPTIONS]
    assert len(set(names)) == len(CAPTIONS)
    assert languages.name_of("de") == "German"
    assert languages.name_of("zh") == "Chinese"


# --- What a model knows -------------------------------------------------------------


class Bilingual(ColourEncoder):
    """A model of English and German: a caption has the same vector in both. It knows the first half
    of the French captions, and takes the others for parts of something else."""

    dimensions = 256

    def encode_texts(self, texts: list[str]) -> Vectors:  # type: ignore[override]
        return l2_normalise(np.stack([self._vector(text) for text in texts]))

    def _vector(self, text: str) -> Vectors:
        for code in ("en", "de", "fr"):
            if text in CAPTIONS[code]:
                place = CAPTIONS[code].index(text)
                known = code != "fr" or place < len(ENGLISH) // 2
                return self._axis(place if known else len(ENGLISH))
        if text in ENGLISH:
            return self._axis(ENGLISH.index(text))
        if text in PARTS:
            return self._axis(len(ENGLISH) + PARTS.index(text))
        return self._axis(200)

    def _axis(self, place: int) -> Vectors:
        return np.eye(self.dimensions, dtype=np.float32)[place]


def test_a_language_is_known_as_far_as_whole_captions_are_found() -> None:
    shares = languages.measured(Bilingual())
    assert shares.keys() == CAPTIONS.keys()
    assert shares["en"] == shares["de"] == 1.0
    assert shares["fr"] == 0.5
    assert shares["ko"] < 0.05
    assert languages.known(space(**shares)) == ["en", "de"]


@pytest.mark.worker
def test_a_worker_measures_the_bundled_model_once(encoder_worker: object) -> None:
    """It knows English and Chinese, and no other language."""
    current_app.send_task(task_names.PREPARE_CALIBRATION)
    wait_for(lambda: active_space().languages, 120)  # type: ignore[union-attr]
    measured = active_space()
    assert measured is not None
    assert languages.known(measured) == ["zh", "en"], measured.languages
    assert measured.languages["de"] < languages.KNOWN_IN_PART
    assert measured.languages["ko"] < 0.1
    assert not calibration.is_due()
    assert "German" in str(languages.warning(measured, ["zwei Kinder spielen Fußball im Park"]))
    assert languages.warning(measured, ["two children play football in the park"]) is None
