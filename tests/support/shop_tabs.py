"""A browser's tab at a storefront, as a shopper uses it: Chromium by Playwright here, Firefox in `firefox.py`."""

from contextlib import suppress
from typing import Any, Protocol

from playwright.sync_api import Error, Page

from support.browser_visits import WATCH
from support.concurrency import until

# Reading while the page goes elsewhere fails; then there is nothing to read.
WORDS = "document.body ? document.body.innerText : ''"


class Tab(Protocol):
    """What all journeys need of a browser. `complaints` are errors that the browser has told of."""

    complaints: list[str]

    def open(self, url: str) -> None: ...

    def press(self, button: str) -> None:
        """Press the button of this name, once it is there."""

    def choose(self, label: str, option: str) -> None: ...

    def fill(self, label: str, text: str) -> None: ...

    def run(self, expression: str) -> Any: ...

    def words(self) -> str:
        """What can be read now."""


class ChromiumTab:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.add_init_script(WATCH)
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and "the server responded with a status of" not in text:
            self.complaints.append(text)

    def open(self, url: str) -> None:
        self.page.goto(url)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).first.click()

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_label(label).select_option(option)

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label).fill(text)

    def run(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def words(self) -> str:
        with suppress(Error):
            return str(self.page.evaluate(WORDS))
        return ""


# A shop, two servers and a browser work at once.
PATIENCE_SECONDS = 40


def reads(tab: Tab, *wanted: str) -> None:
    """Wait until all of this can be read."""
    try:
        until(lambda: all(one in tab.words() for one in wanted), PATIENCE_SECONDS)
    except AssertionError:
        raise AssertionError(f"{wanted} cannot be read, but {tab.words()!r}; {tab.complaints}") from None
