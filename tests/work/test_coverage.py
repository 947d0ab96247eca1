"""The progress of workers: how it is counted, who sees it, and the confirmation of a switch."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from gallery.accounts import roles
from gallery.api.views import status as status_views
from gallery.errors import Refusal
from gallery.indexing import encoding, spaces, titles
from gallery.library import renditions, service
from gallery.models import Analysis, Backfill, EmbeddingSpace, Image, Outage, User
from gallery.status import PartStatus, WorkStatus, readiness
from gallery.work import backfill, coverage, ledger
from gallery.work.analyser import Resource, wanted
from tests.conftest import api, draw, upload
from tests.factories import make_space, set_state, set_vector
from tests.web_tools import confirmed

pytestmark = pytest.mark.django_db

ANALYSES = "/api/v1/analyses/"
READY = "/api/v1/ready/"
DAMAGED = f"{encoding.DAMAGED}\nOSError('cut off')"


@pytest.fixture
def space(db: None) -> EmbeddingSpace:
    return make_space()


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", "boss@example.org", "boss-password")


@pytest.fixture
def admin(boss: User) -> Client:
    return confirmed(boss)


def pictures(owner: User, count: int) -> list[Image]:
    return [upload(owner, draw(colour=(10 * n, 100, 100))) for n in range(count)]


def covered(analyser: str) -> coverage.Coverage:
    (found,) = [each for each in coverage.count() if each.analyser == analyser]
    return found


def away(thing: str, detail: str = "OSError('/srv/pictures: input/output error')") -> Outage:
    return Outage.objects.create(thing=thing, ask_at=timezone.now(), detail=detail)


# --- Counting ---------------------------------------------------------------------------


def test_each_state_of_each_analyser_is_counted(space: EmbeddingSpace, alice: User, bob: User):
    beside = make_space("building", architecture="beside")
    one, two, three, four = [*pictures(alice, 2), *pictures(bob, 2)]
    serving, building = encoding.name_of(space), encoding.name_of(beside)
    set_state(one, serving, "done")
    set_state(two, serving, "failed", reason_code="damaged", reason=DAMAGED)
    set_state(three, serving, "failed", reason_code="crashed", reason=ledger.CRASHED)
    four.analyses.filter(analyser=building).delete()
    backfill.start_over([building])

    counted = covered(serving)
    assert (counted.done, counted.waiting, counted.missing, counted.failed) == (1, 1, 0, 2)
    assert counted.failed_by_reason == {"damaged": 1, "crashed": 1}
    counted = covered(building)
    assert (counted.done, counted.waiting, counted.missing, counted.failed) == (0, 3, 1, 0)
    assert [each.analyser for each in coverage.count()] == [each.name for each in wanted()]


def test_all_pictures_are_in_one_of_the_four(space: EmbeddingSpace, alice: User):
    one, two, _three = pictures(alice, 3)
    one.analyses.all().delete()
    set_state(two, renditions.ANALYSER, "failed", reason_code="damaged")
    for each in coverage.count():
        assert each.done + each.waiting + each.failed + each.missing == 3, each


def test_the_trash_counts_nowhere(space: EmbeddingSpace, alice: User):
    kept, *gone = pictures(alice, 4)
    name = encoding.name_of(space)
    for image, state in zip(gone, ["done", "waiting", "failed"], strict=True):
        set_state(image, name, state, reason_code="damaged" if state == "failed" else "")
        service.delete_image(image)
    set_state(kept, name, "done")
    counted = covered(name)
    assert (counted.done, counted.waiting, counted.missing, counted.failed) == (1, 0, 0, 0)


def test_a_waiting_row_is_counted_once_whatever_went_wrong_before(
    space: EmbeddingSpace, alice: User
):
    first, second = pictures(alice, 2)
    set_state(first, encoding.name_of(space), "waiting", reason_code="unknown", reason="x")
    set_state(second, encoding.name_of(space), "waiting", reason_code="storage", reason="y")
    assert covered(encoding.name_of(space)).waiting == 2
    assert covered(encoding.name_of(space)).failed == 0


def test_what_an_earlier_version_made_is_missing_until_it_is_queued(
    space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch
):
    image, other = pictures(alice, 2)
    for each in (image, other):
        set_state(each, renditions.ANALYSER, "done")
    backfill.advance(Resource.PROCESSOR)
    assert covered(renditions.ANALYSER).backfill_finished
    (analyser,) = [each for each in wanted() if each.name == renditions.ANALYSER]
    monkeypatch.setattr(type(analyser), "version", 2)
    set_state(other, renditions.ANALYSER, "done", version=2)

    counted = covered(renditions.ANALYSER)
    assert (counted.done, counted.missing, counted.backfill_finished) == (1, 1, False)
    backfill.advance(Resource.PROCESSOR)
    counted = covered(renditions.ANALYSER)
    assert (counted.done, counted.waiting, counted.missing) == (1, 1, 0)
    assert counted.backfill_finished


def test_nothing_is_there_yet(db: None):
    make_space()
    for each in coverage.count():
        assert (each.done, each.waiting, each.failed, each.missing) == (0, 0, 0, 0)


@pytest.mark.parametrize("count", [1, 20])
def test_counting_asks_the_ledger_once(
    count: int, space: EmbeddingSpace, alice: User, django_assert_max_num_queries: Any
):
    pictures(alice, count)
    analysers = wanted()
    # The spaces and versions, the count, and one backfill for each analyser.
    with django_assert_max_num_queries(5 + len(analysers)) as asked:
        coverage.count()
    assert len([each for each in asked if "gallery_analysis" in str(each["sql"])]) == 1


# --- In short ---------------------------------------------------------------------------


def test_totals_are_counted_now_and_then(
    space: EmbeddingSpace, alice: User, django_assert_num_queries: Any
):
    (image,) = pictures(alice, 1)
    set_state(image, renditions.ANALYSER, "failed", reason_code="damaged")
    set_state(image, "visual_features", "failed", reason_code="needs")
    first = coverage.recent()
    assert first == coverage.Totals(waiting=2, failed=1)
    Analysis.objects.update(state="done")
    with django_assert_num_queries(0):
        assert coverage.recent() == first
    cache.delete(coverage._FRESH)
    assert coverage.recent() == coverage.Totals(0, 0)


def test_nobody_waits_for_whoever_counts(space: EmbeddingSpace, alice: User):
    pictures(alice, 1)
    cache.add(coverage._FRESH, True, 30)
    assert coverage.recent() is None
    assert readiness()["work"] == _work(None, None, "unknown", "")


def test_what_the_cache_holds_of_another_shape_is_not_there(space: EmbeddingSpace):
    coverage.recent()
    cache.set(coverage._TOTALS, {"waiting": 1})
    assert coverage.recent() is None


def _work(waiting: int | None, failed: int | None, state: str, detail: str) -> WorkStatus:
    return WorkStatus(True, state, detail, waiting, failed)


def test_ready_tells_the_work_in_short(space: EmbeddingSpace, alice: User):
    (image,) = pictures(alice, 1)
    set_state(image, renditions.ANALYSER, "failed", reason_code="damaged")
    told = APIClient().get(READY).json()["work"]
    assert told == {
        "ok": True,
        "state": "waiting",
        "detail": "3 analyses wait. 1 has failed.",
        "waiting": 3,
        "failed": 1,
    }


@pytest.mark.parametrize(
    ("thing", "state"), [("storage", "away"), ("storage-writes", "not_writable")]
)
def test_ready_tells_that_the_storage_is_away_and_not_what_it_said(
    thing: str, state: str, space: EmbeddingSpace
):
    assert APIClient().get(READY).json()["storage"] == {"ok": True, "state": "ok", "detail": ""}
    away(thing)
    answer = APIClient().get(READY)
    assert answer.json()["storage"]["state"] == state
    assert not answer.json()["storage"]["ok"]
    assert "Since " in answer.json()["storage"]["detail"]
    assert "/srv/pictures" not in answer.content.decode()


def test_the_active_model_that_is_away_is_the_space_that_does_not_work(space: EmbeddingSpace):
    beside = make_space("building", architecture="beside")
    away(encoding.model_of(beside), "The hub is down.")
    assert readiness()["space"].ok, "nobody searches in it yet"
    outage = away(encoding.model_of(space), "The model colour could not be fetched.")
    assert readiness()["space"] == PartStatus(
        False, "error", "The model colour could not be fetched."
    )
    outage.delete()
    assert readiness()["space"] == PartStatus(True, "active", "colour")


def test_an_error_of_long_ago_does_not_stick_to_the_active_space(space: EmbeddingSpace):
    EmbeddingSpace.objects.update(error="The hub was down.")
    assert readiness()["space"].ok


def test_a_site_that_searches_without_its_storage_is_ready(
    space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
):
    """Launchers and load balancers read the status. It says whether people can search."""
    well = {"broker": PartStatus(True, "ok"), "worker": PartStatus(True, "ok")}
    monkeypatch.setattr(status_views, "readiness", lambda: {**readiness(), **well})
    away("storage")
    answer = APIClient().get(READY)
    assert (answer.status_code, answer.json()["storage"]["ok"]) == (200, False)
    away(encoding.model_of(space))
    assert APIClient().get(READY).status_code == 503


# --- The API: all pictures ---------------------------------------------------------------


def test_administrators_read_all_of_it(space: EmbeddingSpace, alice: User, boss: User):
    one, two = pictures(alice, 2)
    name = encoding.name_of(space)
    set_state(one, name, "failed", reason_code="damaged", reason=DAMAGED)
    set_state(two, name, "done")
    outage = away("storage-writes")

    answer = api(boss).get(ANALYSES)
    assert answer.status_code == 200
    (found,) = [each for each in answer.json()["analysers"] if each["analyser"] == name]
    assert found == {
        "analyser": name,
        "title": "Encoding with colour",
        "done": 1,
        "waiting": 0,
        "failed": 1,
        "missing": 0,
        "failed_by_reason": {"damaged": 1},
        "backfill_finished": False,
    }
    (told,) = answer.json()["outages"]
    assert told["thing"] == "storage-writes"
    assert told["since"].startswith(f"{outage.since:%Y-%m-%dT}")
    assert told["sentence"].endswith(", the storage of the pictures has taken no files.")
    assert told["detail"] == outage.detail


@pytest.mark.parametrize("role", ["", "member", "moderator"])
def test_only_administrators_find_the_coverage(role: str, alice: User):
    if role == "moderator":
        roles.take_role(alice, User.Role.MODERATOR)
        alice.save()
    client = api(alice) if role else APIClient()
    for method in ("get", "head", "options", "post"):
        there = getattr(client, method)(ANALYSES)
        nowhere = getattr(client, method)("/api/v1/users/nobody/")
        assert there.status_code == nowhere.status_code == 404, method
        if method == "get":
            assert there.json()["errors"][0]["code"] == "not_found"


# --- The API: one picture ----------------------------------------------------------------


def steps(client: Any, image: Image) -> dict[str, dict[str, Any]]:
    answer = client.get(f"/api/v1/images/{image.pk}/analyses/")
    assert answer.status_code == 200
    return {each["analyser"]: each for each in answer.json()["analysers"]}


def test_the_owner_reads_what_became_of_a_picture(space: EmbeddingSpace, alice: User):
    image = upload(alice)
    name, done_at = encoding.name_of(space), timezone.now()
    set_state(image, name, "failed", reason_code="damaged", reason=DAMAGED)
    set_state(image, renditions.ANALYSER, "done", done_at=done_at)
    image.analyses.filter(analyser="visual_features").delete()
    told = steps(api(alice), image)
    assert list(told) == [each.name for each in wanted()]
    assert told[name] == {
        "analyser": name,
        "title": "Encoding with colour",
        "state": "failed",
        "reason_code": "damaged",
        "reason": "The picture cannot be decoded.",
        "can_retry": False,
        "done_at": None,
    }
    assert told[renditions.ANALYSER]["state"] == "done"
    assert told[renditions.ANALYSER]["done_at"] is not None
    assert told["visual_features"]["state"] == "missing"
    assert told["comparison"]["state"] == "waiting"


def test_the_reason_is_in_the_language_of_the_reader_and_its_details_in_the_log(
    space: EmbeddingSpace, alice: User
):
    image = upload(alice)
    set_state(image, encoding.name_of(space), "failed", reason_code="damaged", reason=DAMAGED)
    client = api(alice)
    client.credentials(**client._credentials, HTTP_ACCEPT_LANGUAGE="zh-hans")
    told = steps(client, image)[encoding.name_of(space)]
    assert told["reason"] not in ("", encoding.DAMAGED)
    assert "OSError" not in str(told)


@pytest.mark.parametrize(
    ("state", "code", "may_help"),
    [
        ("failed", "damaged", False),
        ("failed", "crashed", True),
        ("failed", "original_missing", True),
        ("waiting", "unknown", False),
        ("done", "", False),
    ],
)
def test_trying_again_is_offered_where_it_may_help(
    state: str, code: str, may_help: bool, space: EmbeddingSpace, alice: User
):
    image = upload(alice)
    set_state(image, renditions.ANALYSER, state, reason_code=code, reason="x")
    assert steps(api(alice), image)[renditions.ANALYSER]["can_retry"] is may_help


@pytest.mark.parametrize(("code", "may_help"), [("damaged", False), ("crashed", True)])
def test_whether_a_later_step_may_succeed_depends_on_the_earlier_one(
    code: str, may_help: bool, space: EmbeddingSpace, alice: User
):
    image = upload(alice)
    set_state(image, renditions.ANALYSER, "failed", reason_code=code, reason="x")
    set_state(image, "visual_features", "failed", reason_code="needs", reason=ledger.NEEDED)
    told = steps(api(alice), image)["visual_features"]
    assert (told["reason"], told["can_retry"]) == (ledger.NEEDED, may_help)


@pytest.mark.parametrize("visibility", ["private", "unlisted", "public"])
def test_who_may_not_change_a_picture_learns_nothing_of_it(
    visibility: str, space: EmbeddingSpace, alice: User, bob: User
):
    image = upload(alice, visibility=visibility)
    roles.take_role(bob, User.Role.MODERATOR)
    bob.save()
    for client in (api(bob), APIClient()):
        for method in ("get", "head", "options", "post", "delete"):
            call = getattr(client, method)
            there = call(f"/api/v1/images/{image.pk}/analyses/")
            nowhere = call(f"/api/v1/images/{uuid.uuid4()}/analyses/")
            assert there.status_code == nowhere.status_code == 404
            assert there.content == nowhere.content


def test_administrators_read_those_of_any_picture_but_not_the_trash(
    space: EmbeddingSpace, alice: User, boss: User
):
    image = upload(alice)
    assert steps(api(boss), image) == steps(api(alice), image)
    service.delete_image(image)
    for user in (boss, alice):
        answer = api(user).get(f"/api/v1/images/{image.pk}/analyses/")
        assert answer.status_code == 404


# --- What is away, in sentences ----------------------------------------------------------


def test_outages_are_told_by_name(space: EmbeddingSpace):
    told = titles.told(away(encoding.model_of(space)))
    assert told.startswith("Since ")
    assert told.endswith(", the model colour has not been available.")
    assert "storage of the pictures has not answered." in titles.told(away("storage"))
    assert "the model 123456 has" in titles.told(away("model-123456"))
    assert titles.told(away("something")).endswith(", something has been away.")


def test_a_model_that_is_removed_is_no_longer_away(space: EmbeddingSpace):
    beside = make_space("retired", architecture="beside")
    away(encoding.model_of(beside))
    spaces.remove(beside)
    assert not Outage.objects.exists()


# --- The admin ---------------------------------------------------------------------------


def test_the_dashboard_shows_the_table(space: EmbeddingSpace, alice: User, admin: Client):
    one, two, three = pictures(alice, 3)
    set_state(one, renditions.ANALYSER, "failed", reason_code="damaged", reason=DAMAGED)
    set_state(one, "visual_features", "failed", reason_code="needs", reason=ledger.NEEDED)
    set_state(two, renditions.ANALYSER, "failed", reason_code="crashed", reason=ledger.CRASHED)
    page = admin.get("/admin/")
    (row,) = [
        each for each in page.context["coverage"] if each["counts"].analyser == renditions.ANALYSER
    ]
    assert {each["code"]: each["count"] for each in row["failures"]} == {
        "damaged": 1,
        "crashed": 1,
    }
    text = page.content.decode()
    assert "Encoding with colour" in text
    assert "1 since an earlier step failed" in text
    for failure in row["failures"]:
        listed = admin.get(failure["link"]).context["cl"].queryset
        assert [each.reason_code for each in listed] == [failure["code"]]
        assert {each.analyser for each in listed} == {renditions.ANALYSER}
    assert three.analyses.filter(analyser="visual_features", state="waiting").exists()


def test_the_dashboard_says_what_is_away(space: EmbeddingSpace, admin: Client):
    assert "continues by itself" not in admin.get("/admin/").content.decode()
    away("storage")
    page = admin.get("/admin/").content.decode()
    assert "the storage of the pictures has not answered" in page
    assert "continues by itself" in page
    assert "/srv/pictures" in page, "administrators read what it said"


def built(architecture: str = "larger") -> EmbeddingSpace:
    return make_space("building", architecture=architecture)


@pytest.fixture
def indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes are built outside transactions, by the worker (tests/work/test_indexing.py)."""
    monkeypatch.setattr("gallery.indexing.vector_indexes.has_index", lambda space: True)


