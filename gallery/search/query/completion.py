"""Completion of query lines: keys, and values that the viewer knows.

Suggestions contain nothing that the viewer could not see in a list: own tags, visible albums, and
the cameras and owners of visible pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery import rate_limits
from gallery.labels import reading
from gallery.models import Album, Image, Tag, User, Viewer
from gallery.models.words import beginning, containing
from gallery.search.filters import date_labels, dates
from gallery.search.filters.colours import NAMES as COLOURS
from gallery.search.filters.image_filter import ORIENTATIONS
from gallery.search.query import syntax
from gallery.search.query.query import NEGATIVE_FILTERS
from gallery.search.query.syntax import Token
from gallery.spelling import key_of, normalise_text

MOST = 8
# Cameras are counted among this many of the newest pictures.
_RECENT = 5000


@dataclass(frozen=True)
class Suggestion:
    """A suggestion of `kind` "key" or "value". `label` is the inserted text, `detail` its meaning.
    It replaces the characters from `start` to `end`; the line is then `text`, with the cursor at
    `at`. All positions count code points."""

    kind: str
    label: str
    detail: str
    text: str
    at: int
    start: int
    end: int


def complete(text: str, cursor: int, viewer: Viewer) -> list[Suggestion]:
    """Return the suggestions at `cursor` in `text`, likeliest first: at most MOST values, all
    matching values of a short fixed list, or all matching keys. Raises TooMany."""
    rate_limits.charge("search", rate_limits.LOOKUP)
    cursor = min(max(cursor, 0), len(text))
    token = next((t for t in syntax.tokens(text[:cursor]) if t.end == cursor), None)
    if token is None or not token.written_key:
        return _keys(text, cursor, token, viewer)
    if token.quoted and _is_closed(text[token.value_start : cursor]):
        return []
    values = _VALUES.get(token.key)
    return (
        _values(text, cursor, token, values(normalise_text(token.value), viewer)) if values else []
    )


# --- Keys -------------------------------------------------------------------------


def _keys(text: str, cursor: int, token: Token | None, viewer: Viewer) -> list[Suggestion]:
    """Return all keys if nothing is typed yet, else the keys with a spelling that begins with the
    typed text, and the viewer's tags that begin with it."""
    if token is not None and token.quoted:
        return []
    typed = "" if token is None else normalise_text(token.value).lower()
    start = cursor if token is None else token.value_start
    negative = token is not None and token.negative
    found = [
        _suggestion("key", text, start, cursor, f"{key}:", detail)
        for key, detail in _details().items()
        if any(spelling.startswith(typed) for spelling in _spellings(key))
        and (key in ("like", *NEGATIVE_FILTERS) or not negative)
    ]
    if typed and not negative:
        found += [
            _suggestion("value", text, start, cursor, f"tag:{syntax.quote(name)}", detail)
            for name, detail in _tags_where(beginning("name", typed), viewer)
        ]
    return found


def _spellings(key: str) -> list[str]:
    return [key, *(alias for alias, meant in syntax.ALIASES.items() if meant == key)]


def _details() -> dict[str, str]:
    """Return the meaning of each key, the most useful first."""
    return {
        "tag": _("one of your tags"),
        "album": _("an album, by its title"),
        "category": _("a category of a label set"),
        "after": _("taken from this day, month or year on"),
        "before": _("taken before this day, month or year"),
        "on": _("taken on this day, in this month or year, or yesterday, last-week …"),
        "camera": _("taken with this camera"),
        "color": _("a colour by name or as #hex"),
        "orientation": _("landscape, portrait or square"),
        "favourite": _("yes or no"),
        "rating": _("stars, as 5, >=4 or <3"),
        "owner": _("me, or a username"),
        "visibility": _("private, unlisted or public"),
        "size": _("in megapixels, as >4mp; or small, medium, large"),
        "words": _("words in title, description, tags or file name"),
        "archived": _("yes or no"),
        "like": _("a picture in the gallery, by its id"),
    }


# --- Values -----------------------------------------------------------------------

# A value, and its meaning.
Value = tuple[str, str]


def _values(text: str, cursor: int, token: Token, values: Iterable[Value]) -> list[Suggestion]:
    return [
        _suggestion("value", text, token.value_start, cursor, syntax.quote(value), detail)
        for value, detail in values
    ]


def _suggestion(kind: str, text: str, start: int, end: int, insert: str, detail: str) -> Suggestion:
    """Make a suggestion. A value ends with a space; a key continues with its value."""
    space = " " if kind == "value" and text[end : end + 1] != " " else ""
    before = text[:start] + insert + space
    step = 1 if kind == "value" and not space else 0
    return Suggestion(kind, insert, detail, before + text[end:], len(before) + step, start, end)


