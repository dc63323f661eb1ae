"""Lost redemptions whose traces are poor: they are found out, or honestly left open, and never called failed (L3)."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from support.concurrency import meanwhile, until
from support.enrolment_clients import Rows
from support.reconciliation_runs import check, hours_pass, lines
from support.sandbox_catalogue import FIVE_OFF, STORE_CREDIT, redeem, redemptions_of
from support.services import Service, Vendors

from faults.test_reconciliation import KEY, coupon_of, lose, state_of

Speaking: TypeAlias = Callable[[str], dict[str, str]]
SECOND = "the-second-intent-of-two"
EIGHT_DOLLARS = {"amount": "8.00", "currencyCode": "USD"}
# Long enough for whatever was sent to have had its effect.
A_MINUTE = 0.02


@pytest.fixture
def speaking(tmp_path: Path) -> Speaking:
    """The setting that corrects Okendo's operations by this text."""

    def written(text: str) -> dict[str, str]:
        file = tmp_path / "overrides.toml"
        file.write_text(text, "utf-8")
        return {"OKENDO_OVERRIDES": str(file)}

    return written


# Words for what a transaction is ------------------------------------------------------------------------------------


def test_L3_a_redemption_is_found_whatever_the_vendor_calls_it(
    start: Callable[..., Service], settings: dict[str, str], vendors: Vendors, rows: Rows, speaking: Speaking
) -> None:
    otherwise = speaking('[transactions.names]\nkind = ["status"]')
    tara = start(**otherwise).signed_in("tara")
    lose(tara, vendors)
    hours_pass(rows, A_MINUTE)
    check(settings | otherwise, rows)
    assert state_of(tara) == "succeeded"
    assert coupon_of(tara) == redemptions_of(vendors, "tara")[0]["code"]


def test_L3_points_that_are_gone_without_a_trace_leave_it_open(
    start: Callable[..., Service], settings: dict[str, str], vendors: Vendors, rows: Rows, speaking: Speaking
) -> None:
    """The history tells that something happened, but neither what it was nor what was given for it."""
    unsaid = "\n".join(f'{name} = ["nowhere"]' for name in ("reward", "code", "store_credit"))
    otherwise = speaking(f'[transactions.names]\nkind = ["status"]\n{unsaid}')
    tara = start(**otherwise).signed_in("tara")
    lose(tara, vendors)
    hours_pass(rows, A_MINUTE)
    check(settings | otherwise, rows)
    assert state_of(tara) == "unknown"
    assert "do not redeem it again" in tara.get(f"/redemptions/{KEY}").text


def test_L3_points_that_went_for_another_redemption_are_not_missed(
    service: Service, settings: dict[str, str], vendors: Vendors, rows: Rows
) -> None:
    tara = service.signed_in("tara")
    lose(tara, vendors, fault="cut_before")
    assert redeem(tara, FIVE_OFF, SECOND).status_code == 201
    hours_pass(rows, A_MINUTE)
    check(settings, rows)
    assert state_of(tara) == "failed"
    assert len(redemptions_of(vendors, "tara")) == 1


# A history that is not what it seems; the member redeemed the same reward long ago -----------------------------------


@pytest.mark.parametrize("when", ["before it is sent", "when it is looked for"])
def test_L3_a_history_in_another_order_proves_nothing(
    service: Service, settings: dict[str, str], vendors: Vendors, rows: Rows, when: str
) -> None:
    """What is old stands where the new is looked for."""
    ella = service.signed_in("ella")
    vendors.control("history/order", reversed=when == "before it is sent")
    lose(ella, vendors, fault="cut_before")
    vendors.control("history/order", reversed=when == "when it is looked for")
    hours_pass(rows, A_MINUTE)
    check(settings, rows)
    assert lines(rows) == [("unknown", None)]


def test_L3_a_history_without_the_transaction_that_was_newest_proves_nothing(
    service: Service, settings: dict[str, str], vendors: Vendors, rows: Rows
) -> None:
    """Nobody can tell then what is newer."""
    lose(service.signed_in("tara"), vendors, fault="cut_before")
    rows.execute("UPDATE redemptions SET newest_transaction = 'not-there-any-more'")
    hours_pass(rows, A_MINUTE)
    check(settings, rows)
    assert lines(rows) == [("unknown", None)]


# Whose transaction it is --------------------------------------------------------------------------------------------

UNNAMED = '[redeem.names]\ntransaction_id = ["nowhere"]'


@pytest.mark.parametrize("code", ["with its code", "without codes in the history"])
def test_L3_a_later_redemption_keeps_its_coupon_where_replies_name_no_transaction(
    start: Callable[..., Service], settings: dict[str, str], vendors: Vendors, rows: Rows, speaking: Speaking, code: str
) -> None:
    """By its code the transaction is known to be the other's; without codes it is not known whose it is."""
    told = code == "with its code"
    otherwise = speaking(UNNAMED if told else f'{UNNAMED}\n[transactions.names]\ncode = ["nowhere"]')
    tara = start(**otherwise).signed_in("tara")
    lose(tara, vendors, fault="cut_before")
    coupon = redeem(tara, FIVE_OFF, SECOND).json()["coupon"]["code"]
    hours_pass(rows, A_MINUTE)
    check(settings | otherwise, rows)
    assert lines(rows) == [("failed" if told else "unknown", None), ("succeeded", coupon)]


def test_L3_a_later_store_credit_is_not_taken_for_the_lost_one_where_replies_name_no_transaction(
    start: Callable[..., Service], settings: dict[str, str], vendors: Vendors, rows: Rows, speaking: Speaking
) -> None:
    otherwise = speaking(UNNAMED)
    tara = start(**otherwise).signed_in("tara")
    lose(tara, vendors, reward=STORE_CREDIT, fault="cut_before")
    assert redeem(tara, STORE_CREDIT, SECOND).json()["storeCredit"] == EIGHT_DOLLARS
    hours_pass(rows, A_MINUTE)
    check(settings | otherwise, rows)
    assert state_of(tara) == "unknown"


def test_L3_what_is_redeemed_while_the_history_is_being_read_is_not_taken_for_the_lost_one(
    service: Service, settings: dict[str, str], vendors: Vendors, rows: Rows
) -> None:
    """The worker began to look before the second redemption, and gets the history when that is carried out."""
    tara = service.signed_in("tara")
    lose(tara, vendors, fault="cut_before")
    vendors.fault("transactions", "delay", seconds=2)
    looks = len(vendors.calls("transactions"))
    with meanwhile(lambda: check(settings, rows)) as checking:
        until(lambda: len(vendors.calls("transactions")) > looks)
        vendors.fault("redeem", "delay_after", seconds=3)
        with meanwhile(lambda: redeem(tara, FIVE_OFF, SECOND)) as redeeming:
            checking.result()
            assert lines(rows) == [("unknown", None), ("sent", None)]
            coupon = redeeming.result().json()["coupon"]["code"]
    hours_pass(rows, A_MINUTE)
    check(settings, rows)
    assert lines(rows) == [("failed", None), ("succeeded", coupon)]
