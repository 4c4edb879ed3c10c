"""Tables beyond what the golden programs show: places where we do better, and rarely used forms."""

from __future__ import annotations

import typing

import pandas as pd
import pytest

import pathway as pw
from pathway.internals.api import ref_scalar
from pathway.internals.parse_graph import G

R = pw.reducers


def rows(table: pw.Table) -> list[tuple[object, ...]]:
    _, columns = pw.debug.table_to_dicts(table)
    names = table.column_names()
    keys = next(iter(columns.values())).keys() if columns else ()
    return sorted((tuple(columns[name][key] for name in names) for key in keys), key=str)


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_markdown("  | k | v\n1 | 1 | a\n2 | 2 | b\n3 | 3 | c")


def test_groupings_by_the_same_columns_are_told_apart(t: pw.Table) -> None:
    plain = t.groupby(t.v, t.k).reduce(id_=R.any(t.v))
    with_instance = t.groupby(t.v, instance=t.k).reduce(id_=R.any(t.v))
    assert set(pw.debug.table_to_dicts(plain)[0]) != set(pw.debug.table_to_dicts(with_instance)[0])


def test_the_instance_of_a_pointer_is_resolved(t: pw.Table) -> None:
    pointers = t.select(p=t.pointer_from(t.v, instance=pw.this.k))
    assert set(pw.debug.table_to_dicts(pointers)[0]) == set(pw.debug.table_to_dicts(t)[0])
    moved = t.with_id_from(t.v, instance=t.k).select(
        ok=pw.this.id == t.pointer_from(pw.this.v, instance=pw.this.k)
    )
    assert rows(moved) == [(True,)] * 3


def test_primary_keys_are_hashed_as_their_columns_are() -> None:
    class Keyed(pw.Schema):
        k: float = pw.column_definition(primary_key=True)

    t = pw.debug.table_from_markdown("k\n1\n2", schema=Keyed)
    assert sorted(pw.debug.table_to_dicts(t)[0]) == sorted([ref_scalar(1.0), ref_scalar(2.0)])
    assert rows(t.select(ok=t.id == t.pointer_from(t.k))) == [(True,), (True,)]


def test_columns_by_name_do_not_follow_the_order_of_a_schema() -> None:
    schema = pw.schema_from_types(b=str, a=int)
    assert rows(pw.debug.table_from_markdown("a | b\n1 | x", schema=schema)) == [("x", 1)]


def test_objects_in_data_frames_keep_their_types() -> None:
    frame = pd.DataFrame(
        {
            "a": [b"x", None],
            "b": [True, None],
            "c": [pw.Json({"q": 1}), None],
            "d": [ref_scalar(1), None],
            "e": [{"q": 1}, None],
        },
        index=[3, 4],
    )
    before = frame.copy()
    t = pw.debug.table_from_pandas(frame)
    assert [str(dtype) for dtype in t._dtypes().values()] == [
        "Optional(BYTES)",
        "Optional(BOOL)",
        "Optional(Json)",
        "Optional(ANY_POINTER)",
        "Optional(Json)",
    ]
    assert rows(t)[1][:2] == (b"x", True)
    pd.testing.assert_frame_equal(frame, before)


def test_nan_is_a_float_and_none_is_missing() -> None:
    frame = pd.DataFrame({"a": [1.5, None]})
    plain = pw.debug.table_from_pandas(frame, schema=pw.schema_from_types(a=float | None))
    assert rows(plain) == [(1.5,), (None,)]


def test_reducers_outside_of_reduce(t: pw.Table) -> None:
    with pytest.raises(ValueError, match="reduce"):
        t.select(x=R.sum(t.k))
    with pytest.raises((ValueError, TypeError)):
        t.reduce(x=R.sum(R.max(t.k)))


