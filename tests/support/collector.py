"""A collector of traces, logs and errors on this machine, which keeps every byte that it is sent."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import brotli  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

UNPACK: Mapping[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
}
KEY = "0123456789abcdef0123456789abcdef"


class Collector:
    """`received` has of each request its path, its headers and its body, unpacked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.received: list[tuple[str, str, bytes]] = []

    @property
    def settings(self) -> dict[str, str]:
        """What sends everything here, without much delay."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "SENTRY_DSN": self.url.replace("//", f"//{KEY}@") + "/1"}

    def text(self) -> str:
        """Everything that was sent; what protobuf adds to texts does not hide them."""
        return "\n".join(f"{path}\n{headers}\n{body.decode(errors='replace')}" for path, headers, body in self.received)

    def spans(self) -> list[Span]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self._bodies("/v1/traces")]
        return [span for one in requests for of in one.resource_spans for by in of.scope_spans for span in by.spans]

    def lines(self) -> list[LogRecord]:
        requests = [ExportLogsServiceRequest.FromString(body) for body in self._bodies("/v1/logs")]
        return [line for one in requests for of in one.resource_logs for by in of.scope_logs for line in by.log_records]

    def errors(self) -> list[dict[str, Any]]:
        """Sentry's envelopes: a line about all, then for each item a line about it and its own."""
        lines = [line for body in self._bodies("/api/1/envelope/") for line in body.splitlines()]
        items = [json.loads(line) for line in lines if line.startswith(b"{")]
        return [item for item in items if "logentry" in item]

    def _bodies(self, path: str) -> list[bytes]:
        return [body for at, _, body in self.received if at == path]


def attributes(of: Span | LogRecord) -> Mapping[str, Any]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in of.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            unpack = UNPACK[self.headers.get("content-encoding", "identity")]
            collector.received.append((self.path, str(self.headers), unpack(body)))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # Its name is given.
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
