"""Whoever sees a picture by a link sees its categories in sets of the site, and no others."""

from __future__ import annotations

import pytest

from gallery.labels import answers
from gallery.labels.answers import Given
from gallery.models import EmbeddingSpace, User
from tests.labels.tools import apply, make_set, picture
from tests.sharing_tools import album_of, link_to, page_of, visitor
from tests.web_tools import browser

pytestmark = pytest.mark.django_db


def test_visitors_of_a_link_see_the_sets_of_the_site(
    alice: User, bob: User, admin: User, space: EmbeddingSpace
) -> None:
    image = picture(alice, space, dog=1)
    site = make_set(admin, "dog", name="Of the site", site=True, mode="any")
    apply(site, admin, space)
    make_set(alice, "secret word", name="Hers", mode="any")
    hers = make_set(alice, "beach", name="Also hers", mode="any")
    answers.give(hers, alice, [Given(image.pk, "beach", True)])
    address = page_of(link_to(album_of(alice, image)), f"images/{image.pk}/")
    for client in (visitor(), browser(bob), browser(alice)):
        page = client.get(address).content.decode()
        assert '<li class="badge">dog</li>' in page
        assert "beach" not in page
        assert "secret word" not in page


def test_a_no_hides_a_category_from_visitors(
    alice: User, admin: User, space: EmbeddingSpace
) -> None:
    image = picture(alice, space, dog=1)
    site = make_set(admin, "dog", name="Of the site", site=True, mode="any")
    apply(site, admin, space)
    address = page_of(link_to(image), "")
    assert '<li class="badge">dog</li>' in visitor().get(address).content.decode()
    answers.give(site, alice, [Given(image.pk, "dog", False)])
    assert "dog</li>" not in visitor().get(address).content.decode()
