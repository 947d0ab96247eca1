"""Label sets through the API."""

from __future__ import annotations

from typing import Any

import pytest

from gallery.labels import applying
from gallery.models import EmbeddingSpace, LabelSet, User
from tests.api_tools import code_of
from tests.conftest import api
from tests.labels.tools import make_set, picture

pytestmark = pytest.mark.django_db

SETS = "/api/v1/label-sets/"
ANIMALS = {
    "name": "Animals",
    "mode": "one",
    "none_of_these": False,
    "templates": ["my {}"],
    "categories": [{"name": "dog", "prompts": ["a dog"]}, {"name": "cat", "names": {"zh": "猫"}}],
}


def made(user: User, **changes: Any) -> dict[str, Any]:
    answer = api(user).post(SETS, {**ANIMALS, **changes})
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_a_set_is_made_read_changed_and_deleted(alice: User) -> None:
    body = made(alice)
    assert body["version"] == 1
    assert (body["name"], body["mode"], body["none_of_these"]) == ("Animals", "one", False)
    assert body["templates"] == ["my {}"]
    assert [category["name"] for category in body["categories"]] == ["dog", "cat"]
    assert body["categories"][0]["prompts"] == ["a dog"]
    assert body["categories"][1]["names"] == {"zh": "猫"}
    assert body["applied"] is None
    at = f"{SETS}{body['id']}/"
    client = api(alice)
    assert client.get(at).json() == body
    assert client.get(SETS).json()["results"] == [body]
    changed = client.patch(at, {"categories": ["dog", "bird"], "thresholds": {"dog": 0.7}}).json()
    assert changed["version"] == 2
    assert [(c["name"], c["threshold"]) for c in changed["categories"]] == [
        ("dog", 0.7),
        ("bird", None),
    ]
    assert changed["categories"][0]["id"] == body["categories"][0]["id"]
    assert client.post(changed["undo"]).json() == {"restored": 1}
    assert client.get(at).json()["categories"][0]["threshold"] is None
    assert client.patch(at, {"name": "Beasts"}).json()["undo"] is None
    gone = client.delete(at)
    assert gone.status_code == 200
    assert client.get(at).status_code == 404
    assert client.post(gone.json()["undo"]).json() == {"restored": 1}
    assert client.get(at).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"name": ""}, "name_missing", "name"),
        ({"name": "x" * 101}, "name_too_long", "name"),
        ({"mode": "some"}, "invalid_choice", "mode"),
        ({"categories": []}, "no_categories", "categories"),
        ({"categories": [f"c{n}" for n in range(1001)]}, "too_many_categories", "categories"),
        ({"categories": ["dog", "ＤＯＧ"]}, "same_category", "categories.1.name"),
        ({"categories": "dog"}, "not_a_list", "categories"),
        ({"categories": [None]}, "null", "categories.0"),
        ({"categories": [{"name": "dog", "names": "x"}]}, "not_a_dict", "categories.0.names"),
        ({"templates": ["no place"]}, "bad_template", "templates"),
        ({"templates": ["ensemble", "my {}"]}, "bad_template", "templates"),
        ({"templates": "my {}"}, "not_a_list", "templates"),
        ({"site": True}, "not_administrator", "site"),
    ],
)
def test_bad_sets_are_refused(changes: dict[str, Any], code: str, field: str, alice: User) -> None:
    answer = api(alice).post(SETS, {**ANIMALS, **changes})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["code"], error["attr"]) == (code, field)
    assert error["detail"]
    assert not LabelSet.objects.exists()


def test_templates_may_be_the_ensemble(alice: User) -> None:
    body = made(alice, templates="ensemble")
    assert body["templates"] == "ensemble"
    client, at = api(alice), f"{SETS}{body['id']}/"
    assert client.patch(at, {"name": "Beasts"}).json()["version"] == 1
    assert client.patch(at, {"templates": []}).json()["templates"] == []
    assert client.patch(at, {"templates": ["ensemble"]}).json()["templates"] == "ensemble"


def test_sets_are_their_owners_alone(alice: User, bob: User) -> None:
    at = f"{SETS}{made(alice)['id']}/"
    for client in (api(bob), api()):
        assert client.get(at).status_code == 404
        assert client.get(SETS).json()["results"] == []
        assert client.patch(at, {"name": "x"}).status_code in (401, 404)
        assert client.delete(at).status_code in (401, 404)
        for rest in ("preview/", "apply/"):
            assert client.post(f"{at}{rest}").status_code in (401, 404)
        assert client.get(f"{at}jobs/").status_code in (401, 404)
    assert api().post(SETS, ANIMALS).status_code == 401


