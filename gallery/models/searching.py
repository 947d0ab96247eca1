"""Saved searches and the search history, near-duplicates, and measurements of the search."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from gallery.models.leased import Leased
from gallery.models.words import Key


class SavedSearch(models.Model):
    """A search that its owner keeps under a name. Nobody else sees it.

    With `album`, the album is kept filled with the owner's pictures that the search
    finds (a smart album).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_searches"
    )
    name = models.CharField(_("name"), max_length=200)
    # The JSON form of gallery.search.query.query.Query.
    query = models.JSONField()
    album = models.OneToOneField(
        "gallery.Album", on_delete=models.SET_NULL, null=True, related_name="smart"
    )
    # When the album was last filled; null: it has to be filled.
    filled_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("saved search")
        verbose_name_plural = _("saved searches")
        ordering = [Lower("name"), "id"]
        constraints = [
            models.UniqueConstraint("owner", Key("name"), name="saved_search_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class SearchRecord(models.Model):
    """A search that somebody made, in the history that only they see."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="search_records"
    )
    # The query in one line, as in the address of the page.
    text = models.CharField(max_length=2000)
    searched_at = models.DateTimeField()

    class Meta:
        verbose_name = _("search in the history")
        verbose_name_plural = _("search history")
        ordering = ["-searched_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "text"], name="search_once_in_history"),
        ]
        indexes = [
            models.Index(fields=["user", "-searched_at", "-id"], name="search_history"),
        ]

    def __str__(self) -> str:
        return self.text


class NearDuplicate(models.Model):
    """Two pictures that show the same: `first` has the smaller id."""

    first = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="+")
    # Cosine of the two vectors, and the bits in which the perceptual hashes differ.
    similarity = models.FloatField()
    bits = models.PositiveSmallIntegerField()
    # Their largest local difference, in levels of 255 (gallery.library.detail). Null: not
    # measured; infinite: cannot be measured.
    difference = models.FloatField(null=True)
    # The owner of both marked them as different pictures.
    dismissed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("near-duplicate")
        verbose_name_plural = _("near-duplicates")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="near_duplicate_once"),
            models.CheckConstraint(
                condition=Q(first__lt=models.F("second")), name="near_duplicate_in_order"
            ),
        ]
        indexes = [models.Index(fields=["second"], name="near_duplicate_second")]

    def __str__(self) -> str:
        return f"{self.first_id} ~ {self.second_id}"


class RecallMeasurement(Leased):
    """One measurement of how many of the exact results the live index found.

    `figures` holds one entry for each kind of query and each scope, see
    gallery.search.evaluation.recall.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    space = models.ForeignKey(
        "gallery.EmbeddingSpace", on_delete=models.CASCADE, related_name="measurements"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    figures = models.JSONField(_("figures"), default=list)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("recall measurement")
        verbose_name_plural = _("recall measurements")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.space}, {self.created_at:%Y-%m-%d %H:%M}"
