"""What workers do to pictures: record and queue in one (gallery.work)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Analysis(models.Model):
    """The work of one analyser on one picture: waiting, done, or failed with a reason.

    A worker claims rows for a limited time. If it dies, another worker does the work.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    # The database cascades: a worker may be writing rows that a purge cannot see yet.
    image = models.ForeignKey(
        "gallery.Image", on_delete=models.DO_NOTHING, related_name="analyses", db_constraint=False
    )
    analyser = models.CharField(_("analyser"), max_length=40)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    # How often a worker died or met an unknown error during this work. Claiming counts an
    # attempt; releasing the claim, as in an outage, takes it back (gallery.work.ledger).
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    not_before = models.DateTimeField(null=True, editable=False)
    # A worker that dies loses its claim when this time passes, or when a worker of
    # the same name starts.
    claim = models.UUIDField(null=True, editable=False)
    claimed_by = models.CharField(max_length=255, blank=True, default="", editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    # Why it failed or waits: a stable code, and a text. The first line of `reason` is for the
    # owner (translate it to show it), the rest for the log.
    reason_code = models.CharField(_("reason"), max_length=40, blank=True, default="")
    reason = models.TextField(_("reason"), blank=True, default="")
    done_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("analysis")
        verbose_name_plural = _("analyses")
        constraints = [
            models.UniqueConstraint(fields=["image", "analyser"], name="one_analysis_each"),
        ]
        indexes = [
            models.Index(
                fields=["analyser", "attempts", "id"],
                name="analysis_waiting",
                condition=Q(state="waiting"),
            ),
            models.Index(
                fields=["analyser", "-id"], name="analysis_failed", condition=Q(state="failed")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.analyser} {self.state}"

    @property
    def sentence(self) -> str:
        """Why it failed or waits, for the owner, in English."""
        return self.reason.partition("\n")[0]


class Backfill(models.Model):
    """How far an analyser's rows have been made for pictures older than it, or older than its
    version. Newer pictures get their rows when they are added."""

    analyser = models.CharField(max_length=40, primary_key=True)
    version = models.PositiveSmallIntegerField()
    # The last picture, by id, whose row has been made.
    after = models.UUIDField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("backfill")
        verbose_name_plural = _("backfills")

    def __str__(self) -> str:
        return f"{self.analyser} {self.version}"


class Outage(models.Model):
    """An open circuit breaker: something that workers need is down. Without a row it is up."""

    thing = models.CharField(max_length=40, primary_key=True)
    since = models.DateTimeField(auto_now_add=True)
    # When it is tried next, and how often it has been tried since.
    ask_at = models.DateTimeField()
    asked = models.PositiveIntegerField(default=0)
    detail = models.TextField(blank=True)

    class Meta:
        verbose_name = _("outage")
        verbose_name_plural = _("outages")

    def __str__(self) -> str:
        return f"{self.thing} since {self.since:%Y-%m-%d %H:%M}"
