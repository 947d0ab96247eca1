"""The help of the search bar: examples that one click tries out."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from gallery.errors import Sentence
from gallery.labels import reading
from gallery.models import Album, Image, User, Viewer
from gallery.organising import tags
from gallery.search.query import syntax
from gallery.search.query.query import Query
from gallery.web.pictures.tiles import thumbnail


@dataclass(frozen=True)
class Example:
    """A line to try and its meaning. If it contains a picture, `src` is the address of a small copy
    and `name` its name."""

    text: str
    meaning: Sentence
    src: str = ""
    name: str = ""


@dataclass(frozen=True)
class Section:
    title: Sentence
    examples: list[Example]


def sections(viewer: Viewer) -> list[Section]:
    """Return all sections. The filters for members use the viewer's own tags and albums."""
    return [
        Section(_("Words"), _words()),
        Section(_("Pictures"), _pictures(viewer)),
        Section(_("Filters"), [*_filters(), *_own_filters(viewer)]),
    ]


def _words() -> list[Example]:
    return [
        Example(_("a dog on a beach"), _("what the picture shows, in a sentence or a few words")),
        Example(
            _('"a red car" "a wooden house"'),
            _("quotation marks: several things, each for itself"),
        ),
        Example(_("beach -people"), _("a minus: unlike this")),
        Example(
            _("beach without people"),
            _("a minus in plain words; in quotation marks they stay words"),
        ),
        Example(
            _("beach last year"),
            _("a date in plain words: also yesterday, last week, 2019, July 2019, November 30"),
        ),
        Example(_('city "at night"^0.5'), _("^ and a number: counts half as much; up to 2")),
    ]


def _pictures(viewer: Viewer) -> list[Example]:
    newest = Image.objects.visible_to(viewer).order_by("-created_at").first()
    if newest is None:
        return []
    src, name = thumbnail(newest, 160), newest.name_for(viewer)
    part = _("a part of %(name)s") % {"name": name}
    return [
        Example(
            f"like:{newest.pk}",
            _("like this picture; “More like this” on a result adds it"),
            src,
            name,
        ),
        Example(
            f"like:{newest.pk}[25,25,50,50]",
            _("like the middle of it; any part will do"),
            src,
            part,
        ),
    ]


def _filters() -> list[Example]:
    return [
        Example("after:2024", _("taken in 2024 or later")),
        Example(
            "on:2024-05",
            _("taken in May 2024; also on:yesterday, on:last-week, before:2024-05-20"),
        ),
        Example("orientation:portrait", _("or landscape, or square")),
        Example("color:red", _("mostly this colour; also color:#1e90ff")),
        Example("rating:>=4", _("four stars or more from its owner; rating:0 has none")),
        Example("size:>4mp", _("more than 4 megapixels; also size:small, medium or large")),
        Example(_("words:summer"), _("only pictures whose title or description says so")),
    ]


def _own_filters(viewer: Viewer) -> list[Example]:
    """Return examples with a camera, an album and a tag that the viewer has."""
    found = []
    visible = Image.objects.visible_to(viewer)
    camera = visible.exclude(camera="").values_list("camera", flat=True).first()
    if camera:
        found.append(Example(_line(camera=camera), _("taken with this camera")))
    album = Album.objects.visible_to(viewer).listed().order_by("-created_at").first()
    if album is not None:
        found.append(Example(_line(album=album.title), _("in this album")))
    found += _categories(viewer)
    if not isinstance(viewer, User):
        return found
    tag = tags.in_use(viewer).first()
    if tag is not None:
        found.append(Example(_line(tag=[tag.name]), _("with this tag of yours")))
    return [
        *found,
        Example("owner:me", _("your own pictures")),
        Example("favourite:yes", _("your favourites")),
        Example("archived:yes", _("your archive")),
    ]


def _categories(viewer: Viewer) -> list[Example]:
    """Return examples with a category that the viewer sees."""
    category = reading.categories_for(viewer).order_by("label_set__name", "position").first()
    if category is None:
        return []
    name = category.name
    return [
        Example(_line(category=[name]), _("labelled with this category")),
        Example(_line(category=[f"{name}>0.9"]), _("with a probability of more than 90 %")),
        Example(_line(category=[f"-{name}"]), _("without this category")),
    ]


def _line(**filters: object) -> str:
    return syntax.format(Query(filters=filters))
