"""Notices to people with whom something is shared: on the pages, and by mail to those who wish it.

One act makes one notice for each person, also if a group has them twice. A notice is shown as
long as its album is (`NoticeQuerySet.shown_to`), so a share that ends takes its notice along.
"""

from __future__ import annotations

import logging
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from gallery import dispatch, requester, task_names
from gallery.library import caps
from gallery.models import Album, AlbumShare, Group, Notice, User
from gallery.models.notice import NoticeQuerySet
from gallery.organising import album_summaries

logger = logging.getLogger(__name__)


def notices_of(user: User) -> NoticeQuerySet:
    """The notices that `user` may see, with all that their sentences need."""
    return Notice.objects.shown_to(user).select_related("actor", "album__owner")


def unseen_count(user: User) -> int:
    return Notice.objects.shown_to(user).filter(seen_at=None).count()


def mark_seen(user: User, album: Album | None = None) -> int:
    """Mark the notices of `user` as seen: all, or the one of `album`. Returns how many were
    new."""
    new = Notice.objects.filter(recipient=user, seen_at=None)
    if album is not None:
        new = new.filter(album=album)
    return new.update(seen_at=timezone.now())


def tell(share: AlbumShare, by: User) -> None:
    """Notify the people of a new share, except those who see the album already. Called in the
    transaction that makes the share."""
    people = _people_of(share).exclude(pk__in=[by.pk, share.album.owner_id])
    new = list(people.exclude(pk__in=_told_before(share).values("pk")).filter(is_active=True))
    if not new:
        return
    # Notices of a former share that has ended meanwhile.
    Notice.objects.filter(album=share.album, recipient__in=new).delete()
    link = requester.absolute(reverse("album", args=[share.album_id]))
    Notice.objects.bulk_create(_notice(share.album, person, by, link) for person in new)
    _forget_oldest(new)
    if link and any(person.mail_notices for person in new):
        dispatch.on_commit(task_names.MAIL_NOTICES)


def _notice(album: Album, person: User, by: User, link: str) -> Notice:
    kind = Notice.Kind.PICTURES if album.for_sharing else Notice.Kind.ALBUM
    mail_link = link if person.mail_notices else ""
    return Notice(recipient=person, kind=kind, actor=by, album=album, mail_link=mail_link)


def _forget_oldest(people: list[User]) -> None:
    """Remove the oldest notices of each person beyond NOTICES_KEPT, in one statement: a group may
    have hundreds of members."""
    latest_first = [F("created_at").desc(), F("pk").desc()]
    place = Window(RowNumber(), partition_by="recipient_id", order_by=latest_first)
    theirs = Notice.objects.filter(recipient__in=people).order_by().alias(place=place)
    over = theirs.filter(place__gt=caps.NOTICES_KEPT).values("pk")
    Notice.objects.filter(pk__in=over).delete()


def _people_of(share: AlbumShare) -> QuerySet[User]:
    if share.user_id is not None:
        return User.objects.filter(pk=share.user_id)
    return User.objects.filter(member_of=share.group_id)


def _told_before(share: AlbumShare) -> QuerySet[User]:
    """The people who see the album through another share."""
    others = AlbumShare.objects.filter(album=share.album).exclude(pk=share.pk).order_by()
    members = Group.members.through.objects.filter(group__in=others.values("group_id"))
    through = Q(pk__in=others.filter(user__isnull=False).values("user_id"))
    return User.objects.filter(through | Q(pk__in=members.values("user_id")))


# --- By mail ----------------------------------------------------------------------


def to_mail() -> QuerySet[Notice]:
    """The notices that are still to be sent by mail, the oldest first."""
    return Notice.objects.exclude(mail_link="").order_by("created_at", "pk")


def mail_waiting() -> None:
    """Send the waiting notices. Each is marked first: one that cannot be sent is on the pages
    anyway, and a second mail would disturb."""
    for pk in list(to_mail().values_list("pk", flat=True)):
        with transaction.atomic():
            notice = to_mail().select_for_update(of=("self",), skip_locked=True).filter(pk=pk)
            link = notice.values_list("mail_link", flat=True).first()
            if link is None:
                continue
            Notice.objects.filter(pk=pk).update(mail_link="")
        _mail(pk, link)


def _mail(pk: UUID, link: str) -> None:
    """Send one notice, unless it has been seen, its share has ended, or its recipient wishes no
    mail any more or has no confirmed address."""
    confirmed = EmailAddress.objects.filter(
        user=OuterRef("recipient"), email__iexact=OuterRef("recipient__email"), verified=True
    )
    found = Notice.objects.select_related("recipient", "actor", "album__owner").filter(
        Exists(confirmed),
        pk=pk,
        seen_at=None,
        recipient__mail_notices=True,
        recipient__is_active=True,
    )
    notice = found.first()
    if notice is None:
        return
    person = notice.recipient
    if not Notice.objects.shown_to(person).filter(pk=pk).exists():
        return
    with translation.override(person.language or translation.get_language()):
        name = (notice.actor or notice.album.owner).shown_name
        album_name = album_summaries.name_of(notice.album, person)
        context = {"notice": notice, "name": name, "album_name": album_name, "link": link}
        text = render_to_string("account/email/notice_message.txt", context)
        subject = _("%(name)s shares pictures with you") % {"name": name}
        try:
            send_mail(" ".join(subject.split()), text, None, [person.email])
        except OSError as error:  # SMTP's own errors are of this kind, too
            logger.warning("The notice %s could not be sent: %s", pk, error)
