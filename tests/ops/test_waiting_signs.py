"""The doctor says what waits for Okendo's answer or for a person, and whether people can still join."""

import json

from support.enrolment_clients import Rows
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Start, Vendors
from support.subtotal_events import bought, connection_of, deliver


def told(settings: dict[str, str], name: str) -> list[str]:
    """The doctor's warnings of this name, each as one text."""
    checks = json.loads(bff(settings, "doctor", "--json").stdout)["checks"]
    return [f"{check['detail']} → {check['remedy']}" for check in checks if check["name"] == name]


def lose_an_answer(service: Service, vendors: Vendors) -> None:
    vendors.fault("redeem", "cut_before")
    assert redeem(service.signed_in("ella"), FIVE_OFF, new_key()).status_code == 202


def join(service: Service, times: int = 1) -> None:
    penny = service.signed_in("penny")
    for _ in range(times):
        penny.submit(penny.get("/join"), "/join")


def test_an_unknown_redemption_is_told_with_its_age(
    settings: dict[str, str], service: Service, vendors: Vendors, rows: Rows
) -> None:
    assert told(settings, "redemptions") == []
    lose_an_answer(service, vendors)
    rows.execute("UPDATE redemptions SET created_at = now() - interval '90 minutes'")
    [line] = told(settings, "redemptions")
    assert line.startswith("the outcome of 1 is unknown, of the oldest for 90 minutes → The worker reconciles them")


def test_a_redemption_that_the_worker_has_given_up_waits_for_a_person(
    settings: dict[str, str], service: Service, vendors: Vendors, rows: Rows
) -> None:
    lose_an_answer(service, vendors)
    rows.execute("UPDATE redemptions SET check_until = NULL")
    [line] = told(settings, "redemptions")
    assert "; 1 of them wait for a person → See `redemptions list`" in line


def test_an_event_that_cannot_be_paid_waits_for_a_person(
    settings: dict[str, str], service: Service, vendors: Vendors, rows: Rows
) -> None:
    assert deliver(service, bought(connection_of(vendors, "ella"), "9.00")).status_code == 204
    assert told(settings, "awards") == []
    rows.execute("UPDATE webhook_events SET state = 'needs_review'")
    [line] = told(settings, "awards")
    assert line.startswith("0 awards and 1 events of Subtotal's wait for a person → `awards list`")


def test_that_nobody_can_join_is_told_from_the_third_refusal_on_until_somebody_has(
    settings: dict[str, str], urls: list[str], start: Start
) -> None:
    wrong = start(OKENDO_PARTNER_ID="00000000-0000-4000-8000-000000000000")
    join(wrong, times=2)
    assert told(settings, "joining") == []
    join(wrong)
    [line] = told(settings, "joining")
    assert line.startswith("Okendo refused the last 3 who agreed to join → Compare OKENDO_PARTNER_ID")
    join(start(PUBLIC_URL=urls[1], PORT=urls[1].rpartition(":")[2]))
    assert told(settings, "joining") == []
