"""The whole example: convert the data, run over finished files, run over a live feed, compare the two."""

import argparse
import subprocess
import sys
from pathlib import Path

import data
from pipeline import DATA

HERE = Path(__file__).resolve().parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=15.0, help="how long the year of the feed should take"
    )
    options = parser.parse_args()
    print(f"data: {data.prepare():,} flights from New York in 2013 in {DATA}", flush=True)
    for program, *arguments in (["static.py"], ["live.py", "--seconds", str(options.seconds)], ["verify.py"]):
        code = subprocess.run([sys.executable, HERE / program, *arguments]).returncode
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
