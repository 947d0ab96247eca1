"""The analyses of pictures by workers, as the API shows them."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework import serializers

from gallery.indexing import titles
from gallery.models import Analysis, Outage
from gallery.work import coverage


def _name_of_analyser() -> serializers.CharField:
    return serializers.CharField(help_text="A stable identifier.")


def _title() -> serializers.SerializerMethodField:
    return serializers.SerializerMethodField(help_text="Its name for people, in your language.")


class CoverageSerializer(serializers.Serializer):
    """The progress of one analyser, in pictures. Pictures in the trash do not count."""

    analyser = _name_of_analyser()
    title = _title()
    done = serializers.IntegerField()
    waiting = serializers.IntegerField()
    failed = serializers.IntegerField()
    missing = serializers.IntegerField(
        help_text="Pictures that are not queued yet, or only for an earlier version."
    )
    failed_by_reason = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="The failed pictures by reason, a stable identifier. `needs`: because an earlier "
        "analyser failed.",
    )
    backfill_finished = serializers.BooleanField(
        help_text="Whether every picture is queued. This continues by itself."
    )

    def get_title(self, each: coverage.Coverage) -> str:
        return str(titles.title_of(each.analyser))


class OutageSerializer(serializers.Serializer):
    """A service that workers need does not answer. Workers try it again and again, and continue
    when it answers."""

    thing = serializers.CharField(
        help_text="`storage`, `storage-writes`, or `model-` with the number of a space."
    )
    sentence = serializers.SerializerMethodField(help_text="In your language.")
    since = serializers.DateTimeField()
    detail = serializers.CharField(help_text="The message of the service.")

    def get_sentence(self, outage: Outage) -> str:
        return titles.told(outage)


class AnalysesSerializer(serializers.Serializer):
    analysers = CoverageSerializer(many=True)
    outages = OutageSerializer(many=True)


class StepSerializer(serializers.Serializer):
    """The result of one analyser for a picture."""

    analyser = _name_of_analyser()
    title = _title()
    state = serializers.ChoiceField(
        [*Analysis.State.values, coverage.MISSING],
        help_text="`missing`: not queued yet.",
    )
    reason_code = serializers.CharField(
        help_text="Why it failed, or why it waits after a failure, as a stable identifier."
    )
    reason = serializers.SerializerMethodField(help_text="The same as a sentence.")
    can_retry = serializers.BooleanField(
        help_text="Whether the failure can be temporary: `retry/` may help."
    )
    done_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was last made, even while it waits to be made again."
    )

    def get_title(self, step: coverage.Step) -> str:
        return str(titles.title_of(step.analyser))

    def get_reason(self, step: coverage.Step) -> str:
        """Translate the reason, which is stored in English."""
        return _(step.reason) if step.reason else ""


class ImageAnalysesSerializer(serializers.Serializer):
    analysers = StepSerializer(many=True)
