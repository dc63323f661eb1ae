"""A wire to a server on which the other side can fall silent, as when a machine or a network between just vanishes."""

import socket
import threading
from contextlib import suppress


class SilentWire:
    """Passes bytes on between a port of its own and the server; `port` is where to connect.
    `contextlib.closing` ends it."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._silent: set[int] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> int:
        """From now on nothing passes on the connections there are, and nobody is told; new ones work. Returns how many
        there were."""
        self._silent |= {id(end) for end in self._open}
        return len(self._open) // 2

    def close(self) -> None:
        for end in (self._listener, *self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._server_port))
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [near, far]
                self._join(near, far)

    def _join(self, near: socket.socket, far: socket.socket) -> None:
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while part := one.recv(65536):
                if id(one) not in self._silent:
                    other.sendall(part)
            if id(one) not in self._silent:
                other.shutdown(socket.SHUT_WR)
