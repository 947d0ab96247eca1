"""Where the files of the pages are."""

from __future__ import annotations

from functools import cached_property

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Django puts an address together from the manifest each time it is asked, and a page has
    a hundred of them: a tenth of its time. They change with a new release only."""

    @cached_property
    def _addresses(self) -> dict[str, str]:
        return {}

    def url(self, name: str, force: bool = False) -> str:
        if name not in self._addresses or force:
            self._addresses[name] = super().url(name, force)
        return self._addresses[name]
