"""Views that open or close an account, so that the owner must confirm with the password."""

from __future__ import annotations

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from gallery.accounts import confirmation
from gallery.api.authentication import TokenAuthentication
from gallery.api.serializers.accounts import OwnPasswordSerializer
from gallery.api.views.base import ApiView


class ConfirmedView(ApiView):
    permission_classes = [IsAuthenticated]
    # For the schema: a DELETE also has a body, with the password.
    body_on_delete = True

    def confirm(self, request: Request) -> None:
        """Check the password. Raises Refusal (password_required, wrong_password,
        too_many_tries)."""
        form = OwnPasswordSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        confirmation.confirm(
            request._request,
            self.account(),
            form.validated_data.get("password", ""),
            by_token=self.is_by_token(request),
        )

    @staticmethod
    def is_by_token(request: Request) -> bool:
        return isinstance(request.successful_authenticator, TokenAuthentication)