def _is_closed(value: str) -> bool:
    """Whether a quoted value has its closing mark."""
    return len(value) > 1 and value.endswith(syntax.QUOTES[value[0]])


def _counted(count: int) -> str:
    return ngettext("%(count)d picture", "%(count)d pictures", count) % {"count": count}


def _tags(typed: str, viewer: Viewer) -> Iterable[Value]:
    return _tags_where(containing("name", typed), viewer)


def _tags_where(matching: Q, viewer: Viewer) -> Iterable[Value]:
    own = Tag.objects.filter(matching, owner_id=viewer.pk or 0)
    kept = Count("images", filter=Q(images__deleted_at__isnull=True))
    counted = own.annotate(count=kept).filter(count__gt=0).order_by("-count", "name")
    for name, count in counted.values_list("name", "count")[:MOST]:
        yield name, _counted(count)


def _categories(typed: str, viewer: Viewer) -> Iterable[Value]:
    """Return the names of categories that fit, in the language in which they do."""
    known = reading.named_like(reading.categories_for(viewer), typed)
    named = known.order_by("label_set__name", "position")
    rows = named.values_list("name", "all_names", "label_set__name")[: 5 * MOST]
    found = {_fitting(typed, name, others): set_name for name, others, set_name in rows}
    return list(found.items())[:MOST]


def _fitting(typed: str, name: str, others: list[str]) -> str:
    """Return the first of the names that contains what is typed."""
    part = key_of(typed)
    return next((one for one in (name, *others) if part in key_of(one)), name)


def _albums(typed: str, viewer: Viewer) -> Iterable[Value]:
    albums = Album.objects.visible_to(viewer).listed().filter(containing("title", typed))
    for title in albums.order_by("-created_at", "-pk").values_list("title", flat=True)[:MOST]:
        yield title, ""


def _cameras(typed: str, viewer: Viewer) -> Iterable[Value]:
    recent = Image.objects.visible_to(viewer).exclude(camera="").order_by("-created_at", "-pk")
    named = Image.objects.filter(containing("camera", typed), pk__in=recent.values("pk")[:_RECENT])
    counted = named.order_by().values("camera").annotate(count=Count("pk"), last=Max("taken_at"))
    for row in counted.order_by("-count", "-last")[:MOST]:
        yield row["camera"], _counted(row["count"])


def _owners(typed: str, viewer: Viewer) -> Iterable[Value]:
    most = MOST
    if viewer.pk and "me".startswith(typed.lower()):
        yield "me", _("your own pictures")
        most -= 1
    visible = Image.objects.visible_to(viewer).filter(owner_id=OuterRef("pk"))
    users = User.objects.filter(Exists(visible), containing("username", typed))
    for name in users.order_by("username").values_list("username", flat=True)[:most]:
        yield name, ""


def _days(typed: str, viewer: Viewer) -> Iterable[Value]:
    """Return the moving spans, this month, this year and the years before."""
    today = localdate()
    word = typed.lower()
    moving = [(name, str(date_labels.MOVING[name])) for name in dates.MOVING]
    shapes = [f"{today:%Y-%m}", f"{today:%Y}", *(str(today.year - n) for n in range(1, 30))]
    known = [*moving, *((shape, "") for shape in shapes)]
    fitting = [one for one in known if one[0].startswith(word) or one[1].lower().startswith(word)]
    # Nothing is typed yet: some of both.
    return fitting[:MOST] if word else [*moving[:2], *known[len(moving) :]][:MOST]


def _colours(typed: str, viewer: Viewer) -> Iterable[Value]:
    """Return the colours by their English names, as in a line, or by their names in the language
    of the page."""
    known = [(name, str(colour.label)) for name, colour in COLOURS.items()]
    word = typed.lower()
    return [one for one in known if one[0].startswith(word) or one[1].lower().startswith(word)]


def _one_of(*words: str) -> Callable[[str, Viewer], Iterable[Value]]:
    def matching(typed: str, viewer: Viewer) -> Iterable[Value]:
        return [(word, "") for word in words if word.startswith(typed.lower())]

    return matching


_VALUES: dict[str, Callable[[str, Viewer], Iterable[Value]]] = {
    "tag": _tags,
    "album": _albums,
    "category": _categories,
    "camera": _cameras,
    "owner": _owners,
    "after": _days,
    "before": _days,
    "on": _days,
    "color": _colours,
    "orientation": _one_of(*ORIENTATIONS),
    "favourite": _one_of("yes", "no"),
    "rating": _one_of("5", ">=4", ">=3", "0"),
    "archived": _one_of("no", "yes"),
    "visibility": _one_of(*Image.Visibility.values),
    "size": _one_of(*syntax.SIZES, ">4mp", "<1mp"),
}
