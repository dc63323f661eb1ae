"""An example, the service and a browser, in each of the set-ups that a storefront may have."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from support.services import Start, Vendors
from support.shop_setups import OpenTab, SetUp, Shop
from support.shop_tabs import ChromiumTab, Tab
from support.storefronts import environment, new_port, prepared, storefront

# A shop, two servers and a browser start at once.
TIMEOUT_MS = 40_000


@pytest.fixture
def chromium(browser: Browser) -> Iterator[OpenTab]:
    with ExitStack() as stack:

        def opened() -> Tab:
            context = stack.enter_context(browser.new_context(locale="en-US"))
            context.set_default_timeout(TIMEOUT_MS)
            return ChromiumTab(context.new_page())

        yield opened


@pytest.fixture
def open_tab(request: pytest.FixtureRequest) -> OpenTab:
    """Of the browser that the test is for."""
    opened: OpenTab = request.getfixturevalue(request.param)
    return opened


@pytest.fixture
def shop(
    request: pytest.FixtureRequest, open_tab: OpenTab, start: Start, urls: list[str], vendors: Vendors, tmp_path: Path
) -> Iterator[Shop]:
    """The example of this set-up, started as its README says, and the service beside it."""
    setup: SetUp = request.param
    port = new_port()
    origin = f"http://{setup.host}:{port}"
    public = origin if setup.base else urls[0]
    environ = environment(public + setup.base, vendors.url, port, LOYALTY_INTERNAL_URL=urls[0] + setup.base)
    if setup.base:
        environ["LOYALTY_INTERNAL_URL"] = urls[0].replace("localhost", "127.0.0.1")
    with storefront(prepared(setup.example), environ, tmp_path / "shop.log", setup.host) as running:
        service = start(
            PUBLIC_URL=public, STOREFRONT_ORIGINS=origin, BASE_PATH=setup.base, CROSS_SITE_MODE=setup.mode,
            LAYOUT="bare" if setup.base else "",
        )  # fmt: skip
        yield Shop(running, service, open_tab)
