"""The modules of the pages that need no page, tested by Node (`tests/javascript/`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "tests" / "javascript"


@pytest.mark.parametrize("tests", sorted(FOLDER.glob("*.test.js")), ids=lambda path: path.stem)
def test_modules(tests: Path) -> None:
    # Node of the virtual environment, whatever else the machine has.
    node = shutil.which("node", path=f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}")
    assert node, "Node is installed with requirements-dev.txt"
    done = subprocess.run(
        [node, "--import", str(FOLDER / "modules.js"), "--test", str(tests)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
