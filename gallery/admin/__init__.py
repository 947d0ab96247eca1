"""The admin, one module a subject. Importing them registers their pages."""

from gallery.admin import accounts, failures, images, spaces

__all__ = ["accounts", "failures", "images", "spaces"]
