"""Embedding spaces: build one beside the active one, switch over, switch back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.db.models import CharField, Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from gallery.admin.base import ModelAdmin
from gallery.errors import Refusal
from gallery.indexing import spaces
from gallery.models import Analysis, Embedding, EmbeddingSpace
from gallery.search.relevance import languages

STATE_COLOURS = {
    EmbeddingSpace.State.BUILDING: "info",
    EmbeddingSpace.State.ACTIVE: "success",
    EmbeddingSpace.State.RETIRED: "default",
    EmbeddingSpace.State.FAILED: "danger",
}

NEW_SPACE_FIELDS = ("architecture", "pretrained")


def _rows(state: str) -> Coalesce:
    """The number of each space's ledger rows in this state."""
    encoding = Concat(Value("encoding-"), Cast(OuterRef("pk"), CharField()))
    rows = Analysis.objects.filter(analyser=encoding, state=state).order_by()
    counted = rows.values("analyser").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), Value(0))


STATES = {state: _rows(state) for state in Analysis.State.values}


class SwitchForm(BaseDialogForm):
    """Shows how many pictures could no longer be found, and submits that number: it is what the
    administrator agrees to."""

    form_before_template = "admin/spaces/missing.html"
    missing = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        space = None if self.is_bound else self.space()
        if space is not None:
            self.fields["missing"].initial = spaces.missing_after(space)

    def space(self) -> EmbeddingSpace | None:
        return get_object_or_404(EmbeddingSpace, pk=self.object_id)

    def agreed(self) -> int:
        return self.cleaned_data["missing"] or 0

    def get_before_template_context(
        self, request: HttpRequest, object_id: int | str | None = None
    ) -> dict[str, Any]:
        return {"missing": None if self.is_bound else self["missing"].value()}


class RollBackForm(SwitchForm):
    def space(self) -> EmbeddingSpace | None:
        return spaces.previous_space()


