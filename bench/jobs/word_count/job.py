"""Counting words: one small JSON object a line, a string key, and nothing but hashing and counting.

50,000 distinct words of 3 to 12 letters; the word at rank r comes up with a frequency proportional to 1/r, as
in a natural text.
"""

from pathlib import Path

from harness.data import vocabulary, zipf_choices

TITLE = "word count, JSON lines"
ROWS, QUICK_ROWS = 5_000_000, 50_000
ORDER, SCALES = 10, True
RESULT = {"word": "VARCHAR", "count": "BIGINT"}
TARGET = {"original": ">= 8x", "duckdb": "<= 2x"}


def generate(folder: Path, rows: int) -> None:
    with open(folder / "words.jsonl", "w", encoding="utf-8") as file:
        file.writelines(f'{{"word":"{word}"}}\n' for word in zipf_choices(vocabulary(50_000), rows, seed=1))
