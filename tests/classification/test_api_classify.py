"""Classification through the API."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from gallery.encoders import reply
from gallery.models import Image
from tests import pictures
from tests.api_tools import code_of, sample, with_worker
from tests.conftest import api, upload, wait_for
from tests.factories import make_space

CLASSIFY = "/api/v1/classify/"
NAMES = ["cat", "rocket", "cup of coffee"]


def answer_of(response) -> dict:
    assert response.status_code == 200, response.content
    body = response.json()
    assert set(body) == {"results", "space", "templates"}
    for row in body["results"]:
        assert set(row) == {"classname", "probability", "none_of_these"}
    probabilities = [row["probability"] for row in body["results"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-3)
    return body


def names(body: dict) -> list[str]:
    return [row["classname"] for row in body["results"]]


def of_stored(client: APIClient, image: Image, **body):
    return client.post(f"/api/v1/images/{image.pk}/classify/", body)


def of_sent(client: APIClient, content: bytes, **fields):
    file = SimpleUploadedFile("query.jpg", content)
    return client.post(CLASSIFY, {"file": file, **fields}, format="multipart")


@pytest.fixture
def cat(encoder_worker, alice) -> Image:
    image = upload(alice, sample("chelsea.png"))
    wait_for(lambda: image.embeddings.exists())
    return image


# --- With the worker ------------------------------------------------------------


@with_worker
def test_a_stored_picture_gets_probabilities_best_first(cat, alice):
    body = answer_of(of_stored(api(alice), cat, classnames=NAMES))
    assert names(body)[0] == "cat"
    assert sorted(names(body)) == sorted(NAMES)
    assert body["results"][0]["probability"] > 0.5
    assert isinstance(body["space"], str)
    assert body["templates"]
    assert not any(row["none_of_these"] for row in body["results"])


@with_worker
def test_templates_of_ones_own_are_used_and_shown(cat, alice):
    templates = ["一张{}的照片", "{}"]
    body = answer_of(of_stored(api(alice), cat, classnames=["猫", "火箭"], templates=templates))
    assert body["templates"] == templates
    assert names(body)[0] == "猫"


@with_worker
def test_none_of_these_is_a_row_of_its_own(cat, alice):
    body = answer_of(of_stored(api(alice), cat, classnames=["rocket"], none_of_these=True))
    (background,) = [row for row in body["results"] if row["none_of_these"]]
    assert background["classname"] == ""
    assert len(body["results"]) == 2


@with_worker
def test_viewers_of_a_picture_may_classify_it(cat, alice, bob):
    assert of_stored(api(bob), cat, classnames=NAMES).status_code == 404
    api(alice).patch(f"/api/v1/images/{cat.pk}/", {"visibility": "unlisted"})
    for client in (api(bob), APIClient()):
        assert names(answer_of(of_stored(client, cat, classnames=NAMES)))[0] == "cat"


@with_worker
@pytest.mark.parametrize(
    "fields",
    [
        {"classnames": NAMES},
        {"classnames": json.dumps(NAMES)},
        {"classnames": "cat, rocket\ncup of coffee"},
        {"classnames": "cat，rocket、cup of coffee"},
        {"classnames": NAMES, "templates": "a photo, or a drawing, of a {}"},
        {"classnames": NAMES, "templates": ["a {}", "the {}"]},
        {"classnames": NAMES, "templates": '["a {}", "the {}"]'},
    ],
)
def test_a_sent_picture_is_classified_and_not_kept(fields, encoder_worker, alice):
    body = answer_of(of_sent(api(alice), sample("chelsea.png"), **fields))
    assert names(body)[0] == "cat"
    assert sorted(names(body)) == sorted(NAMES)
    assert not Image.objects.exists()


@with_worker
def test_the_templates_of_a_form_arrive(encoder_worker, alice):
    templates = "a photo, or a drawing, of a {}"
    answer = of_sent(api(alice), sample("chelsea.png"), classnames="cat,dog", templates=templates)
    assert answer_of(answer)["templates"] == [templates]


@with_worker
def test_a_form_asks_for_none_of_these(encoder_worker, alice):
    answer = of_sent(api(alice), sample("chelsea.png"), classnames=NAMES, none_of_these="true")
    assert len(answer_of(answer)["results"]) == len(NAMES) + 1


# --- Refusals, which need no worker ---------------------------------------------

BAD = [
    ({}, {"required"}),
    ({"classnames": []}, {"no_classnames"}),
    ({"classnames": ["", "  "]}, {"no_classnames"}),
    ({"classnames": [f"class {n}" for n in range(10_000)]}, {"too_many_classnames"}),
    ({"classnames": "cat, dog"}, {"not_a_list"}),
    ({"classnames": {"cat": 1}}, {"not_a_list"}),
    ({"classnames": None}, {"null"}),
    ({"classnames": [None]}, {"null"}),
    ({"classnames": [["cat"]]}, {"invalid"}),
    ({"classnames": ["a\x00b"]}, {"null_characters_not_allowed"}),
    ({"classnames": ["x" * 5000]}, {"classname_too_long"}),
    ({"classnames": ["cat"], "templates": ["no place for the name"]}, {"bad_template"}),
    ({"classnames": ["cat"], "templates": ["{} and {}"]}, {"bad_template"}),
    ({"classnames": ["cat"], "templates": "{}"}, {"not_a_list"}),
    ({"classnames": ["cat"], "none_of_these": "maybe"}, {"invalid"}),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("body", "codes"), BAD)
def test_senseless_categories_are_refused(body, codes, alice):
    answer = of_stored(api(alice), upload(alice), **body)
    assert answer.status_code == 400
    assert {error["code"] for error in answer.json()["errors"]} == codes


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "required"),
        ({"classnames": ""}, "no_classnames"),
        ({"classnames": "[]"}, "no_classnames"),
        ({"classnames": " , ,, "}, "no_classnames"),
        ({"classnames": json.dumps([f"class {n}" for n in range(10_000)])}, "too_many_classnames"),
        ({"classnames": '["cat"'}, "not_json"),
        ({"classnames": "[" * 100_000}, "not_json"),
    ],
)
def test_senseless_categories_of_a_form_are_refused(fields, code, alice):
    answer = of_sent(api(alice), pictures.jpeg(), **fields)
    assert (answer.status_code, code_of(answer)) == (400, code)


@pytest.mark.django_db
def test_a_picture_that_is_not_encoded_yet_says_so(alice):
    make_space()
    answer = of_stored(api(alice), upload(alice), classnames=NAMES)
    assert (answer.status_code, code_of(answer)) == (400, "not_encoded_yet")


@pytest.mark.django_db
def test_before_the_first_model_is_ready_it_is_503(alice):
    answer = of_stored(api(alice), upload(alice), classnames=NAMES)
    assert (answer.status_code, code_of(answer)) == (503, "no_active_space")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.django_db
def test_a_worker_that_is_down_is_503(alice, monkeypatch):
    monkeypatch.setattr(reply, "heartbeat", lambda: None)
    make_space()
    answer = of_sent(api(alice), pictures.jpeg(), classnames=NAMES)
    assert (answer.status_code, code_of(answer)) == (503, "encoder_down")