def switch(admin: Client, action: str, *args: Any, missing: Any = None) -> str:
    """Confirm an action's dialog with the number that it shows, and read the list."""
    url = reverse(f"admin:gallery_embeddingspace_{action}", args=args)
    shown = admin.get(url).context["form"]["missing"].value()
    data = {"_form_submitted": "on", "missing": shown if missing is None else missing}
    response = admin.post(url, data)
    assert response.status_code == 200
    return admin.get(response["HX-Redirect"]).content.decode()


def test_the_dialog_says_what_would_go_missing_and_confirming_agrees(
    space: EmbeddingSpace, alice: User, admin: Client, indexed: None
):
    new = built()
    one, two, three = pictures(alice, 3)
    for image in (one, two, three):
        set_vector(image, space, [1, 0, 0])
    set_vector(one, new, [1, 0, 0])
    url = reverse("admin:gallery_embeddingspace_activate", args=[new.pk])
    page = admin.get(url).content.decode()
    assert "2 pictures that are found now would be found no longer" in page
    assert "Searches use larger now." in switch(admin, "activate", new.pk)


def test_what_has_grown_since_the_dialog_was_read_is_refused(
    space: EmbeddingSpace, alice: User, admin: Client, indexed: None
):
    new = built()
    one, two = pictures(alice, 2)
    set_vector(one, space, [1, 0, 0])
    set_vector(two, space, [1, 0, 0])
    page = switch(admin, "activate", new.pk, missing=1)
    assert "2 pictures that are found now have no vector of this model." in page
    assert spaces.active_space() == space


