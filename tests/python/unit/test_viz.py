"""Views of tables, with stand-ins for panel and bokeh; `tests/services/notebooks` has the real ones."""

from __future__ import annotations

import re
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import pathway as pw
from live import sent, until
from pathway.stdlib.viz import _view

Table = pw.Table[Any]
QUIET = {"monitoring_level": pw.MonitoringLevel.NONE}


class Part:
    """Anything that is shown: what it was made with."""

    def __init__(self, *parts: Any, **options: Any) -> None:
        self.parts = parts
        self.options = options
        self.values: list[Any] = []
        if parts:
            self.values.append(parts[0])

    @property
    def value(self) -> Any:
        return self.values[-1]

    @value.setter
    def value(self, value: Any) -> None:
        self.values.append(value)

    def _repr_mimebundle_(self, include: Any, exclude: Any) -> dict[str, str]:
        return {"text/html": "a view"}


class Extension:
    """`panel.extension`: what was loaded."""

    def __init__(self) -> None:
        self.loaded: list[Any] = []
        self._loaded = False

    def __call__(self, *names: str, **_: Any) -> None:
        self.loaded += names
        self._loaded = True


@pytest.fixture(autouse=True)
def panel(monkeypatch: pytest.MonkeyPatch) -> Any:
    panel, models = ModuleType("panel"), ModuleType("bokeh.models")
    pushed: list[Any] = []
    parts = {
        "Column": Part,
        "Row": Part,
        "widgets": SimpleNamespace(Tabulator=Part),
        "pane": SimpleNamespace(Bokeh=Part),
        "io": SimpleNamespace(push_notebook=pushed.append),
        "extension": Extension(),
        "pushed": pushed,
    }
    for name, part in parts.items():
        setattr(panel, name, part)
    models.ColumnDataSource = lambda data: SimpleNamespace(data=data)  # type: ignore[attr-defined]
    for name, module in (("panel", panel), ("bokeh", ModuleType("bokeh")), ("bokeh.models", models)):
        monkeypatch.setitem(sys.modules, name, module)
    return panel


def static() -> Table:
    return pw.debug.table_from_markdown(
        """
          | name | v
        1 | b    | 1
        2 | a    | 3
        3 | c    | 2
        """
    )


class Rows(pw.Schema):
    k: int = pw.column_definition(primary_key=True)
    v: int


