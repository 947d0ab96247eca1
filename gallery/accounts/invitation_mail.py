"""Sends invitations by mail."""

from __future__ import annotations

import logging

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from gallery.models import Invitation

logger = logging.getLogger(__name__)


def send(invitation: Invitation, address: str) -> bool:
    """Mail the sign-up address, in the language of the inviting user. Return False if the
    invitation has no email address or the mail server refuses: the invitation stays valid, and
    `address` can be passed on by hand."""
    if not invitation.email:
        return False
    text = render_to_string(
        "account/email/invitation_message.txt", {"invitation": invitation, "address": address}
    )
    try:
        send_mail(_("You are invited to Clipsite"), text, None, [invitation.email])
    except OSError as error:  # SMTP's own errors are of this kind, too
        logger.warning("The invitation %s could not be sent: %s", invitation.pk, error)
        return False
    return True
