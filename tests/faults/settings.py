"""The site's settings, with a storage that can fail and a counter of encodings."""

from clipsite.settings import *  # noqa: F403
from clipsite.settings import DATA_DIR, INSTALLED_APPS, STORAGES

FAULTS_DIR = DATA_DIR / "faults"

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.counting.Counting"]
STORAGES = {**STORAGES, "default": {"BACKEND": "tests.faults.storage.FaultyStorage"}}
