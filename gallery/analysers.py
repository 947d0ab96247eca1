"""All analysers that pictures pass. The first of a kind of worker are the first to get to work."""

from gallery.indexing import encoding, near_duplicates
from gallery.library import rendering, visual_features
from gallery.work import analyser


def register() -> None:
    for module in (encoding, rendering, visual_features, near_duplicates):
        analyser.register(module.analysers)
