"""A storefront of one page on an origin of its own, with a policy as strict as there is."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NONCE = "n0nce"
# Nothing runs but what has the nonce, and no text becomes HTML but by a policy that is named.
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; connect-src {service}; style-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types {names}"
)


@dataclass
class StorefrontPage:
    """`body` is what the page has inside, and `policy` what it allows; both may be changed between visits."""

    origin: str
    service: str = ""
    body: str = ""
    language: str = "en"
    policies: str = "loyalty"

    @property
    def html(self) -> str:
        direction = "rtl" if self.language == "ar" else "ltr"
        return (
            f'<!doctype html><html lang="{self.language}" dir="{direction}"><title>Shop</title>'
            '<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">'
            f'<script type="module" nonce="{NONCE}" src="{self.service}/elements.js"></script>'
            f"<main><h1>Shop</h1>{self.body}</main></html>"
        )

    @property
    def policy(self) -> str:
        return POLICY.format(nonce=NONCE, service=self.service, names=self.policies)


@contextmanager
def storefront_page() -> Iterator[StorefrontPage]:
    page = StorefrontPage("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page.html.encode()
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-security-policy", page.policy)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name it has above)
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    page.origin = f"http://localhost:{server.server_port}"
    try:
        yield page
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