@admin.register(EmbeddingSpace)
class SpaceAdmin(ModelAdmin):
    list_display = (
        "model_name",
        "state_label",
        "dimensions",
        "encoded",
        "pending",
        "failed",
        "would_go_missing",
        "error",
        "activated_at",
    )
    ordering = ("-created_at",)
    fields = (
        "architecture",
        "pretrained",
        "state_name",
        "error",
        "encoded",
        "pending",
        "failed",
        "would_go_missing",
        "dimensions",
        "scale",
        "bias",
        "weights",
        "language_table",
        "created_at",
        "activated_at",
    )
    actions_list = ("roll_back",)
    actions_row = ("activate", "load_again")
    actions_detail = ("activate", "load_again")

    # --- Reading ----------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[EmbeddingSpace]:
        return super().get_queryset(request).annotate(**STATES)

    @display(description=_("model"), ordering="architecture")
    def model_name(self, space: EmbeddingSpace) -> str:
        return space.name

    @display(description=_("state"), label=STATE_COLOURS, ordering="state")
    def state_label(self, space: EmbeddingSpace) -> tuple[str, str]:
        return space.state, self.state_name(space)

    @display(description=_("state"))
    def state_name(self, space: EmbeddingSpace) -> str:
        return space.get_state_display()

    @display(description=_("encoded"), ordering="done")
    def encoded(self, space: EmbeddingSpace) -> int:
        return space.done  # type: ignore[attr-defined]  # annotated

    @display(description=_("pending"), ordering="waiting")
    def pending(self, space: EmbeddingSpace) -> int:
        return space.waiting  # type: ignore[attr-defined]  # annotated

    @display(description=_("failed"), ordering="failed")
    def failed(self, space: EmbeddingSpace) -> int:
        return space.failed  # type: ignore[attr-defined]  # annotated

    @display(description=_("would go missing"))
    def would_go_missing(self, space: EmbeddingSpace) -> int | None:
        """The number of pictures that could no longer be found if this space were active."""
        if space.state == EmbeddingSpace.State.ACTIVE or not space.is_loaded:
            return None
        return spaces.missing_after(space)

    @display(description=_("logit scale"))
    def scale(self, space: EmbeddingSpace) -> float | None:
        return space.logit_scale

    @display(description=_("logit bias"))
    def bias(self, space: EmbeddingSpace) -> float | None:
        return space.logit_bias

    @display(description=_("checksum of the weights"))
    def weights(self, space: EmbeddingSpace) -> str:
        return space.checksum

    @display(description=_("languages"))
    def language_table(self, space: EmbeddingSpace) -> str:
        if not space.languages:
            return gettext("Not measured yet: a worker does that once the model is loaded.")
        known = languages.known(space)
        shares = sorted(space.languages.items(), key=lambda item: -item[1])
        rows = [
            {"name": languages.name_of(code), "share": share, "is_known": code in known}
            for code, share in shares
        ]
        return render_to_string("admin/languages.html", {"rows": rows})

    def get_fields(
        self, request: HttpRequest, obj: EmbeddingSpace | None = None
    ) -> tuple[str, ...]:
        return self.fields if obj else NEW_SPACE_FIELDS

    def get_readonly_fields(
        self, request: HttpRequest, obj: EmbeddingSpace | None = None
    ) -> tuple[str, ...]:
        """All fields of an existing space: it can be replaced, but not edited."""
        return self.fields if obj else ()

    # --- Changes ----------------------------------------------------------------

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            typed = {name: request.POST.get(name, "") for name in NEW_SPACE_FIELDS}
            return HttpResponseRedirect(f"{request.path}?{urlencode(typed)}")

    def save_model(
        self, request: HttpRequest, obj: EmbeddingSpace, form: Any, change: bool
    ) -> None:
        """Add the space. A worker then loads the model, and the list shows whether it could."""
        obj.pk = spaces.add_space(obj.architecture, obj.pretrained).pk
        obj.refresh_from_db()

    def has_change_permission(
        self, request: HttpRequest, obj: EmbeddingSpace | None = None
    ) -> bool:
        return False

    def has_switch_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the user may choose the space that searches use."""
        return request.user.has_perm("gallery.change_embeddingspace")

    def has_delete_permission(
        self, request: HttpRequest, obj: EmbeddingSpace | None = None
    ) -> bool:
        if obj is not None and obj.state == EmbeddingSpace.State.ACTIVE:
            return False
        return super().has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: EmbeddingSpace) -> None:
        spaces.remove(obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No actions: spaces are deleted one by one, each from its own page."""
        return {}

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Numbers instead of a list of all vectors."""
        vectors = Embedding.objects.filter(space__in=objs).count()
        counts = {
            str(self.opts.verbose_name_plural): len(objs),
            str(Embedding._meta.verbose_name_plural): vectors,
        }
        return [str(space) for space in objs], counts, set(), []

    @action(
        description=_("Activate"),
        permissions=["switch"],
        icon="play_arrow",
        dialog={
            "title": _("Use this space for every search?"),
            "description": _("The space in use now is kept, so that you can switch back."),
            "form_class": SwitchForm,
            "form_submit_text": _("Activate"),
        },
    )
    def activate(self, request: HttpRequest, form: SwitchForm, object_id: str) -> HttpResponse:
        space = get_object_or_404(EmbeddingSpace, pk=object_id)
        return self._switch(request, lambda: spaces.activate(space, form.agreed()))

    @action(
        description=_("Load again"),
        permissions=["switch"],
        icon="refresh",
        dialog={
            "title": _("Try to load this model once more?"),
            "description": _("For a model that could not be loaded; others stay as they are."),
            "form_class": None,
            "form_submit_text": _("Load again"),
        },
    )
    def load_again(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        space = get_object_or_404(EmbeddingSpace, pk=object_id)
        spaces.retry(space)
        text = gettext("A worker looks at %(space)s again.") % {"space": space}
        self.message_user(request, text, messages.SUCCESS)
        return self._show_list()

    @action(
        description=_("Roll back"),
        permissions=["switch"],
        icon="undo",
        dialog={
            "title": _("Go back to the space that was active before?"),
            "description": _("Searches use it at once; the present space is kept."),
            "form_class": RollBackForm,
            "form_submit_text": _("Roll back"),
        },
    )
    def roll_back(self, request: HttpRequest, form: RollBackForm) -> HttpResponse:
        return self._switch(request, lambda: spaces.roll_back(form.agreed()))

    def _switch(self, request: HttpRequest, switch: Callable[[], object]) -> HttpResponse:
        """Run `switch`, show a message about the result, and show the list again."""
        try:
            switch()
        except Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            active = EmbeddingSpace.objects.get(state=EmbeddingSpace.State.ACTIVE)
            text = gettext("Searches use %(space)s now.") % {"space": active}
            self.message_user(request, text, messages.SUCCESS)
        return self._show_list()

    @staticmethod
    def _show_list() -> HttpResponse:
        """Redirect to the list. htmx submits the dialogs, so it needs a redirect of its own."""
        return HttpResponseClientRedirect(reverse("admin:gallery_embeddingspace_changelist"))
