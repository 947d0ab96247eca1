"""Label sets as files, and those that come with Clipsite."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from gallery.errors import Refusal, TooLarge
from gallery.labels import files, ready
from gallery.labels.definition import CategoryForm
from gallery.models import LabelSet, User
from tests.api_tools import code_of
from tests.conftest import api
from tests.labels.tools import make_set

FORMS = [
    CategoryForm("animal"),
    CategoryForm("dog", {"zh-hans": "狗"}, ("a puppy", "{} asleep"), "animal"),
    CategoryForm('a "thing", odd'),
]


@pytest.mark.django_db
def test_json_keeps_everything(alice: User) -> None:
    label_set = make_set(alice, *FORMS, mode="any", templates=["my {}"], name="Mine")
    read = files.read(files.to_json(label_set).encode())
    assert read.name == "Mine"
    assert read.definition.mode == "any"
    assert read.definition.none_of_these is False
    assert read.definition.templates == ("my {}",)
    assert list(read.definition.categories) == FORMS


@pytest.mark.django_db
def test_json_names_the_ensemble(alice: User) -> None:
    label_set = make_set(alice, "dog", templates="ensemble")
    assert json.loads(files.to_json(label_set))["templates"] == "ensemble"
    read = files.read(files.to_json(label_set).encode())
    assert read.definition.templates == ("ensemble",)


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_keeps_the_categories(encoding: str, alice: User) -> None:
    label_set = make_set(alice, *FORMS, CategoryForm("=1+1"), CategoryForm("'quoted"))
    read = files.read(files.to_csv(label_set).encode(encoding))
    assert list(read.definition.categories) == [
        *FORMS,
        CategoryForm("=1+1"),
        CategoryForm("'quoted"),
    ]
    assert "\n=1+1" not in files.to_csv(label_set)


GOOD: dict[str, Any] = {"name": "x", "categories": ["dog"]}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_a_label_set"),
        (b"\xff\xfe\x00", "not_a_label_set"),
        (b"\xff\xff\xff", "not_a_label_set"),
        (b"{", "not_a_label_set"),
        (b"[" * 100_000, "not_a_label_set"),
        (b"[]", "not_a_label_set"),
        (json.dumps({**GOOD, "format": "other"}).encode(), "other_format"),
        (json.dumps({**GOOD, "version": 2}).encode(), "other_format"),
        (json.dumps({**GOOD, "more": 1}).encode(), "not_a_label_set"),
        (json.dumps({**GOOD, "categories": 3}).encode(), "not_a_label_set"),
        (json.dumps({**GOOD, "categories": [3]}).encode(), "not_a_label_set"),
        (json.dumps({**GOOD, "categories": [{"name": 3}]}).encode(), "not_a_label_set"),
        (json.dumps({**GOOD, "categories": []}).encode(), "no_categories"),
        (json.dumps({**GOOD, "mode": "x"}).encode(), "bad_mode"),
        (b"name,parent\ndog,", "not_a_label_set"),
        (b'category\n"dog', "not_a_label_set"),
        (b"category\n", "no_categories"),
        (b"category\ndog\nDOG", "same_category"),
    ],
)
def test_broken_files_are_refused_with_a_sentence(data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        files.read(data)
    assert refusal.value.code == code
    assert str(refusal.value)


def test_huge_files_are_refused() -> None:
    with pytest.raises(TooLarge):
        files.read(b" " * (files.MAX_BYTES + 1))


def test_the_ready_sets_are_whole_and_in_both_languages() -> None:
    known = ready.ready_sets()
    assert {one.key for one in known} == {"animals", "documents", "everyday", "scenes"}
    for one in known:
        assert one.english
        assert one.chinese
        for form in one.definition.categories:
            assert form.names["zh-hans"], form.name


@pytest.mark.django_db
def test_export_import_and_ready_sets_through_the_api(alice: User, bob: User) -> None:
    label_set = make_set(alice, *FORMS, name="Mine")
    at = "/api/v1/label-sets/"
    client = api(alice)
    exported = client.get(f"{at}{label_set.pk}/export/")
    assert exported["Content-Disposition"] == 'attachment; filename="Mine.json"'
    file = SimpleUploadedFile("set.json", exported.content)
    taken = client.post(f"{at}import/", {"file": file, "name": "Copy"}, format="multipart")
    assert taken.status_code == 201
    assert [c["name"] for c in taken.json()["categories"]] == [form.name for form in FORMS]
    text = client.get(f"{at}{label_set.pk}/export/", {"kind": "csv"}).content
    file = SimpleUploadedFile("set.csv", text)
    assert client.post(f"{at}import/", {"file": file}, format="multipart").status_code == 400
    file.seek(0)
    named = client.post(f"{at}import/", {"file": file, "name": "From CSV"}, format="multipart")
    assert named.status_code == 201
    assert api(bob).get(f"{at}{label_set.pk}/export/").status_code == 404
    broken = SimpleUploadedFile("set.json", b"{")
    answer = client.post(f"{at}import/", {"file": broken}, format="multipart")
    assert (answer.status_code, code_of(answer)) == (400, "not_a_label_set")
    huge = SimpleUploadedFile("set.json", b" " * (files.MAX_BYTES + 1))
    answer = client.post(f"{at}import/", {"file": huge}, format="multipart")
    assert answer.status_code == 413
    assert {one["key"] for one in client.get(f"{at}ready/").json()} >= {"animals"}
    for name in ("Animals", "Animals 2"):
        assert client.post(f"{at}ready/", {"key": "animals"}).json()["name"] == name
    answer = client.post(f"{at}ready/", {"key": "nothing"})
    assert (answer.status_code, code_of(answer)) == (400, "unknown_ready_set")
    assert api().post(f"{at}ready/", {"key": "animals"}).status_code == 401
    assert LabelSet.objects.count() == 5
