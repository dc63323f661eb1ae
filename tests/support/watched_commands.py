"""What a Valkey is asked, as it sees it itself.

https://valkey.io/commands/monitor/
"""

import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LINE = re.compile(rb'\+[\d.]+ \[\d+ (?P<client>[^\]]+)\] (?P<words>"[^\r]*)')
WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"')
END = b"everything-was-seen"


@dataclass(frozen=True)
class Asked:
    """A command, and those of the script that it ran; what is not ASCII is written as MONITOR does."""

    words: tuple[bytes, ...]
    by_script: list[tuple[bytes, ...]] = field(default_factory=list)


class Watched:
    """`commands` is what was asked since it was made, complete after `end`."""

    def __init__(self, url: str) -> None:
        self.commands: list[Asked] = []
        self._address = ("127.0.0.1", urlsplit(url).port or 0)
        self._socket = socket.create_connection(self._address)
        self._socket.sendall(b"MONITOR\r\n")
        self._lines = self._socket.makefile("rb")
        assert self._lines.readline() == b"+OK\r\n"
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def end(self) -> None:
        with socket.create_connection(self._address) as connection:
            connection.sendall(b"ECHO " + END + b"\r\n")
            self._reading.join(20)
        with suppress(OSError):
            self._socket.close()

    def _read(self) -> None:
        for line in self._lines:
            found = LINE.match(line)
            assert found, line
            words = tuple(WORD.findall(found["words"]))
            if words[-1] == END:
                return
            if found["client"] == b"lua":
                self.commands[-1].by_script.append(words)
            else:
                self.commands.append(Asked(words))
