"""Problems with the data or the machine, as one sentence for the user of the pipeline."""

from __future__ import annotations


class Unusable(Exception):
    """The pipeline cannot continue. The message says what is missing and where."""
