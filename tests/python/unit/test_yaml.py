"""`pw.load_yaml`: tags, variables, scopes, the environment, and what it says of mistakes."""

from __future__ import annotations

import io
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import yaml

import pathway as pw
from pathway.internals.yaml_names import mark_of


class Maker:
    """What tags call; `made` has the arguments of all of them, in order."""

    CONSTANT = 7
    made: list[dict[str, Any]]

    class Inner:
        NAME = "inner"

    def __init__(self, **arguments: Any) -> None:
        Maker.made.append(arguments)


def add(a: Any, b: Any = 1) -> Any:
    return a + b


def fail() -> None:
    raise RuntimeError("failed")


@pytest.fixture(autouse=True)
def _tags(monkeypatch: pytest.MonkeyPatch) -> None:
    Maker.made = []
    module = types.ModuleType("tags")
    vars(module).update(Maker=Maker, add=add, fail=fail)
    monkeypatch.setitem(sys.modules, "tags", module)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing", None),
        ("5", 5),
        ("{a: yes, b: 1e3, c: 017}", {"a": True, "b": "1e3", "c": 15}),
        ("- !tags.Maker.CONSTANT\n- !tags:Maker.Inner.NAME", [7, "inner"]),
        ("a: !tags.add {a: 2}", {"a": 3}),
        ("a: !tags.add\n  $q: 4\n  a: $q", {"a": 5}),
        ("!int {}", 0),
        ("a: !pw.MonitoringLevel.ALL", {"a": pw.MonitoringLevel.ALL}),
        ("a: !pw:MonitoringLevel.ALL", {"a": pw.MonitoringLevel.ALL}),
        ("a: !pathway.MonitoringLevel.ALL", {"a": pw.MonitoringLevel.ALL}),
        ("a: !os.path.sep", {"a": "/"}),
        ("a: !os:path.sep", {"a": "/"}),
        ("%TAG !t! !tags.\n---\na: !t!add {a: 2}", {"a": 3}),
    ],
)
def test_tags_name_objects(text: str, value: object) -> None:
    assert pw.load_yaml(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$x: 1\na: $x", {"a": 1}),
        ("a: $x\n$x: 1", {"a": 1}),
        ("{$x: 1, a: $x}", {"a": 1}),
        ("$x: $y\n$y: [1]\na: $x", {"a": [1]}),
        ("$x: 1\na: {$x: 2, b: $x}\nc: $x", {"a": {"b": 2}, "c": 1}),
        ("$x: [$y]\n$y: 1\na: {$y: 2, b: $x, c: $y}", {"a": {"b": [1], "c": 2}}),
        ("$v: 1\nl:\n- {$v: 2, x: $v}\n- {x: $v}", {"l": [{"x": 2}, {"x": 1}]}),
        ("$x: 1\na: '$x'\nb: a$x\nc: $x", {"a": "$x", "b": "a$x", "c": 1}),
        ("'$x': 1", {"$x": 1}),
        ("!!str $x: 1", {"$x": 1}),
        ("a: |\n  $x", {"a": "$x"}),
        ("$class: 1\n$é: 2\na: [$class, $é]", {"a": [1, 2]}),
        ("$x: 1\n$x: 2\na: $x", {"a": 2}),
        ("$x:\na: $x", {"a": None}),
        ("- $x: 1\n  a: $x", [{"a": 1}]),
        ("base: &b {$v: 1, x: $v}\nd: {<<: *b, y: $v}", {"base": {"x": 1}, "d": {"x": 1, "y": 1}}),
        ("base: &b {a: 1, b: 5}\nd: !tags.add {<<: *b, b: 2}", {"base": {"a": 1, "b": 5}, "d": 3}),
        ("$v: 3\na: !!python/tuple [$v, 2]", {"a": (3, 2)}),
        ("$v: 3\na: [!!set {$v, 2}, $v]", {"a": [{2, 3}, 3]}),
        ("? !tags.Maker.CONSTANT\n: 1", {7: 1}),
    ],
)
def test_variables_have_scopes(text: str, value: object) -> None:
    assert pw.load_yaml(text) == value


