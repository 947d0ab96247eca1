"""Evaluation with one's own labelled pictures: a CSV file, or a folder for each category."""

from __future__ import annotations

import base64
from collections import defaultdict
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from gallery.errors import Refusal, Unavailable
from gallery.indexing import selectors
from gallery.indexing.spaces import require_active_space
from gallery.labels import evaluating, fitting, own_folders, quality, sets
from gallery.labels.evaluating import Truths
from gallery.labels.learning.intervals import Estimate
from gallery.labels.quality import Evaluation
from gallery.models import LabelSet, User
from gallery.web.access import is_fragment, member, posted_picture, signed_in
from gallery.web.label_answers import plots, words
from gallery.web.labels import loading
from gallery.web.labels.loading import name_of
from gallery.web.pictures.tiles import thumbnail

# Pictures that are shown of each cell.
SHOWN = 24
MAX_CSV_BYTES = 5 * 1024**2


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def evaluate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page and, for a CSV file, the result."""
    user = member(request)
    label_set = loading.changeable(request, pk)
    context = {
        **loading.head(request, label_set, "evaluate"),
        "names": [name_of(category) for category in sets.categories_of(label_set)],
        "config": _config(label_set),
    }
    if request.method != "POST":
        return render(request, "label_answers/evaluate.html", context)
    try:
        context["result"] = _of_csv(request, label_set, user)
    except Refusal as refusal:
        context["problem"] = refusal.message
    status = 400 if "problem" in context else 200
    template = "result" if is_fragment(request) else "evaluate"
    return render(request, f"label_answers/{template}.html", context, status=status)


@require_POST
@signed_in
def known(request: HttpRequest, pk: UUID) -> JsonResponse:
    """Which of the chosen pictures are in the gallery, by their SHA-256. The names of the folders
    come along: an unknown category is refused before anything is sent."""
    try:
        user = member(request)
        label_set = loading.changeable(request, pk)
        for name in set(request.POST.getlist("folder")):
            evaluating.category_of_folder(label_set, name)
        found = own_folders.known(request.POST.getlist("sha256"), user, require_active_space())
    except (Refusal, Unavailable) as problem:
        return _problem(problem)
    return JsonResponse({"known": {sha256: str(image) for sha256, image in found.items()}})


@require_POST
@signed_in
def picture(request: HttpRequest, pk: UUID) -> JsonResponse:
    """The vector of one picture, which is not kept."""
    try:
        user = member(request)
        loading.changeable(request, pk)
        file = posted_picture(request)
        vector = own_folders.encode(file, file.name or "", user, require_active_space())
    except (Refusal, Unavailable) as problem:
        return _problem(problem)
    return JsonResponse({"vector": vector})


@require_POST
@signed_in
def folders(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The result for all pictures of the folders, as a part of the page."""
    user = member(request)
    label_set = loading.changeable(request, pk)
    file = posted_picture(request)
    if (file.size or 0) > own_folders.MAX_BYTES:
        raise own_folders.too_many()
    space = require_active_space()
    truths = own_folders.read(file.read(), label_set, user, space)
    context = {"label_set": label_set, "result": _result(label_set, truths, user)}
    return render(request, "label_answers/result.html", context)


def _of_csv(request: HttpRequest, label_set: LabelSet, user: User) -> dict[str, Any]:
    file = request.FILES.get("file")
    if file is None:
        raise Refusal("no_file", _("Choose a file first."), "file")
    if (file.size or 0) > MAX_CSV_BYTES:
        raise Refusal("too_large", _("The file has more than 5 MB."), "file")
    labelled = evaluating.read_csv(file.read())
    truths = evaluating.vectors_of(labelled, label_set, user, require_active_space())
    return _result(label_set, truths, user)


def _result(label_set: LabelSet, truths: Truths, user: User) -> dict[str, Any]:
    fit = fitting.require(label_set, require_active_space())
    found = quality.evaluate(fit, truths.vectors, truths.categories, truths.left_out)
    names = [name_of(category) for category in sets.categories_of(label_set)]
    names.append(_("none of these"))
    matrix = plots.confusion(found.confusion, names)
    return {
        "pictures": found.pictures,
        "left_out": found.left_out,
        "accuracy": words.with_interval(found.accuracy),
        "likeliest": words.with_interval(found.likeliest),
        "calibration_error": number_format(round(found.calibration_error, 3), 3),
        "brier": number_format(round(found.brier, 3), 3),
        "plot": plots.reliability(found.reliability),
        "bins": [words.of_bin(one) for one in found.reliability],
        "classes": [
            {
                "name": name,
                "pictures": row.answers,
                "precision": _with_interval(row.precision),
                "recall": _with_interval(row.recall),
            }
            for name, (_name, row) in zip(names, found.classes, strict=True)
            if row.answers or row.precision
        ],
        "matrix": matrix,
        "names": names,
        "drawing": _drawing(matrix),
        "cells": _cells(found, truths, names, user),
    }


def _with_interval(estimate: Estimate | None) -> str:
    return words.with_interval(estimate) if estimate else "–"


def _drawing(matrix: plots.Confusion) -> str:
    """Return the matrix as an SVG file in an address, to be downloaded."""
    drawn = render_to_string("label_answers/confusion_svg.html", {"matrix": matrix, "alone": True})
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode('ascii')}"


def _cells(found: Evaluation, truths: Truths, names: list[str], user: User) -> list[dict[str, Any]]:
    """Return the pictures of each cell that has some: those of the gallery with their addresses,
    others by their place in what the page has sent."""
    members: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, (row, column) in enumerate(found.cells.tolist()):
        members[row, column].append(number)
    shown = [number for numbers in members.values() for number in numbers[:SHOWN]]
    ids = [image for image in (truths.images[number] for number in shown) if image is not None]
    images = selectors.visible_by_id(ids, user)
    return [
        {
            "row": row,
            "column": column,
            "truth": names[row],
            "said": names[column],
            "count": len(numbers),
            "more": max(len(numbers) - SHOWN, 0),
            "pictures": [_picture(truths, number, images, user) for number in numbers[:SHOWN]],
        }
        for (row, column), numbers in sorted(members.items())
    ]


def _picture(truths: Truths, number: int, images: Any, user: User) -> dict[str, Any]:
    image = images.get(truths.images[number])
    if image is None:
        return {"entry": truths.places[number]}
    return {
        "href": reverse("image", args=[image.pk]),
        "src": thumbnail(image, 320),
        "name": image.name_for(user),
    }


def _config(label_set: LabelSet) -> dict[str, Any]:
    args = [label_set.pk]
    return {
        "known": reverse("label_set_evaluate_known", args=args),
        "picture": reverse("label_set_evaluate_picture", args=args),
        "folders": reverse("label_set_evaluate_folders", args=args),
        "most": own_folders.MOST,
        "texts": {
            "reading": _("Reading {done} of {count} pictures…"),
            "encoding": _("Looking at {done} of {count} pictures…"),
            "computing": _("Computing…"),
            "flat": _(
                "Choose a folder that has a folder of pictures for each category. "
                "One named “none” is for pictures of no category."
            ),
            "tooMany": _("Give at most {most} labelled pictures at once."),
            "refused": _("{count} files could not be read and are left out."),
            "away": _("The server does not answer. Trying again…"),
            "stopped": _("This broke off. Choose the folder again."),
        },
    }


def _problem(problem: Refusal | Unavailable) -> JsonResponse:
    answer = JsonResponse(
        {"code": problem.code, "detail": str(problem.message)}, status=problem.status
    )
    if problem.retry_after is not None:
        answer["Retry-After"] = str(problem.retry_after)
    return answer