@pytest.mark.parametrize("missing", ["", "0"])
def test_who_has_agreed_to_nothing_loses_nothing(
    missing: str, space: EmbeddingSpace, alice: User, admin: Client, indexed: None
):
    new = built()
    set_vector(upload(alice), space, [1, 0, 0])
    page = switch(admin, "activate", new.pk, missing=missing)
    assert "1 picture that is found now has no vector of this model." in page
    assert spaces.active_space() == space


@pytest.mark.parametrize("missing", ["many", "-1"])
def test_what_is_no_number_agrees_to_nothing(
    missing: str, space: EmbeddingSpace, alice: User, admin: Client, indexed: None
):
    new = built()
    set_vector(upload(alice), space, [1, 0, 0])
    url = reverse("admin:gallery_embeddingspace_activate", args=[new.pk])
    response = admin.post(url, {"_form_submitted": "on", "missing": missing})
    assert (response.status_code, "HX-Redirect" in response) == (200, False)
    assert spaces.active_space() == space


def test_a_space_that_finds_all_is_activated_without_a_warning(
    space: EmbeddingSpace, alice: User, admin: Client, indexed: None
):
    new = built()
    image = upload(alice)
    set_vector(image, space, [1, 0, 0])
    set_vector(image, new, [1, 0, 0])
    url = reverse("admin:gallery_embeddingspace_activate", args=[new.pk])
    assert "Every picture that is found now will be found then." in admin.get(url).content.decode()
    assert "Searches use larger now." in switch(admin, "activate", new.pk)


