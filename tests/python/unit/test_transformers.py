"""Transformer classes."""

from __future__ import annotations

from typing import Any

import pytest

import pathway as pw
from contents import by_id
from pathway.engine import ref_scalar as key
from pathway.internals import (
    ClassArg,
    attribute,
    input_attribute,
    input_method,
    method,
    output_attribute,
    transformer,
)
from pathway.internals.transformers.apply import Application, Inner
from pathway.internals.transformers.run import Session


@transformer
class list_len:
    class nodes(ClassArg):
        following = input_attribute()

        @output_attribute
        def length(self) -> int:
            return 1 if self.following is None else 1 + self.transformer.nodes[self.following].length


def chain(n: int, last: int | None = None) -> pw.Table:
    data = [(i, i + 1 if i + 1 < n else last) for i in range(n)]
    t = pw.debug.table_from_rows(pw.schema_from_types(i=int, j=int | None), data).with_id_from(pw.this.i)
    return t.select(following=t.pointer_from(t.j, optional=True))


@pytest.fixture
def t() -> pw.Table:
    return pw.debug.table_from_markdown("id | a | b\n1 | 1 | x\n2 | 2 | y\n3 | 3 | z")


@pytest.mark.parametrize("n", [1, 3, 39, 40, 41, 3000])
def test_chains_may_be_longer_than_the_stack(n: int) -> None:
    lengths = by_id(list_len(nodes=chain(n)).nodes)
    assert {row_id: length for row_id, (length,) in lengths.items()} == {key(i): n - i for i in range(n)}


def test_output_columns_and_names(t: pw.Table) -> None:
    @transformer
    class foo:
        class table(ClassArg):
            a = input_attribute()
            CONST = 10

            def helper(self, x: int) -> int:
                return x + self.CONST

            @staticmethod
            def twice(x: int) -> int:
                return 2 * x

            @attribute
            def hidden(self) -> int:
                return self.a * 100

            @output_attribute(output_name="aaa")
            def z(self) -> int:
                return self.helper(self.a) + self.hidden

            @output_attribute
            def b2(self):  # type: ignore[no-untyped-def]
                return self.twice(self.a)

            @output_attribute
            def me(self) -> pw.Pointer:
                return self.id

            @output_attribute
            def first(self) -> pw.Pointer | None:
                return self.pointer_from(1) if self.a > 1 else self.pointer_from(None, optional=True)

            @method
            def m(self, x: int, y: int = 5) -> float:
                return self.hidden + x + y

    result = foo(t).table
    # In the order of the members' names.
    assert list(result.column_names()) == ["b2", "first", "m", "me", "aaa"]
    assert result.schema["b2"].dtype is pw.internals.dtype.ANY
    assert str(result.schema["m"].dtype) == "Callable(..., FLOAT)"
    assert by_id(result.select(result.b2, result.first, result.me, result.aaa)) == {
        key(1): (2, None, key(1), 111),
        key(2): (4, key(1), key(2), 212),
        key(3): (6, key(1), key(3), 313),
    }
    # The rows are those of the input.
    assert by_id(t.select(c=t.a + result.aaa))[key(1)] == (112,)


def test_results_are_mappings(t: pw.Table) -> None:
    @transformer
    class two:
        """Two tables."""

        class B(ClassArg):
            y = input_attribute()

        class A(ClassArg):
            p = input_attribute()

            @output_attribute
            def x(self) -> int:
                return self.transformer.B[self.p].y + 1

    a, b = t.select(p=t.pointer_from(t.a)), t.select(y=t.a * 100)
    result = two(B=b, A=a)
    assert (list(result), len(result), result.keys()) == (["A", "B"], 2, ["A", "B"])
    assert result["A"] is result.A is result.values()[0] is result.items()[0][1]
    assert by_id(result.A) == {key(i): (100 * i + 1,) for i in (1, 2, 3)}
    # By position in alphabetical order, or mixed.
    assert by_id(two(a, b).A) == by_id(two(a, B=b).A)
    assert list(result.B.column_names()) == []
    assert set(by_id(result.B.select(y=b.y))) == {key(1), key(2), key(3)}
    assert two.A.__name__ == "A"
    assert repr(two) == "<pathway transformer two(A, B)>"
    with pytest.raises(AttributeError, match="there is no output table C"):
        _ = result.C
    with pytest.raises(AttributeError, match="no inner class C"):
        _ = two.C


