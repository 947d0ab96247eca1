"""The map of the library by meaning: one for each space, over everybody's pictures.

Viewers see the points of the pictures that they may see, and no others.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from gallery.models.leased import Leased


class ExploreMap(Leased):
    """The state of the map of one space. Coordinates lie in [0, 1]."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        BUILDING = "building", _("Building")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")

    space = models.OneToOneField(
        "gallery.EmbeddingSpace", on_delete=models.CASCADE, related_name="map"
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    # The progress of the layout, from 0 to 1, for users who wait.
    progress = models.FloatField(default=0)
    # How many pictures the layout was computed from; later ones are fitted in.
    laid_out = models.PositiveIntegerField(default=0)
    error = models.TextField(_("error"), blank=True)
    # When a failed map is tried again.
    not_before = models.DateTimeField(null=True, editable=False)
    built_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("map")
        verbose_name_plural = _("maps")

    def __str__(self) -> str:
        return f"{self.space}: {self.state}"


class MapCluster(models.Model):
    """A region of the map with many pictures."""

    map = models.ForeignKey(ExploreMap, on_delete=models.CASCADE, related_name="clusters")
    x = models.FloatField()
    y = models.FloatField()
    size = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("region of a map")
        verbose_name_plural = _("regions of maps")

    def __str__(self) -> str:
        return f"{self.map_id}: {self.x:.2f}, {self.y:.2f}"


class MapPoint(models.Model):
    """Where one picture lies on the map."""

    map = models.ForeignKey(ExploreMap, on_delete=models.CASCADE, related_name="points")
    image = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="+")
    cluster = models.ForeignKey(
        MapCluster, on_delete=models.SET_NULL, null=True, related_name="points"
    )
    x = models.FloatField()
    y = models.FloatField()

    class Meta:
        verbose_name = _("point of a map")
        verbose_name_plural = _("points of maps")
        constraints = [
            models.UniqueConstraint(fields=["map", "image"], name="picture_once_on_map"),
        ]
        indexes = [models.Index(fields=["map", "x", "y"], name="map_places")]

    def __str__(self) -> str:
        return f"{self.image_id} @ {self.x:.3f}, {self.y:.3f}"
