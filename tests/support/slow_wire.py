"""A wire to a server on which every answer takes its time, as when the network between is slow."""

import socket
import threading
from contextlib import suppress

from support.silent_wire import SilentWire


class SlowWire(SilentWire):
    """`seconds` is how long whatever is sent, in either direction, takes from now on."""

    seconds = 0.0

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while part := one.recv(65536):
                threading.Event().wait(self.seconds)
                other.sendall(part)
            other.shutdown(socket.SHUT_WR)
