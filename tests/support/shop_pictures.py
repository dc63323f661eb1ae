"""Pictures of a shopper's way through examples/vanilla, as docs/storefront.md shows them.

PYTHONPATH=.:tests python tests/support/shop_pictures.py docs/images
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, ViewportSize

from support.chromium import launched
from support.screenshots import stack
from support.services import Vendors, in_thread
from support.shop_tabs import ChromiumTab, reads
from support.storefronts import environment, new_port, prepared, storefront

SIZE: ViewportSize = {"width": 800, "height": 420}


def main(folder: Path) -> None:
    port = new_port()
    origin = {"STOREFRONT_ORIGINS": f"http://localhost:{port}"}
    with stack() as (vendors, settings), launched() as browser, TemporaryDirectory() as place:
        environ = environment(settings["PUBLIC_URL"], vendors.url, port)
        with (
            in_thread(settings | origin),
            storefront(prepared("vanilla"), environ, Path(place, "log")) as shop,
            browser.new_context(locale="en-US", viewport=SIZE) as context,
        ):
            take(context.new_page(), shop.origin, vendors, folder)


def take(page: Page, origin: str, vendors: Vendors, folder: Path) -> None:
    vendors.control("member", persona="penny", balance=560)
    tab = ChromiumTab(page)
    tab.open(origin)
    tab.choose("Sign in as", "penny")
    tab.press("Sign in")
    reads(tab, "Accept terms & join")
    for product in ("Day cream", "Night serum"):
        tab.press(f"Add {product} to cart")
        reads(tab, product)
    reads(tab, "Total $66.00")
    tab.press("Close")
    page.screenshot(path=folder / "shop-sign-in.png")
    tab.press("Accept terms & join")
    reads(tab, "You are a member.", "760 points")
    page.screenshot(path=folder / "shop-join.png")
    tab.press("Redeem: $5 off your order")
    reads(tab, "Spend 500 points?")
    page.screenshot(path=folder / "shop-redeem.png")
    tab.press("Yes, redeem")
    reads(tab, "Total $61.00", "260 points")
    tab.run("scrollTo(0, 0)")
    page.screenshot(path=folder / "shop-discount.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
