"""An answer as its bytes arrive, read strictly (RFC 9112): what two readers could understand in two ways is no answer.

The syntax is llhttp's affair, which refuses, among others, two lengths, a length beside chunks, and folded lines.
"""

import httptools
import httpx2

MAX_HEAD_BYTES = 65_536
# A head of 1xx comes before the answer and is none (RFC 9110 §15.2); we never ask for another protocol, which is 101.
_INTERIM = range(100, 200)
_VERSIONS = ("1.1", "1.0")
_UNDERSTOOD = frozenset({"chunked"})


class Answer:
    """`status` is 0 until the whole head is there. `headers` are in lower case; fields that come more than once are one
    list (RFC 9110 §5.3). `body` is what came of it so far, still packed. httptools calls the methods named `on_`."""

    def __init__(self, max_bytes: int) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.is_complete = False
        # Whether the same connection may carry another request: it may, and nothing came that belongs to no request.
        self.may_go_on = False
        self._max_bytes = max_bytes
        self._bytes = 0
        self._head_bytes = 0
        self._is_interim = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Raises RemoteProtocolError for what is no answer, or a larger one than any that we expect."""
        # llhttp also reads other protocols' answers, and empty lines before one.
        if not self._bytes and not data.startswith(b"H"):
            raise httpx2.RemoteProtocolError("no HTTP")
        self._bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self.is_complete:
                raise httpx2.RemoteProtocolError("not valid HTTP") from None
            self.may_go_on = False
        if not self.is_complete and self._bytes > (self._max_bytes if self.status else MAX_HEAD_BYTES):
            raise httpx2.RemoteProtocolError("larger than any answer we expect")
        if self.is_complete:
            # It holds our methods, so neither of us would go before the next collection of garbage.
            del self._parser

    def end(self) -> None:
        """Nothing more comes: that is how a body ends for which no length was given (RFC 9112 §6.3)."""
        self.is_complete = self.is_complete or (self.status > 0 and not self._has_end())
        self.may_go_on = False

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise httpx2.RemoteProtocolError("more than one answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or one after the last chunk, which nobody looks at."""
        self._count(len(name) + len(value) + len(": \r\n"))
        if not self.status:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        self._count(len("HTTP/1.1 200 \r\n\r\n"))
        status = self._parser.get_status_code()
        self._is_interim = status in _INTERIM
        if self._is_interim:
            self.headers.clear()
            return
        packing = self.headers.get("transfer-encoding", "chunked").lower()
        if status < 200 or packing not in _UNDERSTOOD or self._parser.get_http_version() not in _VERSIONS:
            raise httpx2.RemoteProtocolError("not understood")
        self.status = status

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        if not self._is_interim:
            self.is_complete, self.may_go_on = True, self._parser.should_keep_alive()

    def _count(self, head_bytes: int) -> None:
        self._head_bytes += head_bytes
        if self._head_bytes > MAX_HEAD_BYTES:
            raise httpx2.RemoteProtocolError("a larger head than any that we expect")

    def _has_end(self) -> bool:
        return "content-length" in self.headers or "transfer-encoding" in self.headers
