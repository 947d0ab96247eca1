"""The admin, with one module for each subject. Importing them registers their pages."""

from gallery.admin import (
    access,
    accounts,
    albums,
    explore,
    failures,
    images,
    labels,
    recall,
    searches,
    spaces,
    trail,
    uploads,
)

__all__ = [
    "access",
    "accounts",
    "albums",
    "explore",
    "failures",
    "images",
    "labels",
    "recall",
    "searches",
    "spaces",
    "trail",
    "uploads",
]