def test_objects_are_made_once_and_when_they_are_used() -> None:
    loaded = pw.load_yaml(
        "a: !tags.Maker {n: 1}\n"
        "$shared: !tags.Maker {n: 2}\n"
        "b: !tags.Maker {n: 3, of: $shared}\n"
        "c: [$shared, &anchor !tags.Maker {n: 4}]\n"
        "d: *anchor\n"
    )
    assert [arguments["n"] for arguments in Maker.made] == [1, 2, 3, 4]
    assert Maker.made[2]["of"] is loaded["c"][0]
    assert loaded["c"][1] is loaded["d"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8080", 8080),
        (" 7 ", 7),
        ("0.5", 0.5),
        ("yes", True),
        ("!!int '5'", 5),
        ("hello", "hello"),
        ("1e3", "1e3"),
        ("", ""),
        ("null", "null"),
        ("2020-01-01", "2020-01-01"),
        ("2020-99-99", "2020-99-99"),
        ("'5'", "'5'"),
        ("[1, 2]", "[1, 2]"),
        ("[1", "[1"),
        ("--- 1\n--- 2", "--- 1\n--- 2"),
        ("!tags.fail {}", "!tags.fail {}"),
        ("!!python/object/apply:tags.fail []", "!!python/object/apply:tags.fail []"),
        ("$OTHER", "$OTHER"),
    ],
)
def test_the_environment_gives_numbers_and_text(
    text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTING", text)
    assert pw.load_yaml("a: $SETTING") == {"a": value}
    assert pw.load_yaml("$SETTING: of the file\na: $SETTING") == {"a": "of the file"}
    assert pw.load_yaml("a: {$SETTING: inside, b: $SETTING}\nc: $SETTING") == {
        "a": {"b": "inside"},
        "c": value,
    }


@pytest.mark.parametrize(
    ("text", "error", "message", "place"),
    [
        ("a: [1", yaml.YAMLError, "expected ',' or ']'", (1, 6)),
        ("a: 1\n---\nb: 2", yaml.YAMLError, "expected a single document", (2, 1)),
        ("a: *nope", yaml.YAMLError, "undefined alias", (1, 4)),
        ("a: &a [*a]", yaml.YAMLError, "recursive", (1, 4)),
        ("a: !<tags.add> {}", yaml.YAMLError, "could not determine a constructor", (1, 4)),
        ("b: 1\na: $1x", yaml.MarkedYAMLError, "variable name '1x' is not a valid identifier", (2, 4)),
        ("a: $", yaml.MarkedYAMLError, "variable name '' is not a valid identifier", (1, 4)),
        ("$a b: 3", yaml.MarkedYAMLError, "variable name 'a b' is not a valid identifier", (1, 1)),
        ("$x: [$1]\na: 1", yaml.MarkedYAMLError, "variable name '1' is not", (1, 6)),
        ("a: {b: $nope}", KeyError, "variable \\$nope is not defined", (1, 8)),
        ("$x: $x\na: $x", yaml.MarkedYAMLError, "variable \\$x is defined by itself", (1, 5)),
        ("$x: [$y]\n$y: $x\na: $x", yaml.MarkedYAMLError, "variable \\$x is defined by itself", (2, 5)),
        ("a: !tags.Maker text", yaml.MarkedYAMLError, "expected a mapping or empty node", (1, 4)),
        ("a: !tags.Maker [1]", yaml.MarkedYAMLError, "expected a mapping or empty node", (1, 4)),
        ("a: !tags.Maker.CONSTANT {}", yaml.MarkedYAMLError, "'tags.Maker.CONSTANT' is not callable", (1, 4)),
        ("a: !tags.Maker.CONSTANT ~", yaml.MarkedYAMLError, "'tags.Maker.CONSTANT' is not callable", (1, 4)),
        ("a: !tags.nope {}", AttributeError, "module 'tags' has no attribute 'nope'", (1, 4)),
        ("a: !nope.nope {}", AttributeError, "module 'builtins' has no attribute 'nope'", (1, 4)),
        ("$x: !nope {}\na: 1", AttributeError, "module 'builtins' has no attribute 'nope'", (1, 5)),
        ("a: !nope:nope {}", ModuleNotFoundError, "No module named 'nope'", (1, 4)),
        ("a: !tags.Maker {1: 2}", ValueError, "expected string key, got <class 'int'>", (1, 4)),
        ("a: !tags.add {c: 2}", TypeError, "unexpected keyword argument 'c'", (1, 4)),
        ("a: !tags.add\n  a: !tags.fail {}", RuntimeError, "failed", (2, 6)),
    ],
)
def test_mistakes_have_a_place(
    text: str, error: type[Exception], message: str, place: tuple[int, int]
) -> None:
    with pytest.raises(error, match=message) as raised:
        pw.load_yaml(text)
    mark = mark_of(raised.value)
    assert mark is not None
    assert (mark.line + 1, mark.column + 1) == place


def test_a_module_that_cannot_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needs_more.py").write_text("import what_is_not_there")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="what_is_not_there"):
        pw.load_yaml("a: !needs_more.function {}")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("$x: 1", ["x"]),
        ("$x: $y\n$y: 1", ["x", "y"]),
        ("$x: !tags.fail {}\na: {$y: 1}", ["x", "y"]),
        ("$v: &a [1]\nb: *a", []),
        ("base: &b {$v: 1, x: $v}\nd: {<<: *b}", []),
        ("base: &b {$v: 1, x: 3}\nd: {<<: *b, $v: 2, y: $v}", ["v"]),
    ],
)
@pytest.mark.filterwarnings("always")
def test_unused_variables_are_told_of(text: str, names: list[str], recwarn: pytest.WarningsRecorder) -> None:
    pw.load_yaml(text)
    assert [str(each.message) for each in recwarn] == [f"unused YAML variable ${name}" for name in names]
    assert all(each.filename == __file__ and each.category is UserWarning for each in recwarn)


def test_calls_without_a_mapping_are_deprecated() -> None:
    with pytest.warns(DeprecationWarning, match=r"write !tags\.Maker \{\} to call it .*python/name:"):
        assert isinstance(pw.load_yaml("!tags.Maker"), Maker)


@pytest.mark.parametrize("stream", ["a: 1", b"a: 1", io.StringIO("a: 1"), io.BytesIO(b"a: 1")])
def test_streams_are_text_bytes_and_files(stream: Any) -> None:
    assert pw.load_yaml(stream) == {"a": 1}


def test_what_is_no_stream() -> None:
    path: Any = Path("app.yaml")
    with pytest.raises(TypeError, match=r"has to be text, bytes or a file .*, not a PosixPath"):
        pw.load_yaml(path)


def test_tables_know_the_line_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text("unused: 1\n$x: 1\ntable: !pw.debug.table_from_markdown\n  nonsense: 1\n")
    with file.open() as stream, pytest.raises(TypeError) as raised:
        pw.load_yaml(stream)
    assert any(f"{file}:3" in note for note in raised.value.__notes__)
    file.write_text("a: 1\n$x: 1\n")
    with file.open() as stream, pytest.warns(UserWarning, match="unused") as warned:
        pw.load_yaml(stream)
    assert (warned[0].filename, warned[0].lineno) == (str(file), 2)
