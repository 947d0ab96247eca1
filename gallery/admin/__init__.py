"""The admin, one module a subject. Importing them registers their pages."""

from gallery.admin import access, accounts, albums, failures, images, spaces, uploads

__all__ = ["access", "accounts", "albums", "failures", "images", "spaces", "uploads"]
