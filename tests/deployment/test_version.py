"""The version is defined in one place, and all copies of it agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml
from django.conf import settings
from setuptools.config.pyprojecttoml import read_configuration

from clipsite import __version__

ROOT = Path(settings.BASE_DIR)


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_it_is_a_release() -> None:
    """The release's tag is `v` and this version."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_the_project_reads_it() -> None:
    assert "version" not in tomllib.loads(read("pyproject.toml"))["project"]
    assert read_configuration(ROOT / "pyproject.toml")["project"]["version"] == __version__


def test_the_schema_has_it() -> None:
    assert settings.SPECTACULAR_SETTINGS["VERSION"] == __version__
    assert yaml.safe_load(read("docs/openapi.yaml"))["info"]["version"] == __version__


def test_both_images_are_labelled_with_it() -> None:
    first, *stages = re.split(r"^FROM ", read("Dockerfile"), flags=re.MULTILINE)
    assert re.findall(r"^ARG VERSION=(.*)$", first, re.MULTILINE) == [__version__]
    for name in ("web", "worker"):
        (stage,) = [each for each in stages if each.startswith(f"base AS {name}\n")]
        assert re.search(r"^ARG VERSION$", stage, re.MULTILINE)
        assert 'org.opencontainers.image.version="$VERSION"' in stage


def test_the_documents_name_it() -> None:
    assert f'"version": "{__version__}"' in read("docs/api.md")
    series = __version__.rpartition(".")[0]
    assert f"({series}.x)" in read("SECURITY.md")
