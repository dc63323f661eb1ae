"""A wire to a server on which questions are counted: each is a round trip, however many commands are in it."""

import socket
import threading
from contextlib import suppress

from support.silent_wire import SilentWire


class CountingWire(SilentWire):
    """`questions` counts how often the near end spoke where the far end had spoken last."""

    def __init__(self, server_port: int) -> None:
        self._lock = threading.Lock()
        self.questions = 0
        super().__init__(server_port)

    def _join(self, near: socket.socket, far: socket.socket) -> None:
        answered = threading.Event()
        answered.set()
        threading.Thread(target=self._ask, args=(near, far, answered), daemon=True).start()
        threading.Thread(target=self._answer, args=(far, near, answered), daemon=True).start()

    def _ask(self, near: socket.socket, far: socket.socket, answered: threading.Event) -> None:
        with suppress(OSError):
            while part := near.recv(65536):
                if answered.is_set():
                    answered.clear()
                    with self._lock:
                        self.questions += 1
                far.sendall(part)
            far.shutdown(socket.SHUT_WR)

    def _answer(self, far: socket.socket, near: socket.socket, answered: threading.Event) -> None:
        with suppress(OSError):
            while part := far.recv(65536):
                answered.set()
                near.sendall(part)
            near.shutdown(socket.SHUT_WR)
