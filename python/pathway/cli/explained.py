"""What `pathway explain FILE` shows: the runs of a program or of a pipeline in YAML."""

from __future__ import annotations

import contextlib
import http.client
import os
import runpy
import sys
import traceback
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, get_args

from pathway._engine import Explanation
from pathway.cli.pipeline import SUFFIXES, Mistake, run_pipeline
from pathway.internals.explain import Explanation as Shown
from pathway.internals.explain import Format, Plan
from pathway.internals.parse_graph import G
from pathway.internals.watch import Watcher, watched

FORMATS: tuple[str, ...] = get_args(Format)
PLANS: tuple[str, ...] = get_args(Plan)
#: Seconds that a run may take to answer: a large plan is drawn while it works.
PATIENCE = 60.0


class NothingToShow(Exception):
    """There is no such run; the text says why."""


class Explained(NamedTuple):
    """The runs of a program, and the code that it has ended with."""

    plans: list[Explanation]
    code: int


def explained(file: str, arguments: Sequence[str], overrides: Mapping[str, str], *, runs: bool) -> Explained:
    """Runs a program whose runs are watched: they end before they begin, unless `runs` is set.

    What the program prints goes to standard error.
    """
    watcher = Watcher(runs=runs)
    code = executed(file, arguments, overrides, watcher)
    plans = [plan for plan in watcher.plans() if not plan.is_empty()]
    if not plans and G.outputs and code == 0:
        print(f"{file} does not call pw.run(); this is what that would run", file=sys.stderr)
        plans = [G.engine.explanation(outputs=list(G.outputs))]
    return Explained(plans, code)


def executed(file: str, arguments: Sequence[str], overrides: Mapping[str, str], watcher: Watcher) -> int:
    """Executes a program or pipeline whose runs are watched; the code that it has ended with.

    What it prints goes to standard error.
    """
    with watched(watcher), contextlib.redirect_stdout(sys.stderr), _as_program(file, arguments):
        code = _ended(file, overrides)
    G.mark_used()
    return code


@contextlib.contextmanager
def _as_program(file: str, arguments: Sequence[str]) -> Iterator[None]:
    """Modules beside the file can be imported, and it sees its arguments."""
    argv, path = sys.argv, list(sys.path)
    sys.argv = [file, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(file)))
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path


def _ended(file: str, overrides: Mapping[str, str]) -> int:
    try:
        if file.endswith(SUFFIXES):
            run_pipeline(file, overrides)
        else:
            runpy.run_path(file, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except Mistake as mistake:
        print(f"Error: {mistake}", file=sys.stderr)
        return 1
    except Exception as error:
        _show(file, error)
        return 1
    return 0


def _show(file: str, error: Exception) -> None:
    """The traceback, from the program on."""
    at = error.__traceback__
    while at is not None and at.tb_frame.f_code.co_filename != file:
        at = at.tb_next
    traceback.print_exception(type(error), error, at or error.__traceback__)


def written(found: Explained, file: str, *, format: str, plan: str, number: int | None) -> str:
    """The runs in a format: all of them, or that with a number, from 1.

    Raises:
        NothingToShow: there is no such run, or more than one where only one can be shown.
    """
    count = len(found.plans)
    if count == 0:
        raise NothingToShow(f"{file} runs nothing: it has no outputs, and shows no table")
    if number is not None and number > count:
        raise NothingToShow(f"{file} has {count} run{'s' if count > 1 else ''}: there is no number {number}")
    chosen = [Shown(each) for each in (found.plans if number is None else [found.plans[number - 1]])]
    which: Plan = "before" if plan == "before" else "after"
    if format == "json":
        return "[" + ",\n".join(each.to_json() for each in chosen) + "]\n"
    if format == "dot":
        return "\n".join(each.to_dot(plan=which) for each in chosen)
    if format == "svg":
        if len(chosen) > 1:
            raise NothingToShow(f"{file} has {count} runs, and a drawing shows one: choose it with --number")
        return chosen[0].to_svg(plan=which)
    if len(chosen) == 1:
        return chosen[0].to_text()
    headed = (f"Run {at} of {count}\n\n{each.to_text()}" for at, each in enumerate(chosen, 1))
    return "\n".join(headed)


def _place(url: str, query: str) -> str | None:
    """Where a run that is served at an address explains itself; None if it is no address."""
    try:
        given = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
        _checked = given.port
    except ValueError:
        return None
    if given.scheme not in ("http", "https") or not given.hostname:
        return None
    return given._replace(path=given.path.rstrip("/") + "/explain", query=query, fragment="").geturl()


def asked(url: str, *, token: str | None, format: str, plan: str) -> str:
    """What the run that is served at an address says of itself.

    Raises:
        NothingToShow: it does not answer, or refuses to.
    """
    address = _place(url, urllib.parse.urlencode({"format": format, "plan": plan}))
    if address is None:
        raise NothingToShow(f"{url!r} is no address of a run, like http://127.0.0.1:20000")
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, headers=headers), timeout=PATIENCE
        ) as answer:
            text: str = answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            why = error.read().decode(errors="replace").strip()
        raise NothingToShow(f"{url} answers {error.code}: {why or error.reason}") from None
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise NothingToShow(f"{url} does not answer: {reason}") from None
    return f"[{text}]\n" if format == "json" else text
