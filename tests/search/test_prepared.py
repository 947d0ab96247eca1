"""Statements that are planned once return the same as the ORM."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, ProgrammingError, connection
from django.forms.models import model_to_dict

from gallery import prepared
from gallery.models import EmbeddingSpace, Image, User
from gallery.search import words
from tests.factories import make_space

pytestmark = pytest.mark.django_db

BY_OWNER = (
    f"SELECT {prepared.columns(Image, 'shown', ('words', 'name_words'))},"
    " upper(shown.title) AS shouted FROM gallery_image shown WHERE shown.owner_id = %s"
)


def make_image(owner: User, **fields: Any) -> Image:
    facts = {"file": "none", "sha256": "1" * 64, "byte_size": 1, "width": 1, "height": 1}
    return Image.objects.create(owner=owner, content_type="image/jpeg", **facts, **fields)


def test_instances_are_those_of_the_orm(alice: User) -> None:
    image = make_image(alice, title="Dog", exif={"ISO": "100"}, palette=[["#c0392b", 0.5]])
    (found,) = prepared.instances(Image, BY_OWNER, [alice.pk])
    assert found == image
    assert model_to_dict(found) == model_to_dict(Image.objects.get())
    assert (found.exif, found.palette) == ({"ISO": "100"}, [["#c0392b", 0.5]])
    assert found.shouted == "DOG"  # type: ignore[attr-defined]
    assert found.owner == alice
    found.title = "Cat"
    found.save(update_fields=["title"])
    assert Image.objects.get().title == "Cat"
    found.refresh_from_db()
    assert found.taken_at == Image.objects.get().taken_at


def test_instances_have_all_that_the_constructor_gives(alice: User) -> None:
    """The loader does not call the constructor."""
    make_image(alice, title="Dog")
    statement = f"SELECT {prepared.columns(Image, 'shown')} FROM gallery_image shown"
    (made,) = prepared.instances(Image, statement)
    of_the_orm = Image.objects.defer(None).get()

    def state(image: Image) -> dict[str, Any]:
        values = {**vars(image), "_state": None, "file": image.file.name}
        return values | {"alias": image._state.db, "adding": image._state.adding}

    assert state(made) == state(of_the_orm)
    assert pickle.loads(pickle.dumps(made)) == of_the_orm


def test_what_is_left_out_is_loaded_when_it_is_asked_for(
    alice: User, django_assert_num_queries: Any
) -> None:
    make_image(alice, title="Dog")
    (found,) = prepared.instances(Image, BY_OWNER, [alice.pk])
    assert found.get_deferred_fields() == {"words", "name_words"}
    with django_assert_num_queries(1):
        assert "dog" in found.words


def test_a_statement_is_planned_once_whatever_is_asked(alice: User, bob: User) -> None:
    make_image(alice)
    found = [prepared.instances(Image, BY_OWNER, [pk]) for pk in (alice.pk, bob.pk, alice.pk)]
    assert [len(images) for images in found] == [1, 0, 1]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT custom_plans, generic_plans FROM pg_prepared_statements"
            " WHERE statement LIKE '%upper(shown.title)%'"
        )
        assert cursor.fetchall()[-1] == (0, 3)


@pytest.mark.django_db(transaction=True)
def test_settings_hold_for_one_statement_which_is_planned_once_or_for_its_values() -> None:
    statement = "SELECT current_setting('enable_sort'), current_setting('ivfflat.probes'), %s + 0"
    settings = {"enable_sort": "off", "ivfflat.probes": 77}
    for number in range(6):
        for lasts in (True, False):
            wanted = statement if lasts else f"{statement} AS planned_anew"
            assert prepared.rows(wanted, [number], settings, plan_lasts=lasts) == [
                ("off", "77", number)
            ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('enable_sort'), current_setting('plan_cache_mode')")
        assert cursor.fetchone() == ("on", "force_generic_plan")
        cursor.execute(
            "SELECT statement LIKE '%planned_anew', generic_plans, custom_plans"
            " FROM pg_prepared_statements WHERE statement LIKE '%ivfflat.probes%+ 0%' ORDER BY 1"
        )
        assert cursor.fetchall() == [(False, 6, 0), (True, 0, 6)]


def test_settings_end_inside_an_open_transaction_too(alice: User) -> None:
    """Tests run in a transaction, and so does code that counts rows before it changes them."""

    def settings() -> list[tuple[str, str]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, setting FROM pg_settings"
                " WHERE name LIKE 'enable_%%' OR name = 'plan_cache_mode'"
            )
            return sorted(cursor.fetchall())

    before = settings()
    prepared.rows("SELECT 1", [], {"enable_sort": "off"}, plan_lasts=False)
    assert settings() == before
    assert words.ranked(Image.objects.all(), "dog", alice, 10) == []
    assert settings() == before


def test_columns_in_another_order_are_refused() -> None:
    make_space()
    for wrong in ("name_of_mine, id", "state, id"):
        statement = f"SELECT {wrong} FROM (SELECT *, 1 AS name_of_mine FROM gallery_embeddingspace)"
        with pytest.raises(ValueError, match="order of the model"):
            prepared.instances(EmbeddingSpace, statement)


def test_errors_are_those_of_django() -> None:
    with pytest.raises(ProgrammingError):
        prepared.instances(EmbeddingSpace, "SELECT id FROM nowhere")


@pytest.mark.django_db(transaction=True)
def test_an_error_under_settings_leaves_the_connection_as_it_was() -> None:
    for wrong in ({"enable_sort": "maybe"}, {"enable_sort": "off"}):
        with pytest.raises(DatabaseError):
            prepared.rows("SELECT 1 / %s", [0], wrong, plan_lasts=True)
        assert prepared.rows("SELECT %s + 1", [1], {"enable_sort": "off"}, plan_lasts=True) == [
            (2,)
        ]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_lost_is_made_anew(alice: User) -> None:
    make_image(alice)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        lost = cursor.fetchone()[0]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [lost])
    other.close()
    with pytest.raises(OperationalError):
        prepared.instances(Image, BY_OWNER, [alice.pk])
    connection.close_if_unusable_or_obsolete()  # each request begins this way
    assert len(prepared.instances(Image, BY_OWNER, [alice.pk])) == 1
