"""Evaluation of the search in the library itself."""
