from __future__ import annotations

from django.http import HttpRequest

from gallery.models import EmbeddingSpace

# The cookie of an administrator who has read the note about the starter model.
NOTE_COOKIE = "starter_note"


def is_starter(space: EmbeddingSpace | None) -> bool:
    """Whether this is the small model that comes with Clipsite."""
    return space is not None and space.architecture == "starter"


def shows_starter_note(request: HttpRequest, space: EmbeddingSpace | None) -> bool:
    """Whether a page names the weaknesses of the starter model: to administrators, who alone can
    change it, until they dismiss the note."""
    is_administrator = getattr(request.user, "is_administrator", False)
    return is_administrator and NOTE_COOKIE not in request.COOKIES and is_starter(space)
