"""The tokenizer: CLIP's, with an added token for each Chinese character of GB 2312."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import torch
from open_clip.tokenizer import SimpleTokenizer, bytes_to_unicode
from torch import Tensor

from gallery.encoders.chinese import spell_for_characters


def in_gb2312(character: str) -> bool:
    try:
        return len(character) == 1 and len(character.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


@cache
def characters() -> tuple[str, ...]:
    """The 6,763 Chinese characters of GB 2312 by code point."""
    return tuple(c for c in map(chr, range(0x4E00, 0xA000)) if in_gb2312(c))


def special_tokens() -> list[str]:
    """The special tokens that open_clip's tokenizer needs for the characters.

    It looks up a token by its bytes, spelled as printable letters. So these forms come first
    and get the ids. The plain characters follow only so that the tokenizer's pattern splits
    before and after them. Their ids are never used and have no row in the model.
    """
    as_letters = bytes_to_unicode()
    spelled = ["".join(as_letters[byte] for byte in c.encode()) for c in characters()]
    return [*spelled, *characters()]


@cache
def tokenizer() -> SimpleTokenizer:
    """The tokenizer of the package, for text that `spell_for_characters` has spelled.

    In such text every character is between spaces, so the pattern need not try 13,526 special
    tokens at each position. This gives the same tokens fifty times faster.
    """
    made = SimpleTokenizer(additional_special_tokens=special_tokens())
    made.pat = SimpleTokenizer().pat
    return made


def vocabulary_size() -> int:
    """The rows of the token table, without the plain characters, which come last."""
    return int(tokenizer().encoder[characters()[0]])


def end_token() -> int:
    return int(tokenizer().eot_token_id)


def encode(text: str, context_length: int) -> list[int]:
    """Token ids with start and end of a text, spelled like a query of the site and truncated."""
    made = tokenizer()
    ids = made.encode(spell_for_characters(text))[: context_length - 2]
    return [int(made.sot_token_id), *ids, end_token()]


def encode_all(texts: Iterable[str], context_length: int) -> list[list[int]]:
    return [encode(text, context_length) for text in texts]


def pad(sequences: Sequence[list[int]]) -> Tensor:
    """(n, longest) int64, zeros after the end token."""
    padded = torch.zeros(len(sequences), max(map(len, sequences)), dtype=torch.long)
    for row, ids in enumerate(sequences):
        padded[row, : len(ids)] = torch.tensor(ids)
    return padded


def spelled_words() -> dict[int, str]:
    """Token id -> its letters or character, for tokens that are valid text by themselves."""
    made = tokenizer()
    words = {}
    for spelled, identity in made.encoder.items():
        if identity < vocabulary_size() and identity not in (made.sot_token_id, end_token()):
            raw = bytes(made.byte_decoder[letter] for letter in spelled.removesuffix("</w>"))
            word = raw.decode("utf-8", errors="ignore").strip()
            if word and "\ufffd" not in word:
                words[identity] = word
    return words
