"""A visit with a real browser: signing in, pressing buttons, what the browser complains about; and sites of others."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Cookie, Page

from support.services import Service, Vendors

# A page that breaks its own policy says so in the console, and the tests read the console.
WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`violates ${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`));
"""
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
WRITES = ("customer_activation", "redeem", "referral_request", "trigger", "birthday")
AXE = Axe().axe_script
FIND_BARRIERS = """async (only) => {
  const options = {resultTypes: ["violations"], rules: {"target-size": {enabled: true}}};
  const {violations} = await axe.run(only ? {...options, runOnly: only} : options);
  return violations.flatMap(({id, nodes}) => nodes.map(({html}) => `${id}: ${html}`));
}"""


@dataclass
class Visit:
    """One browser at one service. `complaints` are errors of any of its pages, other than plain HTTP statuses."""

    page: Page
    service: Service
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        context = self.page.context
        context.add_init_script(WATCH)
        context.on("console", lambda message: self._hear(message.type, message.text))
        context.on("weberror", lambda error: self._hear("error", str(error.error)))

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and "the server responded with a status of" not in text:
            self.complaints.append(text)

    @property
    def url(self) -> str:
        return self.service.url

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    @property
    def words(self) -> str:
        return self.page.locator("body").inner_text()

    @property
    def cookies(self) -> list[Cookie]:
        return self.page.context.cookies()

    def go(self, path: str) -> int:
        """Open a page of the service; returns its status."""
        reply = self.page.goto(self.url + path)
        assert reply is not None
        return reply.status

    def sign_in(self, persona: str, return_to: str = "/") -> None:
        """Sign in at the shop's own page, as a shopper does."""
        self.go(f"/login?return_to={return_to}")
        self.introduce(persona)

    def introduce(self, persona: str) -> None:
        """On the shop's page: say who this is, and come back."""
        self.page.locator(f"input[name=persona][value={persona}]").check()
        self.press("Sign in")
        self.page.wait_for_url(f"{self.url}/**")

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).click()

    def follow(self, label: str) -> None:
        self.page.get_by_role("link", name=label, exact=True).first.click()

    def tab(self) -> "Visit":
        """Another tab of the same browser."""
        return Visit(self.page.context.new_page(), self.service)

    def run(self, script: str, argument: object = None) -> Any:
        return self.page.evaluate(script, argument)

    def barriers(self, *rules: str) -> list[str]:
        """What axe-core finds on the page as it is shown now, by these rules or by all."""
        if self.run("typeof axe === 'undefined'"):
            self.run(AXE)
        return [str(barrier) for barrier in self.run(FIND_BARRIERS, list(rules) or None)]

    def fits(self) -> bool:
        """Nothing sticks out sideways."""
        return bool(self.run(FITS))


Browse: TypeAlias = Callable[..., Visit]


def writes(vendors: Vendors) -> list[str]:
    """What changed something at the vendor, in order."""
    return [call["operation"] for call in vendors.state()["calls"] if call["operation"] in WRITES]


@dataclass
class Elsewhere:
    """A site of somebody else: every address of it is an empty page, on which a test runs scripts."""

    origin: str

    def open(self, visit: Visit) -> None:
        visit.page.goto(self.origin)


@contextmanager
def elsewhere(host: str) -> Iterator[Elsewhere]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Elsewhere(f"http://{host}:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>Elsewhere</title><link rel=icon href=data:,><p>Elsewhere</p>"
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name it has above)
        """Nobody reads it."""
