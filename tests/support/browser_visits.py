"""A visit with a real browser: signing in, pressing buttons, what the browser complains about; and sites of others."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Cookie, Error, Page, Response

from support.services import Service, Vendors

# A page that breaks its own policy says so in the console, and the tests read the console.
WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`violates ${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`));
"""
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
SUPERSEDED_AT_MOST = 5
WRITES = ("customer_activation", "redeem", "referral_request", "trigger", "birthday")
AXE = Axe().axe_script
FIND_BARRIERS = """async (only) => {
  const options = {resultTypes: ["violations"], rules: {"target-size": {enabled: true}}};
  const {violations} = await axe.run(only ? {...options, runOnly: only} : options);
  const said = ({html, any}) => [html, ...any.map(({message}) => message)].join(" ");
  return violations.flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${said(node)}`));
}"""


# Calls a JSON route as JavaScript of a storefront does.
CALL = """async ([url, method, body, headers]) => {
  const json = body === null ? {} : {"Content-Type": "application/json"};
  const csrf = method === "GET" ? {} : {"X-Loyalty-Csrf": "1"};
  const options = {method, credentials: "include", headers: {...json, ...csrf, ...headers}};
  if (body !== null) options.body = JSON.stringify(body);
  const reply = await fetch(url, options);
  const names = ["content-type", "idempotency-replayed", "location", "retry-after"];
  const text = await reply.text();
  return {
    status: reply.status,
    headers: Object.fromEntries(names.map((name) => [name, reply.headers.get(name)])),
    body: text && JSON.parse(text),
  };
}"""


@dataclass
class Visit:
    """One browser at one service. `complaints` are errors of any of its pages, other than plain HTTP statuses."""

    page: Page
    service: Service
    complaints: list[str] = field(default_factory=list)
    language: str = "en"

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
        return self._arrive(lambda: self.page.goto(self.url + path))

    def choose(self, language: str) -> None:
        """Follow a link to this language in another tab, so that whatever comes next is in it."""
        if language != self.language:
            self.language = language
            tab = self.page.context.new_page()
            tab.goto(f"{self.url}/accessibility?lang={language}", wait_until="commit")
            tab.close()

    def speak(self, language: str) -> None:
        """Have this page in this language: a form that led there is sent again."""
        if language != self.language:
            self.choose(language)
            self._arrive(self.page.reload)

    def _arrive(self, navigate: Callable[[], Response | None]) -> int:
        """A page that waits for an outcome goes on by itself, which ends a navigation that begins at the same moment:
        then it is begun again."""
        for _ in range(SUPERSEDED_AT_MOST):
            try:
                reply = navigate()
            except Error as ended:
                if "net::ERR_ABORTED" not in ended.message:
                    raise
            else:
                assert reply is not None
                return reply.status
        raise AssertionError(f"no page can be opened: {self.path} goes elsewhere each time")

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
BrowseAt: TypeAlias = Callable[..., AbstractContextManager[Visit]]


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
