"""`python -m clipsite.embedded demo` and `… exec -- COMMAND`.

DATA_DIR, PORT and PHOTOS may come from the environment, where `make` puts them.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from clipsite.embedded.console import say_aside
from clipsite.embedded.demo import run_demo
from clipsite.embedded.errors import LaunchError
from clipsite.embedded.execute import execute
from clipsite.embedded.interrupts import Interrupted, raise_on_signals

_DEFAULT_DATA_DIR = Path(__file__).resolve().parent.parent.parent / "data"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    raise_on_signals()
    try:
        if options.action == "demo":
            run_demo(options.data_dir, options.port, options.photos)
        return execute(options.command, None if options.temporary else options.data_dir)
    except Interrupted as interrupted:
        return 0 if options.action == "demo" else 128 + interrupted.number
    except LaunchError as error:
        say_aside(str(error))
        return 1
    except OSError as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        say_aside(sentence)
        return 1


def _sentence(error: OSError) -> str | None:
    """A sentence about an error that the user can fix; None for an error that is our fault."""
    where = f" ({error.strerror}: {error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full. Free some space and start again{where}."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Clipsite may not write where it has to{where}. Allow it, or choose another folder."
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m clipsite.embedded", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    data_dir = Path(os.environ.get("DATA_DIR") or _DEFAULT_DATA_DIR)

    demo = actions.add_parser("demo", help="run all of Clipsite on this machine")
    demo.add_argument("--data-dir", type=Path, default=data_dir)
    demo.add_argument("--port", type=int, default=os.environ.get("PORT") or "8000")
    demo.add_argument(
        "--photos",
        type=Path,
        default=os.environ.get("PHOTOS") or None,
        help="a folder of pictures to import",
    )

    run = actions.add_parser("exec", help="run a command with PostgreSQL and Valkey behind it")
    run.add_argument("--data-dir", type=Path, default=data_dir)
    run.add_argument("--temporary", action="store_true", help="use a folder that is deleted after")
    run.add_argument("command", nargs="+", help="the command, after --")
    return parser


if __name__ == "__main__":
    sys.exit(main())
