"""Runs one benchmark program in this fresh process and writes what it measured.

    child.py PROGRAM INPUTS OUTPUT REPORT

The report holds the seconds spent importing the program (and with it the engine), the seconds spent in its
`run`, and the figures that `run` returned.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path


def main() -> None:
    # Programs share modules of the harness.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    program, inputs, output, report = (Path(argument) for argument in sys.argv[1:5])
    started = time.perf_counter()
    spec = importlib.util.spec_from_file_location("bench_program", program)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{program} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_program"] = module
    spec.loader.exec_module(module)
    imported = time.perf_counter()
    figures = module.run(inputs, output) or {}
    finished = time.perf_counter()
    measured = {"import_seconds": imported - started, "seconds": finished - imported, **figures}
    report.write_text(json.dumps(measured))


if __name__ == "__main__":
    main()
