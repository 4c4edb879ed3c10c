"""Arguments that make no sense are refused when the program is built: no server is asked."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import pathway as pw

SETTINGS = {"host": "localhost", "port": 1, "user": "u", "dbname": "d"}


class Order(pw.Schema):
    item: str
    count: int
    note: str | None


class Keyed(Order):
    id: int = pw.column_definition(primary_key=True)


class Nullable(Order):
    id: int | None = pw.column_definition(primary_key=True)


STREAM = {"mode": "streaming", "publication_name": "p"}


def orders() -> pw.Table[Any]:
    return pw.Table.empty(item=str, count=int, note=str | None)


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"sslmode": "maybe"}, ValueError, 'verify-full, not "maybe"'),
        ({"colour": "red"}, ValueError, '"colour"'),
        ({"port": "many"}, ValueError, "port has to be"),
        ({"sslrootcert": "/no/such/file"}, ValueError, "sslrootcert: /no/such/file does not exist"),
        ({"sslrootcert": "/"}, ValueError, "is no file"),
        ({5: "x"}, TypeError, "5 is none"),
    ],
)
def test_settings_are_those_of_libpq(settings: dict[Any, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        pw.io.postgres.read({**SETTINGS, **settings}, "t", Order, mode="static")
    with pytest.raises(error, match=text):
        pw.io.postgres.write(orders(), {**SETTINGS, **settings}, "t")


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"table_name": ""}, ValueError, "table is empty"),
        ({"schema_name": None}, ValueError, "schema_name is missing"),
        ({"publication_name": "p"}, ValueError, "takes no publication_name"),
        ({"max_backlog_size": 0}, ValueError, "max_backlog_size"),
        ({"autocommit_duration_ms": -1}, ValueError, "autocommit_duration_ms"),
        ({"mode": "now and then"}, TypeError, "violates type hint"),
        ({"schema": {"item": str}}, TypeError, "violates type hint"),
        ({"debug_data": [1]}, TypeError, "data frame"),
        ({"mode": "streaming"}, ValueError, "follows a publication"),
        ({**STREAM}, ValueError, "no primary key"),
        ({**STREAM, "schema": Keyed, "autocommit_duration_ms": None}, ValueError, "mode='static'"),
        ({**STREAM, "schema": Nullable}, ValueError, "None cannot tell rows apart"),
    ],
)
def test_reading_refuses_what_makes_no_sense(
    arguments: dict[str, Any], error: type[Exception], text: str
) -> None:
    usual = {"postgres_settings": SETTINGS, "table_name": "t", "schema": Order, "mode": "static"}
    with pytest.raises(error, match=text):
        pw.io.postgres.read(**{**usual, **arguments})


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"table_name": ""}, "table is empty"),
        ({"schema_name": None}, "schema_name is missing"),
        ({"max_batch_size": 0}, "max_batch_size has to be 1 or more"),
        ({"key": ["item"]}, "has no primary_key"),
        ({"output_table_type": "snapshot"}, "needs primary_key"),
        ({"output_table_type": "snapshot", "key": []}, "needs primary_key"),
        ({"output_table_type": "snapshot", "key": ["item", "count", "item"]}, "more than once: item"),
        ({"output_table_type": "snapshot", "key": ["note"]}, "None cannot tell rows apart"),
        ({"output_table_type": "snapshot", "key": ["item"], "diff": "item"}, "of type INT"),
        ({"diff": "count"}, "only a snapshot"),
    ],
)
def test_writing_refuses_what_makes_no_sense(arguments: dict[str, Any], text: str) -> None:
    table = orders()
    if (key := arguments.pop("key", None)) is not None:
        arguments["primary_key"] = [table[name] for name in key]
    if (diff := arguments.pop("diff", None)) is not None:
        arguments["_external_diff_column"] = table[diff]
    with pytest.raises(ValueError, match=text):
        pw.io.postgres.write(
            **{"table": table, "postgres_settings": SETTINGS, "table_name": "t", **arguments}
        )


def test_columns_of_other_tables_are_refused() -> None:
    table, other = orders(), orders()
    with pytest.raises(ValueError, match=r"primary_key has .*no column of the table"):
        pw.io.postgres.write(table, SETTINGS, "t", output_table_type="snapshot", primary_key=[other.item])
    with pytest.raises(ValueError, match="sort_by"):
        pw.io.postgres.write(table, SETTINGS, "t", sort_by=[other.item])


@pytest.mark.parametrize("name", ["time", "Diff"])
def test_names_of_changes_are_taken(name: str) -> None:
    table = orders().rename({"item": name})
    with pytest.raises(ValueError, match=f"rename {name}"):
        pw.io.postgres.write(table, SETTINGS, "t")
    with (
        pytest.warns(DeprecationWarning, match="is deprecated"),
        pytest.raises(ValueError, match=f"rename {name}"),
    ):
        pw.io.postgres.write_snapshot(table, SETTINGS, "t", ["count"])
    pw.io.postgres.write(table, SETTINGS, "t", output_table_type="snapshot", primary_key=[table["count"]])


@pytest.mark.parametrize(
    ("key", "text"),
    [([], "a column at least"), (["item", "item"], "more than once"), (["x"], "its columns are item, count")],
)
def test_keys_of_old_snapshots_are_checked(key: list[str], text: str) -> None:
    with pytest.warns(DeprecationWarning, match="is deprecated"), pytest.raises(ValueError, match=text):
        pw.io.postgres.write_snapshot(orders(), SETTINGS, "t", key)


def test_data_for_debugging_stands_for_a_table() -> None:
    data = pd.DataFrame({"item": ["x"], "count": [1]})
    table = pw.io.postgres.read(
        SETTINGS, "t", pw.schema_from_types(item=str, count=int), mode="static", debug_data=data
    )
    seen: list[str] = []
    pw.io.subscribe(table, lambda key, row, time, is_addition: seen.append(row["item"]))
    pw.run(debug=True, monitoring_level=pw.MonitoringLevel.NONE)
    assert seen == ["x"]
