"""Files as they are in real life: malformed, empty, huge, changing; each case with a clear outcome."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pathway as pw
from following import Row, follow
from pathway.internals.parse_graph import G


class Item(pw.Schema):
    k: int
    s: str


@pytest.fixture(autouse=True)
def _fresh_graph() -> Iterator[None]:
    G.clear()
    yield
    G.clear()


def rows_of(table: pw.Table[Any], **options: Any) -> list[Row]:
    """What is left of the table when it has been read to the end."""
    counted: dict[Row, int] = {}

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        values = tuple(row.values())
        counted[values] = counted.get(values, 0) + (1 if is_addition else -1)

    pw.io.subscribe(table, on_change)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, **options)
    return sorted(row for row, count in counted.items() for _ in range(count))


def read_csv(path: Path, schema: type[pw.Schema] = Item, **options: Any) -> pw.Table[Any]:
    return pw.io.csv.read(path, schema=schema, mode="static", **options)


def read_json(path: Path, schema: type[pw.Schema] = Item, **options: Any) -> pw.Table[Any]:
    return pw.io.jsonlines.read(path, schema=schema, mode="static", **options)


# --- CSV --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k,s\n1,a\n2,b\n", [(1, "a"), (2, "b")]),
        ("k,s\n1,a\n2,b", [(1, "a"), (2, "b")]),
        ("k,s\r\n1,a\r\n", [(1, "a")]),
        ("\ufeffk,s\n1,a\n", [(1, "a")]),
        ("s,extra,k\na,x,1\n", [(1, "a")]),
        ('k,s\n1,"a,b"\n2,"say ""hi"""\n3,"two\nlines"\n', [(1, "a,b"), (2, 'say "hi"'), (3, "two\nlines")]),
        ("k,s\n1, a \n", [(1, " a ")]),
        ("k,s\n1,\n", [(1, "")]),
        ("k,s\n", []),
        ("", []),
    ],
    ids=["plain", "no newline at the end", "crlf", "byte order mark", "other order and more columns",
         "quotes", "spaces", "empty text", "only a header", "empty file"],
)  # fmt: skip
def test_csv_is_read(tmp_path: Path, text: str, expected: list[Row]) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
    assert rows_of(read_csv(tmp_path / "a.csv")) == expected


@pytest.mark.parametrize(
    "line",
    ["3", "x,c", "1.5,c", ",c", "99999999999999999999,c", " 3,c"],
    ids=["too few fields", "text for a number", "fraction", "empty number", "beyond 64 bits", "space"],
)
def test_a_malformed_csv_line_is_left_out_and_the_rest_is_kept(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.csv").write_text(f"k,s\n1,a\n{line}\n2,b\n")
    assert rows_of(read_csv(tmp_path / "a.csv")) == [(1, "a"), (2, "b")]


def test_a_file_without_a_column_of_the_schema_gives_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k,other\n1,a\n")
    (tmp_path / "b.csv").write_text("k,s\n2,b\n")
    assert rows_of(read_csv(tmp_path)) == [(2, "b")]


def test_optional_and_default_columns_of_csv(tmp_path: Path) -> None:
    class Defaults(pw.Schema):
        k: int | None
        f: float = pw.column_definition(default_value=0.5)
        s: str | None

    (tmp_path / "a.csv").write_text("k,f,s\n1,2.5,a\n,,\nnone,1e3,none\n")
    found = rows_of(
        read_csv(tmp_path / "a.csv", Defaults).select(pw.this.s, pw.this.f, k=pw.this.k.to_string())
    )
    assert found == [("", 0.5, "None"), ("a", 2.5, "1"), ("none", 1000.0, "None")]


# --- JSON lines -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    ["notjson", '{"k":1', '{"k":"x","s":"c"}', '{"k":1.5,"s":"c"}', '{"s":"c"}', '{"k":3,"s":null}', "[1]",
     '{"k":99999999999999999999,"s":"c"}', "", "7"],
    ids=["no json", "cut off", "text for a number", "fraction", "missing field", "null", "array",
         "beyond 64 bits", "blank", "scalar"],
)  # fmt: skip
def test_a_malformed_json_line_is_left_out_and_the_rest_is_kept(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"k":1,"s":"a"}}\n{line}\n{{"s":"b","more":[1,{{}}],"k":2}}\n')
    assert rows_of(read_json(tmp_path / "a.jsonl")) == [(1, "a"), (2, "b")]


