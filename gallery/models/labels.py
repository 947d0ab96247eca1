"""Label sets: categories, what machines and people say of pictures, and the work on both.

A set has immutable versions. A fit is all that one version needs to score pictures in one
space: vectors, biases and thresholds. It is immutable, too: a change makes a new one. An apply
job writes the labels of one fit, and undoing it restores those before.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from pgvector.django import VectorField

from gallery.models.leased import Leased
from gallery.models.words import Key

if TYPE_CHECKING:
    from gallery.models.user import User


class LabelSetQuerySet(models.QuerySet["LabelSet"]):
    """Label sets by what a user may do with them. Those in the trash are left out."""

    def visible_to(self, user: User | AnonymousUser) -> LabelSetQuerySet:
        """The user's own sets, and those of the site."""
        own = Q(owner_id=user.pk) if user.pk else Q()
        return self.filter(own | Q(owner=None), deleted_at=None)

    def changeable_by(self, user: User | AnonymousUser) -> LabelSetQuerySet:
        """The user's own sets; administrators also change those of the site."""
        if not user.pk:
            return self.none()
        own = Q(owner_id=user.pk)
        if getattr(user, "is_administrator", False):
            own |= Q(owner=None)
        return self.filter(own, deleted_at=None)


class LabelSet(models.Model):
    """A list of categories, of one owner or of the site.

    The labels of a personal set are its owner's alone. Everybody who sees a picture sees its
    labels from sets of the site.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Null: a set of the site.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="label_sets",
        verbose_name=_("owner"),
    )
    name = models.CharField(_("name"), max_length=100)
    # The newest version.
    version = models.ForeignKey(
        "gallery.LabelSetVersion", on_delete=models.DO_NOTHING, null=True, related_name="+"
    )
    # The last apply job that has not been undone: new pictures are labelled by its fit. Null:
    # the set has not been applied.
    applied = models.ForeignKey(
        "gallery.LabelJob", on_delete=models.DO_NOTHING, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, editable=False)

    objects = LabelSetQuerySet.as_manager()

    if TYPE_CHECKING:
        owner_id: int | None
        version_id: int | None
        applied_id: uuid.UUID | None
        categories: models.Manager[Category]
        versions: models.Manager[LabelSetVersion]

    class Meta:
        verbose_name = _("label set")
        verbose_name_plural = _("label sets")
        ordering = [Lower("name"), "id"]
        constraints = [
            models.UniqueConstraint(
                "owner",
                Key("name"),
                condition=Q(deleted_at=None),
                nulls_distinct=False,
                name="label_set_name_once_per_owner",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_of_site(self) -> bool:
        return self.owner_id is None


class LabelSetVersion(models.Model):
    """One state of a set's definition. It never changes."""

    class Mode(models.TextChoices):
        ONE = "one", _("One of these")
        ANY = "any", _("Any of these")

    label_set = models.ForeignKey(LabelSet, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("number"))
    mode = models.CharField(_("mode"), max_length=3, choices=Mode.choices, default=Mode.ONE)
    none_of_these = models.BooleanField(_("with “none of these”"), default=True)
    # Empty: the default template of each name's script.
    templates = models.JSONField(_("templates"), default=list)
    # The categories in their order, as gallery.labels.definition.CategoryForm has them.
    categories = models.JSONField(_("categories"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("version of a label set")
        verbose_name_plural = _("versions of label sets")
        ordering = ["label_set", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["label_set", "number"], name="label_set_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.label_set_id} v{self.number}"


class Category(models.Model):
    """A category of a set. It is the same through all versions as long as its name is, so that
    its answers stay. One that the newest version lacks is retired."""

    class Wish(models.TextChoices):
        RIGHT = "right", _("At least so much is right")
        ALL = "all", _("Find nearly all")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label_set = models.ForeignKey(LabelSet, on_delete=models.CASCADE, related_name="categories")
    name = models.CharField(_("name"), max_length=200)
    # Names in other languages, by language code.
    names = models.JSONField(_("names"), default=dict)
    # All names, for `gallery.labels.named`.
    all_names = ArrayField(models.CharField(max_length=200), default=list, editable=False)
    position = models.PositiveIntegerField(_("position"))
    # Pictures of this category are also of its parent.
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="children"
    )
    # The least probability of a label; null: the usual one of the mode (gallery.labels.fitting).
    threshold = models.FloatField(_("threshold"), null=True)
    # What the threshold is to meet (gallery.labels.wishes): workers look for it anew when the set
    # has learned. Empty: the threshold is meant as it is.
    wish = models.CharField(
        _("wish"), max_length=5, choices=Wish.choices, blank=True, default="", db_default=""
    )
    # The least share of right pictures of the wish “right”.
    wish_share = models.FloatField(null=True, editable=False)
    retired_at = models.DateTimeField(_("retired"), null=True, editable=False)
    # The sizes of the strata from which its random sample was drawn (`Question`).
    sample_sizes = models.JSONField(default=list, editable=False)

    if TYPE_CHECKING:
        label_set_id: uuid.UUID
        parent_id: uuid.UUID | None

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["label_set", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                "label_set",
                Key("name"),
                condition=Q(retired_at=None),
                name="category_name_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class LabelFit(models.Model):
    """How one version scores pictures in one space. It never changes; the newest one counts."""

    version = models.ForeignKey(LabelSetVersion, on_delete=models.CASCADE, related_name="fits")
    # Null: the space was removed. Labels of the fit stay.
    space = models.ForeignKey(
        "gallery.EmbeddingSpace", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # The weights of the model from which the vectors come.
    checksum = models.CharField(max_length=64)
    # Divides the logits; 1 is the model's own scale.
    temperature = models.FloatField(_("temperature"), default=1.0)
    # From how many answers it was learned, and the time of the last of them.
    answers = models.PositiveIntegerField(_("answers"), default=0)
    answers_until = models.DateTimeField(null=True)
    # What the answers say of it (gallery.labels.quality).
    quality = models.JSONField(_("quality"), default=dict)
    # Whether its thresholds were found by the wishes of the categories, where these have some.
    meets_wishes = models.BooleanField(default=False, db_default=False, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("fit of a label set")
        verbose_name_plural = _("fits of label sets")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.version} @ {self.space_id}"


class CategoryVector(models.Model):
    """The score of a category: `bias` plus the inner product of `vector` and a picture's vector
    is its logit. Without a category it is a background word of “none of these”."""

    fit = models.ForeignKey(LabelFit, on_delete=models.CASCADE, related_name="vectors")
    category = models.ForeignKey(
        Category, on_delete=models.CASCADE, null=True, related_name="vectors"
    )
    position = models.PositiveIntegerField()
    # The text's unit vector, from which the probe starts.
    text = VectorField(editable=False)
    # Scaled by the model's logit scale and the temperature; moved by answers.
    vector = VectorField(editable=False)
    bias = models.FloatField(default=0.0)
    # The least probability of a label.
    threshold = models.FloatField(default=0.0)

    class Meta:
        verbose_name = _("vector of a category")
        verbose_name_plural = _("vectors of categories")
        ordering = ["fit", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["fit", "position"], name="category_vector_once"),
        ]

    def __str__(self) -> str:
        return f"{self.category_id} @ {self.fit_id}"


class LabelJob(Leased):
    """Labels the pictures of a set by one fit, in parts, or undoes that."""

    class Kind(models.TextChoices):
        APPLY = "apply", _("Apply")
        UNDO = "undo", _("Undo")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        # The set or the model has changed meanwhile, or a later job has replaced this one.
        STOPPED = "stopped", _("Stopped")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label_set = models.ForeignKey(LabelSet, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(_("kind"), max_length=5, choices=Kind.choices, default=Kind.APPLY)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    fit = models.ForeignKey(LabelFit, on_delete=models.SET_NULL, null=True, related_name="+")
    # The job that was applied before this one, or the one that this one undoes.
    former = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    # The progress in pictures (of an undo: in labels), and the last picture that is done.
    done = models.PositiveIntegerField(_("done"), default=0)
    total = models.PositiveIntegerField(_("total"), default=0)
    after = models.UUIDField(null=True, editable=False)
    added = models.PositiveIntegerField(_("added"), default=0)
    removed = models.PositiveIntegerField(_("removed"), default=0)
    error = models.TextField(_("error"), blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    if TYPE_CHECKING:
        fit_id: int | None
        former_id: uuid.UUID | None

    class Meta:
        verbose_name = _("label job")
        verbose_name_plural = _("label jobs")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.label_set_id}: {self.kind} {self.state}"


class Label(models.Model):
    """A category that a machine gave to a picture. What people say is in `Answer` and counts
    more.

    Rows of removed labels stay until the job that removed them can no longer be undone. Millions
    of rows have no more constraints than they need: the database cascades for pictures, and
    gallery.labels.sets removes the rows of a set before the set.
    """

    image = models.ForeignKey(
        "gallery.Image",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="labels",
    )
    category = models.ForeignKey(
        Category,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="labels",
    )
    fit = models.ForeignKey(
        LabelFit,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    probability = models.FloatField()
    added_by = models.ForeignKey(
        LabelJob,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    removed_by = models.ForeignKey(
        LabelJob,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        constraints = [
            # The order of the fields serves reads by picture and by category.
            models.UniqueConstraint(
                fields=["image", "category", "added_by"], name="label_once_per_job"
            ),
            models.UniqueConstraint(
                fields=["category", "image"],
                condition=Q(removed_by=None),
                name="one_label_each",
            ),
        ]
        indexes = [
            models.Index(fields=["added_by", "id"], name="label_added"),
            models.Index(
                fields=["removed_by"], name="label_removed", condition=~Q(removed_by=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.category_id}"


class Answer(models.Model):
    """What a person says: this picture is of this category, or it is not. The last word
    counts."""

    image = models.ForeignKey(
        "gallery.Image", on_delete=models.DO_NOTHING, db_constraint=False, related_name="answers"
    )
    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="answers")
    verdict = models.BooleanField(_("verdict"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    at = models.DateTimeField(_("time"))
    # The stratum of a picture of the random sample. Null: it was asked for another reason, and
    # says nothing of the rest.
    stratum = models.PositiveSmallIntegerField(null=True)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(fields=["category", "image"], name="one_answer_each"),
        ]

    def __str__(self) -> str:
        return f"{self.image_id}: {'' if self.verdict else 'not '}{self.category_id}"


class Question(models.Model):
    """A picture that was drawn for the random sample of a category."""

    image = models.ForeignKey(
        "gallery.Image", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="+")
    stratum = models.PositiveSmallIntegerField()
    position = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ["category", "position"]
        constraints = [
            models.UniqueConstraint(fields=["category", "image"], name="one_question_each"),
        ]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.category_id}?"
