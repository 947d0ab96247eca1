"""Makes gallery/search/relevance/letters.txt from the vocabulary of OpenCLIP's tokenizer.

    python -m tools.letters

The vocabulary has the most frequent words of captions from the web. Only the facts which letters
follow which are kept, none of its words.
"""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

from gallery.search.relevance.letters import LETTERS_FILE

_NAME = "bpe_simple_vocab_16e6.txt.gz"
# The tokenizer takes so many merges of the file, after its first line.
_MERGES = 49152 - 256 - 2
# Shorter words are often parts of words.
_WORD = re.compile(r"([a-z]{3,})</w>")


def lines() -> list[str]:
    """Return the lines of the file: two letters, a space, and all letters that follow them."""
    follow: dict[str, set[str]] = defaultdict(set)
    for word in _words():
        marked = f"^{word}$"
        for at in range(len(word)):
            follow[marked[at : at + 2]].add(marked[at + 2])
    return [f"{two} {''.join(sorted(follow[two]))}" for two in sorted(follow)]


def _words() -> list[str]:
    spec = find_spec("open_clip")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("Install open_clip_torch (requirements/worker.txt).")
    path = Path(spec.submodule_search_locations[0]) / _NAME
    merges = gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()[1 : _MERGES + 1]
    matches = (_WORD.fullmatch(merge.replace(" ", "")) for merge in merges)
    return [match[1] for match in matches if match]


def main() -> None:
    LETTERS_FILE.write_text("\n".join(lines()) + "\n", encoding="ascii")
    print(f"{len(lines())} pairs of letters written to {LETTERS_FILE}.")


if __name__ == "__main__":
    main()
