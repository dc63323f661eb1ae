"""A shopper who has never heard of an address: follows every link and presses every button that a page shows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Response

from bff.app import MEMBER_ROUTES
from support.browser_visits import Visit

# What a person would type, by the name of the field.
TYPED = {"email": "friend@example.com", "day": "29", "month": "2", "q": "points"}
# After these there is nobody signed in any more.
LAST = ("/logout", "/logout/everywhere")
OPEN = "() => document.querySelectorAll('details').forEach((one) => one.open = true)"
SEEN = """() => [...document.querySelectorAll("a[href]")].filter((link) => link.checkVisibility())
  .map((link) => [link.href, link.hasAttribute("download")])"""
FORMS = """() => [...document.querySelectorAll("form")].map((form, number) => {
  const button = form.querySelector("button:not([type=button])");
  return button?.checkVisibility() ? [number, form.action] : null;
}).filter(Boolean)"""


class Step(NamedTuple):
    """A form: the page it is on, the how manieth it is there, and where it is sent."""

    page: str
    number: int
    action: str


def pages() -> dict[str, re.Pattern[str]]:
    """Every address for people that the route table has, and what it looks like."""
    return {
        route.path: route.path_regex
        for route in MEMBER_ROUTES
        if "GET" in (route.methods or ()) and not route.path.startswith("/api/")
    }


@dataclass
class Explorer:
    """`reached` are addresses as the route table has them, with those that only led on to another. Of addresses that
    are one there, `alike` at most are visited."""

    visit: Visit
    alike: int
    reached: set[str] = field(default_factory=set)
    _visited: dict[str, set[str]] = field(default_factory=dict)
    _pressed: set[str] = field(default_factory=set)
    _steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.visit.page.on("response", self._note)

    def explore(self) -> None:
        """From the front page on, first by links and then by buttons, until nothing is new."""
        self._walk("/")
        while self._steps:
            self._steps.sort(key=lambda step: step.action in LAST, reverse=True)
            self._press(self._steps.pop())

    def _note(self, response: Response) -> None:
        url = response.url
        if response.request.is_navigation_request() and url.startswith(self.visit.url) and response.status < 400:
            self.reached |= self._names(url)

    def _names(self, url: str) -> set[str]:
        path = urlsplit(url).path
        found = next((name for name, form in pages().items() if form.match(path)), None)
        return {found} if found else set()

    def _walk(self, path: str) -> None:
        waiting = [path]
        while waiting:
            path = waiting.pop(0)
            name = next(iter(self._names(self.visit.url + path)), path)
            visited = self._visited.setdefault(name, set())
            if path not in visited and len(visited) < self.alike:
                visited.add(path)
                self.visit.go(path)
                waiting += self._look_around()

    def _look_around(self) -> Iterator[str]:
        """The addresses of ours that this page leads to; its forms are kept for later."""
        if not self.visit.page.url.startswith(self.visit.url):
            return
        self.visit.run(OPEN)
        here = self.visit.page.url.removeprefix(self.visit.url)
        for number, path in self._forms():
            name = next(iter(self._names(path)), path)
            if name not in self._pressed:
                self._pressed.add(name)
                self._steps.append(Step(here, number, path))
        for href, is_download in self.visit.run(SEEN):
            url = urljoin(self.visit.page.url, href)
            if not url.startswith(f"{self.visit.url}/"):
                continue
            if is_download:
                self.reached |= self._names(url)
            else:
                yield urlsplit(url).path

    def _forms(self) -> list[list[Any]]:
        """The forms that can be sent: the how manieth each is, and its path."""
        return [[number, urlsplit(action).path] for number, action in self.visit.run(FORMS)]

    def _press(self, step: Step) -> None:
        """Unless it is gone: who has signed out meanwhile finds no button to do so."""
        self.visit.go(step.page)
        self.visit.run(OPEN)
        if [step.number, step.action] not in self._forms():
            return
        form = self.visit.page.locator("form").nth(step.number)
        for name, text in TYPED.items():
            typed = form.locator(f"input[name={name}]:not([type=hidden])")
            chosen = form.locator(f"select[name={name}]")
            if typed.count():
                typed.fill(text)
            elif chosen.count():
                chosen.select_option(text)
        with self.visit.page.expect_navigation():
            form.locator("button:not([type=button])").first.click()
        if step.action in LAST:
            # By way of the shop, which leads back.
            self.visit.page.wait_for_url("**/signed-out?state=*")
        for path in self._look_around():
            self._walk(path)