def test_arguments_are_checked(t: pw.Table) -> None:
    good = chain(2)
    for nothing in (lambda: list_len(), lambda: list_len(other=good)):
        with pytest.raises(AssertionError, match="there is none for"):
            nothing()
    for call in (
        lambda: list_len(good, good),
        lambda: list_len(good, nodes=good),
        lambda: list_len(nodes=good, other=good),
        lambda: list_len(nodes=5),
    ):
        with pytest.raises(TypeError, match="takes"):
            call()
    with pytest.raises(KeyError, match="no column following in the table for nodes") as error:
        list_len(nodes=t)
    assert "list_len(nodes=t)" in error.value.__notes__[0]


def test_methods_are_called_from_tables(t: pw.Table) -> None:
    @transformer
    class foo:
        class table(ClassArg):
            a = input_attribute()

            @method
            def m(self, x: int) -> int:
                return self.a * x

            @method(output_name="other")
            def _m2(self, x: int, y: int = 5) -> str:
                return f"{self.a}{x}{y}"

    r = foo(table=t).table
    assert r.select(v=r.m(t.a)).typehints() == {"v": int}
    assert by_id(r.select(v=r.m(t.a + 1) * 2, w=pw.this.m(3))) == {
        key(1): (4, 3),
        key(2): (12, 6),
        key(3): (24, 9),
    }
    assert by_id(r.select(v=r.other(t.a), w=r.other(0, y=1)))[key(2)] == ("225", "201")
    assert list(by_id(r.reduce(s=pw.reducers.sum(r.m(t.a)))).values()) == [(14,)]
    assert set(by_id(r.filter(r.m(t.a) > 1))) == {key(2), key(3)}
    assert list(by_id(r.groupby(t.b).reduce(t.b, s=pw.reducers.sum(r.m(2)))).values())
    # Through other operations, of the same and of other rows.
    renamed = r.select(q=r.m, b=t.b).filter(pw.this.b != "x").select(v=pw.this.q(7))
    assert by_id(renamed) == {key(2): (14,), key(3): (21,)}
    assert by_id(t.select(v=r.ix(t.pointer_from(2)).m(t.a))) == {key(i): (2 * i,) for i in (1, 2, 3)}
    joined = r.join(t, r.id == t.id).select(v=pw.left.m(pw.right.a))
    assert sorted(by_id(joined).values()) == [(1,), (4,), (9,)]
    parts = r.filter(t.a > 1), r.filter(t.a <= 1)
    pw.universes.promise_are_pairwise_disjoint(*parts)
    assert by_id(pw.Table.concat(*parts).select(v=pw.this.m(2))) == {key(i): (2 * i,) for i in (1, 2, 3)}
    with pytest.raises(TypeError, match="is not a column of methods") as error:
        t.select(v=t.a(1))
    assert "v=t.a(1)" in error.value.__notes__[0]
    with pytest.raises(ValueError, match="universes"):
        r.select(v=r.m(pw.debug.table_from_markdown("a\n1").a))
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        by_id(r.select(v=r.m()))


def test_methods_of_other_transformers(t: pw.Table) -> None:
    @transformer
    class scale:
        class table(ClassArg):
            a = input_attribute()

            @method
            def times(self, x: int) -> int:
                return self.a * x

    @transformer
    class use:
        class table(ClassArg):
            scaled = input_method(int)
            c = input_attribute()

            @output_attribute
            def v(self) -> int:
                return self.scaled(self.c) + 1

            @method
            def plus(self, y: int) -> int:
                return self.v + self.scaled(y)

    times = scale(table=t).table
    used = use(table=times.select(scaled=times.times, c=t.a)).table
    assert by_id(used.select(used.v)) == {key(1): (2,), key(2): (5,), key(3): (10,)}
    # A method that calls a method of a row of another transformer.
    assert by_id(used.select(x=used.plus(10))) == {key(1): (12,), key(2): (25,), key(3): (40,)}
    with pytest.raises(TypeError, match="has to be a column of methods"):
        use(table=t.select(scaled=t.a, c=t.a))


