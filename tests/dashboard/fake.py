"""Serves the dashboard with a run that is not there: its numbers move, it ends, fails, begins anew when told.

`python tests/dashboard/fake.py --operators 500 --port 8000` is for looking at the page while working at it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import mimetypes
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dashboard.programs import Node, flights, plant

STATIC = Path(__file__).parents[2] / "crates" / "monitor" / "static"
#: That of the server of runs: nothing from elsewhere, no scripts and styles inside of the page.
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"

HOUR = 3600


def milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def wave(seconds: float, seed: int) -> float:
    """Something that goes up and down between 0 and 1, in another way for each seed."""
    slow = (
        math.sin(seconds / 97 + seed)
        + math.sin(seconds / 41 + 2 * seed)
        + math.sin(seconds / 7 + seed * seed)
    )
    return (slow + 3) / 6


class Run:
    """One run, whose numbers follow from the time."""

    def __init__(self, operators: int, *, age: float, recorded: bool = False) -> None:
        self.recorded = recorded
        self.id = uuid.uuid4().hex
        outline = flights() if operators <= 10 else plant(operators)
        self.program = outline.file.rsplit("/", 1)[1]
        self.nodes: list[Node] = outline.nodes
        self.started = time.time() - age
        self.state = "running"
        self.built = True
        #: The plan: by form and stage, as `/explain` tells it. Not known until a test says so.
        self.plans: dict[tuple[str, str], str] = {}
        self.message: str | None = None
        self.ended: float | None = None
        self.stopped: dict[int, float] = {}
        self.rests = math.inf
        #: What has been read of a source, of how much and in what unit.
        self.lengths: dict[int, tuple[int, int, str]] = {}
        self.errors: list[dict[str, Any]] = []
        self.letters: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []
        self.log("INFO", f"Preparing Pathway computation: {self.program}")
        for node in self.nodes[:20]:
            self.log("DEBUG", f"operator {node['id']}: {node['label']}")

    # --- what happens ---------------------------------------------------------------------------------

    def now(self) -> float:
        return self.ended or time.time()

    def log(self, level: str, text: str) -> None:
        entry = {"number": len(self.lines) + 1, "time": milliseconds(self.now()), "level": level}
        self.lines.append({**entry, "text": text})

    def error(self, operator: int, message: str) -> None:
        line = self.nodes[operator - 1]["line"]
        entry = {"number": len(self.errors) + 1, "time": milliseconds(self.now()), "operator": operator}
        self.errors.append({**entry, "message": message, **line})
        self.log("ERROR", f"{message} in operator {operator}. {line['file']}:{line['line']}")

    def reject(self, operator: int, payload: str, reason: str) -> None:
        entry = {"number": len(self.letters) + 1, "time": milliseconds(self.now()), "operator": operator}
        name = self.nodes[operator - 1]["name"]
        self.letters.append({**entry, "source": name, "payload": payload, "reason": reason})
        self.log("WARNING", f"{name}: {reason}")

    def rest(self) -> None:
        """From now on no operator works."""
        self.rests = self.now()

    def stop_source(self, operator: int) -> None:
        self.stopped[operator] = time.time()
        self.log("WARNING", f"{self.nodes[operator - 1]['name']}: Closing the data source")

    def end(self, message: str | None = None) -> None:
        self.log("INFO" if message is None else "ERROR", message or "The run has ended")
        self.state, self.message = ("ended", None) if message is None else ("failed", message)
        self.ended = time.time()

    # --- what is counted ------------------------------------------------------------------------------

    def rate(self, number: int) -> int:
        """Rows a second that an operator gives."""
        node = self.nodes[number - 1]
        if node["kind"] == "input":
            return 0 if node["name"] == "airlines" else 400 + 1500 * (number * 7 % 13)
        rows = sum(self.rate(other) for other in node["inputs"]) * (2 if node["label"] == "windowby" else 1)
        return rows // {"filter": 2, "_reduce": 20}.get(node["label"], 1)

    def counted(self, number: int, at: float) -> int:
        """Rows since the start: the integral of a rate that goes up and down a bit."""
        seconds = min(self.stopped.get(number, at), at) - self.started
        return int(self.rate(number) * max(0.0, seconds + 3 * math.sin(seconds / 5)) + 12)

    def frontier(self, number: int, at: float) -> dict[str, Any]:
        node = self.nodes[number - 1]
        if self.is_over(at) or number in self.stopped or node["name"] == "airlines":
            return {"state": "done"}
        depth = 0
        while node["inputs"]:
            node, depth = self.nodes[node["inputs"][0] - 1], depth + 1
        return {"state": "at", "time": milliseconds(at) - 10 - int(40 * depth * wave(at, 1)) // 2 * 2}

    def is_over(self, at: float) -> bool:
        return self.ended is not None and self.state == "ended" and at >= int(self.ended)

    def busy(self, number: int) -> float:
        """The share of time that a worker spends there."""
        node = self.nodes[number - 1]
        weight = {"join": 0.62, "_reduce": 0.31, "windowby": 0.5, "select": 0.12, "filter": 0.04}
        return weight.get(node["label"], 0.02) * (0.15 + 0.85 * ((number * 11) % 17) / 17)

    def workers(self, number: int, at: float) -> list[dict[str, Any]]:
        """What is counted of an operator by each worker."""
        node = self.nodes[number - 1]
        rows_in = sum(self.counted(other, at) for other in node["inputs"])
        stateful = node["label"] in ("join", "_reduce", "deduplicate", "windowby")
        seconds = min(at, self.rests) - self.started
        deletions = self.counted(number, at) // 4 if node["label"] == "_reduce" else 0
        return [
            {
                "id": number,
                "worker": worker,
                "rows_in": rows_in // 2,
                "insertions": self.counted(number, at) // 2 - deletions // 2,
                "deletions": deletions // 2,
                "busy_seconds": self.busy(number)
                * (seconds + 2 * math.sin(seconds / 6 + number))
                * (0.9 + 0.2 * worker),
                "frontier": self.frontier(number, at),
                "memory": 4_000_000 + self.rate(number) * 900 if stateful else 0,
                "files": 120_000_000 if stateful and number % 5 == 2 else 0,
            }
            for worker in range(2)
        ]

    def snapshot(self, at: float) -> dict[str, Any]:
        operators = [entry for node in self.nodes for entry in self.workers(node["id"], at)]
        sources = [node for node in self.nodes if node["kind"] == "input"]
        sinks = [node for node in self.nodes if node["kind"] == "output"]
        errors: dict[int, int] = {}
        for error in self.errors:
            errors[error["operator"]] = errors.get(error["operator"], 0) + 1
        letters = [letter["operator"] for letter in self.letters]
        done = {"state": "done"}
        moving = {"state": "at", "time": milliseconds(at) - 8}
        behind = {"state": "at", "time": milliseconds(at) - 20 - int(90 * wave(at, 3))}
        return {
            "at": milliseconds(at),
            "input": done if self.is_over(at) else moving,
            "output": done if self.is_over(at) else behind,
            "operators": operators,
            "errors": None if self.recorded else errors,
            "connectors": [
                {
                    "id": node["id"],
                    "name": node["name"],
                    "last_minibatch": self.rate(node["id"]) // 10,
                    "last_minute": 0 if self.frontier(node["id"], at) == done else self.rate(node["id"]) * 60,
                    "messages": self.counted(node["id"], at),
                    "minibatches": int(at - self.started) * 10,
                    "errors": letters.count(node["id"]),
                    "dead_letters": letters.count(node["id"]),
                    "reading": self.reading(node["id"]),
                    "finished": self.frontier(node["id"], at) == done,
                    "frontier": self.frontier(node["id"], at),
                }
                for node in sources
            ],
            "sinks": [
                {
                    "id": node["id"],
                    "name": node["name"],
                    "rows": self.counted(node["id"], at),
                    "busy_seconds": 0.03 * (at - self.started),
                    "frontier": done if self.is_over(at) else behind,
                }
                for node in sinks
            ],
        }

    def reading(self, number: int) -> dict[str, Any] | None:
        if number not in self.lengths:
            return None
        done, whole, unit = self.lengths[number]
        return {"done": done, "all": whole, "unit": unit}

    # --- what is answered -----------------------------------------------------------------------------

    def answer(self, path: str, query: dict[str, list[str]]) -> dict[str, Any] | None:
        after = int(query.get("after", ["0"])[0])
        if self.recorded:
            match path:
                case "api/times":
                    times = [second * 1000 for second in self.seconds(after)]
                    return {"run": self.id, "times": times}
                case "api/moments":
                    known = [at for at in self.seconds(0) if at * 1000 <= int(query["at"][0])]
                    moments = known[-2:] or [self.seconds(0)[0]]
                    return {"run": self.id, "moments": [self.moment(at) for at in moments]}
                case "api/past":
                    number, until = int(query["operator"][0]), int(query["at"][0]) // 1000
                    seconds = [at for at in self.seconds(0) if until - 180 < at <= until]
                    past = [{"at": at * 1000, "workers": self.workers(number, at)} for at in seconds]
                    return {"run": self.id, "moments": past}
        match path:
            case "api/run":
                return self.about()
            case "api/now":
                return self.moment(int(self.now()) if self.recorded else self.now())
            case "api/history":
                return self.history(after)
            case "api/errors":
                return {"run": self.id, "total": len(self.errors), "errors": self.errors[-500:]}
            case "api/dead_letters":
                return {"run": self.id, "total": len(self.letters), "dead_letters": self.letters[-500:]}
            case "api/log":
                return {
                    "run": self.id,
                    "lines": [line for line in self.lines if line["number"] > after][-2000:],
                }
        return None

    def about(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "program": self.program,
            "version": "0.33.0",
            "started": milliseconds(self.started),
            "ended": None if self.ended is None else milliseconds(self.ended),
            "state": self.state,
            "message": self.message,
            "recorded": self.recorded,
            "process": {"number": 0, "count": 1, "pid": 4242, "workers": 2},
            "outline": {"nodes": self.nodes} if self.built else None,
        }

    def seconds(self, after: int) -> range:
        """When something was recorded: later than these milliseconds."""
        return range(max(int(self.started) + 1, after // 1000 + 1), int(self.now()) + 1)

    def moment(self, at: float) -> dict[str, Any]:
        return {
            "run": self.id,
            "state": self.state,
            "at": milliseconds(at),
            "cpu_seconds": 1.3 * (at - self.started),
            "resident_bytes": int(3e8 + 6e7 * wave(at, 5)),
            "errors": None if self.recorded else len(self.errors),
            "dead_letters": None if self.recorded else len(self.letters),
            "snapshot": self.snapshot(at) if self.built else None,
        }

    def history(self, after: int) -> dict[str, Any]:
        seconds = self.seconds(after)
        if not self.recorded:
            seconds = seconds[-HOUR:]
        rows = sum(self.rate(node["id"]) for node in self.nodes if node["kind"] == "input")
        # For a time nothing came, and how far outputs were was not known.
        gap = [second % 1200 in range(600, 660) for second in seconds]
        return {
            "run": self.id,
            "at": [second * 1000 for second in seconds],
            "rows_in": [
                0 if out else rows * (0.7 + 0.6 * wave(s, 2)) for s, out in zip(seconds, gap, strict=True)
            ],
            "rows_out": [
                0 if out else rows * (0.2 + 0.2 * wave(s, 4)) for s, out in zip(seconds, gap, strict=True)
            ],
            "latency_ms": [
                None if out else int(20 + 90 * wave(s, 3) ** 3) for s, out in zip(seconds, gap, strict=True)
            ],
            "resident_bytes": [int(3e8 + 6e7 * wave(second, 5)) for second in seconds],
            "cpu": [0.1 if out else 0.9 + 0.9 * wave(s, 6) for s, out in zip(seconds, gap, strict=True)],
        }


class Fake:
    """The server of a run; `run` is what it tells of. It can be closed and opened again at the same port."""

    def __init__(
        self,
        operators: int = 10,
        *,
        port: int = 0,
        token: str | None = None,
        age: float = 4000,
        recorded: bool = False,
    ) -> None:
        self.operators = operators
        self.token = token
        self.recorded = recorded
        self.run = Run(operators, age=age, recorded=recorded)
        self.port = port

    @contextlib.contextmanager
    def opened(self) -> Iterator[Fake]:
        self.open()
        try:
            yield self
        finally:
            self.close()

    def open(self) -> None:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, content = fake.get(self.path, self.headers.get("Authorization"))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Content-Security-Policy", POLICY)
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing: tests print enough."""

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def restart(self) -> None:
        """Another run of the same program."""
        self.run = Run(self.operators, age=2, recorded=self.recorded)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def get(self, target: str, authorization: str | None) -> tuple[int, str, bytes]:
        """Status, type and content of an answer."""
        address = urlsplit(target)
        path = address.path.lstrip("/") or "index.html"
        if path.startswith("api/"):
            if self.token is not None and authorization != f"Bearer {self.token}":
                return 401, "text/plain", b"a token is needed"
            answer = self.run.answer(path, parse_qs(address.query))
            if answer is not None:
                return 200, "application/json", json.dumps(answer).encode()
        if path == "explain" and not self.recorded:
            query = parse_qs(address.query)
            form, stage = query["format"][0], query["plan"][0]
            text = self.run.plans.get((form, stage))
            if text is None:
                return 503, "text/plain", b"the plan is not known yet"
            return 200, {"svg": "image/svg+xml"}.get(form, "text/plain"), text.encode()
        file = (STATIC / path).resolve()
        if STATIC in file.parents and file.is_file():
            return 200, mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes()
        return 404, "text/plain", b"not found"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--operators", type=int, default=10)
    options.add_argument("--port", type=int, default=8000)
    options.add_argument("--recorded", action="store_true")
    chosen = options.parse_args()
    fake = Fake(chosen.operators, port=chosen.port, recorded=chosen.recorded)
    fake.open()
    fake.run.lengths[1] = (519_000_000, 1_234_000_000, "bytes")
    fake.run.error(4, "division by zero")
    fake.run.reject(1, "EWR,abc", "parse error: cannot parse 'abc' as int")
    print(f"The dashboard is at {fake.address}", flush=True)
    fake.thread.join()


if __name__ == "__main__":
    main()
