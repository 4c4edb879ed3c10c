"""What importing the package brings and costs."""

from __future__ import annotations

import subprocess
import sys

import pathway as pw
from pathway.internals import api, column, dtype, join_mode, parse_graph


def test_heavy_packages_wait_until_they_are_used() -> None:
    program = (
        "import sys, pathway;"
        "heavy = {'pandas', 'numpy', 'asyncio', 'sqlite3', 'pyarrow', 'ssl'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_annotations_of_moments_need_no_pandas() -> None:
    program = (
        "import sys, pathway as pw;"
        "t = pw.Table.empty(a=pw.DateTimeNaive, b=pw.DateTimeUtc | None, c=pw.Duration);"
        "print(t, 'pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("False")
    assert "datetime_types.Duration" in done.stdout


def test_public_names_exist() -> None:
    for name in pw.__all__:
        assert getattr(pw, name) is not None
    for module in (pw.debug, pw.demo, pw.io, pw.reducers, pw.udfs, pw.universes, pw.utils, pw.schema):
        for name in module.__all__:
            assert hasattr(module, name), (module, name)


def test_names_that_programs_import_from_inside() -> None:
    assert api.Pointer is pw.Pointer is pw.engine.Pointer
    assert issubclass(api.EngineError, Exception)
    assert column.G is parse_graph.G
    assert dtype.ANY_ARRAY.typehint is not None
    assert join_mode.JoinMode.LEFT is pw.JoinMode.LEFT


def test_star_import() -> None:
    scope: dict[str, object] = {}
    exec("from pathway import *", scope)
    assert scope["Table"] is pw.Table