def test_recursive_and_unhashable_calls(t: pw.Table) -> None:
    calls: list[int] = []

    @transformer
    class foo:
        class table(ClassArg):
            a = input_attribute()

            @method
            def fibonacci(self, n: int) -> int:
                calls.append(n)
                return n if n < 2 else self.fibonacci(n - 1) + self.fibonacci(n - 2)

            @method
            def count(self, n: int) -> int:
                return 0 if n == 0 else 1 + self.count(n - 1)

            @method
            def total(self, items: list[int]) -> int:
                return self.a + sum(items)

            @output_attribute
            def x(self) -> int:
                return self.fibonacci(20)

            @output_attribute
            def y(self) -> int:
                return self.transformer.table[self.pointer_from(1)].count(500)

            @output_attribute
            def z(self) -> int:
                return self.total([1, 2])

    r = foo(table=t.filter(t.a == 1)).table
    assert by_id(r.select(r.x, r.y, r.z)) == {key(1): (6765, 500, 4)}
    assert len(calls) == 21  # each call once


def updates(table: pw.Table) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []

    def on_change(row_id: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        found.append((time, is_addition, row_id, *row.values()))

    pw.io.subscribe(table, lambda key, row, time, is_addition: on_change(key, row, time, is_addition))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    return sorted(found, key=str)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_change_recomputes_dependent_rows_only(workers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_THREADS", workers)
    t = pw.debug.table_from_markdown(
        """
        id | group | a | __time__ | __diff__
        1  | 1     | 1 | 2        | 1
        2  | 1     | 2 | 2        | 1
        3  | 3     | 3 | 2        | 1
        4  | 3     | 4 | 2        | 1
        1  | 1     | 1 | 4        | -1
        1  | 1     | 5 | 4        | 1
        3  | 3     | 3 | 6        | -1
        3  | 3     | -3 | 6       | 1
        """
    )
    computed: list[tuple[str, int]] = []

    @transformer
    class foo:
        class table(ClassArg):
            group = input_attribute()
            a = input_attribute()

            @attribute
            def size(self) -> int:
                computed.append(("size", self.a))
                return abs(self.a)

            @output_attribute
            def relative(self) -> int:
                computed.append(("relative", self.a))
                return self.a - self.transformer.table[self.pointer_from(self.group)].size

    found = updates(foo(table=t).table)
    expected = [
        (2, True, key(1), 0),
        (2, True, key(2), 1),
        (2, True, key(3), 0),
        (2, True, key(4), 1),
        (4, False, key(2), 1),
        (4, True, key(2), -3),
        (6, False, key(3), 0),
        (6, True, key(3), -6),
    ]
    assert found == sorted(expected, key=str)
    first, second, third = computed[:6], computed[6:9], computed[9:]
    assert len(set(first)) == 6
    # Row 1 has another size, on which the rows of its group depend.
    assert sorted(second) == [("relative", 2), ("relative", 5), ("size", 5)]
    # Row 3 keeps its size: row 4 is not computed again.
    assert sorted(third) == [("relative", -3), ("size", -3)]


def test_rows_that_come_and_go() -> None:
    t = pw.debug.table_from_markdown(
        """
        id | needs | __time__ | __diff__
        1  | 2     | 2        | 1
        2  | 0     | 4        | 1
        2  | 0     | 6        | -1
        2  | 0     | 8        | 1
        1  | 2     | 10       | -1
        """
    )

    @transformer
    class foo:
        class table(ClassArg):
            needs = input_attribute()

            @output_attribute
            def depth(self) -> int:
                if self.needs == 0:
                    return 0
                try:
                    return 1 + self.transformer.table[self.pointer_from(self.needs)].depth
                except KeyError:
                    return -1

    assert updates(foo(table=t).table) == sorted(
        [
            (2, True, key(1), -1),
            *((4, False, key(1), -1), (4, True, key(1), 1), (4, True, key(2), 0)),
            *((6, False, key(1), 1), (6, True, key(1), -1), (6, False, key(2), 0)),
            *((8, False, key(1), -1), (8, True, key(1), 1), (8, True, key(2), 0)),
            (10, False, key(1), 1),
        ],
        key=str,
    )


def test_missing_rows(t: pw.Table, caplog: pytest.LogCaptureFixture) -> None:
    broken = chain(3).filter(pw.this.following.is_not_none())
    with pytest.raises(KeyError, match="does not exist in nodes") as error:
        by_id(list_len(nodes=broken).nodes)
    assert type(error.value) is KeyError
    assert "list_len(nodes=broken)" in error.value.__notes__[0]
    both = broken.update_types(following=pw.Pointer | None).concat_reindex(chain(1))
    with pytest.warns(UserWarning, match="experimental"):
        assert list(by_id(list_len(nodes=both).nodes, terminate_on_error=False).values()) == [(1,)]
    assert "does not exist in nodes" in caplog.text


def test_circles_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RecursionError, match=r"in a circle: nodes\[\^.*\].length <- nodes\[") as error:
        by_id(list_len(nodes=chain(2, last=0)).nodes)
    assert "list_len(nodes=chain(2, last=0))" in error.value.__notes__[0]
    with pytest.raises(RecursionError, match=r"more\)"):
        by_id(list_len(nodes=chain(300, last=0)).nodes)
    # The rows that lead into a circle are errors, others are not.
    t = pw.debug.table_from_markdown("id | n\n0 | 1\n1 | 2\n2 | 1\n8 | 9\n9 |")
    nodes = t.select(following=t.pointer_from(t.n, optional=True))
    with pytest.warns(UserWarning, match="experimental"):
        lengths = by_id(list_len(nodes=nodes).nodes, terminate_on_error=False)
    failed = (pw.engine.ERROR,)
    assert lengths == {key(0): failed, key(1): failed, key(2): failed, key(8): (2,), key(9): (1,)}


def test_circles_that_open_again() -> None:
    t = pw.debug.table_from_markdown(
        """
        id | n  | __time__ | __diff__
        1  | 2  | 2        | 1
        2  | 1  | 2        | 1
        2  | 1  | 4        | -1
        2  |    | 4        | 1
        """
    )
    nodes = t.select(following=t.pointer_from(t.n, optional=True))
    with pytest.warns(UserWarning, match="experimental"):
        assert by_id(list_len(nodes=nodes).nodes, terminate_on_error=False) == {
            key(1): (2,),
            key(2): (1,),
        }


def test_exceptions(t: pw.Table, caplog: pytest.LogCaptureFixture) -> None:
    @transformer
    class foo:
        class table(ClassArg):
            a = input_attribute()

            @attribute
            def picky(self) -> int:
                if self.a == 2:
                    raise ValueError("two")
                return self.a

            @output_attribute
            def x(self) -> int:
                return self.picky

            @output_attribute
            def y(self) -> int:
                return self.transformer.table[self.pointer_from(2)].picky

            @output_attribute
            def z(self) -> str:
                try:
                    return str(self.picky)
                except ValueError as error:
                    return str(error)

    r = foo(table=t).table
    with pytest.raises(ValueError, match="two") as error:
        by_id(r)
    assert "foo(table=t)" in error.value.__notes__[0]
    assert [entry.name for entry in error.traceback][-1] == "picky"
    caplog.clear()
    failed = pw.engine.ERROR
    with pytest.warns(UserWarning, match="experimental"):
        assert by_id(r, terminate_on_error=False) == {
            key(1): (1, failed, "1"),
            key(2): (failed, failed, "two"),
            key(3): (3, failed, "3"),
        }
    # Reported where it arose, not for everything that depends on it.
    assert len([record for record in caplog.records if "two" in record.getMessage()]) == 1


def test_errors_in_the_input_and_wrong_results(t: pw.Table) -> None:
    @transformer
    class foo:
        class table(ClassArg):
            a = input_attribute()

            @output_attribute
            def x(self) -> int:
                return self.a

    r = foo(table=t.select(a=6 // (t.a - 1))).table
    with pytest.warns(UserWarning, match="experimental"):
        assert by_id(r, terminate_on_error=False) == {
            key(1): (pw.engine.ERROR,),
            key(2): (6,),
            key(3): (3,),
        }
    with pytest.raises(TypeError, match="INT cannot hold 'x'"):
        by_id(foo(table=t.select(a=t.b)).table)

    @pw.udf(executor=pw.udfs.fully_async_executor())
    async def later(a: int) -> int:
        return a

    with pytest.raises(TypeError, match="await_futures"):
        foo(table=t.select(a=later(t.a)))


def test_wrong_references(t: pw.Table) -> None:
    @transformer
    class other:
        class T(ClassArg):
            a = input_attribute()

    def with_body(body: Any) -> pw.Table:
        @transformer
        class foo:
            class S(ClassArg):
                a = input_attribute()

                @output_attribute
                def x(self) -> Any:
                    return body(self, foo)

        return foo(S=t).S

    assert by_id(with_body(lambda self, foo: foo.S(self, self.id).a))[key(2)] == (2,)
    for body, error, match in [
        (lambda self, foo: other.T(self, self.id).a, ValueError, "defined for another transformer"),
        (lambda self, foo: self.transformer.T, AttributeError, "transformer has no attribute T"),
        (lambda self, foo: self.transformer.S[5].a, TypeError, "looked up by pointers, not by 5"),
        (lambda self, foo: self.transformer.S[self.id].b, AttributeError, "no attribute 'b'"),
    ]:
        with pytest.raises(error, match=match):
            by_id(with_body(body))


def test_schemas_of_inner_classes() -> None:
    class In(pw.Schema):
        a: int

    class Out(pw.Schema):
        x: int

    def define(name: str, kind: Any) -> None:
        def compute(self: Any) -> Any:
            return self.a

        compute.__annotations__["return"] = kind
        compute.__name__ = name
        body = {"a": input_attribute(), name: output_attribute(compute)}
        type(ClassArg)("S", (ClassArg,), body, input=In, output=Out)

    define("x", int)
    with pytest.raises(TypeError, match="has the columns \\['x'\\], but the class computes \\['y'\\]"):
        define("y", int)
    with pytest.raises(TypeError, match="declares x as INT, but it is computed as STR"):
        define("x", str)
    with pytest.raises(TypeError) as caught:
        define("x", bytes)
    assert __file__ in caught.value.__notes__[0]
    with pytest.raises(TypeError, match="have to be schemas"):

        class S(ClassArg, input=5):  # type: ignore[arg-type]
            pass


def test_inheritance(t: pw.Table) -> None:
    class Base(ClassArg):
        a = input_attribute()

        @output_attribute
        def x(self) -> int:
            return self.a

    @transformer
    class foo:
        class S(Base):
            @output_attribute
            def x(self) -> int:
                return super().x + 1  # type: ignore[misc, no-any-return]

            @output_attribute
            def y(self) -> int:
                return self.x * 2

        number = 5

    assert by_id(foo(S=t).S)[key(3)] == (4, 8)


def test_state_is_saved_by_shard_and_taken_up() -> None:
    def session() -> Session:
        inner = Inner("nodes", list_len.nodes, None, ["following"], [], {})  # type: ignore[arg-type]
        return Session([Application([inner])], [0])

    ids = [key(i) for i in range(4)]
    following = [[ids[1], ids[2], None, None]]
    first = session()
    entries, raised = first.step([(ids, following, [1, 1, 1, 1])])
    assert sorted(values for _, _, _, values in entries) == [(1,), (1,), (2,), (3,)]
    assert raised == []
    second = session()
    for start, end in ((0, 0x8000), (0x8000, 0x10000)):
        second.load(first.save(start, end))
    # Row 2 is followed by row 3 now, which changes all that lead there.
    change = ([ids[2], ids[2]], [[None, ids[3]]], [-1, 1])
    for state in (first, second):
        entries, raised = state.step([change])
        changes = {(row_id, diff): values for _, row_id, diff, values in entries if row_id != ids[3]}
        assert changes == {
            **{(ids[i], -1): (3 - i,) for i in range(3)},
            **{(ids[i], 1): (4 - i,) for i in range(3)},
        }


def test_what_nobody_needs_is_forgotten() -> None:
    session = Session(
        [Application([Inner("nodes", list_len.nodes, None, ["following"], [], {})])],  # type: ignore[arg-type]
        [0],
    )
    ids = [key(i) for i in range(3)]
    session.step([(ids, [[ids[1], ids[2], None]], [1, 1, 1])])
    (nodes,) = session._tables
    session.step([(ids[2:], [[None]], [-1])])
    assert [row.id in ids for row in nodes] == [True] * 3  # row 2 is asked for
    session.step([(ids[:2], [[ids[1], ids[2]]], [-1, -1])])
    assert list(nodes) == []
    assert session._emitted == {}
