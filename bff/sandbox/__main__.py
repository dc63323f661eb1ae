"""`python -m bff.sandbox` serves the pretended vendors; the variables it reads are in `config.from_environment`."""

import os

import uvicorn

from bff.sandbox.app import create_sandbox
from bff.sandbox.config import from_environment
from bff.sandbox.serving import uvicorn_config


def main() -> None:
    port = int(os.environ.get("SANDBOX_PORT") or 8001)
    host = os.environ.get("SANDBOX_HOST") or "127.0.0.1"
    config = from_environment(os.environ, port)
    print(f"sandbox: {config.url} (callbacks to {', '.join(config.redirect_uris)})", flush=True)
    uvicorn.Server(uvicorn_config(create_sandbox(config), host, port)).run()


if __name__ == "__main__":
    main()
