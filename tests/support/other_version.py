"""A wire to PostgreSQL on which it says to be of another version; all else passes as it is."""

import re
import socket
from urllib.parse import urlsplit

from support.silent_wire import SilentWire

# A ParameterStatus message: its length, counted from the length itself, and two texts that each end with a zero.
# https://www.postgresql.org/docs/current/protocol-message-formats.html
STATUS = re.compile(rb"S(....)server_version\x00[^\x00]*\x00", re.DOTALL)


class OtherVersion(SilentWire):
    """`contextlib.closing` ends it."""

    def __init__(self, url: str, version: str) -> None:
        content = b"server_version\x00" + version.encode() + b"\x00"
        self._status = b"S" + (len(content) + 4).to_bytes(4, "big") + content
        super().__init__(urlsplit(url).port or 0)
        self.url = url.replace(f":{urlsplit(url).port}/", f":{self.port}/")

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        while part := one.recv(65536):
            other.sendall(STATUS.sub(lambda _: self._status, part))
        other.shutdown(socket.SHUT_WR)
