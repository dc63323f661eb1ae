"""The sandbox under uvicorn, which lets it do what no ASGI application can: close a connection without an answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bff.sandbox.app import create_sandbox
from bff.sandbox.config import Config
from bff.sandbox.control.fault_effects import CONNECTION


class ClosableProtocol(HttpToolsProtocol):
    """Hands every request the transport it came over, as an ASGI extension."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: {"transport": self.transport}}


def uvicorn_config(sandbox: Starlette, host: str = "127.0.0.1", port: int = 0) -> uvicorn.Config:
    return uvicorn.Config(
        sandbox,
        host=host,
        port=port,
        http=ClosableProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        # The vendors' own clock says what time it is, and tests move it.
        date_header=False,
        timeout_graceful_shutdown=1,
    )


@contextmanager
def serve(config: Config, where: socket.socket | int = 0) -> Iterator[str]:
    """Run a sandbox in a thread, on a listening socket or a port (0 = any free one); yields its address.

    An empty `config.url` becomes that address.
    """
    listener = where if isinstance(where, socket.socket) else socket.create_server(("127.0.0.1", where))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    sandbox = create_sandbox(replace(config, url=config.url or address))
    server = uvicorn.Server(uvicorn_config(sandbox))
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
    thread.start()
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
