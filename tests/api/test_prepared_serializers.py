"""Prepared serializers write the same as REST framework."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from django.utils import timezone
from rest_framework import serializers

from gallery.api.serializers.images import ImageSerializer, ImageUrlsSerializer
from gallery.api.serializers.prepared import PreparedSerializer
from gallery.indexing import selectors
from gallery.models import Favourite, Image, Tag, User
from tests.factories import make_space

pytestmark = pytest.mark.django_db


def test_a_picture_is_written_as_rest_framework_writes_it(alice: User, bob: User) -> None:
    make_space()
    mine = Image.objects.create(
        owner=alice,
        title="Dog",
        visibility="public",
        file="none",
        sha256="1" * 64,
        original_name="dog.jpg",
        byte_size=1,
        content_type="image/jpeg",
        width=3,
        height=2,
        captured_at=timezone.now(),
        exif={"ISO": "100"},
        latitude=1.5,
        longitude=2.5,
    )
    Tag.objects.create(owner=alice, name="pets").images.add(mine)
    Favourite.objects.create(user=bob, image=mine)
    for viewer in (alice, bob):
        request = RequestFactory().get("/")
        request.user = viewer
        (image,) = selectors.visible_by_id([mine.pk], viewer).values()
        serializer = ImageSerializer(image, context={"request": request})
        written = PreparedSerializer.to_representation(serializer, image)
        assert written == serializers.Serializer.to_representation(serializer, image)
        assert list(written) == ImageSerializer.Meta.fields
        owns = viewer == alice
        assert (serializer.data["tags"], serializer.data["favourite"]) == (
            ["pets"] if owns else None,
            not owns,
        )
        page = f"http://testserver/images/{mine.pk}/"
        assert serializer.data["urls"]["page"] == page
        assert serializer.data["urls"].keys() == ImageUrlsSerializer().fields.keys()
        for zone in ("UTC", "Asia/Kathmandu", "America/Los_Angeles"):
            with timezone.override(zone):
                serializer = ImageSerializer(image, context={"request": request})
                moment = serializers.DateTimeField().to_representation(image.created_at)
                assert serializer.data["created_at"] == moment


def test_what_an_instance_lacks_is_left_out_or_refused_as_ever() -> None:
    class Inner(PreparedSerializer):
        name = serializers.CharField()

    class Outer(PreparedSerializer):
        optional = serializers.CharField(required=False)
        secret = serializers.CharField(write_only=True)
        one = Inner(allow_null=True)
        many = Inner(many=True)

    outer = {"secret": "s", "one": None, "many": [{"name": "a"}, {"name": "b"}]}
    assert Outer(outer).data == {"one": None, "many": [{"name": "a"}, {"name": "b"}]}
    with pytest.raises(KeyError):
        Outer({"one": None}).data  # noqa: B018
