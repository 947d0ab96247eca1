"""The installed packages: exact versions with hashes, within the ranges that people write."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(settings.BASE_DIR)
LOCK = ROOT / "requirements" / "lock"
SOURCES = {
    "dev": ["requirements-dev.txt"],
    "all": ["requirements.txt"],
    "web": ["requirements/web.txt"],
    "media": ["requirements/web.txt", "requirements/map.txt"],
    "worker": ["requirements/worker.txt"],
}
PYTHONS = ["3.11", "3.12", "3.13"]
MACHINES = ["x86_64", "aarch64"]


@dataclass(frozen=True)
class Pinned:
    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        (only,) = self.requirement.specifier
        assert only.operator == "==", self.requirement
        return only.version

    def applies(self, python: str, machine: str) -> bool:
        marker = self.requirement.marker
        return marker is None or marker.evaluate(
            {
                **default_environment(),
                "python_version": python,
                "python_full_version": f"{python}.0",
                "platform_machine": machine,
                "platform_system": "Linux",
                "sys_platform": "linux",
            }
        )


def pinned(name: str) -> list[Pinned]:
    text = (LOCK / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        requirement, *hashes = re.split(r"\s+--hash=", line)
        found.append(Pinned(Requirement(requirement), tuple(hashes)))
    return found


def wanted(path: str) -> list[Requirement]:
    """Return the requirements of a file and of the files that it names."""
    found = []
    for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r "):
            found += wanted(str(Path(path).parent / line[3:].strip()))
        elif line:
            found.append(Requirement(line))
    return found


@pytest.mark.parametrize("name", SOURCES)
def test_everything_has_one_version_and_hashes(name: str) -> None:
    entries = pinned(name)
    assert len(entries) > 30
    for entry in entries:
        assert entry.version
        assert entry.requirement.url is None
        assert entry.hashes, entry.name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in entry.hashes)
    for python in PYTHONS:
        for machine in MACHINES:
            names = [entry.name for entry in entries if entry.applies(python, machine)]
            assert len(names) == len(set(names)), "no package twice"


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("machine", MACHINES)
def test_what_people_ask_for_is_locked_within_its_range(
    name: str, python: str, machine: str
) -> None:
    locked = {entry.name: entry for entry in pinned(name) if entry.applies(python, machine)}
    for source in SOURCES[name]:
        for requirement in wanted(source):
            entry = locked.get(canonicalize_name(requirement.name))
            assert entry is not None, f"{requirement} is not locked: make lock"
            assert requirement.specifier.contains(entry.version, prereleases=True), (
                f"{requirement} is locked as {entry.version}: make lock"
            )


@pytest.mark.parametrize("name", sorted(set(SOURCES) - {"dev"}))
def test_all_installations_have_the_same_versions(name: str) -> None:
    everything = {
        (entry.name, str(entry.requirement.marker)): entry.version for entry in pinned("dev")
    }
    versions = {entry.name: set() for entry in pinned("dev")}
    for entry in pinned("dev"):
        versions[entry.name].add(entry.version)
    assert everything
    for entry in pinned(name):
        assert entry.version in versions[entry.name], entry.name


@pytest.mark.parametrize("name", SOURCES)
def test_a_lock_names_no_place_to_install_from(name: str) -> None:
    text = (LOCK / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(--index|--extra|--find|-i |-f |#)", text, re.MULTILINE)


def test_make_and_the_images_install_by_hash_alone() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "--require-hashes" in re.search(r"^pip_install = .*\n.*$", makefile, re.MULTILINE)[0]
    assert re.findall(r"pip_install,\$\(LOCK\)/(\w+)\.txt", makefile) == ["all", "dev"]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for command in re.findall(r"pip install (.*)", dockerfile):
        assert command.startswith("--require-hashes -r requirements/lock/"), command


# --- The worker without what GPUs need --------------------------------------------


@pytest.fixture
def pip(tmp_path: Path) -> Path:
    """A replacement for pip that records its arguments."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "pip"
    program.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n')
    program.chmod(0o755)
    return tmp_path / "asked"


def install_worker(pip: Path, *arguments: str) -> list[str]:
    lock = pip.parent / "worker.txt"
    lock.write_bytes((LOCK / "worker.txt").read_bytes())
    subprocess.run(
        ["sh", ROOT / "deploy" / "install-worker.sh", lock, *arguments],
        env={"PATH": f"{pip.parent}/bin:/usr/bin:/bin"},
        timeout=30,
        check=True,
    )
    return pip.read_text().splitlines()


def test_the_worker_is_installed_by_hash(pip: Path) -> None:
    assert install_worker(pip, "") == [f"install --require-hashes -r {pip.parent}/worker.txt"]


def test_the_worker_for_a_cpu_leaves_out_what_gpus_need(pip: Path) -> None:
    asked = install_worker(pip, "https://wheels.example/cpu")
    versions = {entry.name: entry.version for entry in pinned("worker")}
    torch, vision = versions["torch"], versions["torchvision"]
    assert asked == [
        f"install --index-url https://wheels.example/cpu --no-deps torch=={torch} "
        f"torchvision=={vision}",
        f"install --require-hashes --no-deps -r {pip.parent}/worker.txt.cpu",
        "check",
    ]
    text = (pip.parent / "worker.txt.cpu").read_text(encoding="utf-8")
    kept = set(re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE))
    left_out = set(versions) - kept
    assert {"torch", "torchvision", "triton", "nvidia-cudnn-cu13"} <= left_out
    assert all(each.startswith(("torch", "triton", "nvidia-", "cuda-")) for each in left_out), (
        left_out
    )
    assert "open-clip-torch" in kept
    assert text.count("--hash=sha256:") > 500


def test_this_machine_runs_what_is_locked() -> None:
    """The installed packages have the locked versions: a lock that nobody has tried is worth
    nothing."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    installed = dict(line.split("==", 1) for line in listed.splitlines() if "==" in line)
    there = {canonicalize_name(name): version for name, version in installed.items()}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    entries = [entry for entry in pinned("dev") if entry.applies(python, "x86_64")]
    same = [entry.name for entry in entries if there.get(entry.name) == entry.version]
    assert len(same) > 0.9 * len(entries)