def test_sets_of_the_site_are_read_by_all_and_changed_by_administrators(
    alice: User, admin: User
) -> None:
    body = made(admin, site=True)
    assert body["site"] is True
    at = f"{SETS}{body['id']}/"
    for client in (api(alice), api()):
        assert client.get(at).json()["name"] == "Animals"
        assert len(client.get(SETS).json()["results"]) == 1
    assert api(alice).patch(at, {"name": "x"}).status_code == 404
    assert api(alice).post(f"{at}apply/").status_code == 404
    assert api(admin).patch(at, {"name": "Beasts"}).json()["name"] == "Beasts"


def test_preview_apply_watch_and_undo(alice: User, space: EmbeddingSpace) -> None:
    dog, cat = picture(alice, space, dog=1), picture(alice, space, cat=1)
    at = f"{SETS}{made(alice)['id']}/"
    client = api(alice)
    preview = client.post(f"{at}preview/").json()
    assert (preview["added"], preview["removed"], preview["kept"]) == (2, 0, 0)
    assert [(c["name"], c["count"]) for c in preview["categories"]] == [("dog", 1), ("cat", 1)]
    assert preview["categories"][0]["add"] == [str(dog.pk)]
    applied = client.post(f"{at}apply/")
    assert applied.status_code == 202
    job = f"{at}jobs/{applied.json()['job']}/"
    assert client.get(job).json()["state"] == "waiting"
    applying.run_waiting()
    watched = client.get(job).json()
    assert (watched["state"], watched["done"], watched["total"]) == ("done", 2, 2)
    assert len(client.get(f"{at}jobs/").json()) == 1
    (label,) = client.get(f"/api/v1/images/{dog.pk}/labels/").json()["results"]
    assert (label["category"], label["source"]) == ("dog", "machine")
    assert label["label_set"] == str(LabelSet.objects.get().pk)
    assert 0.9 < label["probability"] <= 1
    found = client.get("/api/v1/images/", {"category": "cat"}).json()["results"]
    assert [image["id"] for image in found] == [str(cat.pk)]
    body = {"filters": {"category": ["-cat"]}}
    (hit,) = client.post("/api/v1/search/", body).json()["results"]
    assert hit["image"]["id"] == str(dog.pk)
    assert client.get(at).json()["applied"] == 1
    assert client.post(applied.json()["undo"]).status_code == 200
    assert client.get(f"/api/v1/images/{dog.pk}/labels/").json()["results"] == []


def test_labels_are_shown_to_whom_they_belong(
    alice: User, bob: User, admin: User, space: EmbeddingSpace
) -> None:
    public, private = picture(alice, space, dog=1), picture(alice, space, dog=1)
    type(public).objects.filter(pk=public.pk).update(visibility="public")
    for user, site in ((alice, False), (admin, True)):
        label_set = made(user, site=site)
        api(user).post(f"{SETS}{label_set['id']}/apply/")
    applying.run_waiting()
    seen = {
        name: len(api(user).get(f"/api/v1/images/{public.pk}/labels/").json()["results"])
        for name, user in (("alice", alice), ("bob", bob), ("nobody", None))
    }
    assert seen == {"alice": 2, "bob": 1, "nobody": 1}
    assert api(bob).get(f"/api/v1/images/{private.pk}/labels/").status_code == 404


def test_a_preview_without_an_encoder_is_503(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gallery.encoders import client

    def down(*_arguments: Any, **_options: Any) -> Any:
        raise client.worker_down()

    monkeypatch.setattr(client, "encode_texts", down)
    answer = api(alice).post(f"{SETS}{made(alice)['id']}/preview/")
    assert (answer.status_code, code_of(answer)) == (503, "encoder_down")


def test_a_read_only_token_may_preview(alice: User, space: EmbeddingSpace) -> None:
    from rest_framework.test import APIClient

    from gallery.accounts import tokens

    label_set = make_set(alice, "dog")
    secret = tokens.issue(alice, "script", "read", None)[1]
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    at = f"{SETS}{label_set.pk}/"
    assert client.post(f"{at}preview/").status_code == 200
    assert client.post(f"{at}apply/").status_code == 403