def test_the_trash_would_not_go_missing(space: EmbeddingSpace, alice: User, indexed: None):
    new = built()
    image = upload(alice)
    set_vector(image, space, [1, 0, 0])
    service.delete_image(image)
    spaces.activate(new)
    assert spaces.active_space() == new


def test_going_back_says_what_would_go_missing_too(
    space: EmbeddingSpace, alice: User, admin: Client, indexed: None
):
    former = make_space("retired", architecture="former", activated_at=timezone.now())
    one, two = pictures(alice, 2)
    set_vector(one, space, [1, 0, 0])
    set_vector(two, space, [1, 0, 0])
    url = reverse("admin:gallery_embeddingspace_roll_back")
    assert "2 pictures that are found now" in admin.get(url).content.decode()
    assert "have no vector" in switch(admin, "roll_back", missing=1)
    assert spaces.active_space() == space
    assert "Searches use former now." in switch(admin, "roll_back")
    assert spaces.active_space() == former


def test_there_may_be_nothing_to_go_back_to(space: EmbeddingSpace, admin: Client):
    assert "no earlier model" in switch(admin, "roll_back", missing="")


def test_the_list_of_spaces_has_the_number(space: EmbeddingSpace, alice: User, admin: Client):
    built()
    make_space("failed", architecture="broken", dimensions=None)
    set_vector(upload(alice), space, [1, 0, 0])
    page = admin.get(reverse("admin:gallery_embeddingspace_changelist"))
    of = page.context["cl"].model_admin.would_go_missing
    shown = {each.architecture: of(each) for each in page.context["cl"].queryset}
    assert shown == {"colour": None, "larger": 1, "broken": None}
    detail = reverse("admin:gallery_embeddingspace_change", args=[built("third").pk])
    assert "ould go missing" in admin.get(detail).content.decode()


# --- The command -------------------------------------------------------------------------


def test_the_command_agrees_with_a_number(
    space: EmbeddingSpace, alice: User, indexed: None, capsys: pytest.CaptureFixture[str]
):
    new = built()
    one, two = pictures(alice, 2)
    set_vector(one, space, [1, 0, 0])
    set_vector(two, space, [1, 0, 0])
    call_command("spaces", "list")
    assert "would go missing 2" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"2 pictures .* --missing"):
        call_command("spaces", "activate", str(new.pk))
    with pytest.raises(CommandError, match="2 pictures"):
        call_command("spaces", "activate", str(new.pk), "--missing", "1")
    assert spaces.active_space() == space
    call_command("spaces", "activate", str(new.pk), "--missing", "2")
    assert spaces.active_space() == new


def test_in_an_emergency_one_goes_back_whatever_is_missing(space: EmbeddingSpace, alice: User):
    former = make_space("retired", architecture="former", activated_at=timezone.now())
    set_vector(upload(alice), space, [1, 0, 0])
    with pytest.raises(Refusal):
        spaces.roll_back(missing=0)
    assert spaces.roll_back() == former
    assert not Backfill.objects.filter(pk=encoding.name_of(former)).exists()
