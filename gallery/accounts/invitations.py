"""Invitations to register. Moderators and administrators create them; each works once."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import trail
from gallery.errors import Refusal
from gallery.library import caps
from gallery.models import Invitation, User
from gallery.trail import Event

DEFAULT_DAYS = 7
MAX_DAYS = 365


def given_by(user: User) -> QuerySet[Invitation]:
    """The invitations that `user` may see and revoke: their own, or for administrators all."""
    if not user.is_moderator:
        return Invitation.objects.none()
    everybodys = Invitation.objects.select_related("created_by", "used_by")
    return everybodys if user.is_administrator else everybodys.filter(created_by=user)


def invite(by: User, email: str = "", days: int = DEFAULT_DAYS) -> Invitation:
    """Create an invitation. With an email address, only its owner may use the invitation.

    Raises Refusal (bad_days, bad_email, email_taken, too_many_invitations).
    """
    if not 1 <= days <= MAX_DAYS:
        raise Refusal(
            "bad_days", _("Give a number of days from 1 to %(most)d.") % {"most": MAX_DAYS}, "days"
        )
    with transaction.atomic():
        caps.hold_room(caps.INVITATIONS, by)
        given = Invitation.objects.filter(created_by=by)
        caps.keep_latest(given.exclude(pk__in=given.live().values("pk")), caps.ENDED_KEPT)
        invitation = Invitation.objects.create(
            created_by=by,
            email=_clean_email(email),
            expires_at=timezone.now() + timedelta(days=days),
        )
        trail.record(Event.INVITATION_MADE, by, invitation, by=by, days=days)
    return invitation


def usable(code: str) -> Invitation | None:
    """The invitation with this code. None if it is used, revoked or expired, or if its creator
    may no longer invite."""
    if "\x00" in code:  # PostgreSQL cannot store it
        return None
    found = Invitation.objects.live().filter(code=code).select_related("created_by").first()
    if found is None or not (found.created_by.is_active and found.created_by.is_moderator):
        return None
    return found


def refuse_other_address(invitation: Invitation, email: str) -> None:
    """Raise Refusal (other_address) if the invitation is for somebody else."""
    if invitation.email and invitation.email.lower() != email.lower():
        raise Refusal(
            "other_address",
            _("This invitation is for %(email)s: sign up with that address.")
            % {"email": invitation.email},
            "email",
        )


def redeem(code: str, email: str) -> Invitation:
    """Return the invitation, locked until the transaction ends: if two people use it at once,
    the second is refused. `mark_used` completes this.

    Raises Refusal (invitation_gone, other_address).
    """
    held = Invitation.objects.select_for_update(no_key=True).filter(code=code).first()
    invitation = usable(code) if held is not None else None
    if invitation is None:
        raise Refusal(
            "invitation_gone",
            _("This invitation has been used, revoked, or is too old. Ask for a new one."),
        )
    refuse_other_address(invitation, email)
    return invitation


def mark_used(invitation: Invitation, by: User) -> None:
    invitation.used_by, invitation.used_at = by, timezone.now()
    invitation.save(update_fields=["used_by", "used_at"])
    trail.record(Event.INVITATION_USED, invitation.created_by, invitation, by=by)


def revoke(invitation: Invitation) -> None:
    """Revoke an invitation, so that nobody can register with it. A used one stays used."""
    if invitation.used_at is None and invitation.revoked_at is None:
        invitation.revoked_at = timezone.now()
        with transaction.atomic():
            invitation.save(update_fields=["revoked_at"])
            trail.record(Event.INVITATION_REVOKED, invitation.created_by, invitation)


def state_of(invitation: Invitation) -> str:
    """The state of an invitation: open, used, revoked or expired."""
    if invitation.used_at is not None:
        return "used"
    if invitation.revoked_at is not None:
        return "revoked"
    return "open" if invitation.expires_at > timezone.now() else "expired"


def _clean_email(email: str) -> str:
    email = email.strip().lower()
    if not email:
        return ""
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refusal("bad_email", _("This is no email address."), "email") from error
    if User.objects.filter(email__iexact=email).exists():
        raise Refusal("email_taken", _("Somebody with this address has an account."), "email")
    return email
