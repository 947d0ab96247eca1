"""What labels gain from answers, on photographs with captions.

A photograph shows a thing if two of its captions mention it, and does not if none does; those with
one such caption are left out. Half of the photographs are the library, whose answers are asked, the
other half are unseen ones; then the halves change places. Captions are JSON as for `relevance`.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.relevance import argument_parser, photo_vectors, wanted_names

if TYPE_CHECKING:
    from gallery.indexing.text_fit import TextFit

# A thing, and the words of captions that mention it.
THINGS = {
    "people": "people|man|men|woman|women|boys?|girls?|child|children|person|crowd|players?",
    "a man": "man|men|guys?", "a woman": "woman|women|lady|ladies",
    "children": "child|children|kids?|boys?|girls?|toddlers?|bab(y|ies)", "a boy": "boys?",
    "a girl": "girls?", "a dog": r"dogs?|pupp(y|ies)|\w*hounds?|terriers?", "a bird": "birds?",
    "a horse": "horses?|pon(y|ies)", "snow": r"snow\w*", "the beach": "beach|sand|shore",
    "the sea": "ocean|sea|waves?", "water": "water|lake|river|ocean|sea|pool|pond|stream",
    "a swimming pool": "pools?", "a lake": "lakes?|ponds?", "grass": r"grass\w*|lawn|meadow",
    "a tree": "trees?", "a forest": "forest|woods|wooded", "mountains": r"mountain\w*|hills?",
    "a rock": "rocks?|rocky|boulders?|cliffs?", "rock climbing": r"climb\w*",
    "a bicycle": r"bicycl\w*|bik(e|es|er|ers|ing)|cyclists?", "a motorcycle": r"motor\w*",
    "a car": "cars?|vehicles?|trucks?", "a boat": "boats?|canoes?|kayaks?|rafts?",
    "a street": "streets?|roads?|sidewalks?", "a building": "buildings?|houses?",
    "soccer": "soccer", "american football": "football|rugby", "basketball": "basketball",
    "baseball": "baseball", "tennis": "tennis", "skateboarding": r"skateboard\w*|skater",
    "skiing": "ski|skis|skiing|skiers?", "surfing": r"surf\w*", "swimming": r"swim\w*",
    "a ball": "balls?", "jumping": r"jump\w*|leap\w*", "running": r"run\w*", "a hat": "hats?|caps?",
    "sunglasses": "sunglasses|glasses|goggles", "a playground": "playground|slide|swings?",
    "a crowd": "crowds?|audience|spectators", "a stage": "stage|concert",
}  # fmt: skip
# Things of which a photograph shows at most one, mostly.
EXCLUSIVE = (
    "a dog", "snow", "the beach", "a bicycle", "a boat", "a street", "rock climbing",
    "skateboarding", "a crowd", "a playground", "a swimming pool", "a motorcycle", "a bird",
    "a horse", "soccer", "american football", "basketball", "baseball", "tennis", "a stage",
)  # fmt: skip
LEAST = 20  # photographs that show a thing, for a figure about it
ANSWERS = (24, 48, 96)
MINUTE = 50
STRIPS = (0, 1, 2, 4, 8)
# A person's own names for groups of photographs, which say nothing of what they show.
OWN_NAMES = (
    "Rex", "Thursday", "Project Nine", "our club", "the second trip", "Aunt Mo", "Zebulon",
    "best of", "kiki", "Nr. 12", "old stuff", "to sort", "vol. 3", "Meridian", "misc",
)  # fmt: skip
EXAMPLES = (1, 2, 4, 8, 16)
GROUP = 20  # photographs of a group at least
WISH = 0.95
WISHED = 20  # pictures above a threshold, for a figure about it


@dataclass(frozen=True)
class Library:
    """Vectors of pictures (n, d) and texts (k, d); whether a picture shows a thing, and whether
    that is known, both (k, n). `fits` (k) judge the texts."""

    scale: float
    pictures: np.ndarray
    texts: np.ndarray
    shows: np.ndarray
    known: np.ndarray
    fits: Sequence[TextFit] = ()

    def log_odds(self, thing: int) -> np.ndarray:
        """Return the log-odds of a thing before answers, as gallery.labels.defaults does."""
        fit = self.fits[thing]
        return fit.slope * (self.pictures @ self.texts[thing] - fit.line)

    def logits(self, thing: int) -> np.ndarray:
        return self.scale * (self.pictures @ self.texts[thing])

    def halves(self, thing: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return (library, unseen) twice, as places of pictures of which the truth is known."""
        drawn = np.random.default_rng(seed).permutation(len(self.pictures))
        first, second = np.array_split(drawn[self.known[thing, drawn]], 2)
        return [(first, second), (second, first)]


