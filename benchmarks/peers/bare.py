"""The service's own server with nothing behind it: what no answer of the service can cost less than."""

import os
from typing import Any

import uvicorn

from bff.ops.server import configuration

BODY = b'{"state":"none"}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def lifespan(receive: Any, send: Any) -> None:
    for _ in range(2):
        message = await receive()
        await send({"type": f"{message['type']}.complete"})


if __name__ == "__main__":
    config = configuration(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
    uvicorn.Server(config).run([config.bind_socket()])
