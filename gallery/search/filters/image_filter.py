"""The filters of pictures in the API, on the pages and in selections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import django_filters
from django.contrib.auth.models import AnonymousUser
from django.db.models import BigIntegerField, ExpressionWrapper, F, Q
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from gallery import keyset
from gallery.errors import Refusal
from gallery.indexing import states
from gallery.models import Album, AlbumItem, Favourite, Image, Tag, User, Viewer
from gallery.models.words import named
from gallery.search import words
from gallery.search.filters import cameras, categories, colours, ratings, refusals
from gallery.search.filters.fields import (
    AlbumsFilter,
    CategoriesFilter,
    ClockFilter,
    ColoursFilter,
    IdsFilter,
    MomentFilter,
    NamesFilter,
    RatingFilter,
    YesNoFilter,
)

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal
    from uuid import UUID

    from gallery.models.image import ImageQuerySet

STATES = ["pending", "ready", "failed"]
ORIENTATIONS = {
    "landscape": Q(width__gt=F("height")),
    "portrait": Q(width__lt=F("height")),
    "square": Q(width=F("height")),
}
PIXELS_OF_MEGAPIXEL = 1_000_000
_MOST_MEGAPIXELS = 100_000
# The most accounts that one spelling of a username may mean.
MAX_OWNERS = 50
_PIXELS = ExpressionWrapper(
    Cast("width", BigIntegerField()) * F("height"), output_field=BigIntegerField()
)
ORDERS = {"created": keyset.UPLOADED, "taken": keyset.TAKEN, "album": keyset.IN_ALBUM}


class ImageFilter(django_filters.FilterSet):
    """The filters. Each one narrows its queryset and never adds pictures to it."""

    filters: dict[str, django_filters.Filter]

    id = IdsFilter(field_name="pk", lookup_expr="in")
    owner = django_filters.CharFilter(
        method="by_owner", max_length=150, help_text="A username, or `me`."
    )
    visibility = django_filters.ChoiceFilter(choices=Image.Visibility.choices)
    state = django_filters.ChoiceFilter(
        method="by_state", choices=[(state, state) for state in STATES]
    )
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")
    captured_after = ClockFilter(method="by_capture", lookup_expr="gte")
    captured_before = ClockFilter(method="by_capture", lookup_expr="lt")
    taken_after = ClockFilter(
        field_name="taken_at",
        lookup_expr="gte",
        help_text="A date or a local time at the place of capture, or a moving day: `today`, "
        "`yesterday`, `this-week` (its Monday), `last-month`, `this-year`, `30-days-ago` and the "
        "like, by the calendar of the site. Pictures without a known time count by their upload.",
    )
    taken_before = ClockFilter(
        field_name="taken_at",
        lookup_expr="lt",
        help_text="A date or a time like the one above, not included.",
    )
    camera = django_filters.CharFilter(
        method="by_camera",
        max_length=200,
        help_text="A name from `images/cameras/`. If no camera has this name, a part of it.",
    )
    orientation = django_filters.ChoiceFilter(
        method="by_orientation", choices=[(name, name) for name in ORIENTATIONS]
    )
    color = ColoursFilter(
        method="by_colours",
        help_text="A dominant colour: " + ", ".join(f"`{name}`" for name in colours.NAMES) + " or "
        "`#rrggbb`, which finds similar colours. If repeated, pictures must have "
        "all of them.",
    )
    words = django_filters.CharFilter(
        method="by_words",
        max_length=1000,
        help_text="Words that the title or the description must all have or, of your own "
        'pictures, tags or the file name; `"in quotes"` they must follow one another.',
    )
    size_min = django_filters.NumberFilter(
        method="by_least_size",
        min_value=0,
        max_value=_MOST_MEGAPIXELS,
        help_text="Megapixels, at least.",
    )
    size_max = django_filters.NumberFilter(
        method="by_most_size",
        min_value=0,
        max_value=_MOST_MEGAPIXELS,
        help_text="Megapixels, not included.",
    )
    album = AlbumsFilter(
        method="by_album",
        help_text="An album that you may see. Other albums match nothing. If repeated, "
        "pictures may be in any of them.",
    )
    tag = NamesFilter(
        method="by_tags",
        help_text="One of your tags. If repeated, pictures must have all of them.",
    )
    category = CategoriesFilter(
        method="by_categories",
        help_text="A category of a label set, as `dog`. `-dog`: pictures without it. `dog>0.9`: "
        "with a higher probability. If repeated, pictures must fit all of them.",
    )
    favourite = YesNoFilter(
        method="by_favourite", help_text="Whether it is one of your favourites."
    )
    rating = RatingFilter(
        method="by_rating",
        help_text="The owner's stars: `4`, `>=4`, `<3`; `0` for pictures without stars.",
    )
    archived = YesNoFilter(
        method="by_archived",
        help_text="`true`: your archive. `false`: pictures that are not archived.",
    )
    order = django_filters.ChoiceFilter(
        method="in_order",
        choices=[(name, name) for name in ORDERS],
        help_text="Newest first by time of upload (`created`, the default) or "
        "capture (`taken`), or the order of an album (`album`, only with the filter `album`).",
    )

    class Meta:
        model = Image
        fields: list[str] = []

    def __init__(self, *args: Any, viewer: Viewer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            # A form with all filters would take longer than the list.
            asked = [name for name in self.filters if name in self.data]
            self.filters = {name: self.filters[name] for name in asked}
        self.viewer = viewer or AnonymousUser()

    def by_capture(self, images: ImageQuerySet, name: str, value: datetime) -> ImageQuerySet:
        side = self.filters[name].lookup_expr
        return images.filter(captured_at__isnull=False, **{f"taken_at__{side}": value})

    def by_owner(self, images: ImageQuerySet, name: str, value: str) -> ImageQuerySet:
        if value == "me":
            return images.filter(owner_id=self.viewer.pk) if self.viewer.pk else images.none()
        # A username belongs to one account. Names that differ in case or diacritics count only
        # if no account has this one.
        exact = User.objects.filter(username=User.normalize_username(value))
        owners = exact if exact.exists() else named(User.objects.all(), "username", value)
        return images.filter(owner__in=list(owners.values_list("pk", flat=True)[:MAX_OWNERS]))

    def by_state(self, images: ImageQuerySet, name: str, value: str) -> ImageQuerySet:
        return images.filter(states.in_state(value))

    def by_orientation(self, images: ImageQuerySet, name: str, value: str) -> ImageQuerySet:
        return images.filter(ORIENTATIONS[value])

    def by_camera(self, images: ImageQuerySet, name: str, value: str) -> ImageQuerySet:
        """Keep pictures by the camera of this name or, if the viewer sees none of it, by cameras
        whose names contain it ("R5", "R5 C"). Other filters do not affect this choice."""
        # The same queries run whether other users have such a camera or nobody has: their
        # duration does not tell.
        known_names = cameras.names_with(value)
        names = list(known_names) or [cameras.NOBODYS]
        exact = [name for name, is_whole in known_names.items() if is_whole]
        seen = self.queryset.filter(camera__in=exact or [cameras.NOBODYS])
        known = seen.order_by().exists()
        return images.filter(camera__in=exact if known else names)

    def by_colours(self, images: ImageQuerySet, name: str, value: list[str]) -> ImageQuerySet:
        for colour in value:
            images = images.filter(colour_cells__overlap=colours.cells(colour))
        return images

    def by_words(self, images: ImageQuerySet, name: str, value: str) -> ImageQuerySet:
        words.require_words(value)
        return words.with_words(images, value, self.viewer)

    def by_least_size(self, images: ImageQuerySet, name: str, value: Decimal) -> ImageQuerySet:
        return images.alias(pixels=_PIXELS).filter(pixels__gte=value * PIXELS_OF_MEGAPIXEL)

    def by_most_size(self, images: ImageQuerySet, name: str, value: Decimal) -> ImageQuerySet:
        return images.alias(pixels=_PIXELS).filter(pixels__lt=value * PIXELS_OF_MEGAPIXEL)

    def by_album(self, images: ImageQuerySet, name: str, value: list[UUID]) -> ImageQuerySet:
        # The ids are read first, so that PostgreSQL plans for these albums.
        seen = Album.objects.visible_to(self.viewer).filter(pk__in=value)
        ids = list(seen.order_by().values_list("pk", flat=True))
        if self.form.cleaned_data.get("order") == "album":
            images = images.filter(album_items__album__in=ids).with_place()
        else:
            items = AlbumItem.objects.filter(album__in=ids)
            images = images.filter(pk__in=items.values("image_id"))
        return images if ids else images.none()

    def by_tags(self, images: ImageQuerySet, name: str, value: list[str]) -> ImageQuerySet:
        for word in value:
            # The ids are read first, as for albums. Only the owner of a picture tags it.
            own = Tag.objects.filter(owner_id=self.viewer.pk or 0)
            ids = list(named(own, "name", word).order_by().values_list("pk", flat=True))
            if not ids:
                return images.none()
            links = Tag.images.through.objects.filter(tag__in=ids)
            images = images.filter(owner_id=self.viewer.pk, pk__in=links.values("image_id"))
        return images

    def by_categories(
        self, images: ImageQuerySet, name: str, value: list[categories.Wanted]
    ) -> ImageQuerySet:
        for wanted in value:
            condition = categories.condition(wanted, self.viewer)
            if condition is not None:
                images = images.filter(condition)
            elif not wanted.negative:
                return images.none()
        return images

    def by_favourite(self, images: ImageQuerySet, name: str, value: bool) -> ImageQuerySet:
        marked = Q(pk__in=Favourite.objects.filter(user_id=self.viewer.pk or 0).values("image_id"))
        return images.filter(marked if value else ~marked)

    def by_rating(self, images: ImageQuerySet, name: str, value: tuple[int, int]) -> ImageQuerySet:
        least, most = value
        if least == most:
            return images.filter(rating=least)
        if most == ratings.MOST:
            return images.filter(rating__gte=least)
        return images.filter(rating__lte=most)

    def by_archived(self, images: ImageQuerySet, name: str, value: bool) -> ImageQuerySet:
        if value:
            return images.filter(archived_at__isnull=False, owner_id=self.viewer.pk or 0)
        return images.filter(archived_at__isnull=True)

    def in_order(self, images: ImageQuerySet, name: str, value: str) -> ImageQuerySet:
        if value == "album" and len(self.form.cleaned_data.get("album") or []) != 1:
            raise Refusal(
                "order_without_album", _("Say which album: its order is only its own."), "order"
            )
        return images


def narrow(images: ImageQuerySet, params: Mapping[str, Any], viewer: Viewer) -> ImageQuerySet:
    """Return `images` narrowed by the filters in `params`, a query string or a JSON object. Other
    names are ignored. The result has no order (see `order_of`).

    Raises Refusal for an invalid value, naming its field.
    """
    wanted = _as_query(params)
    if not are_in(wanted):
        return images  # the usual case; the form would take longer than the list
    narrowed = ImageFilter(wanted, images, viewer=viewer)
    if not narrowed.is_valid():
        field, (error, *_others) = next(iter(narrowed.errors.get_json_data().items()))
        kind = ImageFilter.base_filters[field]
        message = refusals.sentence(field, kind, narrowed.data, error)
        raise Refusal(error["code"] or "invalid", message, field)
    return cast("ImageQuerySet", narrowed.qs)


def are_in(params: Mapping[str, Any]) -> bool:
    """Whether `params` contain a filter or an order."""
    return not params.keys().isdisjoint(ImageFilter.base_filters)


def order_of(params: Mapping[str, Any]) -> keyset.Order:
    """Return the order in `params`, which `narrow` has checked."""
    return ORDERS.get(str(params.get("order") or "created"), keyset.UPLOADED)


def _as_query(params: Mapping[str, Any]) -> MultiValueDict[str, str]:
    """Convert JSON values to the texts of a query string."""
    if isinstance(params, QueryDict):
        return params
    return MultiValueDict({name: _texts(name, value) for name, value in params.items()})


def _texts(name: str, value: Any) -> list[str]:
    match value:
        case None:
            return []
        case bool():
            return ["true" if value else "false"]
        case str() if is_unicode(value):
            return [value]
        case int() | float():
            return [str(value)]
        case list() if not any(isinstance(entry, list | None) for entry in value):
            return [text for entry in value for text in _texts(name, entry)]
    raise Refusal("invalid", _("Give a text, a number, true or false, or a list of texts."), name)


def is_unicode(text: str) -> bool:
    """Whether `text` has no surrogates. JSON can contain them, but PostgreSQL cannot store them."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
