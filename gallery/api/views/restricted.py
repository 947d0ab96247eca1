"""Views for some roles. Everybody else gets 404."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from gallery.accounts import roles
from gallery.api.views.base import ApiView
from gallery.models import Viewer


class RestrictedView(ApiView):
    # For the schema: these views may answer 404.
    is_restricted = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not self.is_for(request.user):
            raise NotFound(_("Nothing is at this address."))

    def is_for(self, user: Viewer) -> bool:
        raise NotImplementedError


class ModeratorView(RestrictedView):
    def is_for(self, user: Viewer) -> bool:
        return roles.is_moderator(user)


class AdministratorView(RestrictedView):
    def is_for(self, user: Viewer) -> bool:
        return roles.is_administrator(user)