Learn = Callable[[Library, int, np.ndarray], np.ndarray]
Ask = Callable[[Library, int, np.ndarray, int, np.random.Generator], np.ndarray]


def main(arguments: list[str]) -> None:
    parser = argument_parser("labels_learning", __doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how often to draw halves and answers")
    options = parser.parse_args(arguments)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    import django

    django.setup()
    from gallery.encoders.registry import get_encoder
    from gallery.indexing import concepts
    from gallery.indexing.text_fit import MOST_PICTURES, Reference

    encoder = get_encoder("starter")
    wanted = wanted_names(options)
    names, vectors = photo_vectors(encoder, options, wanted)
    kept = [number for number, name in enumerate(names) if wanted is None or name in wanted]
    captions = json.loads(options.captions.read_text())["en"]
    mentions = mentions_of(captions, [names[number] for number in kept])
    texts = encoder.encode_texts(list(THINGS))
    judged_on = np.random.default_rng(0).permutation(kept)[:MOST_PICTURES]
    reference = Reference(
        concepts.encoded(encoder), vectors[judged_on], concepts.encoded(encoder, "zh")
    )
    library = Library(
        encoder.logit_scale, vectors[kept].astype(float), texts.astype(float), mentions >= 2,
        mentions != 1, reference.fits(texts),
    )  # fmt: skip
    things = [thing for thing in range(len(THINGS)) if library.shows[thing].sum() >= LEAST]
    print(f"{len(kept)} photographs, {len(things)} things")
    _ranking(library, things, options.seeds)
    _minute(library, things, options.seeds)
    _strips(library, things)
    _one_of_these(library, options.seeds)
    _examples(library, encoder.encode_texts(list(OWN_NAMES)).astype(float), options.seeds)
    words = [concept.english for concept in concepts.concepts()]
    _none(library, np.concatenate([encoder.encode_texts([word]) for word in words]))
    _cost(library)


def mentions_of(captions: list[tuple[str, str]], names: list[str]) -> np.ndarray:
    """Count the captions of each photograph that mention each thing: (k, n)."""
    place = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(THINGS), len(names)), dtype=int)
    patterns = [re.compile(rf"\b(?:{words})\b") for words in THINGS.values()]
    for name, caption in captions:
        if name in place:
            counts[:, place[name]] += [bool(words.search(caption.lower())) for words in patterns]
    return counts


# --- Ranking: how well the right pictures come first ---------------------------------------


def _ranking(library: Library, things: list[int], seeds: int) -> None:
    rows: list[tuple[str, Learn, Ask]] = [
        ("the text alone", _text, _top_and_upper_half),
        ("logistic regression", _regression, _top_and_upper_half),
        ("the probe", _probe, _top_and_upper_half),
        ("the probe, asked as people are", _probe, _as_people),
        ("the probe from a wrong text", _wrong_probe, _top_and_upper_half),
    ]
    print(f"\naverage precision on unseen photographs, after {ANSWERS} answers")
    for title, learn, ask in rows:
        figures = []
        for count in ANSWERS:
            found = []
            for thing in things:
                for seed in range(seeds):
                    for pool, unseen in library.halves(thing, seed):
                        rng = np.random.default_rng([seed, thing])
                        asked = ask(library, thing, pool, count, rng)
                        logits = learn(library, thing, asked)[unseen]
                        found.append(_average_precision(logits, library.shows[thing, unseen]))
            figures.append(f"{np.nanmean(found):.3f}")
        print(f"{title:<32} {'  '.join(figures)}")


