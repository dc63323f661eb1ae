"""The service below a path of a storefront's development server, as docs/storefront-development.md tells."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from support.services import Start, Vendors
from support.shopper import Shopper

from bff.devstack.servers import free_port

# What a proxy neither passes on nor passes back as it came.
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host"})


@contextmanager
def development_server(target: str, *, changes_host: bool, port: int) -> Iterator[str]:
    """Passes every request on, as Vite and Next.js do: all headers but `Host`, which changes where that is wanted."""

    class Proxy(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = [(name, value) for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP]
            if not changes_host:
                headers.append(("host", self.headers["host"]))
            try:
                reply = http.request(self.command, target + self.path, headers=headers, content=body)
            except httpx2.TransportError:
                reply = httpx2.Response(502)
            self.send_response(reply.status_code)
            for name, value in reply.headers.multi_items():
                if name not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = _pass_on  # noqa: N815  # Names of the library's.

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with (
        httpx2.Client(trust_env=False, timeout=20) as http,
        ThreadingHTTPServer(("127.0.0.1", port), Proxy) as server,
    ):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("changes_host", [True, False])
def test_cookie_and_csrf_hold_below_a_path_of_the_development_server(
    start: Start, vendors: Vendors, urls: list[str], changes_host: bool
) -> None:
    # The sandbox knows this address as one to come back to; the service itself listens at the next.
    port, here = int(urls[1].rpartition(":")[2]), free_port()
    with development_server(f"http://localhost:{here}", changes_host=changes_host, port=port) as origin:
        assert origin == urls[1]
        start(PUBLIC_URL=origin, STOREFRONT_ORIGINS=origin, BASE_PATH="/loyalty", PORT=str(here))
        ella = Shopper(origin)
        check_pages(ella, vendors)
        check_json(ella, vendors)
        check_way_back(ella, vendors)
        ella.close()


def check_pages(ella: Shopper, vendors: Vendors) -> None:
    """Signing in leads away and back below the path, and a form is taken with its token and from its origin alone."""
    asked = ella.request("GET", "/loyalty/login?return_to=/loyalty/refer").headers["location"]
    back = vendors.http.post(asked, data={"persona": "ella"}).headers["location"]
    assert back.startswith(f"{ella.base}/loyalty/callback?")
    page = ella.get(back)
    assert (page.status, page.path) == (200, "/loyalty/refer")
    assert ella.session_cookie
    fields = page.form("/loyalty/refer").fields | {"email": "friend@example.com"}
    assert ella.post("/loyalty/refer", fields, headers={"origin": "http://localhost:1"}).status == 403
    assert ella.post("/loyalty/refer", fields | {"csrf": "x"}).status in {403, 409}
    assert ella.post("/loyalty/refer", fields, follow=False).status == 303


def check_way_back(ella: Shopper, vendors: Vendors) -> None:
    """Signing in leads back to a page of the storefront, outside of the path."""
    place = f"{ella.base}/account?tab=points"
    asked = ella.request("GET", "/loyalty/login", params={"return_to": place}).headers["location"]
    back = vendors.http.post(asked, data={"persona": "ella"}).headers["location"]
    assert ella.request("GET", back).headers["location"] == place


def check_json(ella: Shopper, vendors: Vendors) -> None:
    headers = {"origin": ella.base, "sec-fetch-site": "same-origin", "sec-fetch-dest": "empty"}
    assert ella.request("GET", "/loyalty/api/v1/me", headers=headers).json()["state"] == "enrolled"
    write = {"x-loyalty-csrf": "1", "content-type": "application/json"}
    refused = ella.request("POST", "/loyalty/api/v1/me/referrals", json={"email": "b@example.com"}, headers=headers)
    assert refused.json()["code"] == "csrf_refused"
    strangers = headers | write | {"origin": "https://evil.test"}
    refused = ella.request("POST", "/loyalty/api/v1/me/referrals", json={"email": "b@example.com"}, headers=strangers)
    assert refused.json()["code"] == "csrf_refused"
    sent = ella.request(
        "POST", "/loyalty/api/v1/me/referrals", json={"email": "b@example.com"}, headers=headers | write
    )
    assert sent.status_code == 202
    assert [one["email"] for one in vendors.member("ella")["referrals"]] == ["friend@example.com", "b@example.com"]
