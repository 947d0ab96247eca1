"""An invitation on its way to the invited person."""

from __future__ import annotations

import logging

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from gallery.models import Invitation

logger = logging.getLogger(__name__)


def send(invitation: Invitation, address: str) -> bool:
    """Send `address`, where the invited person signs up, in the language of who
    invites. False if there is nobody to send it to, or the mail server refuses: the
    invitation is good all the same, and its address can be passed on by hand."""
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
