"""What becomes of label sets when their owner takes everything along, or goes."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from gallery.accounts import deletion
from gallery.accounts.export_records import write_records
from gallery.labels import answers, files
from gallery.labels.answers import Given
from gallery.models import Answer, EmbeddingSpace, Label, LabelSet, User
from tests.labels.tools import apply, make_set, picture
from tests.web_tools import browser

pytestmark = pytest.mark.django_db


def test_sets_and_answers_are_exported(alice: User, admin: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    mine = make_set(alice, "dog", "cat", name="Mine")
    make_set(admin, "dog", name="Of the site", site=True)
    answers.give(mine, alice, [Given(image.pk, "dog", True)])
    told = json.loads("".join(write_records(alice, {})))
    (exported,) = told["label_sets"]
    assert exported["name"] == "Mine"
    exported.pop("created_at")
    assert files.read(json.dumps(exported).encode()).definition.categories[0].name == "dog"
    (said,) = told["answers"]
    assert (said["picture"], said["category"], said["verdict"]) == (str(image.pk), "dog", True)


def test_sets_go_with_their_owner(
    alice: User, bob: User, admin: User, space: EmbeddingSpace
) -> None:
    image = picture(bob, space, dog=1)
    type(image).objects.filter(pk=image.pk).update(visibility="public")
    for user in (alice, bob):
        apply(make_set(user, "dog"), user, space)
    site = make_set(admin, "dog", site=True)
    apply(site, admin, space)
    answers.give(site, bob, [Given(image.pk, "dog", True)])
    deletion.request_deletion(alice)
    deletion.remove_requested()
    assert not User.objects.filter(pk=alice.pk).exists()
    assert set(LabelSet.objects.values_list("owner", flat=True)) == {bob.pk, None}
    assert Label.objects.filter(removed_by=None).count() == 2
    deletion.request_deletion(bob)
    deletion.remove_requested()
    assert list(LabelSet.objects.all()) == [site]
    assert not Answer.objects.exists()


def test_the_admin_names_no_personal_sets(alice: User, admin: User, space: EmbeddingSpace) -> None:
    apply(make_set(alice, "dog", name="My secret"), alice, space)
    make_set(admin, "dog", name="Of the site", site=True)
    for name in ("labelset", "labeljob"):
        page = browser(admin).get(reverse(f"admin:gallery_{name}_changelist"))
        assert page.status_code == 200
        assert "My secret" not in page.content.decode()
    page = browser(admin).get(reverse("admin:gallery_labelset_changelist")).content.decode()
    assert "Of the site" in page
