"""Make the starter model: `python -m tools.starter_model --data FOLDER --out FOLDER`.

Finished stages are skipped, and a long stage continues from its last checkpoint. So the same
command continues after an interruption.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from tools.starter_model import pipeline
from tools.starter_model.errors import Unusable
from tools.starter_model.settings import Settings


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools.starter_model", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="photos, captions and splits")
    parser.add_argument("--out", type=Path, required=True, help="where the stages write")
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        package = pipeline.run(options.data, options.out, Settings(seed=options.seed))
    except Unusable as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The package lies in {package}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
