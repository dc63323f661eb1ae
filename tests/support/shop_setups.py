"""The set-ups that a storefront may have: where it stands beside the service."""

from collections.abc import Callable
from dataclasses import dataclass

from support.services import Service
from support.shop_tabs import Tab
from support.storefronts import Storefront

OpenTab = Callable[[], Tab]


@dataclass(frozen=True)
class SetUp:
    """Where the shop stands beside the service. `host` is the shop's name in the address bar."""

    name: str
    example: str
    host: str = "localhost"
    base: str = ""
    mode: str = ""

    def __str__(self) -> str:
        return f"{self.example}-{self.name}"


SAME_SITE = SetUp("same-site", "vanilla")
# Browsers take it for another site than localhost, and trust both.
CROSS_SITE = SetUp("cross-site", "vanilla", host="127.0.0.1", mode="partitioned")
BASE_PATH = SetUp("base-path", "nginx-base-path", base="/loyalty")


@dataclass(frozen=True)
class Shop:
    """Everything that runs."""

    storefront: Storefront
    service: Service
    open_tab: OpenTab

    def visit(self) -> Tab:
        tab = self.open_tab()
        tab.open(self.storefront.origin)
        return tab