def test_lookups_by_aggregates(t: pw.Table) -> None:
    assert rows(t.reduce(best=pw.this.ix(R.argmax(pw.this.k)).v + "!", n=R.count())) == [("c!", 3)]
    assert rows(t.groupby(t.v).reduce(t.v, same=t.ix(R.argmin(t.k), context=pw.this).v)) == [
        ("a", "a"),
        ("b", "b"),
        ("c", "c"),
    ]
    by_key = t.with_id_from(t.k)
    assert rows(t.groupby(t.v).reduce(z=by_key.ix_ref(R.max(pw.this.k)).v)) == [("a",), ("b",), ("c",)]


def test_placeholders_inside_of_reducers(t: pw.Table) -> None:
    by_key = t.with_id_from(t.k)
    pointers = t.select(g=1, p=t.pointer_from(t.k))
    assert rows(pointers.groupby(pointers.g).reduce(m=R.max(by_key.ix(pw.this.p).v))) == [("c",)]


def test_two_results_of_one_grouping_are_equal_sets(t: pw.Table) -> None:
    grouped = t.groupby(t.v)
    first, second = grouped.reduce(t.v), grouped.reduce(n=R.count())
    assert rows(first + second.with_universe_of(first)) == [("a", 1), ("b", 1), ("c", 1)]
    pw.universes.promise_are_equal(grouped, t)


def test_results_of_equal_groupings_are_equal_sets(t: pw.Table) -> None:
    first, again = t.groupby(t.v).reduce(t.v), t.groupby(pw.this.v).reduce(n=R.count())
    assert rows(first.update_cells(t.groupby(t.v).reduce(v=R.max(t.v + "!")))) == [("a!",), ("b!",), ("c!",)]
    assert rows(first.select(first.v, again.n)) == [("a", 1), ("b", 1), ("c", 1)]
    joined = t.join(t.copy(), t.k == pw.right.k)
    of_join = joined.groupby(t.v).reduce(t.v)
    assert rows(of_join.select(t.groupby(t.v).reduce(n=R.count()).ix_ref(of_join.v).n)) == [(1,), (1,), (1,)]
    assert rows(of_join.update_cells(joined.groupby(pw.left.v).reduce(v="q"))) == [("q",), ("q",), ("q",)]
    others = [
        t.groupby(t.k).reduce(),
        t.groupby(t.v, instance=t.k).reduce(),
        t.filter(t.k > 1).groupby(pw.this.v).reduce(),
        joined.filter(t.k > 1).groupby(pw.left.v).reduce(),
    ]
    for other in others:
        with pytest.raises(ValueError, match="promise_universe_is_subset_of"):
            other.restrict(first)


def test_halves_of_a_split_are_narrowed() -> None:
    t = pw.debug.table_from_markdown("  | a\n1 | 5\n2 |")
    missing, known = t.split(t.a.is_none())
    assert rows(known.select(b=known.a + 1)) == [(6,)]
    assert rows(missing) == [(None,)]
    assert rows(known.concat(missing)) == [(5,), (None,)]


def test_clearing_forgets_tables_and_promises(t: pw.Table) -> None:
    pw.io.null.write(t, name="x")
    G.clear()
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    assert (G.outputs, G.names, G.static_universes) == ([], {}, {})


def test_dtypes_can_be_widened_and_narrowed(t: pw.Table) -> None:
    wide = t.update_types(k=typing.Any, v=str | None)
    assert wide.typehints() == {"k": typing.Any, "v": str | None}
    with pytest.raises(TypeError):
        t.update_types(k=str)


def test_schema_of_a_table(t: pw.Table) -> None:
    computed = t.select(x=t.k, y=pw.apply_with_type(str, str, t.k))
    assert computed.schema == pw.schema_from_types(x=int, y=str).update_properties(append_only=True)
    assert t.schema.universe_properties.append_only

    class Keyed(pw.Schema):
        k: int = pw.column_definition(primary_key=True)
        v: str = pw.column_definition(default_value="-")

    kept = pw.debug.table_from_rows(Keyed, [(1, "a")]).schema
    assert kept.primary_key_columns() == ["k"]
    assert kept.default_values() == {"v": "-"}