def live() -> Table:
    """Rows 1 and 2, then another value of row 1; each at a time of its own."""

    class Subject(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for k, v in ((1, 10), (2, 20), (1, 11)):
                self.next(k=k, v=v)
                self.commit()

    sent = pw.io.python.read(Subject(), schema=Rows, autocommit_duration_ms=None)
    return sent.groupby(sent.k).reduce(sent.k, v=pw.reducers.max(sent.v))


def widget(view: Any) -> Any:
    return view.parts[-1]


def cells(frame: Any) -> list[list[Any]]:
    return frame.to_numpy().tolist()  # type: ignore[no-any-return]


def test_a_static_table_is_shown_at_once(panel: Any) -> None:
    sorters = [{"field": "v", "dir": "desc"}]
    shown = widget(static().show(sorters=sorters, page_size=3, table_height=123))
    assert list(shown.value.columns) == ["id", "name", "v"]
    rows = cells(shown.value)
    assert sorted(row[1:] for row in rows) == [["a", 3], ["b", 1], ["c", 2]]
    assert all(len(row[0]) == 11 and row[0].endswith("...") for row in rows)
    options = shown.options
    assert (options["sorters"], options["page_size"], options["height"]) == (sorters, 3, 123)
    assert panel.extension.loaded == ["tabulator"]


def test_without_ids_and_with_whole_ids() -> None:
    assert list(widget(static().show(include_id=False)).value.columns) == ["name", "v"]
    ids = {row[0] for row in cells(widget(static().show(short_pointers=False)).value)}
    assert ids == {str(id) for id in pw.debug.table_to_dicts(static())[0]}


def test_cells_that_a_browser_cannot_hold() -> None:
    t = pw.debug.table_from_rows(
        pw.schema_from_types(n=int, j=pw.Json, p=tuple[int, pw.Pointer]),
        [(2**60, pw.Json({"a": 1}), (1, pw.internals.api.ref_scalar(1)))],
    )
    (row,) = cells(widget(t.show(include_id=False)).value)
    assert row == [str(2**60), '{"a": 1}', "(1, ^YYY4HAB...)"]


def test_changes_of_a_static_table() -> None:
    with pytest.raises(NotImplementedError, match="no changes to show: use snapshot=True"):
        static().show(snapshot=False)


def test_a_live_table_is_shown_while_it_runs() -> None:
    shown = widget(live().show(include_id=False))
    assert cells(shown.value) == []
    pw.run(**QUIET)
    assert sorted(cells(shown.value)) == [[1, 11], [2, 20]]


def test_changes_of_a_live_table() -> None:
    shown = widget(live().show(include_id=False, snapshot=False))
    pw.run(**QUIET)
    assert list(shown.value.columns) == ["k", "v", "time", "diff"]
    changes = [(k, v, diff) for k, v, _, diff in cells(shown.value)]
    assert changes == [(1, 10, 1), (2, 20, 1), (1, 10, -1), (1, 11, 1)]


def test_plots_are_of_ordered_columns(panel: Any) -> None:
    sources: list[Any] = []

    def figure(source: Any) -> str:
        sources.append(source)
        return "figure"

    t = static()
    for order, names in (("v", ["b", "c", "a"]), (t.name, ["a", "b", "c"])):
        view = t.plot(figure, sorting_col=order)
        assert widget(view).value == "figure"
        assert sources[-1].data["name"] == names
    t.plot(figure)
    by_id = pw.debug.table_to_dicts(t)[1]["name"]
    assert sources[-1].data["name"] == [by_id[id] for id in sorted(by_id)]
    live().plot(figure, sorting_col="k")
    assert sources[-1].data == {"k": [], "v": []}
    pw.run(**QUIET)
    assert sources[-1].data == {"k": [1, 2], "v": [11, 20]}
    assert panel.pushed
    with pytest.raises(KeyError, match="nothing"):
        t.plot(figure, sorting_col="nothing")


def test_without_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    assert static()._repr_mimebundle_() == {"text/html": "a view"}
    monkeypatch.setitem(sys.modules, "panel", None)
    for look in (lambda t: t.show(), lambda t: t.plot(lambda _: None)):
        with pytest.raises(ImportError, match=r'pip install "pathway\[viz\]"'):
            look(static())
    bundle = static()._repr_mimebundle_()
    assert "pathway[viz]" in bundle["text/plain"]
    assert bundle["text/html"] == static()._repr_html_()


def test_the_extension_of_notebooks_is_not_wanted(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHWAY_INTERACTIVE", "0")
    static().show()
    assert panel.extension.loaded == []


def test_a_view_that_changes_often_is_drawn_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """With no end of changes within an interval it is drawn when the interval is over."""
    monkeypatch.setattr(_view, "INTERVAL", 0.05)
    drawn, late = [], threading.Event()

    def draw(rows: _view.Rows) -> None:
        drawn.append(len(rows.in_order()))
        if drawn[-1] == 3:
            late.set()

    class Subject(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            for k in range(3):
                self.next(k=k, v=k)
                self.commit()
            assert late.wait(60)

    t = pw.io.python.read(Subject(), schema=Rows, autocommit_duration_ms=None)
    _view.View(t, _view.Rows(["k", "v"]), draw)
    pw.run(**QUIET)
    assert drawn == sorted(drawn)
    assert len(drawn) <= 4


def lines(table: Any) -> list[str]:
    """The HTML of a table without its ids, line by line."""
    return re.sub(r"\^\w{26}", "^", table._repr_html_()).splitlines()


def test_columns_types_and_first_rows_as_html() -> None:
    assert lines(static().select(pw.this.name, v=pw.if_else(pw.this.v > 1, pw.this.v, None))) == [
        "<table>",
        "<caption>3 rows</caption>",
        "<thead>",
        "<tr><th>id</th><th>name</th><th>v</th></tr>",
        "<tr><th></th><th>str</th><th>int | None</th></tr>",
        "</thead>",
        "<tbody>",
        "<tr><td>^</td><td>b</td><td>None</td></tr>",
        "<tr><td>^</td><td>a</td><td>3</td></tr>",
        "<tr><td>^</td><td>c</td><td>2</td></tr>",
        "</tbody>",
        "</table>",
    ]
    many = pw.debug.table_from_rows(pw.schema_from_types(a=str), [(f"<{n}>" * 60,) for n in range(12)])
    found = lines(many)
    assert found[1] == "<caption>the first 10 of 12 rows</caption>"
    cells = [line for line in found if "<td>" in line]
    assert len(cells) == 10
    assert all("&lt;" in cell and cell.endswith("...</td></tr>") for cell in cells)


def test_nothing_without_an_end_is_computed_to_be_shown() -> None:
    class Endless(pw.io.python.ConnectorSubject):
        def run(self) -> None:
            raise AssertionError("it is read")

    t = pw.io.python.read(Endless(), schema=Rows)
    found = lines(t)
    assert found[1] == "<caption>its rows come while it is computed: pw.run(), or table.live()</caption>"
    assert found[3:5] == [
        "<tr><th>id</th><th>k</th><th>v</th></tr>",
        "<tr><th></th><th>int</th><th>int</th></tr>",
    ]
    assert not any("<td>" in line for line in found)


def test_text_of_a_table_computes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    t = static().debug("computed")
    assert repr(t) == str(t) == "<pathway.Table schema={'name': <class 'str'>, 'v': <class 'int'>}>"
    assert capsys.readouterr().out == ""
    t._repr_html_()
    assert "[computed]" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:live tables are an experimental feature")
def test_a_live_table_is_shown_without_a_run_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_view, "INTERVAL", 0.0)
    subject, t = sent(k=int, v=int)
    table = t.groupby(t.k).reduce(t.k, v=pw.reducers.max(t.v)).live()
    view = table.show(include_id=False)
    assert view.parts[0].parts == ("Live table: k: int, v: int",)
    changes = widget(table.show(include_id=False, snapshot=False))
    assert lines(table)[1] == "<caption>snapshot at time 0: 0 rows</caption>"
    subject.send({"k": 1, "v": 10})
    until(lambda: cells(widget(view).value) == [[1, 10]])
    subject.send({"k": 1, "v": 20}, {"k": 2, "v": 5})
    until(lambda: sorted(cells(widget(view).value)) == [[1, 20], [2, 5]])
    until(lambda: len(cells(changes.value)) == 4)
    subject.finish()
    assert table.wait(60)
    assert lines(table)[1] == "<caption>final snapshot: 2 rows</caption>"
    assert sorted(lines(table)[7:9]) == [
        "<tr><td>^</td><td>1</td><td>20</td></tr>",
        "<tr><td>^</td><td>2</td><td>5</td></tr>",
    ]
    # One that is shown late has all that came before.
    assert sorted(cells(widget(table.show(include_id=False)).value)) == [[1, 20], [2, 5]]


def test_the_prompt_of_ipython_shows_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    class TerminalInteractiveShell:
        pass

    class InteractiveShell:
        initialized = staticmethod(lambda: True)
        instance = staticmethod(TerminalInteractiveShell)

    module = ModuleType("IPython.core.interactiveshell")
    module.InteractiveShell = InteractiveShell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert static()._repr_mimebundle_() == {}
