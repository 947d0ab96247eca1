"""manage.py classify."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from gallery.encoders import client
from gallery.models import EmbeddingSpace, LabelSet, User
from tests.conftest import draw
from tests.labels.tools import labels, make_set, picture, vector_of_text

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("classify", *arguments, stdout=out)
    return out.getvalue()


def test_a_set_is_applied_by_name_or_id(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog", "cat", name="Animals")
    told = run("--label-set", "animals", "--owner", "alice", "--dry-run")
    assert told.splitlines()[0] == "+1 −0, 0 stay"
    assert labels(label_set) == {}
    told = run("--label-set", str(label_set.pk))
    assert told == "done: +1 −0, 1 of 1 pictures\n"
    assert labels(label_set) == {image.pk: {"dog"}}
    assert LabelSet.objects.get().applied is not None


def test_a_set_of_the_site_needs_no_owner(alice: User, admin: User, space: EmbeddingSpace) -> None:
    picture(alice, space, dog=1)
    make_set(admin, "dog", name="Animals", site=True)
    assert run("--label-set", "Animals").startswith("done: +1")


@pytest.mark.parametrize(
    "arguments",
    [("--label-set", "nothing"), ("--label-set", "x", "--owner", "nobody"), ("--label-set", "")],
)
def test_what_is_not_there_is_said(arguments: tuple[str, ...], space: EmbeddingSpace) -> None:
    with pytest.raises(CommandError):
        run(*arguments)


def test_a_set_is_evaluated_by_folders(
    alice: User, space: EmbeddingSpace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red pictures are dogs to this encoder, others cats."""

    def encode(_space: Any, packed: bytes) -> Any:
        from gallery.pixels.decode import unpack

        red, _green, blue = np.asarray(unpack(packed))[0, 0]
        return vector_of_text("dog" if red > blue else "cat")

    monkeypatch.setattr(client, "encode_picture", encode)
    for name, colours in {"dog": ["red", "darkred", "blue"], "cat": ["navy"]}.items():
        (tmp_path / name).mkdir()
        for colour in colours:
            (tmp_path / name / f"{colour}.jpg").write_bytes(draw(colour=colour))
    (tmp_path / "cat" / "notes.txt").write_text("no picture")
    make_set(alice, "dog", "cat", name="Animals")
    told = run("--label-set", "Animals", "--owner", "alice", "--evaluate", str(tmp_path))
    assert "4 pictures, 1 left out: accuracy 0.750" in told
    (tmp_path / "bird").mkdir()
    with pytest.raises(CommandError):
        run("--label-set", "Animals", "--owner", "alice", "--evaluate", str(tmp_path))