def test_transformers_check_schemas(t: pw.Table) -> None:
    class In(pw.Schema):
        k: int

    class Out(pw.Schema):
        z: str

    @pw.table_transformer(allow_superset={"x": False, "return": True}, locals=locals())
    def transform(x: pw.Table[In], times: int = 2) -> pw.Table[Out]:
        return x.select(z=x.k.to_string() * times)

    assert rows(transform(t.select(t.k))) == [("11",), ("22",), ("33",)]
    with pytest.raises(AssertionError, match="argument x") as caught:
        transform(t)
    assert isinstance(caught.value.__cause__, AssertionError)
    with pytest.raises(AssertionError):
        pw.assert_table_has_schema(t, pw.schema_from_types(k=int, missing=int))
    with pytest.raises(AssertionError, match="column v is of type STR in the table, but schema"):
        pw.assert_table_has_schema(t, pw.schema_from_types(v=int))
    with pytest.raises(TypeError, match=r"transform\(\) missing a required argument: 'x'"):
        transform()  # type: ignore[call-arg]


def test_the_source_of_flattened_rows_in_place_of_a_column(t: pw.Table) -> None:
    flat = t.with_columns(ks=pw.make_tuple(t.k, -t.k)).flatten(pw.this.ks, origin_id="k")
    assert list(flat.column_names()) == ["ks", "k", "v"]
    assert rows(flat.select(flat.ks, v=t.ix(flat.k).v)) == sorted(
        [(1, "a"), (-1, "a"), (2, "b"), (-2, "b"), (3, "c"), (-3, "c")], key=str
    )
    with pytest.raises(ValueError, match="origin_id"):
        t.with_columns(ks=pw.make_tuple(t.k)).flatten(pw.this.ks, origin_id="ks")


def test_names_of_columns_print_as_keys(t: pw.Table) -> None:
    assert repr(t.column_names()) == repr(t.keys()) == "dict_keys(['k', 'v'])"


def test_wrong_kinds_of_names(t: pw.Table) -> None:
    with pytest.raises(ValueError, match="a name or a reference: 5"):
        t.rename_columns(a=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"rename_by_dict.*5"):
        t.rename_by_dict(5)  # type: ignore[arg-type]


def test_groups_by_values_that_came_from_elsewhere(t: pw.Table) -> None:
    """The columns of the table hold values of other rows or tables: these make the groups."""
    marked = t.update_cells(t.filter(t.k > 1).select(k=0))
    assert rows(marked.groupby(marked.k).reduce(marked.k, n=R.count())) == [(0, 2), (1, 1)]
    replaced = t.update_rows(t.filter(t.k > 1).with_columns(k=0))
    assert rows(replaced.groupby(replaced.k).reduce(replaced.k, n=R.count())) == [(0, 2), (1, 1)]
    first = t.with_columns(p=t.pointer_from(1))
    looked = first.with_columns(k=first.ix(first.p).k)
    assert rows(looked.groupby(looked.k).reduce(looked.k, n=R.count())) == [(1, 3)]


def test_both_ids_of_a_table_joined_with_its_copy(t: pw.Table) -> None:
    copy = t.copy()
    pairs = t.join(copy).select(
        own=pw.left.id == t.pointer_from(t.k), other=copy.id == t.pointer_from(copy.k)
    )
    assert set(rows(pairs)) == {(True, True)}


@pytest.mark.filterwarnings("ignore:terminate_on_error")
def test_tuples_beside_errors_keep_their_values(t: pw.Table) -> None:
    pairs = t.select(t.v, p=pw.make_tuple(6 // (t.k - 2), t.v))
    _, columns = pw.debug.table_to_dicts(pairs, terminate_on_error=False)
    found = {columns["v"][key]: columns["p"][key] for key in columns["p"]}
    assert found == {"a": (-6, "a"), "b": pw.engine.ERROR, "c": (6, "c")}


def test_attributes_of_slices_are_no_methods_of_tables() -> None:
    s = pw.Table.empty(select=int, a=int).slice
    assert s.a.name == "a"
    assert s["select"].name == "select"
    with pytest.raises(ValueError, match="method"):
        _ = s.select