def _average_precision(scores: np.ndarray, truths: np.ndarray) -> float:
    right = truths[np.argsort(-scores, kind="stable")]
    found = (right.cumsum() / np.arange(1, len(right) + 1))[right]
    return float(found.mean()) if len(found) else np.nan


def _text(library: Library, thing: int, asked: np.ndarray) -> np.ndarray:
    return library.logits(thing)


def _regression(library: Library, thing: int, asked: np.ndarray) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    verdicts = library.shows[thing, asked]
    if verdicts.all() or not verdicts.any():
        return library.logits(thing)
    model = LogisticRegression(max_iter=1000).fit(library.pictures[asked], verdicts)
    return np.asarray(model.decision_function(library.pictures))


def _probe(library: Library, thing: int, asked: np.ndarray) -> np.ndarray:
    return _learned(library, thing, asked, thing)[0]


def _wrong_probe(library: Library, thing: int, asked: np.ndarray) -> np.ndarray:
    """A person's own name for a thing: here that of another thing."""
    other = (thing + len(library.texts) // 2) % len(library.texts)
    return _learned(library, thing, asked, other)[0]


def _learned(
    library: Library, thing: int, asked: np.ndarray, named: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the log-odds of all pictures, and for the answers held-out ones and verdicts. The
    text is that of the thing `named`."""
    from gallery.labels.learning.probe import fit_odds

    verdicts, text, fit = library.shows[thing, asked], library.texts[named], library.fits[named]
    yes, no = asked[verdicts], asked[~verdicts]
    probe = fit_odds(
        text,
        library.pictures[yes],
        library.pictures[no],
        slope=fit.slope,
        constant=-fit.slope * fit.line,
    )
    log_odds = library.pictures @ probe.vector + probe.bias
    return log_odds, probe.held_out, np.r_[np.ones(len(yes)), np.zeros(len(no))]


# --- Which pictures are asked ----------------------------------------------------------------


def _top_and_upper_half(
    library: Library, thing: int, pool: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Half of the answers from the top of the ranking, half at random from its upper half."""
    ranked = pool[np.argsort(-library.logits(thing)[pool], kind="stable")]
    top, rest = ranked[: count // 2], ranked[count // 2 : len(ranked) // 2]
    return np.concatenate([top, rng.choice(rest, count - len(top), replace=False)])


def _as_people(
    library: Library, thing: int, pool: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """A stratified random sample, then twelve at a time: near evens and near the wish in turn."""
    from gallery.labels.learning import asking, thresholds
    from gallery.labels.learning.logistic import sigmoid

    prior = sigmoid(library.log_odds(thing)[pool])
    sample = asking.draw_sample(prior, count // 2, seed=int(rng.integers(2**31)))
    asked = pool[sample.pictures]
    near_wish = False
    while len(asked) < count:
        probabilities = _probabilities(library, thing, asked)[pool]
        wished = thresholds.at_least_right(probabilities, WISH).probability
        told = asking.most_telling(
            probabilities,
            min(wished, probabilities.max()) if near_wish else 0.5,
            min(12, count - len(asked)),
            answered=np.isin(pool, asked),
        )
        asked, near_wish = np.concatenate([asked, pool[told]]), not near_wish
    return asked


def _probabilities(library: Library, thing: int, asked: np.ndarray) -> np.ndarray:
    """Return the probabilities of all pictures, by a probe and its calibration."""
    from gallery.labels.learning.temperature import fit_intercepts

    log_odds, held_out, verdicts = _learned(library, thing, asked, thing)
    found = fit_intercepts(held_out[:, None], verdicts[:, None])
    return found.probabilities(log_odds[:, None])[:, 0]


def _strip(
    library: Library, thing: int, pool: np.ndarray, asked: np.ndarray, sample: np.ndarray
) -> np.ndarray:
    """Add the next twelve answers as pages ask for them: four of the sample, and eight near the
    line."""
    from gallery.labels.learning import asking
    from gallery.labels.learning.logistic import sigmoid

    shares = (
        _probabilities(library, thing, asked) if len(asked) else sigmoid(library.log_odds(thing))
    )
    asked = np.concatenate([asked, sample[~np.isin(sample, asked)][:4]])
    told = asking.most_telling(shares[pool], 0.5, 8, answered=np.isin(pool, asked))
    return np.concatenate([asked, pool[told]])


# --- Probabilities ---------------------------------------------------------------------------


def _minute(library: Library, things: list[int], seeds: int) -> None:
    """Any of these, after a minute of answers to one category alone."""
    from gallery.labels.learning import quality, thresholds
    from gallery.labels.learning.logistic import sigmoid

    errors, scores, chance, reached = [], [], [], []
    for thing in things:
        before = sigmoid(library.log_odds(thing))
        for seed in range(seeds):
            for pool, unseen in library.halves(thing, seed):
                rng = np.random.default_rng([seed, thing])
                asked = _as_people(library, thing, pool, MINUTE, rng)
                after, truths = _probabilities(library, thing, asked), library.shows[thing]
                rows = [(each[unseen], truths[unseen]) for each in (before, after)]
                errors.append([quality.calibration_error(*row) for row in rows])
                scores.append([quality.brier_score(*row) for row in rows])
                drawn = rng.random(len(unseen)) < after[unseen]
                chance.append(quality.calibration_error(after[unseen], drawn))
                found = thresholds.at_least_right(after[unseen], WISH)
                if found.pictures >= WISHED:
                    taken = unseen[after[unseen] >= found.probability]
                    reached.append((truths[taken].mean(), len(taken)))
    error, score = np.mean(errors, axis=0), np.mean(scores, axis=0)
    right, taken = np.array(reached).T
    print(f"\nany of these, {MINUTE} answers to each category, before and after")
    print(f"expected calibration error {error[0]:.3f} {error[1]:.3f}, by chance alone "
          f"{np.mean(chance):.3f}; Brier score {score[0]:.4f} {score[1]:.4f}")  # fmt: skip
    print(f"“at least {WISH:.0%} right”: {len(right)} of {len(errors)} reach it with {WISHED} "
          f"pictures; right {right.mean():.1%} on average, of all pictures "
          f"{np.average(right, weights=taken):.1%}, each ± {right.std():.1%}, within 3 points "
          f"{np.mean(abs(right - WISH) <= 0.03):.0%}")  # fmt: skip


def _strips(library: Library, things: list[int]) -> None:
    """Any of these, after a few strips of twelve answers to one category alone: the labels that it
    gives unseen pictures."""
    from gallery.labels.learning import asking, quality
    from gallery.labels.learning.logistic import sigmoid

    rows: dict[int, list[tuple[float, float, bool]]] = {count: [] for count in STRIPS}
    for thing in things:
        for pool, unseen in library.halves(thing, 0):
            shares, truths = sigmoid(library.log_odds(thing)), library.shows[thing, unseen]
            sample = pool[asking.draw_sample(shares[pool], 300, seed=thing).pictures]
            asked = np.empty(0, dtype=int)
            for count in range(max(STRIPS) + 1):
                if count:
                    asked = _strip(library, thing, pool, asked, sample)
                    shares = _probabilities(library, thing, asked)
                if count in rows:
                    given = shares[unseen] >= 0.5
                    f1 = 2 * (given & truths).sum() / max(given.sum() + truths.sum(), 1)
                    error = quality.calibration_error(shares[unseen], truths)
                    rows[count].append((f1, error, not given.any()))
    print("\nany of these, strips of twelve answers: F1 of the labels, calibration error, "
          "categories without any label")  # fmt: skip
    for count, found in rows.items():
        f1, error, nothing = np.mean(found, axis=0)
        print(f"{count} strips: {f1:.3f}, {error:.3f}, {nothing:.0%}")


def exclusive(library: Library) -> tuple[list[int], np.ndarray, np.ndarray, np.ndarray]:
    """Return the exclusive things, the pictures that show just one, which, and those without."""
    things = [number for number, name in enumerate(THINGS) if name in EXCLUSIVE]
    shows, known = library.shows[things], library.known[things].all(axis=0)
    one = np.flatnonzero(known & (shows.sum(axis=0) == 1))
    none = np.flatnonzero(known & ~shows.any(axis=0))
    return things, one, shows[:, one].argmax(axis=0), none


def _one_of_these(library: Library, seeds: int) -> None:
    """One of these, after a minute of answers to the whole set."""
    from gallery.labels.learning import quality
    from gallery.labels.learning.temperature import STARTER, fit_one, softmax

    things, one, classes, _none = exclusive(library)
    logits = library.scale * (library.pictures[one] @ library.texts[things].T)
    errors, temperatures = [], []
    for seed in range(10 * seeds):
        drawn = np.random.default_rng(seed).permutation(len(one))
        asked, unseen = drawn[:MINUTE], drawn[MINUTE:]
        verdicts = np.where(np.eye(len(things))[classes[asked]] == 1, 1.0, np.nan)
        found = fit_one(logits[asked], verdicts, default=STARTER.one, categories=len(things))
        temperatures.append(found.temperature)
        row = []
        for calibrated in (logits[unseen] / STARTER.one, found.logits(logits[unseen])):
            shares = softmax(calibrated)
            row.append(quality.calibration_error(*quality.of_likeliest(shares, classes[unseen])))
        cumulated = shares.cumsum(axis=1) > np.random.default_rng(seed).random((len(unseen), 1))
        by_chance = quality.of_likeliest(shares, cumulated.argmax(axis=1))
        errors.append([*row, quality.calibration_error(*by_chance)])
    error = np.mean(errors, axis=0)
    print(
        f"\none of {len(things)}, {len(one)} photographs, right "
        f"{np.mean(logits.argmax(axis=1) == classes):.1%}; {MINUTE} answers to the set"
    )
    print(f"expected calibration error {error[0]:.3f} {error[1]:.3f}, by chance alone "
          f"{error[2]:.3f}; temperature {np.mean(temperatures):.2f} "
          f"± {np.std(temperatures):.2f}")  # fmt: skip


def _examples(library: Library, own_names: np.ndarray, seeds: int) -> None:
    """One of these, from some examples of each group: with its name, and with a name that says
    nothing."""
    things, one, classes, _none = exclusive(library)
    sizes = np.bincount(classes, minlength=len(things))
    groups = np.flatnonzero(sizes >= GROUP)[: len(own_names)]
    shown = np.isin(classes, groups)
    pictures, truths = library.pictures[one[shown]], np.searchsorted(groups, classes[shown])
    names = {
        "its name": library.texts[things][groups],
        "a person's own name": own_names[: len(groups)],
    }
    print(f"\none of {len(groups)} groups of {sizes[groups].sum()} photographs, right after "
          f"{EXAMPLES} examples of each")  # fmt: skip
    for title, texts in names.items():
        right = np.mean((pictures @ texts.T).argmax(axis=1) == truths)
        print(f"{title}: without {right:.3f}, with " + "  ".join(
            f"{_with_examples(library.scale, texts, pictures, truths, count, seeds):.3f}"
            for count in EXAMPLES
        ))  # fmt: skip
    print("a linear probe alone: " + "  ".join(
        f"{_linear_probe(pictures, truths, count, seeds):.3f}" for count in EXAMPLES
    ))  # fmt: skip


def _drawn_examples(truths: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of `count` examples of each group, and those of the other pictures."""
    rng = np.random.default_rng(seed)
    chosen = [
        rng.choice(np.flatnonzero(truths == group), count, replace=False)
        for group in np.unique(truths)
    ]
    examples = np.concatenate(chosen)
    return examples, np.setdiff1d(np.arange(len(truths)), examples)


def _with_examples(
    scale: float,
    texts: np.ndarray,
    pictures: np.ndarray,
    truths: np.ndarray,
    count: int,
    seeds: int,
) -> float:
    """Return the accuracy as a set learns: a probe for each category, then calibration."""
    from gallery.labels.learning.probe import fit_probe
    from gallery.labels.learning.temperature import STARTER, fit_one

    found = []
    for seed in range(2 * seeds):
        examples, others = _drawn_examples(truths, count, seed)
        is_own = truths[examples, None] == np.arange(len(texts))
        probes = [
            fit_probe(text, pictures[examples][own], pictures[examples][~own], scale=scale)
            for text, own in zip(texts, is_own.T, strict=True)
        ]
        held_out = np.empty(is_own.shape)
        for number, (probe, own) in enumerate(zip(probes, is_own.T, strict=True)):
            held_out[np.r_[np.flatnonzero(own), np.flatnonzero(~own)], number] = probe.held_out
        verdicts = np.where(is_own, 1.0, np.nan)
        calibration = fit_one(held_out, verdicts, default=STARTER.one, categories=len(texts))
        logits = scale * (pictures[others] @ np.stack([probe.vector for probe in probes]).T)
        logits = calibration.logits(logits + np.array([probe.bias for probe in probes]))
        found.append(np.mean(logits.argmax(axis=1) == truths[others]))
    return float(np.mean(found))


def _linear_probe(pictures: np.ndarray, truths: np.ndarray, count: int, seeds: int) -> float:
    from sklearn.linear_model import LogisticRegression

    found = []
    for seed in range(2 * seeds):
        examples, others = _drawn_examples(truths, count, seed)
        model = LogisticRegression(max_iter=2000).fit(pictures[examples], truths[examples])
        found.append(model.score(pictures[others], truths[others]))
    return float(np.mean(found))


def _none(library: Library, words: np.ndarray) -> None:
    """How well the background parts pictures of one thing from those of none."""
    from gallery.labels.learning.background import choose_background, none_probability

    things, one, _classes, none = exclusive(library)
    texts = library.texts[things]
    rows = library.pictures[np.concatenate([one, none])]
    truths = np.arange(len(rows)) >= len(one)
    logits = library.scale * (rows @ texts.T)
    print(f"\nnone of {len(things)}: {len(one)} photographs of one, {len(none)} of none; area "
          "under the curve, and the mean probability of none for one and for none")  # fmt: skip
    print(f"the best logit alone {_area(-logits.max(axis=1), truths):.3f}")
    for count in (10, 20, 50, 100, 200, 300):
        chosen = words[choose_background(words, texts, count)]
        found = none_probability(logits, library.scale * (rows @ chosen.T))
        print(f"{count} words {_area(found, truths):.3f}, "
              f"{found[~truths].mean():.2f} {found[truths].mean():.2f}")  # fmt: skip


def _area(scores: np.ndarray, truths: np.ndarray) -> float:
    ranks = scores.argsort().argsort()[truths]
    positives = len(ranks)
    whole = positives * (len(truths) - positives)
    return float((ranks.sum() - positives * (positives - 1) / 2) / whole)


def _cost(library: Library) -> None:
    from gallery.labels.learning.probe import fit_probe

    yes, no = library.pictures[:250], library.pictures[250:500]
    start = time.perf_counter()
    fit_probe(library.texts[0], yes, no, scale=library.scale)
    print(f"\na probe of {len(yes) + len(no)} answers takes {time.perf_counter() - start:.2f} s")