def test_without_termination_a_bad_field_is_an_error_cell(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"k":1,"s":"a"}\n{"k":"zz","s":"b"}\nnotjson\n{"s":"c"}\n', encoding="utf-8"
    )
    table = read_json(tmp_path / "a.jsonl")
    with pytest.warns(UserWarning, match="terminate_on_error"):
        found = rows_of(table.select(pw.this.s, k=pw.fill_error(pw.this.k, -1)), terminate_on_error=False)
    assert found == [("a", 1), ("b", -1), ("c", -1)]


def test_a_bad_primary_key_drops_the_row_in_any_mode(tmp_path: Path) -> None:
    class Keyed(pw.Schema):
        k: int = pw.column_definition(primary_key=True)
        s: str

    (tmp_path / "a.jsonl").write_text('{"k":1,"s":"a"}\n{"k":"zz","s":"b"}\n')
    with pytest.warns(UserWarning, match="terminate_on_error"):
        assert rows_of(read_json(tmp_path / "a.jsonl", Keyed), terminate_on_error=False) == [(1, "a")]


def test_json_paths_and_escapes(tmp_path: Path) -> None:
    line = {"a": {"k": [5, 6]}, "s": 'tab\t, quote ", é, 😀, \\'}
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n" + json.dumps(line, ensure_ascii=False) + "\n")
    table = read_json(tmp_path / "a.jsonl", json_field_paths={"k": "/a/k/1"})
    assert rows_of(table) == [(6, line["s"]), (6, line["s"])]


# --- any format -------------------------------------------------------------------------------------


def test_lines_of_a_megabyte(tmp_path: Path) -> None:
    long = "x" * 1_000_000
    (tmp_path / "a.csv").write_text(f"k,s\n1,{long}\n2,b\n")
    (tmp_path / "a.jsonl").write_text(f'{{"k":1,"s":"{long}"}}\n{{"k":2,"s":"b"}}\n')
    (tmp_path / "a.txt").write_text(f"{long}\nb\n")
    assert rows_of(read_csv(tmp_path / "a.csv")) == [(1, long), (2, "b")]
    G.clear()
    assert rows_of(read_json(tmp_path / "a.jsonl")) == [(1, long), (2, "b")]
    G.clear()
    assert rows_of(pw.io.plaintext.read(tmp_path / "a.txt", mode="static")) == [("b",), (long,)]


def test_invalid_utf8_spoils_one_record_only(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"k":1,"s":"a"}\n{"k":2,"s":"\xff"}\n{"k":3,"s":"c"}\n')
    (tmp_path / "a.txt").write_bytes(b"a\n\xff\nc\n")
    (tmp_path / "a.csv").write_bytes(b"k,s\n1,a\n2,\xff\n3,c\n")
    assert rows_of(read_json(tmp_path / "a.jsonl")) == [(1, "a"), (3, "c")]
    G.clear()
    assert rows_of(pw.io.plaintext.read(tmp_path / "a.txt", mode="static")) == [("a",), ("c",)]
    G.clear()
    assert rows_of(read_csv(tmp_path / "a.csv")) == [(1, "a"), (3, "c")]


def test_a_path_that_is_not_there_gives_no_rows(tmp_path: Path) -> None:
    assert rows_of(read_csv(tmp_path / "missing.csv")) == []


def test_plain_text_and_whole_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(" one \n\ntwo\r\n", newline="")
    assert rows_of(pw.io.plaintext.read(tmp_path / "a.txt", mode="static")) == [("",), ("one",), ("two",)]
    G.clear()
    whole = pw.io.fs.read(tmp_path, format="plaintext_by_file", mode="static")
    assert rows_of(whole) == [("one \n\ntwo",)]
    G.clear()
    assert rows_of(pw.io.fs.read(tmp_path, format="binary", mode="static")) == [(b" one \n\ntwo\r\n",)]


