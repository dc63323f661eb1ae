"""The wire to Okendo breaks in the middle of redemptions: no effect is doubled, no state lies, nobody waits long."""

import time
from collections.abc import Iterator

import httpx2
import pytest
import redis
from support.breadth import WIRE_BREAKS
from support.breaking_wire import Kind, Wire, stretched
from support.concurrency import until
from support.empty_stores import emptied
from support.enrolment_clients import Rows
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem, redemptions_of
from support.services import Start, Vendors, Work
from support.shopper import Shopper

# How many redemptions tara's points are good for.
AT_ONCE = 5
REQUEST_SECONDS = 3
# Where the wire falls silent the service gives up soon; elsewhere a busy machine must not look like silence.
PATIENCE: dict[Kind, str] = {"blackhole": "1", "drip": "1"}
# What the service promises, and a little for the way there and back on a busy machine.
ANSWER_SECONDS = REQUEST_SECONDS + 0.5
# What the shopper is told, and whether the vendor has carried it out.
MEANS: dict[Kind, tuple[int, str, bool]] = {
    "refuse": (503, "failed", False),
    "blackhole": (202, "unknown", False),
    "reset": (202, "unknown", True),
    "truncate": (202, "unknown", True),
    "drip": (202, "unknown", True),
    "slow": (201, "succeeded", True),
}


@pytest.fixture
def wire(vendors: Vendors) -> Iterator[Wire]:
    with stretched(vendors.url) as wire:
        yield wire


def in_time(tara: Shopper, key: str) -> httpx2.Response:
    began = time.monotonic()
    reply = redeem(tara, FIVE_OFF, key)
    assert time.monotonic() - began < ANSWER_SECONDS
    return reply


@pytest.mark.broad
@pytest.mark.parametrize("kind", MEANS)
def test_L3_G10_a_wire_that_breaks_again_and_again_doubles_nothing_and_no_state_lies(
    start: Start, wire: Wire, vendors: Vendors, work: Work, rows: Rows, kind: Kind
) -> None:
    status, state, carried_out = MEANS[kind]
    patience = {"UPSTREAM_TIMEOUT_SECONDS": PATIENCE.get(kind, "2.5"), "REQUEST_SECONDS": str(REQUEST_SECONDS)}
    service = start(OKENDO_API_URL=wire.url, **patience)
    work(OKENDO_API_URL=wire.url, REDEMPTION_SETTLING_SECONDS="1", **patience)
    for _ in range(WIRE_BREAKS // AT_ONCE):
        emptied(rows, "procrastinate_jobs", "redemptions")
        with redis.Redis.from_url(service.settings["VALKEY_URL"]) as client:
            client.flushall()  # Budgets begin anew as well.
        vendors.reset()
        tara = service.signed_in("tara")
        keys = [new_key() for _ in range(AT_ONCE)]
        for key in keys:
            sent, passed, effects = wire.redemptions, wire.passed, len(redemptions_of(vendors, "tara"))
            wire.will(kind)
            reply = in_time(tara, key)
            if reply.status_code == 504 and wire.redemptions == sent:
                # On a busy machine a read before it was late, so nothing was sent, and the shopper was told so.
                reply = in_time(tara, key)
            wire.will("")
            assert reply.status_code == status, reply.text
            shown = tara.api("GET", f"/me/redemptions/{key}").json()["state"]
            # The worker may be quick: what it found out is the truth, too.
            assert shown in {state, "succeeded" if carried_out else "failed"}
            assert wire.redemptions - sent == (0 if kind == "refuse" else 1)
            assert wire.passed - passed == len(redemptions_of(vendors, "tara")) - effects == int(carried_out)
        until(
            lambda: not rows.execute("SELECT 1 FROM redemptions WHERE state NOT IN ('succeeded', 'failed')").fetchall()
        )
        before = wire.redemptions
        ends = [redeem(tara, FIVE_OFF, key) for key in keys]
        assert wire.redemptions == before
        assert {end.status_code == 201 for end in ends} == {carried_out}
        coupons = sorted(end.json()["coupon"]["code"] for end in ends if carried_out)
        assert coupons == sorted(effect["code"] for effect in redemptions_of(vendors, "tara"))
