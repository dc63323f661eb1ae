"""What a route may ask of stores and vendors, counted: whoever adds a question sees it here, and says why it is there.

docs/performance.md explains the numbers. Nothing here is a matter of time.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
import pytest
from support.carts import apply, cart_of
from support.counting_wire import CountingWire
from support.receiver import receiving
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import ROOT, Service, Start, Vendors
from support.shopper import Shopper
from support.subtotal_events import connection_of, deliver, linked


@dataclass(frozen=True)
class Cost:
    """Questions to Valkey and to PostgreSQL, each a round trip, and calls of vendors."""

    valkey: int = 0
    postgresql: int = 0
    vendors: int = 0

    def is_within(self, budget: "Cost") -> bool:
        return all(vars(self)[name] <= vars(budget)[name] for name in vars(budget))


# For a member who comes again, so that the program is cached, and by which name they are counted is known.
BUDGETS: Mapping[str, Cost] = {
    "/healthz": Cost(),
    "/api/v1/program": Cost(),
    "/api/v1/me": Cost(valkey=1, vendors=1),
    "/api/v1/me/rewards": Cost(valkey=1, vendors=2),
    "/api/v1/me?include=tierProgress": Cost(valkey=1, vendors=2),
    "/api/v1/me?include=rewards,earningRules,tierProgress": Cost(valkey=1, vendors=4),
    "/api/v1/me?include=rewards,earningRules,tierProgress,coupons": Cost(valkey=1, vendors=5),
    "/": Cost(valkey=1, postgresql=1, vendors=4),
    "/rewards": Cost(valkey=1, postgresql=1, vendors=2),
    "/coupons": Cost(valkey=1, postgresql=1, vendors=2),
    "/activity": Cost(valkey=1, postgresql=1, vendors=2),
    "/activity.csv": Cost(valkey=1, postgresql=1, vendors=2),
    "/refer": Cost(valkey=1, vendors=4),
    "/earn": Cost(valkey=1, vendors=2),
    "/earn/birthday": Cost(valkey=1, vendors=1),
    "/tiers": Cost(valkey=1, vendors=2),
    "/faq": Cost(valkey=1),
}
STRANGER = Cost(valkey=1)
INTO_CART = Cost(valkey=4, postgresql=1, vendors=2)
REDEMPTION = Cost(valkey=4, postgresql=6, vendors=4)
WEBHOOK = Cost(postgresql=3)
# With somebody to tell of it, the event and its job are one more.
TOLD_REDEMPTION = Cost(valkey=4, postgresql=7, vendors=4)
NOTHING_ELSE: Mapping[str, str] = {}
ROUNDS = 4


@dataclass(frozen=True)
class Counted:
    """A service whose questions are counted."""

    service: Service
    valkey: CountingWire
    postgresql: CountingWire
    vendors: Vendors

    def now(self) -> Cost:
        return Cost(self.valkey.questions, self.postgresql.questions, len(self.vendors.state()["calls"]))

    def cost(self, work: Callable[[], httpx2.Response]) -> Cost:
        """The least that this took: now and then somebody connects anew, or renews what is cached."""
        taken = []
        for _ in range(ROUNDS):
            before = self.now()
            assert work().is_success
            after = self.now()
            taken.append({name: vars(after)[name] - vars(before)[name] for name in vars(before)})
        return Cost(**{name: min(each[name] for each in taken) for name in taken[0]})


@pytest.fixture
def counted(start: Start, stores: Mapping[str, str], vendors: Vendors) -> Iterator[Counted]:
    with counting(start, stores, vendors) as counted:
        yield counted


@contextmanager
def counting(
    start: Start, stores: Mapping[str, str], vendors: Vendors, settings: Mapping[str, str] = NOTHING_ELSE
) -> Iterator[Counted]:
    ports = {name: urlsplit(url).port or 0 for name, url in stores.items()}
    with (
        closing(CountingWire(ports["VALKEY_URL"])) as valkey,
        closing(CountingWire(ports["DATABASE_URL"])) as postgresql,
    ):
        wires = {"VALKEY_URL": valkey, "DATABASE_URL": postgresql}
        through = {name: url.replace(f":{ports[name]}", f":{wires[name].port}", 1) for name, url in stores.items()}
        yield Counted(start(**through, **settings), valkey, postgresql, vendors)


def reading(shopper: Shopper, path: str) -> Callable[[], httpx2.Response]:
    return lambda: shopper.request("GET", path)


def test_no_route_asks_more_of_stores_and_vendors_than_it_may(counted: Counted) -> None:
    ella = counted.service.signed_in("ella")
    taken = {path: counted.cost(reading(ella, path)) for path in BUDGETS}
    assert {path: cost for path, cost in taken.items() if not cost.is_within(BUDGETS[path])} == {}


def test_a_stranger_costs_no_more_than_they_may(counted: Counted) -> None:
    cost = counted.cost(reading(counted.service.shopper(), "/"))
    assert cost.is_within(STRANGER), cost


def test_a_redemption_asks_no_more_than_it_may(counted: Counted) -> None:
    tara = counted.service.signed_in("tara")
    cost = counted.cost(lambda: redeem(tara, FIVE_OFF, new_key()))
    assert cost.is_within(REDEMPTION), cost


def test_a_coupon_into_a_cart_asks_no_more_than_it_may(counted: Counted) -> None:
    tara = counted.service.signed_in("tara")
    code = redeem(tara, FIVE_OFF, new_key()).json()["coupon"]["code"]
    carts = [cart_of(counted.vendors) for _ in range(ROUNDS)]
    cost = counted.cost(lambda: apply(tara, code, carts.pop()))
    assert cost.is_within(INTO_CART), cost


def test_telling_of_events_costs_a_read_nothing_and_a_redemption_one_question(
    start: Start, stores: Mapping[str, str], vendors: Vendors
) -> None:
    with receiving() as receiver, counting(start, stores, vendors, receiver.settings) as counted:
        tara = counted.service.signed_in("tara")
        cost = counted.cost(lambda: redeem(tara, FIVE_OFF, new_key()))
        assert cost.is_within(TOLD_REDEMPTION), cost
        taken = {path: counted.cost(reading(tara, path)) for path in ("/api/v1/me", "/rewards", "/coupons")}
        assert {path: cost for path, cost in taken.items() if not cost.is_within(BUDGETS[path])} == {}


def test_a_webhook_asks_no_more_than_it_may(counted: Counted) -> None:
    connection = connection_of(counted.vendors, "ella")
    cost = counted.cost(lambda: deliver(counted.service, linked(connection)))
    assert cost.is_within(WEBHOOK), cost


def test_no_page_makes_a_module_of_a_part_for_itself_alone() -> None:
    for template in (ROOT / "templates").rglob("*.html"):
        assert "with context" not in template.read_text(), template.name
