"""What a label set is: its mode, templates and categories, as JSON or a file gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from gallery import spelling
from gallery.errors import Refusal
from gallery.labels.templates import clean_templates, fill, has_place, texts_for
from gallery.models import LabelSet, LabelSetVersion

Mode = LabelSetVersion.Mode

MAX_NAME = 100
MAX_CATEGORIES = 1000
MAX_CATEGORY = 200
MAX_PROMPTS = 100
MAX_PROMPT = 200
MAX_TEMPLATES = 100
MAX_LANGUAGES = 20
# Texts to encode: categories times templates or prompts.
MAX_TEXTS = 10_000

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})?", re.IGNORECASE)


@dataclass(frozen=True)
class CategoryForm:
    """A category of a version. `names` are those in other languages, by language code. `prompts`
    replace the templates of the set: complete texts, or with a place for the name. `parent` is
    the name of another category. `id` is that of an existing category, which keeps its answers
    under a new name."""

    name: str
    names: Mapping[str, str] = field(default_factory=dict)
    prompts: Sequence[str] = ()
    parent: str = ""
    id: UUID | None = None

    def texts(self, templates: Sequence[str]) -> list[str]:
        """Return the texts whose mean vector represents the category."""
        if not self.prompts:
            return texts_for(self.name, templates)
        return [fill(prompt, self.name) if has_place(prompt) else prompt for prompt in self.prompts]

    def as_json(self) -> dict[str, Any]:
        found = asdict(self)
        found["prompts"] = list(self.prompts)
        found["id"] = self.id and str(self.id)
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CategoryForm:
        """Read what `as_json` wrote."""
        number = data.get("id")
        return cls(
            name=data["name"],
            names=data["names"],
            prompts=tuple(data["prompts"]),
            parent=data["parent"],
            id=UUID(number) if number else None,
        )


@dataclass(frozen=True)
class Definition:
    """A checked definition. `templates` are empty for the default of each name's script, and
    (ENSEMBLE,) for the sentences of its ensemble."""

    mode: str
    none_of_these: bool
    templates: tuple[str, ...]
    categories: tuple[CategoryForm, ...]

    @classmethod
    def of(cls, version: LabelSetVersion) -> Definition:
        return cls(
            version.mode,
            version.none_of_these,
            tuple(version.templates),
            tuple(map(CategoryForm.from_json, version.categories)),
        )

    def texts(self) -> list[list[str]]:
        """Return the texts of each category."""
        return [category.texts(self.templates) for category in self.categories]


def checked(
    *,
    mode: str = Mode.ONE,
    none_of_these: bool = True,
    templates: Sequence[str] | str = (),
    categories: Sequence[CategoryForm],
) -> Definition:
    """Clean a definition. Raises Refusal that names `mode`, `templates`, or `categories` with
    the number of the category at fault, as `categories.3.name`."""
    if mode not in Mode.values:
        raise Refusal("bad_mode", _("Say “one” (one of these) or “any” (each yes or no)."), "mode")
    definition = Definition(
        mode,
        none_of_these,
        tuple(clean_templates(templates, MAX_TEMPLATES)),
        tuple(_category(form, f"categories.{n}") for n, form in enumerate(categories)),
    )
    _refuse_counts(definition)
    _refuse_equal(definition.categories)
    _refuse_parents(definition.categories)
    return definition


def newest(label_set: LabelSet) -> LabelSetVersion:
    return LabelSetVersion.objects.filter(label_set=label_set).latest("number")


def clean_set_name(name: str) -> str:
    """Return the name in one line. Raises Refusal (name_missing, name_too_long)."""
    name = spelling.clean_line(name)
    if not name:
        raise Refusal("name_missing", _("Give the label set a name."), "name")
    if len(name) > MAX_NAME:
        raise Refusal(
            "name_too_long",
            _("Shorten the name to at most %(most)d characters.") % {"most": MAX_NAME},
            "name",
        )
    return name


def _category(form: CategoryForm, at: str) -> CategoryForm:
    name = spelling.clean_line(form.name)
    if not name:
        raise Refusal("category_missing", _("Give each category a name."), f"{at}.name")
    if name.startswith("-"):
        raise Refusal(
            "bad_category",
            _("A category cannot begin with a minus: in a search that means “not”."),
            f"{at}.name",
        )
    prompts = tuple(filter(None, map(spelling.normalise_text, form.prompts)))
    if len(prompts) > MAX_PROMPTS:
        raise Refusal(
            "too_many_prompts",
            _("Give a category at most %(most)d prompts.") % {"most": MAX_PROMPTS},
            f"{at}.prompts",
        )
    if any(len(prompt) > MAX_PROMPT for prompt in prompts):
        raise Refusal(
            "prompt_too_long",
            _("A prompt has at most %(most)d characters.") % {"most": MAX_PROMPT},
            f"{at}.prompts",
        )
    names = _names(form.names, at)
    for each in (name, *names.values()):
        if len(each) > MAX_CATEGORY:
            raise Refusal(
                "category_too_long",
                _("A category name may have at most %(max)d characters.") % {"max": MAX_CATEGORY},
                f"{at}.name",
            )
    return CategoryForm(name, names, prompts, spelling.clean_line(form.parent), form.id)


def _names(names: Mapping[str, str], at: str) -> dict[str, str]:
    bad = next((code for code in names if not _LANGUAGE.fullmatch(code)), None)
    if bad is not None or len(names) > MAX_LANGUAGES:
        raise Refusal(
            "bad_language",
            _("Give names by language code, as {“en”: “dog”, “zh-hans”: “狗”}, at most %(most)d.")
            % {"most": MAX_LANGUAGES},
            f"{at}.names",
        )
    cleaned = {code.lower(): spelling.clean_line(name) for code, name in names.items()}
    return {code: name for code, name in cleaned.items() if name}


def _refuse_counts(definition: Definition) -> None:
    if not definition.categories:
        raise Refusal("no_categories", _("Name at least one category."), "categories")
    if len(definition.categories) > MAX_CATEGORIES:
        raise Refusal(
            "too_many_categories",
            _("A label set has at most %(most)d categories.") % {"most": MAX_CATEGORIES},
            "categories",
        )
    if sum(map(len, definition.texts())) > MAX_TEXTS:
        raise Refusal(
            "too_many_texts",
            _("Too many categories for so many templates: use fewer of either."),
            "categories",
        )


def _refuse_equal(categories: Sequence[CategoryForm]) -> None:
    """Raise Refusal for names that are equal, or differ in case or width only."""
    known: dict[str, str] = {}
    for number, category in enumerate(categories):
        key = spelling.key_of(category.name)
        if key in known:
            raise Refusal(
                "same_category",
                _("“%(one)s” and “%(other)s” are the same name: keep one of them.")
                % {"one": known[key], "other": category.name},
                f"categories.{number}.name",
            )
        known[key] = category.name
    ids = [category.id for category in categories if category.id]
    if len(set(ids)) < len(ids):
        raise Refusal(
            "same_category", _("Two categories have the same id: keep one."), "categories"
        )


def _refuse_parents(categories: Sequence[CategoryForm]) -> None:
    """Raise Refusal for parents that do not exist, and for circles."""
    parents = {
        spelling.key_of(category.name): spelling.key_of(category.parent) for category in categories
    }
    for number, category in enumerate(categories):
        above, seen = parents[spelling.key_of(category.name)], set()
        while above:
            if above not in parents or above in seen:
                raise Refusal(
                    "bad_parent",
                    _("“%(name)s” cannot be below “%(parent)s”: name another category of the set.")
                    % {"name": category.name, "parent": category.parent},
                    f"categories.{number}.parent",
                )
            seen.add(above)
            above = parents[above]
