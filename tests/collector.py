"""A collector of OpenTelemetry that keeps what it is told."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

#: Far longer than anything may take.
PATIENCE = 40


def value(of: Any) -> Any:
    """An attribute as Python has it."""
    kind = of.WhichOneof("value")
    if kind == "array_value":
        return [value(one) for one in of.array_value.values]
    return getattr(of, kind)


def attributes(of: Any) -> dict[str, Any]:
    return {one.key: value(one.value) for one in of.attributes}


class _Service:
    """Takes requests of one kind."""

    def __init__(self, collector: Collector, kind: str, response: Any) -> None:
        self.collector, self.kind, self.response = collector, kind, response

    def Export(self, request: Any, context: Any) -> Any:
        self.collector.hold.wait()
        with self.collector.lock:
            self.collector.requests[self.kind].append(request)
        return self.response()


class Collector:
    """What was received, by kind."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.requests: dict[str, list[Any]] = {"logs": [], "metrics": [], "traces": []}
        #: While it is not set, nobody is answered.
        self.hold = threading.Event()
        self.hold.set()
        self.server = grpc.server(futures.ThreadPoolExecutor(8))
        for kind, module, messages, name in [
            ("logs", logs_service_pb2_grpc, logs_service_pb2, "Logs"),
            ("metrics", metrics_service_pb2_grpc, metrics_service_pb2, "Metrics"),
            ("traces", trace_service_pb2_grpc, trace_service_pb2, "Trace"),
        ]:
            service = _Service(self, kind, getattr(messages, f"Export{name}ServiceResponse"))
            getattr(module, f"add_{name}ServiceServicer_to_server")(service, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.server.start()

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, self.requests
            time.sleep(0.02)

    def _requests(self, kind: str) -> list[Any]:
        with self.lock:
            return list(self.requests[kind])

    def records(self) -> list[Any]:
        """Log records with the name of the logger."""
        all = (of for request in self._requests("logs") for of in request.resource_logs)
        scopes = (scope for of in all for scope in of.scope_logs)
        return [(scope.scope.name, record) for scope in scopes for record in scope.log_records]

    def spans(self) -> list[Any]:
        all = (of for request in self._requests("traces") for of in request.resource_spans)
        return [span for of in all for scope in of.scope_spans for span in scope.spans]

    def metrics(self, number: int = -1) -> dict[str, Any]:
        """Those of one request, by name."""
        request = self._requests("metrics")[number]
        scopes = (scope for of in request.resource_metrics for scope in of.scope_metrics)
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def resources(self, kind: str) -> list[dict[str, Any]]:
        field = {"logs": "resource_logs", "metrics": "resource_metrics", "traces": "resource_spans"}[kind]
        return [attributes(of.resource) for request in self._requests(kind) for of in getattr(request, field)]


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    """A collector on a port of its own."""
    here = Collector()
    try:
        yield here
    finally:
        here.hold.set()
        here.server.stop(None).wait()
