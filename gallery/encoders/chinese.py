"""One spelling of Chinese for tokenizers that know single simplified characters.

The starter model's tokenizer has a token for each of the 6,763 characters of GB 2312. It
recognises them only if they do not touch Latin letters, and knows no traditional characters.
Everything else falls apart into bytes that mean nothing to the model.
"""

from __future__ import annotations

import re
from pathlib import Path

# Two lines of equal length: each traditional character above its simplified form.
# Made from OpenCC's TSCharacters (Apache-2.0) by tools/starter_model/simplified.py.
SIMPLIFIED_FILE = Path(__file__).parent / "simplified.txt"

_HAN = re.compile("([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")


def _read_simplified() -> dict[int, int]:
    traditional, simplified = SIMPLIFIED_FILE.read_text(encoding="utf-8").split()
    return str.maketrans(traditional, simplified)


_SIMPLIFIED = _read_simplified()


def spell_for_characters(text: str) -> str:
    """Replace traditional characters by simplified ones, and put spaces around each character.

    Text without Chinese stays as it is.
    """
    if _HAN.search(text) is None:
        return text
    return " ".join(_HAN.sub(r" \1 ", text.translate(_SIMPLIFIED)).split())
