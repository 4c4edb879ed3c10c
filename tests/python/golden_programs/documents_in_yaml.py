"""pw.load_yaml: tags, variables, scopes, the environment, sharing, warnings and refusals."""

import os
import sys
import types
import warnings

from blocks import program

import pathway as pw

made = []


class Maker:
    """What tags call."""

    CONSTANT = 7

    def __init__(self, **arguments):
        made.append(sorted(arguments))
        self.arguments = arguments

    def __repr__(self):
        return f"Maker({self.arguments})"

    @classmethod
    def other(cls, **arguments):
        return cls(other=True, **arguments)


module = types.ModuleType("made")
module.Maker = Maker
module.nothing = None
module.add = lambda a, b=2: (a, b)
module.inner = types.ModuleType("made.inner")
module.inner.value = 5
sys.modules["made"], sys.modules["made.inner"] = module, module.inner


def load(*documents):
    """For each document what it gives, what it calls and warns of, or how it is refused."""
    for document in documents:
        made.clear()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                result = repr(pw.load_yaml(document))
            except Exception as error:
                mark = getattr(error, "problem_mark", None)
                result = f"{type(error).__name__} {(mark.line, mark.column) if mark else ''}"
        kinds = [each.category.__name__ for each in warned]
        print(document.replace("\n", " / "), "->", result, *(made or []), *kinds)


@program
def scalars_and_empty_documents():
    load("", "# nothing", "---\na: 1\n...", "5", "yes", "a: 1e3\nb: 017\nc: 0o17\nd: 2020-01-01\ne: ~")


@program
def tags():
    load(
        "!made.Maker {x: 1, y: [1, 2]}",
        "!made.Maker {}",
        "!made.Maker",
        "!made.Maker ''",
        "!made.nothing",
        "!made.Maker.CONSTANT",
        "!made:Maker.CONSTANT",
        "!made.inner:value",
        "!made.inner.value",
        "!made.Maker.other {z: 1}",
        "!int {}",
        "!os.path.sep",
        "!pw:MonitoringLevel.NONE",
        "!pw.MonitoringLevel.ALL",
        "!<!made.Maker> {}",
        "%TAG !e! !made.\n---\n!e!Maker {}",
        "!made%2EMaker {}",
        "a: !made.Maker\n  x: !made.Maker {i: 1}\n  y: !made.Maker {j: 1}",
        "a: !!python/tuple [1, 2]\nb: !!python/name:int\nc: !!binary aGk=\nd: !!str 5",
    )


@program
def tags_that_are_refused():
    load(
        "!made.Maker text",
        "!made.Maker [1]",
        "!made.Maker ~",
        "!made.Maker.CONSTANT {}",
        "!made.Maker.CONSTANT text",
        "!made.inner {}",
        "!made.nope {}",
        "!made:nope {}",
        "!nope.nope {}",
        "!nope:nope {}",
        "!nope {}",
        "!pw",
        "!made. {}",
        "!made..Maker {}",
        "!made: {}",
        "!<made.Maker> {}",
        "!made.Maker {1: 2}",
        "!made.Maker {~: 2}",
        "!made.add {c: 1}",
        "!made.add {}",
        "$x: !nope {}\na: 1",
        "$x: !made.Maker text\na: 1",
    )


@program
def variables():
    load(
        "$x: 1\na: $x",
        "a: $x\n$x: 1",
        "{$x: 1, a: $x}",
        "$x: $y\n$y: [1]\na: $x\nb: $y",
        "$x: 1\na: {$x: 2, b: $x}\nc: $x",
        "$x: [$y]\n$y: 1\na: {$y: 2, b: $x}",
        "$v: 1\nl:\n- {$v: 2, x: $v}\n- {x: $v}",
        "$x: 1\n$x: 2\na: $x",
        "$x:\na: $x",
        "$class: 1\na: $class",
        "'$x': 1",
        "!!str $x: 1",
        "a: '$x'\nb: a$x",
        "a: |\n  $x",
        "a: !made.Maker\n  $q: 4\n  $r: $q\n  w: [$r, $q]",
        "a: !made.Maker\n  $q: 4",
        "- $x: 1\n  a: $x",
    )


@program
def variables_that_are_refused():
    load(
        "a: $1x",
        "a: $a-b",
        "a: $",
        "$: 3",
        "$a b: 3",
        "a: ${x}",
        "a: $x:1",
        "$x: [$1]\na: 1",
        "a: $nope",
        "- $x\n- {$x: 2}",
        "a: !made.Maker $x",
        "$b: {x: 1}\nd: {<<: $b}",
    )


@program
def objects_are_shared():
    load(
        "$k: !made.Maker {}\na: $k\nb: [$k, {c: $k}]",
        "a: &k !made.Maker {}\nb: *k",
        "$x: !made.Maker {}\na: &q $x\nb: *q",
        "a: !made.Maker {n1: 1}\n$z: !made.Maker {n3: 1}\nb: !made.Maker {n2: $z}",
        "$b: !made.Maker {b: 1}\n$a: !made.Maker {a: $b}\nr: [$a, $b]",
        "$v: &a [1]\nb: *a",
        "base: &b {$v: 1, x: $v}\nd: {<<: *b, y: $v}",
        "base: &b {$v: 1, x: $v}\nd: {<<: *b}",
        "base: &b {$v: 1, x: 3}\nd: {<<: *b, $v: 2, y: $v}",
        "base: &b {x: $v}\n$v: 1\no: {$v: 2, i: *b}",
        "base: &b {x: 1, y: 2}\nd: !made.Maker {<<: *b, y: 3}",
        "d: {<<: [{a: 1}, {b: 2, a: 3}], c: 3}",
    )


@program
def unused_variables():
    load("$x: 1", "$x: 1\n$y: $x\na: 2", "a: {$x: 1, b: 2}", "$x: !made.Maker {}\na: 1")


@program
def the_environment():
    numbers = ["8080", " 7 ", "0.5", "true", "yes", "0x10", "!!int '5'"]
    for text in [*numbers, "text", "", "null", "1e3", "[1, 2]", "'5'", "$OTHER", "2020-01-01"]:
        os.environ["SETTING"] = text
        load("[$SETTING]", "$SETTING: 1\na: $SETTING", "$other: $SETTING\na: {$SETTING: 2, b: $other}")


@program
def documents_that_are_none():
    load("a: [1", "a:\n\tb: 1", "a: *nope", "a: 1\n---\nb: 2", "a: 1\n... b", "? {a: 1}\n: 1", "a: !x , b")
