from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from pgvector.django import HalfVectorField


class EmbeddingSpace(models.Model):
    """One model with its weights and preprocessing: vectors of one space are
    comparable with each other and with nothing else.

    `dimensions`, `logit_scale`, `logit_bias` and `checksum` are unknown until an
    encoder worker has loaded the model once. If that fails, `error` holds one sentence.
    """

    class State(models.TextChoices):
        BUILDING = "building", _("Building")
        ACTIVE = "active", _("Active")
        RETIRED = "retired", _("Retired")
        FAILED = "failed", _("Failed")

    architecture = models.CharField(
        _("architecture"),
        max_length=255,
        help_text=_(
            "“starter”, an open_clip architecture, “hf-hub:organisation/name” "
            "or “local-dir:/folder”."
        ),
    )
    pretrained = models.CharField(
        _("pretrained"),
        max_length=500,
        blank=True,
        help_text=_("A pretrained tag of that architecture or the path of a weights file."),
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.BUILDING
    )
    dimensions = models.PositiveIntegerField(_("dimensions"), null=True, editable=False)
    logit_scale = models.FloatField(
        null=True, editable=False, help_text=_("Factor of the cosine in the softmax (about 100).")
    )
    logit_bias = models.FloatField(
        null=True, editable=False, help_text=_("Set for models trained with a sigmoid loss.")
    )
    checksum = models.CharField(max_length=64, blank=True, editable=False)
    error = models.TextField(_("error"), blank=True, editable=False)
    # Measured once by a worker: how well texts of each language find their English
    # translation, from 0 to 1 by language code (gallery.search.relevance.languages) ...
    languages = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    activated_at = models.DateTimeField(_("activated"), null=True, editable=False)
    # Larger with each switch of the active space: the version of everything that is computed
    # for the whole library from the active space's vectors.
    generation = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        verbose_name = _("embedding space")
        verbose_name_plural = _("embedding spaces")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="active"), name="one_active_space"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.architecture} / {self.pretrained}" if self.pretrained else self.architecture

    @property
    def name(self) -> str:
        return str(self)

    @property
    def is_loaded(self) -> bool:
        """True once a worker has loaded the model and measured it."""
        return self.dimensions is not None


class ConceptVectors(models.Model):
    """The vectors of everyday concepts in one space, made once by a worker
    (gallery.indexing.concepts): float16, row by row, first those of the English words,
    then those of the Chinese ones. They belong to the weights with `checksum` and the list with
    `digest`."""

    space = models.OneToOneField(
        EmbeddingSpace, on_delete=models.CASCADE, primary_key=True, related_name="concepts"
    )
    checksum = models.CharField(max_length=64)
    digest = models.CharField(max_length=16)
    vectors = models.BinaryField()

    class Meta:
        verbose_name = _("vectors of concepts")
        verbose_name_plural = _("vectors of concepts")

    def __str__(self) -> str:
        return str(self.space_id)


class Embedding(models.Model):
    """The vector of one part of a picture in one space. A row is written when its vector has
    been computed. Pending work is kept in Analysis instead, since PostgreSQL adds every changed
    version of these rows to the vector indexes."""

    # The database cascades, here and for the space: a worker may be writing rows that their
    # removal cannot see yet.
    image = models.ForeignKey(
        "gallery.Image", on_delete=models.DO_NOTHING, related_name="embeddings", db_constraint=False
    )
    space = models.ForeignKey(
        EmbeddingSpace, on_delete=models.DO_NOTHING, related_name="embeddings", db_constraint=False
    )
    # 0 is the still picture.
    part = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    # Without dimensions, since spaces differ. Each space has a partial expression index
    # with its own cast (see gallery.indexing.vector_indexes).
    vector = HalfVectorField(editable=False)
    encoded_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = _("embedding")
        verbose_name_plural = _("embeddings")
        constraints = [
            models.UniqueConstraint(fields=["image", "space", "part"], name="one_embedding_each"),
        ]

    def __str__(self) -> str:
        return f"{self.image_id} @ {self.space_id}"
