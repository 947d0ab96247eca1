"""Serializers that determine once, and not for each request, how to write their fields."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, cast

from rest_framework import serializers
from rest_framework.fields import SkipField

# Returns the output of one field, for a serializer and an instance.
Writer = Callable[[serializers.BaseSerializer, Any], Any]

# These fields write values of exactly these types unchanged.
_PLAIN: dict[type[serializers.Field], type] = {
    serializers.CharField: str,
    serializers.BooleanField: bool,
    serializers.IntegerField: int,
    serializers.FloatField: float,
}


class PreparedSerializer(serializers.Serializer):
    """Writes the same output as REST framework, which copies and binds all fields for each
    serializer and page. In a search this took more time than all other Python code.

    Fields that need the context must be method fields or serializers.
    """

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for name, write in _writers(type(self)):
            try:
                shown[name] = write(self, instance)
            except SkipField:  # an optional attribute that is missing
                continue
        return shown


@cache
def _writers(serializer: type[PreparedSerializer]) -> list[tuple[str, Writer]]:
    fields = serializer().fields.items()
    return [(name, _writer(field)) for name, field in fields if not field.write_only]


def _writer(field: serializers.Field) -> Writer:
    if isinstance(field, serializers.SerializerMethodField):
        method = field.method_name
        return lambda asked, instance: getattr(asked, method)(instance)
    if isinstance(field, serializers.ListSerializer):
        child = cast("type[serializers.BaseSerializer]", type(field.child))
        return lambda asked, instance: _all(child, asked, field.get_attribute(instance))
    if isinstance(field, serializers.BaseSerializer):
        nested = type(field)
        return lambda asked, instance: _one(nested, asked, field.get_attribute(instance))
    if type(field).get_attribute is not serializers.Field.get_attribute:
        return lambda _asked, instance: _value(field, field.get_attribute(instance))
    return _attribute_writer(field)


def _attribute_writer(field: serializers.Field) -> Writer:
    """Build the writer of a field that reads a plain attribute, as most do. REST framework checks
    each time whether the value is a key, a callable or missing."""
    attribute, convert = attrgetter(str(field.source)), field.to_representation
    plain = _PLAIN.get(type(field))

    def write(_asked: Any, instance: Any) -> Any:
        try:
            value = attribute(instance)
        except AttributeError:
            value = field.get_attribute(instance)
        if value is None or type(value) is plain:
            return value
        if callable(value):
            return _value(field, field.get_attribute(instance))
        return convert(value)

    return write


def _all(child: type[serializers.BaseSerializer], asked: Any, values: Any) -> list[Any]:
    return [_nested(child, asked).to_representation(value) for value in values]


def _one(nested: type[serializers.BaseSerializer], asked: Any, value: Any) -> Any:
    return None if value is None else _nested(nested, asked).to_representation(value)


def _nested(kind: type[serializers.BaseSerializer], asked: Any) -> serializers.BaseSerializer:
    """Return the nested serializer of this kind, created once for each `asked`."""
    made: dict[type, serializers.BaseSerializer] = asked.__dict__.setdefault("_nested", {})
    if kind not in made:
        made[kind] = kind(context=asked.context)
    return made[kind]


def _value(field: serializers.Field, value: Any) -> Any:
    return None if value is None else field.to_representation(value)
