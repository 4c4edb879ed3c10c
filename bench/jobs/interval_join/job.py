"""Events with what was measured around them: an interval join for each of 10,000 devices.

Two million rows (`ROWS`), half of them events and half measurements, each file in order of time; an event
meets about three measurements.
"""

import random
from pathlib import Path

TITLE = "interval join, 10,000 keys"
ROWS, QUICK_ROWS = 2_000_000, 20_000
ORDER, SCALES = 55, True
RESULT = {"event": "BIGINT", "device": "BIGINT", "value": "BIGINT", "apart": "BIGINT"}
TARGET = {"original": ">= 15x"}

DEVICES = 10_000


def generate(folder: Path, rows: int) -> None:
    source = random.Random(12)
    span = rows * 5
    # As many measurements of a device fall into the interval of 2 x 150,000 as expected: three.
    with open(folder / "events.csv", "w", encoding="utf-8") as file:
        file.write("event,device,t\n")
        for event, t in enumerate(sorted(source.choices(range(span), k=rows // 2))):
            file.write(f"{event},{source.getrandbits(32) % DEVICES},{t}\n")
    with open(folder / "measured.csv", "w", encoding="utf-8") as file:
        file.write("device,t,value\n")
        for t in sorted(source.choices(range(span), k=rows // 2)):
            bits = source.getrandbits(48)
            file.write(f"{bits % DEVICES},{t},{(bits >> 24) % 10_000}\n")
