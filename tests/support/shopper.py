"""A shopper with a browser: keeps cookies as browsers do on localhost, reads pages, fills in forms, calls the API."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2

COOKIE = "__Host-Http-loyalty"
# Reading all certificates takes longer than most requests, so it is done once.
TRUSTED = ssl.create_default_context()


@dataclass
class Form:
    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class Reader(HTMLParser):
    """The forms, links, headings and visible words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.headings: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("method", "get"), given.get("action", "")))
        elif tag == "input" and self.forms and "name" in given and given.get("type") not in {"radio", "submit"}:
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag not in {"input", "meta", "link", "br", "img", "path", "hr", "use", "circle", "rect"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        inside = set(self._open)
        if not data.strip() or inside & {"script", "style", "title"}:
            return
        words = " ".join(data.split())
        self.words.append(words)
        if "h1" in inside:
            self.headings.append(words)
        if "button" in inside and self.forms:
            self.forms[-1].buttons.append(words)


# The shop, or what is needed to ask it, does not answer in time.
AWAY = {502, 503, 504}


@dataclass
class Page:
    """An answer, and the page in it."""

    reply: httpx2.Response
    url: str

    @property
    def status(self) -> int:
        return self.reply.status_code

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def read(self) -> Reader:
        reader = Reader()
        reader.feed(self.reply.text)
        return reader

    @property
    def text(self) -> str:
        return " ".join(self.read.words)

    @property
    def heading(self) -> str:
        return " ".join(self.read.headings)

    @property
    def onward(self) -> str | None:
        """Where the page goes on to by itself."""
        return self.reply.headers.get("refresh", "").partition("url=")[2] or None

    def form(self, action: str) -> Form:
        """The form that is sent to this path."""
        found = [form for form in self.read.forms if urlsplit(form.action).path == action]
        assert found, f"{self.path} has no form for {action}: {[form.action for form in self.read.forms]}"
        return found[0]


class Shopper:
    """One browser. `base` is the service's address without a trailing slash; cookies are its own. `transport` is for a
    service that is not at its address."""

    def __init__(self, base: str, transport: httpx2.BaseTransport | None = None) -> None:
        self.base = base
        self.cookies: dict[str, str] = {}
        self.replies: list[httpx2.Response] = []
        self._http = httpx2.Client(timeout=30, trust_env=False, verify=TRUSTED, transport=transport)

    def close(self) -> None:
        self._http.close()

    @property
    def session_cookie(self) -> str | None:
        return self.cookies.get(COOKIE)

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """One request, cookies and all; redirects are not followed."""
        url = urljoin(self.base + "/", path)
        headers = dict(options.pop("headers", {}))
        if url.startswith(self.base) and self.cookies and "cookie" not in headers:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        reply = self._http.request(method, url, headers=headers, **options)
        # The client's own jar would send these cookies as it pleases; this browser keeps them itself.
        self._http.cookies.clear()
        if url.startswith(self.base):
            self.replies.append(reply)
            self._keep(reply)
        return reply

    def get(self, path: str, **options: Any) -> Page:
        """A page, after any redirects."""
        url = urljoin(self.base + "/", path)
        reply = self.request("GET", url, **options)
        for _ in range(8):
            if reply.status_code not in {301, 302, 303, 307, 308}:
                break
            url = urljoin(url, reply.headers["location"])
            reply = self.request("GET", url)
        return Page(reply, url)

    def post(self, path: str, data: Mapping[str, str], *, follow: bool = True, **options: Any) -> Page:
        """Send a form as a browser would from a page of this site."""
        headers = {"origin": self.base, "sec-fetch-site": "same-origin"} | dict(options.pop("headers", {}))
        url = urljoin(self.base + "/", path)
        reply = self.request("POST", url, data=dict(data), headers=headers, **options)
        if follow and reply.status_code == 303:
            return self.get(urljoin(url, reply.headers["location"]))
        return Page(reply, url)

    def submit(self, page: Page, action: str, **fields: str) -> Page:
        """Fill in the page's form for `action` and send it."""
        form = page.form(action)
        return self.post(action, form.fields | fields)

    def sign_in(self, persona: str, return_to: str = "/") -> Page:
        """Sign in at the shop as this persona; returns the page one lands on."""
        page = self.get(f"/login?return_to={return_to}")
        if page.status in AWAY:
            return page
        assert not page.url.startswith(self.base), f"/login did not lead to the shop: {page.status} {page.text}"
        reply = self._http.post(page.url, data={"persona": persona})
        assert reply.status_code in {302, 303}, reply.text
        return self.get(reply.headers["location"])

    def sign_out(self, action: str = "/logout", page: Page | None = None) -> Page:
        """Sign out here and, where a page leads there by itself, at the shop; returns the page one lands on."""
        landed = self.submit(page or self.get(action if action.endswith("everywhere") else "/"), action)
        return self.get(landed.onward) if landed.onward else landed

    def api(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """A call of storefront JavaScript on this service's own origin."""
        given = {"origin": self.base, "sec-fetch-site": "same-origin", "sec-fetch-dest": "empty"}
        if method != "GET":
            given |= {"x-loyalty-csrf": "1", "content-type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {} if body is None else {"json": body}
        return self.request(method, f"/api/v1{path}", headers=given, **options)

    def _keep(self, reply: httpx2.Response) -> None:
        for header in reply.headers.get_list("set-cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
