"""What goes wrong with the data or the machine, in one sentence for whoever runs the pipeline."""

from __future__ import annotations


class Unusable(Exception):
    """The pipeline cannot go on. The message says what is missing and where."""
