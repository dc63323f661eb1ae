"""Chromium for the tests that need a real browser: one for each module of tests, and a fresh profile for each visit."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from support.browser_visits import Browse, BrowseAt, Elsewhere, Visit, elsewhere
from support.services import Service

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A site of somebody else that is nevertheless served by this machine.
    "--host-resolver-rules=MAP evil.test 127.0.0.1, MAP *.evil.test 127.0.0.1",
]
TIMEOUT_MS = 15_000


def chromium_path() -> str:
    """The Chromium that CHROMIUM names, else the first on the PATH; raises LookupError."""
    named = os.environ.get("CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else NAMES)), None)
    if found is None:
        raise LookupError(
            f"CHROMIUM names {named}, which cannot be run." if named else "No Chromium was found on the PATH. "
            "Install one (Debian: apt-get install chromium), or name one: CHROMIUM=/path/to/chromium"
        )  # fmt: skip
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    path = chromium_path()
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=ARGUMENTS) as browser:
        yield browser


@contextmanager
def visiting(browser: Browser, service: Service, **options: Any) -> Iterator[Visit]:
    """A shopper with an empty profile and one open tab; options are those of Playwright's `new_context`."""
    with browser.new_context(**{"locale": "en-GB", **options}) as context:
        context.set_default_timeout(TIMEOUT_MS)
        yield Visit(context.new_page(), service)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module and not for the run: while it is open no other test in this thread can run an event loop."""
    try:
        with launched() as browser:
            yield browser
    except LookupError as missing:
        pytest.fail(f"This test needs a browser. {missing}", pytrace=False)


@pytest.fixture
def browse(browser: Browser, service: Service) -> Iterator[Browse]:
    """Opens browsers: `browse()`, `browse(java_script_enabled=False)`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(visiting(browser, service, **options))


@pytest.fixture
def browse_at(browser: Browser) -> BrowseAt:
    """Opens a browser at a service of the test's own: `with browse_at(start(BASE_PATH="/loyalty")) as visit`."""
    return lambda service, **options: visiting(browser, service, **options)


@pytest.fixture
def browse_back(browser: Browser, service: Service) -> Iterator[Browse]:
    """Opens browsers that keep a page which is left, and wake it up when its visitor comes back."""
    with ExitStack() as stack:

        def opener(**options: Any) -> Visit:
            keeping = browser.browser_type.launch(
                executable_path=chromium_path(), args=ARGUMENTS, ignore_default_args=["--disable-back-forward-cache"]
            )
            return stack.enter_context(visiting(stack.enter_context(keeping), service, **options))

        yield opener


@pytest.fixture
def visit(browse: Browse) -> Visit:
    """A shopper's browser with JavaScript, not signed in."""
    return browse()


@pytest.fixture(scope="module")
def neighbour() -> Iterator[Elsewhere]:
    """Another origin of the same site, whose pages' requests carry the shopper's cookies."""
    with elsewhere("localhost") as site:
        yield site


@pytest.fixture(scope="module")
def attacker() -> Iterator[Elsewhere]:
    """Somebody else's site."""
    with elsewhere("evil.test") as site:
        yield site
