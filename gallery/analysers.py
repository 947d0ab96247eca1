"""All analysers that pictures pass. Each worker takes its analysers in this order."""

from gallery.indexing import encoding, near_duplicates
from gallery.labels import labelling
from gallery.library import rendering, visual_features
from gallery.work import analyser


def register() -> None:
    for module in (encoding, rendering, visual_features, near_duplicates, labelling):
        analyser.register(module.analysers)
