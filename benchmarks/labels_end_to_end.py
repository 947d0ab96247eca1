"""A minute of answers through the API, from an empty set to labels, on photographs with captions.

For each thing an account has half of the photographs as its library. It makes a set, answers what
`next/` asks by the captions, wishes for “at least 95 % right” and applies. The other half are
unseen pictures. Printed are

- the calibration error of the unseen pictures' probabilities, before answers and after;
- how many of the labels are right at the wish, in the library and among unseen pictures;
- the live precision and recall of `quality/` beside the truth of the library, and how often their
  intervals hold it;
- the same calibration for a set of things of which a picture shows one, also without the part of
  the error that is chance.

What a photograph shows is told as in `labels_learning`. Wants an empty database (`make bench`
starts one); workers' tasks run in this process.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import labels_learning
from benchmarks.labels_learning import LEAST, THINGS, WISH, WISHED, Library
from benchmarks.relevance import argument_parser, photo_vectors, wanted_names

if TYPE_CHECKING:
    from gallery.models import EmbeddingSpace

SETS = "/api/v1/label-sets/"
ANSWERS = 50


def main(arguments: list[str]) -> None:
    parser = argument_parser("labels_end_to_end", __doc__)
    parser.add_argument("--answers", type=int, default=ANSWERS, help="for each set")
    parser.add_argument("--seeds", type=int, default=1, help="how often to draw halves")
    parser.add_argument("--every", type=int, default=1, help="only each nth of the things")
    options = parser.parse_args(arguments)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from gallery.encoders import client
    from gallery.encoders.registry import get_encoder

    encoder = get_encoder("starter")
    wanted = wanted_names(options)
    names, vectors = photo_vectors(encoder, options, wanted)
    kept = [number for number, name in enumerate(names) if wanted is None or name in wanted]
    mentions = labels_learning.mentions_of(
        json.loads(options.captions.read_text())["en"], [names[number] for number in kept]
    )
    library = Library(
        encoder.logit_scale, vectors[kept].astype(float),
        encoder.encode_texts(list(THINGS)).astype(float), mentions >= 2, mentions != 1,
    )  # fmt: skip
    call_command("migrate", verbosity=0)
    client.encode_texts = lambda _space, texts, **_options: encoder.encode_texts(list(texts))
    things = [thing for thing in range(len(THINGS)) if library.shows[thing].sum() >= LEAST]
    things = things[:: options.every]
    _any_of_these(library, _space(encoder), things, options.answers, options.seeds)
    _one_of_these(library, _space(encoder), options.answers, 20 * options.seeds)


def _space(encoder: Any) -> EmbeddingSpace:
    from gallery.indexing import concepts
    from gallery.models import EmbeddingSpace

    space, is_new = EmbeddingSpace.objects.get_or_create(
        architecture="starter",
        defaults={
            "dimensions": encoder.dimensions,
            "logit_scale": encoder.logit_scale,
            "checksum": encoder.checksum,
            "state": "active",
            "generation": 1,
        },
    )
    if is_new:
        concepts.make(space, encoder)
    return space


# --- An account that works through the API --------------------------------------------------


@dataclass
class Account:
    """An account whose library are some photographs, by their `places`."""

    space: EmbeddingSpace
    places: np.ndarray
    ids: list[uuid.UUID]
    client: Any
    steps: list[float] = field(default_factory=list)

    @classmethod
    def with_photographs(
        cls, space: EmbeddingSpace, library: Library, places: np.ndarray
    ) -> Account:
        from rest_framework.test import APIClient

        from gallery.indexing import encoding
        from gallery.models import Image, User

        user = User.objects.create_user(f"u{uuid.uuid4().hex[:12]}")
        images = Image.objects.bulk_create(
            Image(
                owner=user, file="none", sha256=uuid.uuid4().hex * 2, byte_size=1,
                content_type="image/jpeg", width=64, height=48, visibility="private",
            )
            for _ in places
        )  # fmt: skip
        ids = [image.pk for image in images]
        encoding.keep_vectors(space, ids, library.pictures[places].astype(np.float32))
        client = APIClient(SERVER_NAME="localhost")
        client.force_authenticate(user)
        return cls(space, places, ids, client)

    def ask(self, method: str, address: str, body: Any = None) -> Any:
        start = time.perf_counter()
        answer = getattr(self.client, method)(f"{SETS}{address}", body, format="json")
        self.steps.append(time.perf_counter() - start)
        if answer.status_code >= 400:
            raise SystemExit(f"{method} {address}: {answer.status_code} {answer.content!r}")
        return answer.json()

    def answer(self, label_set: str, truth: dict[str, np.ndarray], count: int) -> set[int]:
        """Answer what is asked, about the categories of `truth` in turn; each says which of all
        photographs show it. Returns the places of the answered ones."""
        from gallery.labels import maintenance

        place, said = dict(zip(map(str, self.ids), self.places, strict=True)), set()
        given = 0
        while given < count:
            asked = self.ask("get", f"{label_set}/next/?count={min(12, count - given)}")
            if not asked["results"]:
                break
            shows = truth[asked["name"]]
            answers = [
                {
                    "image": row["image"],
                    "category": asked["name"],
                    "verdict": bool(shows[place[row["image"]]]),
                }
                for row in asked["results"]
            ]
            self.ask("post", f"{label_set}/answers/", {"answers": answers})
            said |= {int(place[row["image"]]) for row in answers}
            given += len(answers)
            maintenance.maintain()
        return said

    def probabilities(self, label_set: str, pictures: np.ndarray) -> np.ndarray:
        """Return those of pictures (n, d) by the current fit: (n, k)."""
        from gallery.labels import fitting, probabilities
        from gallery.models import LabelSet

        fit = fitting.require(LabelSet.objects.get(pk=label_set), self.space)
        weights = fitting.weights_of(fit)
        logits = pictures @ np.asarray(weights.vectors, dtype=float).T + np.array(weights.biases)
        return probabilities.of_logits(weights, logits)[0]

    def held_out(self, label_set: str, pictures: np.ndarray) -> np.ndarray:
        """Return the probabilities (n,) of the library, pictures (n, d), for the only category
        of a set, those of answered ones without their answers: what `quality/` is about."""
        from gallery.labels import fitting
        from gallery.models import LabelSet

        fit = fitting.require(LabelSet.objects.get(pk=label_set), self.space)
        (category,) = fitting.weights_of(fit).categories
        shares = dict(zip(self.ids, self.probabilities(label_set, pictures)[:, 0], strict=True))
        shares |= fitting.held_out(fit, category)
        return np.array([shares[pk] for pk in self.ids])

    def labelled(self, label_set: str) -> np.ndarray:
        """Apply the set, and return the places of what has a label."""
        from gallery.labels import applying
        from gallery.models import Label

        self.ask("post", f"{label_set}/apply/")
        applying.run_waiting()
        rows = Label.objects.filter(category__label_set=label_set, removed_by=None)
        place = dict(zip(self.ids, self.places, strict=True))
        return np.array([place[pk] for pk in rows.values_list("image_id", flat=True)], dtype=int)


# --- Any of these ---------------------------------------------------------------------------


def _any_of_these(
    library: Library, space: EmbeddingSpace, things: list[int], count: int, seeds: int
) -> None:
    from gallery.labels.learning import quality

    names = list(THINGS)
    errors, chance, wished, unseen_wished, live, steps = [], [], [], [], [], []
    for seed in range(seeds):
        for thing in things:
            for pool, unseen in library.halves(thing, seed):
                account = Account.with_photographs(space, library, pool)
                name, shows = names[thing], library.shows[thing]
                made = account.ask(
                    "post", "", {"name": name, "mode": "any", "templates": ["{}"],
                                 "categories": [name]}
                )["id"]  # fmt: skip
                before = account.probabilities(made, library.pictures[unseen])[:, 0]
                said = account.answer(made, {name: shows}, count)
                after = account.probabilities(made, library.pictures[unseen])[:, 0]
                errors.append(
                    [quality.calibration_error(each, shows[unseen]) for each in (before, after)]
                )
                drawn = np.random.default_rng([seed, thing]).random(len(unseen)) < after
                chance.append(quality.calibration_error(after, drawn))
                (now,) = account.ask("get", f"{made}/quality/")["categories"]
                least = now["at_least_right"]["probability"]
                if least <= 1 and now["at_least_right"]["share"] * len(pool) >= WISHED:
                    account.ask("patch", f"{made}/", {"thresholds": {name: least}})
                    labels = account.labelled(made)
                    fresh = labels[~np.isin(labels, list(said))]
                    # People's answers are kept: what is shown are labels and answers yes.
                    shown = np.union1d(fresh, [each for each in said if shows[each]]).astype(int)
                    wished.append((shows[shown].mean(), len(shown)))
                    taken = unseen[after >= least]
                    if len(taken) >= WISHED:
                        unseen_wished.append((shows[taken].mean(), len(taken)))
                    (now,) = account.ask("get", f"{made}/quality/")["categories"]
                given = account.held_out(made, library.pictures[pool]) >= now["threshold"]
                truth = {
                    "precision": shows[pool][given].mean() if given.any() else np.nan,
                    "recall": given[shows[pool]].mean() if shows[pool].any() else np.nan,
                }
                live.append({kind: (now[kind], truth[kind]) for kind in truth})
                steps += account.steps
    error = np.mean(errors, axis=0)
    print(f"\nany of these: {len(errors)} sets of one thing, {count} answers each")
    print(f"expected calibration error, unseen: before {error[0]:.3f}, after {error[1]:.3f}, by "
          f"chance alone {np.mean(chance):.3f}; at most .05 in "
          f"{np.mean(np.array(errors)[:, 1] <= 0.05):.0%}")  # fmt: skip
    _show_wish("in the library, labels and answers", wished, len(errors))
    _show_wish("unseen pictures", unseen_wished, len(errors))
    for kind in ("precision", "recall"):
        pairs = [row[kind] for row in live if row[kind][0] and not np.isnan(row[kind][1])]
        off = np.array([found["value"] - truth for found, truth in pairs])
        held = np.mean([found["low"] <= truth <= found["high"] for found, truth in pairs])
        wide = np.mean([found["high"] - found["low"] for found, _truth in pairs])
        print(f"live {kind}, told of {len(pairs)} sets: {off.mean():+.3f} from the truth on "
              f"average, each ± {off.std():.3f}; intervals of {wide:.2f} hold it in "
              f"{held:.0%}")  # fmt: skip
    print(f"a step through the API takes {np.median(steps) * 1000:.0f} ms, "
          f"the longest {max(steps):.1f} s")  # fmt: skip


def _show_wish(where: str, reached: list[tuple[float, int]], of: int) -> None:
    if not reached:
        print(f"“at least {WISH:.0%} right”, {where}: nobody reaches it")
        return
    right, taken = np.array(reached).T
    drawn = np.random.default_rng(0).binomial(taken.astype(int), WISH, (1000, len(taken))) / taken
    print(f"“at least {WISH:.0%} right”, {where}: {len(right)} of {of} reach it with {WISHED} "
          f"pictures; right {right.mean():.1%} on average, each ± {right.std():.1%}, within 3 "
          f"points {np.mean(abs(right - WISH) <= 0.03):.0%} (by chance alone "
          f"{np.mean(abs(drawn - WISH) <= 0.03):.0%}), at least that right less 3 points "
          f"{np.mean(right >= WISH - 0.03):.0%} ({np.mean(drawn >= WISH - 0.03):.0%}), a median "
          f"of {np.median(taken):.0f} pictures")  # fmt: skip


# --- One of these ---------------------------------------------------------------------------


def _one_of_these(library: Library, space: EmbeddingSpace, count: int, seeds: int) -> None:
    from gallery.labels.learning import quality

    things, one, classes, _none = labels_learning.exclusive(library)
    names = [list(THINGS)[thing] for thing in things]
    errors, squares, right = [], [], []
    for seed in range(seeds):
        drawn = np.random.default_rng(seed).permutation(len(one))
        pool, unseen = np.array_split(one[drawn], 2)
        class_of = dict(zip(one, classes, strict=True))
        truths = np.array([class_of[place] for place in unseen])
        account = Account.with_photographs(space, library, pool)
        made = account.ask(
            "post", "", {"name": "Things", "mode": "one", "none_of_these": False,
                         "templates": ["{}"], "categories": names}
        )["id"]  # fmt: skip
        truth = {name: library.shows[thing] for name, thing in zip(names, things, strict=True)}
        rows, beyond = [], []
        for _ in range(2):
            shares = account.probabilities(made, library.pictures[unseen])
            beyond.append(_square_beyond_chance(*quality.of_likeliest(shares, truths)))
            rows.append(
                (
                    quality.calibration_error(*quality.of_likeliest(shares, truths)),
                    np.mean(shares.argmax(axis=1) == truths),
                )
            )
            if len(rows) == 1:
                account.answer(made, truth, count)
        chosen = shares.cumsum(axis=1) > np.random.default_rng(seed).random((len(unseen), 1))
        by_chance = quality.of_likeliest(shares, chosen.argmax(axis=1))
        errors.append([rows[0][0], rows[1][0], quality.calibration_error(*by_chance)])
        right.append([rows[0][1], rows[1][1]])
        squares.append(beyond)
    error, accuracy = np.mean(errors, axis=0), np.mean(right, axis=0)
    print(f"\none of {len(things)}: {seeds} sets, {count} answers each")
    print(f"expected calibration error, unseen: before {error[0]:.3f}, after {error[1]:.3f}, by "
          f"chance alone {error[2]:.3f}; right {accuracy[0]:.1%}, {accuracy[1]:.1%}")  # fmt: skip
    roots = np.sqrt(np.maximum(np.mean(squares, axis=0), 0))
    print(f"root mean square of the calibration error without chance: before {roots[0]:.3f}, "
          f"after {roots[1]:.3f}")  # fmt: skip


def _square_beyond_chance(shares: np.ndarray, truths: np.ndarray) -> float:
    """Return an estimate of the mean square of the calibration error that is right on average,
    and may be below 0: the chance of each bin is subtracted (A. Kumar, P. Liang and T. Ma,
    "Verified uncertainty calibration", NeurIPS 2019)."""
    from gallery.labels.learning import quality

    points = quality.reliability(shares, truths)
    squares = [
        (point.predicted - point.observed.value) ** 2
        - point.observed.value * (1 - point.observed.value) / max(point.count - 1, 1)
        for point in points
    ]
    return float(np.average(squares, weights=[point.count for point in points]))
