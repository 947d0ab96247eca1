"""The real worker, end to end: meaning, load, kills, and a broker that goes away."""

from __future__ import annotations

import io
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db.models import QuerySet
from PIL import Image as PILImage
from skimage import data as photographs

from gallery.classification import service as classification
from gallery.encoders import client, reply
from gallery.errors import Unavailable
from gallery.indexing import encoding, spaces
from gallery.indexing.vectors import stored_vector
from gallery.library.query_picture import read_query_picture
from gallery.models import Analysis, Embedding, EmbeddingSpace, Image, Outage, User
from gallery.pixels.decode import decode_rgb, pack
from gallery.search import service
from gallery.work import ledger, originals
from tests import bombs
from tests.conftest import draw, upload, wait_for
from tests.factories import state_of
from tests.stack import Stack

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]


def photograph(name: str) -> bytes:
    buffer = io.BytesIO()
    PILImage.fromarray(getattr(photographs, name)()).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def encodings() -> QuerySet[Analysis]:
    return Analysis.objects.filter(analyser__startswith="encoding-")


def all_encoded() -> bool:
    return not encodings().exclude(state="done").exists()


@pytest.fixture
def photos(encoder_worker: Any, alice: User) -> dict[str, Image]:
    stored = {
        name: upload(alice, photograph(name))
        for name in ("astronaut", "chelsea", "coffee", "rocket")
    }
    wait_for(all_encoded, what="all photographs are encoded")
    return stored


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a cat", "chelsea"),
        ("一只猫", "chelsea"),
        ("a cup of coffee", "coffee"),
        ("一杯咖啡", "coffee"),
        ("a tower at night", "rocket"),
        ("火箭", "rocket"),
    ],
)
def test_words_find_the_photograph(
    text: str, name: str, photos: dict[str, Image], alice: User, bob: User
) -> None:
    results = service.search_text(text, alice)
    assert results.hits[0].image == photos[name]
    assert len(results.hits) == 4
    assert {"encode", "search", "total"} <= set(results.took_ms)
    assert service.search_text(text, bob).hits == []


def test_a_picture_that_is_not_kept_finds_its_like(photos: dict[str, Image], alice: User) -> None:
    crop = PILImage.fromarray(photographs.chelsea()[20:280, 40:400])
    buffer = io.BytesIO()
    crop.save(buffer, "PNG")
    picture = read_query_picture(io.BytesIO(buffer.getvalue()), "cat.png", AnonymousUser())
    results = service.search_picture(picture, alice)
    assert results.hits[0].image == photos["chelsea"]
    assert results.exact_copies == []

    same = read_query_picture(io.BytesIO(photograph("chelsea")), "cat.jpg", AnonymousUser())
    results = service.search_picture(same, alice)
    assert photos["chelsea"] not in [hit.image for hit in results.hits]
    assert results.exact_copies == [photos["chelsea"]]


def test_stored_and_shown_pictures_meet_at_the_same_vector(
    photos: dict[str, Image], alice: User
) -> None:
    space = spaces.require_active_space()
    shown = client.encode_picture(space, pack(decode_rgb(io.BytesIO(photograph("rocket")))))
    assert shown @ stored_vector(photos["rocket"], space) == pytest.approx(1, abs=1e-3)


def test_categories_in_both_languages(photos: dict[str, Image], alice: User) -> None:
    for names in (["dog", "cat", "car", "house"], ["狗", "猫", "汽车", "房子"]):
        answer = classification.classify_image(photos["chelsea"], names, none_of_these=True)
        assert answer.results[0].classname == names[1]
        assert answer.results[0].probability > 0.5
        assert sum(r.probability for r in answer.results) == pytest.approx(1, abs=1e-4)


