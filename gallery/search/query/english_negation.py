"""Negations in English: "a beach without people", "cat but no dog"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gallery.search.query.negation import BREAK, Negation

# A thing has at most so many words.
_MOST_WORDS = 5

# Words that no thing goes beyond.
_ENDS = (
    r"and|or|nor|but|with|without|w/o|no|not|except|excluding|on|in|at|by|near|under|over|behind|"
    r"beside|between|from|to|for|during|while|when|where|who|which|that|whose|is|are|was|were|as|"
    r"into|onto|across|along|around|against|through|inside|outside|after|before|if|because|there|"
    r"anywhere|visible|please"
)
_END = rf"(?:{_ENDS})(?![\w'’/-])"
_WORD = rf"(?!{_END})[^\W_][\w'’/-]*"
_THING = rf"{_WORD}(?: +{_WORD})*"
_NEGATOR = re.compile(
    r"(?<![\w'’/-])(?:w/o|without|no one|no-one|nobody|no|not|except for|except|excluding)"
    r"(?![\w'’/-])",
    re.IGNORECASE,
)
_NOBODY = {"no one", "no-one", "nobody"}
# "X", "X or Y", "X, Y and Z"
_THINGS = re.compile(
    rf" +(?P<things>{_THING}(?:(?: *, *{_THING})* *,? +(?:or|nor|and) +{_THING})?)", re.IGNORECASE
)
_BETWEEN = re.compile(r" *, *(?:(?:or|nor|and) +)?| +(?:or|nor|and) +", re.IGNORECASE)
_DETERMINER = re.compile(r"^(?:a lot of|a single|an?|the|any|some) +", re.IGNORECASE)
# What joins a negation to the words before and behind it.
_LEAD = re.compile(
    r"(?:\s|[,;]|(?<![\w'’-])(?:and|but|or|with|has|have|having|there (?:is|are)|"
    r"(?:that|which|who) (?:is|are|has|have))(?![\w'’-]))++$",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?: +(?:at all|in sight|in it|visible|around|there|anywhere|please|"
    r"in the (?:picture|photo|image|shot|frame|background|foreground))(?![\w'’-]))*"
    r"(?: *,? +but(?! +(?:no|not|without|with)\b)(?![\w'’-]))?",
    re.IGNORECASE,
)
# Before and behind a negation that is not plain.
_VERB_BEFORE = re.compile(
    r"\b(?:do|does|did|can|could|will|would|shall|should|must|may|might|is|are|was|were|be|been|am|"
    r"not|never|hardly|or) *$",
    re.IGNORECASE,
)
_HAD_BEFORE = re.compile(r"\b(?:has|have|having) *$", re.IGNORECASE)
_GOES_ON = re.compile(r" *(?:without|w/o|not|that|who|which|whose|where)\b", re.IGNORECASE)
# Also a number: "no. 5".
_NOTHING_FOLLOWS = re.compile(rf" *(?:$|[.\d{BREAK}])")
_NOBODY_ENDS = re.compile(rf" *(?:$|[,;.!?\0]|{_END})", re.IGNORECASE)
# "no entry", "no longer": set phrases. "not only", "not for sale".
_NO_BEFORE = re.compile(
    r"(?:\w{2,}ing|entry|entrance|exit|access|admittance|vacancy|trespass|service|return|turn|u-turn|"
    r"left|right|longer|more|less|matter|way|doubt|idea|problem|problems|worries|limit|limits|fear|"
    r"time|end|place|such|good|big|need|man|mans|man's|man’s|country|thanks|comment)(?![\w'’-])",
    re.IGNORECASE,
)
_NOT_BEFORE = re.compile(
    r"(?:only|just|yet|quite|too|very|so|all|even|much|many|enough|every|everyone|everything|always|"
    r"really|exactly|necessarily|sure|safe|found|available|allowed|bad)(?![\w'’-])",
    re.IGNORECASE,
)
# In "not looking at the camera" the place belongs to the verb.
_VERB_WITH_PLACE = re.compile(rf" *\w+ing +{_END}", re.IGNORECASE)
_SIGN = re.compile(r" (?:signs?|symbols?|stickers?|logos?|icons?|posters?)$", re.IGNORECASE)


def english(text: str) -> Iterator[Negation]:
    """Yield the negations of a text, from left to right."""
    position = 0
    for word in _NEGATOR.finditer(text):
        if word.start() < position or _is_name(text, word):
            continue
        found = _negation_at(text, word)
        if found is not None:
            position = found.end
            yield found


def _negation_at(text: str, word: re.Match[str]) -> Negation | None:
    """Return the negation of this word. None if nothing follows that it could negate."""
    lead = _LEAD.search(text, 0, word.start())
    start = lead.start() if lead else word.start()
    negator = word[0].lower()
    if negator in _NOBODY:
        end, things = word.end(), ["people"]
        is_plain = _NOBODY_ENDS.match(text, end) is not None
    elif _NOTHING_FOLLOWS.match(text, word.end()):
        return None
    else:
        end, things = _things_at(text, word.end())
        is_plain = bool(things) and _is_plain(text, word, end)
    belongs_to_verb = _VERB_BEFORE.search(text, 0, start) or (
        negator == "not" and _HAD_BEFORE.search(text, 0, word.start())
    )
    if belongs_to_verb or _GOES_ON.match(text, end) or not is_plain:
        return Negation(word.start(), end, word[0])
    tail = _TAIL.match(text, end)
    return Negation(start, tail.end() if tail else end, text[word.start() : end], tuple(things))


def _is_plain(text: str, word: re.Match[str], end: int) -> bool:
    negator, named = word[0].lower(), text[word.end() : end].strip()
    is_long = any(len(thing.split()) > _MOST_WORDS for thing in _BETWEEN.split(named))
    if is_long or _VERB_WITH_PLACE.match(text, word.end()):
        return False
    if negator == "no":
        return not _NO_BEFORE.match(named) and not _SIGN.search(named)
    return negator != "not" or not _NOT_BEFORE.match(named)


def _things_at(text: str, position: int) -> tuple[int, list[str]]:
    """Return the end of the things named at `position`, and the things."""
    match = _THINGS.match(text, position)
    if match is None:
        return position, []
    named = match["things"]
    first, *others = _BETWEEN.split(named)
    # In "without people and a sunset" the article begins something else.
    is_list = "and" not in named.lower().split() or _DETERMINER.match(first)
    if others and not is_list and _DETERMINER.match(others[-1]):
        named, others = first, []
    things = [_DETERMINER.sub("", thing.strip()) for thing in (first, *others)]
    return match.start("things") + len(named), things


def _is_name(text: str, word: re.Match[str]) -> bool:
    """Whether the word is capitalised like a part of a name or a sign: "Doctors Without Borders",
    "NO PARKING". A NOT in capitals among other words is no name."""
    if not word[0][0].isupper():
        return False
    if word[0] == "NOT":
        rest = text[: word.start()] + text[word.end() :]
        return rest.isupper()
    begins = text[: word.start()].rstrip()[-1:] in ("", ".", "!", "?", BREAK)
    return not begins or text[word.end() :].lstrip()[:1].isupper()
