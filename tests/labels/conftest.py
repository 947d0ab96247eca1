from __future__ import annotations

import pytest

from gallery.models import EmbeddingSpace, User
from tests.labels import tools


@pytest.fixture
def space(db: None, monkeypatch: pytest.MonkeyPatch) -> EmbeddingSpace:
    """The active space, with an encoder that knows `tools.WORDS`."""
    tools.fake_encoder(monkeypatch)
    return tools.word_space()


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.org", "root-password")