def test_a_text_vector_is_asked_for_once(
    photos: dict[str, Image], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.search_text("a  cat", alice)
    monkeypatch.setattr(reply, "heartbeat", lambda: None)  # as if there were no worker
    assert service.search_text("a cat ", alice).hits


def test_fifty_queries_at_once(photos: dict[str, Image], settings: Any) -> None:
    settings.QUERY_TIMEOUT_SECONDS = 30.0
    space = spaces.require_active_space()
    texts = [f"picture number {number}" for number in range(50)]
    alone = client.encode_texts(space, texts)
    cache.delete_pattern("*")
    with ThreadPoolExecutor(50) as pool:
        together = list(pool.map(lambda text: client.encode_texts(space, [text])[0], texts))
    np.testing.assert_allclose(np.stack(together), alone, atol=1e-5)


def test_small_files_that_ask_for_much_are_encoded(encoder_worker: Any, alice: User) -> None:
    """Each has 34 bytes and 31 megapixels. Once sixteen took 7 GB, and killed the worker."""
    process = Path("/proc", str(encoder_worker.pid))
    (process / "clear_refs").write_text("5")  # the peak begins anew
    before = peak_of(process)
    images = [upload(alice, bombs.webp_lossless(5600 + number, 5600)) for number in range(8)]

    wait_for(lambda: all(state_of(image) == "ready" for image in images), 120, "eight vectors")
    assert encoder_worker.poll() is None
    assert peak_of(process) - before < 300
    assert client.encode_texts(spaces.require_active_space(), ["still there"]).shape[0] == 1


def peak_of(process: Path) -> float:
    """Return the peak memory of the process in megabytes."""
    lines = (process / "status").read_text().splitlines()
    (peak,) = (int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return peak / 1024


def test_a_query_does_not_wait_behind_an_indexing_batch(
    photos: dict[str, Image], alice: User
) -> None:
    """Rings flood the worker while it encodes. It answers queries in between."""
    for number in range(60):
        upload(alice, draw(colour=(number * 4, 0, 99)))
    for _ in range(20):
        ledger.requeue([], encoding.analysers())
    answered_while_busy = 0
    while not all_encoded():
        service.search_text(f"query {answered_while_busy}", alice)
        answered_while_busy += not all_encoded()
    assert answered_while_busy >= 3


def test_a_lost_answer_frees_its_thread_at_the_timeout(
    encoder_worker: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than the five seconds of the Redis client, which must not shorten it.
    settings.QUERY_TIMEOUT_SECONDS = 6.0
    monkeypatch.setattr(reply, "_pool", None)
    monkeypatch.setattr("gallery.encoders.client.current_app.send_task", lambda *a, **k: None)
    started = time.monotonic()
    with pytest.raises(Unavailable) as unavailable:
        client.encode_texts(spaces.require_active_space(), ["never answered"])
    assert unavailable.value.code == "encoder_slow"
    assert 6 <= time.monotonic() - started < 15


def test_a_model_that_cannot_be_loaded_is_said_to_the_asker(encoder_worker: Any) -> None:
    space = spaces.add_space("no-such-model", "tag")
    wait_for(lambda: EmbeddingSpace.objects.filter(pk=space.pk, state="failed").exists())
    with pytest.raises(Unavailable, match="knows no architecture"):
        client.encode_texts(space, ["a dog"])
    assert spaces.active_space() is not None
    space.refresh_from_db()
    spaces.remove(space)


def test_vectors_of_changed_weights_are_not_given(encoder_worker: Any) -> None:
    space = spaces.require_active_space()
    space.checksum = "of other weights"
    with pytest.raises(Unavailable, match="weights of starter have changed"):
        client.encode_texts(space, ["a dog"])


# --- Kills and outages, on a stack of their own -----------------------------------


@pytest.fixture
def stack(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Stack]:
    # The tests' own rings are lost, as in all tests without the session's workers. The sweep of the
    # stack makes up for it.
    running = Stack(tmp_path / "stack")
    settings.MEDIA_ROOT = str(running.media)
    spaces.ensure_first_space()
    try:
        yield running
    finally:
        running.close()


def test_a_worker_killed_in_a_batch_loses_nothing(stack: Stack, alice: User) -> None:
    stack.start_broker()
    worker = stack.start_encoder()
    stack.start_media()
    stack.start_beat()
    names = ["astronaut", "chelsea", "coffee", "rocket"]
    stored = {name: upload(alice, photograph(name)) for name in names}
    for number in range(30):
        upload(alice, draw(800, 600, colour=(number * 4, 9, 99)))
    wait_for(lambda: Embedding.objects.exists(), what="work has begun")
    wait_for(lambda: encodings().filter(claim__isnull=False).exists(), what="a batch is held")
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)
    assert encodings().filter(state="waiting").exists()
    assert not encodings().filter(state="failed").exists()

    stack.start_encoder()
    wait_for(all_encoded, 90, "every picture is encoded after the kill")
    space = spaces.require_active_space()
    for name, image in stored.items():
        expected = _encode_here(photograph(name))
        assert stored_vector(image, space) @ expected == pytest.approx(1, abs=2e-3)


def test_a_storage_that_is_away_for_a_while_costs_no_picture_anything(
    stack: Stack, alice: User
) -> None:
    stack.start_broker()
    for number in range(6):
        upload(alice, draw(800, 600, colour=(number * 40, 9, 99)))
    elsewhere = stack.media.rename(stack.media.with_name("elsewhere"))
    stack.start_encoder()
    stack.start_media()
    stack.start_beat()
    away = Outage.objects.filter(thing=originals.STORAGE)
    wait_for(lambda: away.filter(asked__gte=2).exists(), 90, "it was asked for again")
    assert not Embedding.objects.exists()
    elsewhere.rename(stack.media)
    left = Analysis.objects.exclude(state="done")
    wait_for(lambda: not left.exists() and all_encoded(), 120, "everything is done by itself")
    assert Embedding.objects.count() == 6
    assert not Outage.objects.exists()


def _encode_here(data: bytes) -> np.ndarray:
    from gallery.encoders.registry import get_encoder

    return get_encoder("starter").encode_images([decode_rgb(io.BytesIO(data))])[0]


def test_the_broker_down_during_an_upload(stack: Stack, alice: User) -> None:
    """The upload succeeds, the search says why it fails, and the sweep catches up."""
    from gallery.accounts import tokens

    _, token = tokens.sign_in(alice)
    headers = {"Authorization": f"Token {token}"}
    broker = stack.start_broker()
    stack.start_web()
    stack.start_encoder()
    stack.start_media()
    stack.start_beat()
    broker.send_signal(signal.SIGKILL)
    broker.wait(10)

    def get(path: str, **params: str) -> requests.Response:
        return requests.get(
            f"{stack.url}/api/v1/{path}", params=params, headers=headers, timeout=20
        )

    answer = requests.post(
        f"{stack.url}/api/v1/images/",
        files={"file": ("cat.jpg", photograph("chelsea"))},
        headers=headers,
        timeout=20,
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "pending"
    searched = get("search/", q="a cat")
    assert searched.status_code == 503
    assert searched.headers["Retry-After"]
    assert searched.json()["errors"][0]["code"] == "broker_down"
    assert get("ready/").json()["broker"]["ok"] is False

    stack.start_broker()
    wait_for(lambda: state_of(Image.objects.get()) == "ready", 60, "encoded after the outage")
    wait_for(lambda: get("search/", q="a cat").status_code == 200, 60, "search works again")
    assert get("search/", q="a cat").json()["results"][0]["image"]["id"] == answer.json()["id"]
