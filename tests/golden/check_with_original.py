"""Runs the golden scenarios under the original, as a black box; not part of `make test`.

    check_with_original.py [--fill] [--workers N] [WORDS…]

Start it with the interpreter of an environment that has `pathway==0.33.0` installed. `WORDS` select scenarios
whose name contains one of them. `--fill` replaces the rows of every output table by what came out: write a
scenario with an empty output table, fill it in, then read it against the rules.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from golden import cells, scenarios


def pointers(block: scenarios.Block) -> list[tuple[str, str]]:
    """Printed pointer and notation of the pointers that the table has already: their notation is kept."""
    places = [i for i, column in enumerate(block.columns) if column.type.name == "pointer"]
    cell_texts = [row[i] for row in block.rows for i in places if row[i] not in ("None", "Error")]
    return [(str(cells.parse_pointer(text)), text) for text in cell_texts]


def filled(block: scenarios.Block, names: dict, options: dict) -> list[str]:
    """The lines of the output table with the rows that the run produced."""
    changes = scenarios.observed(block, names[block.name], options)
    ordinary = [column for _, column in block.ordinary()]
    header = [f"{c.name}: {c.type}" for c in ordinary]
    kinds = [c.type for c in ordinary]
    if block.special("id") is not None:
        header.insert(0, "id")
        kinds.insert(0, cells.parse_type("pointer"))
    timed = block.special("__time__") is not None
    if timed:
        header += ["__time__", "__diff__"]
    written = dict(pointers(block))
    rows = [header]
    order = sorted(changes.elements(), key=lambda row: (int(row[0]), int(row[1]), *row[2:]) if timed else row)
    for change in order:
        time_and_diff, values = (list(change[:2]), change[2:]) if timed else ([], change)
        shown = [
            written.get(value) or cells.from_print(value, kind)
            for value, kind in zip(values, kinds, strict=True)
        ]
        rows.append(shown + time_and_diff)
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


def fill(path: Path, words: list[str]) -> None:
    """Rewrites the output tables of one file, from the last to the first so that line numbers stay valid."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for scenario in reversed(scenarios.read(path)):
        if words and not any(word in scenario.name for word in words):
            continue
        if scenario.raises is not None:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                names = scenarios.execute(scenario)
                for block in reversed(scenario.outputs):
                    end = block.line - 1
                    while end < len(lines) and lines[end].startswith("|"):
                        end += 1
                    lines[block.line - 1 : end] = filled(block, names, scenario.options)
            except Exception as error:
                print(f"not filled: {scenario.name}: {type(error).__name__}: {error}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fill", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    if options.fill:
        for path in sorted({scenario.path for scenario in scenarios.all_scenarios()}):
            fill(path, options.words)
    failed = passed = 0
    for scenario in scenarios.all_scenarios():
        if options.words and not any(word in scenario.name for word in options.words):
            continue
        try:
            scenarios.check(scenario, options.workers)
            passed += 1
        except Exception as error:
            failed += 1
            print(f"FAILED {scenario.name} ({scenario.path.name}:{scenario.line})")
            print(f"{type(error).__name__}: {error}\n")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
