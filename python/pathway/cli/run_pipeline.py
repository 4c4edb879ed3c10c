"""The program of each process of `pathway run FILE.yaml`: `python -m pathway.cli.run_pipeline`."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from typing import NoReturn

from pathway.cli.pipeline import Mistake, run_pipeline
from pathway.internals.parse_graph import G


def main() -> NoReturn:
    """`python -m pathway.cli.run_pipeline [--set NAME=VALUE]... FILE [ARGUMENT]...`, for `pathway run`."""
    parser = argparse.ArgumentParser(prog="pathway run", add_help=False)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("file")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    # As for a program: modules beside it can be imported, and it sees its arguments.
    sys.path[0] = os.path.dirname(os.path.abspath(given.file))
    sys.argv = [given.file, *given.arguments]
    warnings.filterwarnings("default", category=DeprecationWarning, module=r".*\.ya?ml")
    overrides = dict(text.split("=", 1) for text in given.set)
    try:
        run_pipeline(given.file, overrides)
    except Mistake as mistake:
        G.mark_used()
        print(f"Error: {mistake}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()
