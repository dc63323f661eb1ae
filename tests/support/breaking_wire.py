"""A wire between the service and its vendor that breaks in the middle of a redemption, in the way a test chooses.

Everything but the redemption passes. Each request gets a connection of its own, so that what happens to one of them
happens to nothing else.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal["", "refuse", "blackhole", "reset", "truncate", "drip", "slow"]
REDEEM = b"/redemptions "
READS_BEFORE = (b"/loyalty/customer ", b"/loyalty/redemption_rules", b"/loyalty/transactions")
DRIP_SECONDS = 0.2
SLOW_SECONDS = 0.1
# Sends a reset instead of an orderly end.
ABORT = struct.pack("ii", 1, 0)


class Wire:
    """`kind` is what happens to the next redemption; `redemptions` counts those that came along, `passed` those that
    reached the vendor."""

    def __init__(self, vendor: str) -> None:
        parts = urlsplit(vendor)
        self._vendor = (parts.hostname or "", parts.port or 80)
        self._listener = self._listening(0)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.kind: Kind = ""
        self.redemptions = 0
        self.passed = 0
        self._reads = 0
        self._over = threading.Event()
        self._refusing = False
        self._lock = threading.Lock()

    def _listening(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def will(self, kind: Kind) -> None:
        """From now on redemptions meet this."""
        if self._refusing:
            self._listener = self._listening(self.port)
        self.kind, self._reads, self._refusing = kind, 0, False

    def close(self) -> None:
        self._over.set()
        self._hang_up()

    def _hang_up(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._converse, args=(client,), daemon=True).start()

    def _converse(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            request = _whole(client)
            if not request:
                return
            if REDEEM in request.partition(b"\r\n")[0]:
                self._redeem(client, request)
                return
            answer = self._asked(request)
            if self.kind == "refuse" and any(read in request.partition(b"\r\n")[0] for read in READS_BEFORE):
                self._refuse_after_the_last_read()
            client.sendall(answer)

    def _refuse_after_the_last_read(self) -> None:
        """The listener goes before the service learns what it needs for the redemption, so that this one is refused."""
        with self._lock:
            self._reads += 1
            if self._reads == len(READS_BEFORE):
                self._refusing = True
                self._hang_up()

    def _redeem(self, client: socket.socket, request: bytes) -> None:
        self.redemptions += 1
        if self.kind == "blackhole":
            self._over.wait(10)
            return
        answer = self._asked(request)
        self.passed += 1
        if self.kind == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        elif self.kind == "truncate":
            client.sendall(answer[: len(answer) * 2 // 3])
        elif self.kind == "drip":
            for byte in answer:
                client.sendall(bytes([byte]))
                if self._over.wait(DRIP_SECONDS):
                    return
        else:
            self._over.wait(SLOW_SECONDS if self.kind == "slow" else 0)
            client.sendall(answer)

    def _asked(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        with socket.create_connection(self._vendor, timeout=20) as vendor:
            vendor.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            return b"".join(iter(lambda: vendor.recv(65_536), b""))


def _whole(client: socket.socket) -> bytes:
    """One request, with all of its body."""
    request = b""
    while b"\r\n\r\n" not in request:
        piece = client.recv(65_536)
        if not piece:
            return b""
        request += piece
    head, _, body = request.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    missing = int(fields.get(b"content-length", b"0")) - len(body)
    while missing > 0:
        piece = client.recv(missing)
        request, missing = request + piece, missing - len(piece)
    return request


@contextmanager
def stretched(vendor: str) -> Iterator[Wire]:
    """A wire to this vendor."""
    wire = Wire(vendor)
    try:
        yield wire
    finally:
        wire.close()
