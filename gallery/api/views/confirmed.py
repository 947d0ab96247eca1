"""Acts that open or close an account, for whoever is its owner beyond doubt."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from gallery.accounts import second_factor
from gallery.api.authentication import TokenAuthentication
from gallery.api.serializers.accounts import OwnPasswordSerializer
from gallery.api.views.base import ApiView
from gallery.errors import Refusal


class ConfirmedView(ApiView):
    permission_classes = [IsAuthenticated]
    # For the schema: the password is in the body of a DELETE, too.
    body_on_delete = True

    def confirm(self, request: Request) -> None:
        """A token may have been copied: with one, the body has to hold the password.

        Raises Refusal (password_required, wrong_password, too_many_tries).
        """
        if not isinstance(request.successful_authenticator, TokenAuthentication):
            return
        form = OwnPasswordSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        password = form.validated_data.get("password")
        if not password:
            raise Refusal(
                "password_required",
                _("With a token, this also needs the password of the account."),
                "password",
            )
        second_factor.confirm_password(self.account(), password)