def test_folders_globs_and_metadata(tmp_path: Path) -> None:
    for name, key in (("x/a.csv", 1), ("x/y/b.csv", 2), ("x/c.txt", 3), ("z.csv", 4)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"k,s\n{key},a\n")
    assert [row[0] for row in rows_of(read_csv(tmp_path / "x"))] == [1, 2, 3]
    G.clear()
    assert [row[0] for row in rows_of(read_csv(tmp_path / "**" / "*.csv"))] == [1, 2, 4]
    G.clear()
    with_metadata = read_csv(tmp_path / "z.csv", with_metadata=True)
    assert next(iter(with_metadata.keys())) == "_metadata"
    path_and_size = with_metadata.select(
        path=pw.this._metadata["path"].as_str(), size=pw.this._metadata["size"].as_int()
    )
    assert rows_of(path_and_size) == [(str(tmp_path / "z.csv"), 8)]


def test_duplicate_primary_keys_are_two_rows_and_noticed_where_ids_matter(tmp_path: Path) -> None:
    class Keyed(pw.Schema):
        k: int = pw.column_definition(primary_key=True)
        s: str

    (tmp_path / "a.csv").write_text("k,s\n1,a\n1,b\n")
    table = read_csv(tmp_path / "a.csv", Keyed)
    assert rows_of(table.groupby(table.k).reduce(table.k, n=pw.reducers.count())) == [(1, 2)]
    G.clear()
    table = read_csv(tmp_path / "a.csv", Keyed)
    with pytest.raises(KeyError):
        rows_of(table.update_rows(table.filter(table.s == "zzz").with_columns(s="y")))


def test_output_is_the_stream_of_changes(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('k,s\n1,"a""b"\n')
    table = read_csv(tmp_path / "in.csv")
    pw.io.csv.write(table, tmp_path / "out.csv")
    pw.io.jsonlines.write(table, tmp_path / "out.jsonl")
    pw.io.csv.write(table.filter(table.k > 9), tmp_path / "empty.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    header, line = (tmp_path / "out.csv").read_text().splitlines()
    assert header == '"k","s","time","diff"'
    assert line.startswith('"1","a""b","')
    assert line.endswith('","1"')
    record = json.loads((tmp_path / "out.jsonl").read_text())
    assert list(record) == ["k", "s", "diff", "time"]
    assert record["time"] % 2 == 0
    assert (tmp_path / "empty.csv").read_text() == '"k","s","time","diff"\n'


def test_an_output_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("k,s\n1,a\n")
    pw.io.csv.write(read_csv(tmp_path / "in.csv"), tmp_path / "no" / "out.csv")
    with pytest.raises(OSError, match=r"out\.csv"):
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)


# --- streaming --------------------------------------------------------------------------------------


def later(path: Path, text: str) -> None:
    """Writes a file with a modification time that differs from its earlier one."""
    path.write_text(text)
    stamp = time.time() + later.calls  # type: ignore[attr-defined]
    later.calls += 2  # type: ignore[attr-defined]
    os.utime(path, (stamp, stamp))


later.calls = 2  # type: ignore[attr-defined]


def test_new_changed_and_deleted_files_are_followed(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    table = pw.io.csv.read(tmp_path, schema=Item, mode="streaming", autocommit_duration_ms=50)
    follow(
        table,
        [
            (lambda: later(first, "k,s\n1,a\n2,b\n"), [(1, "a"), (2, "b")]),
            (lambda: later(second, "k,s\n3,c\n"), [(1, "a"), (2, "b"), (3, "c")]),
            (lambda: later(first, "k,s\n1,a\n2,b\n4,d\n"), [(1, "a"), (2, "b"), (3, "c"), (4, "d")]),
            (lambda: later(first, "k,s\n2,B\n"), [(2, "B"), (3, "c")]),
            (second.unlink, [(2, "B")]),
        ],
    )


def test_aggregates_follow_files(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    table = pw.io.jsonlines.read(tmp_path, schema=Item, mode="streaming", autocommit_duration_ms=50)
    totals = table.groupby(table.s).reduce(table.s, total=pw.reducers.sum(table.k))
    follow(
        totals,
        [
            (lambda: later(first, '{"k":1,"s":"a"}\n{"k":2,"s":"b"}\n'), [("a", 1), ("b", 2)]),
            (lambda: later(second, '{"k":5,"s":"a"}\nbroken\n'), [("a", 6), ("b", 2)]),
            (lambda: later(first, '{"k":3,"s":"b"}\n'), [("a", 5), ("b", 3)]),
            (first.unlink, [("a", 5)]),
        ],
    )
