"""Sorting at once, facets, evaluation."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from gallery.models import EmbeddingSpace, Image, User
from tests.conftest import api
from tests.labels.tools import apply, make_set, picture

pytestmark = pytest.mark.django_db

SORT = "/api/v1/label-sets/sort/"


def test_a_library_is_sorted_without_keeping_anything(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    dogs = [picture(alice, space, dog=1, cat=n / 10) for n in range(3)]
    cat = picture(alice, space, cat=1)
    picture(bob, space, cat=1)
    body = {"categories": ["dog", "cat"], "none_of_these": False, "shown": 2}
    found = api(alice).post(SORT, body).json()
    assert (found["pictures"], found["without"]) == (4, 0)
    assert [(heap["name"], heap["count"]) for heap in found["categories"]] == [
        ("dog", 3),
        ("cat", 1),
    ]
    assert found["categories"][0]["images"] == [str(dogs[0].pk), str(dogs[1].pk)]
    assert found["categories"][1]["images"] == [str(cat.pk)]
    assert api(bob).post(SORT, body).json()["pictures"] == 1
    assert api().post(SORT, body).json()["pictures"] == 0


def test_filters_narrow_what_is_sorted(alice: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    public = picture(alice, space, dog=1)
    Image.objects.filter(pk=public.pk).update(visibility="public")
    body = {"categories": ["dog"], "filters": {"visibility": "public"}, "mode": "any"}
    assert api(alice).post(SORT, body).json()["pictures"] == 1
    for bad in (
        {"categories": []},
        {"categories": ["a", "A"]},
        {**body, "filters": {"size_min": "x"}},
    ):
        assert api(alice).post(SORT, bad).status_code == 400


def test_categories_are_counted_over_what_one_sees(
    alice: User, bob: User, admin: User, space: EmbeddingSpace
) -> None:
    public = picture(alice, space, dog=1)
    Image.objects.filter(pk=public.pk).update(visibility="public")
    picture(alice, space, dog=1)
    picture(alice, space, cat=1)
    apply(make_set(admin, "dog", "cat", site=True), admin, space)
    at = "/api/v1/images/categories/"

    def counts(user: User | None, **filters: str) -> dict[str, int]:
        return {row["name"]: row["count"] for row in api(user).get(at, filters).json()}

    assert counts(alice) == {"dog": 2, "cat": 1}
    assert counts(bob) == counts(None) == {"dog": 1}
    assert counts(alice, visibility="public") == {"dog": 1}
    assert counts(alice, category="-dog") == {"cat": 1}
    months = api(alice).get("/api/v1/timeline/", {"category": "dog"}).json()
    assert months["total"] == 2


def test_a_set_is_evaluated_by_labelled_pictures(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    dogs = [picture(alice, space, dog=1) for _ in range(3)]
    wrong = picture(alice, space, cat=1)
    hidden = picture(bob, space, dog=1)
    unseen = picture(alice)
    Image.objects.filter(pk=dogs[2].pk).update(original_name="dog 2.jpg")
    label_set = make_set(alice, "dog", "cat")
    labels = [{"image": str(dog.pk), "category": "dog"} for dog in dogs[:2]]
    labels += [
        {"image": "dog 2.jpg", "category": "dog"},
        {"image": str(wrong.pk), "category": "dog"},
        {"image": str(hidden.pk), "category": "dog"},
        {"image": str(unseen.pk), "category": "dog"},
        {"image": "nothing.jpg", "category": "cat"},
    ]
    at = f"/api/v1/label-sets/{label_set.pk}/evaluate/"
    found = api(alice).post(at, {"labels": labels}).json()
    assert (found["pictures"], found["left_out"]) == (4, 3)
    assert found["accuracy"]["value"] == found["likeliest"]["value"] == 0.75
    assert found["confusion"] == [[3, 1, 0], [0, 0, 0], [0, 0, 0]]
    dog, cat, none = found["classes"]
    assert (dog["name"], dog["precision"]["value"], dog["recall"]["value"]) == ("dog", 1.0, 0.75)
    assert (cat["precision"]["value"], cat["recall"], none["name"]) == (0.0, None, "")
    rows = io.StringIO()
    rows.write("file,category\n")
    rows.writelines(f"{entry['image']},{entry['category']}\n" for entry in labels)
    file = SimpleUploadedFile("labels.csv", rows.getvalue().encode())
    by_csv = api(alice).post(at, {"file": file}, format="multipart").json()
    assert by_csv == found
    assert api(bob).post(at, {"labels": labels}).status_code == 404
    for bad in ({"labels": []}, {"labels": [{"image": str(dogs[0].pk), "category": "bird"}]}):
        assert api(alice).post(at, bad).status_code == 400
    file = SimpleUploadedFile("labels.csv", b"a,b\n1,2\n")
    assert api(alice).post(at, {"file": file}, format="multipart").status_code == 400
