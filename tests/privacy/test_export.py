"""A person's data request: everything that is held on one customer, and nothing of anybody else."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.enrolment_clients import Rows
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, redeem
from support.services import Service, Start, Vendors
from support.subtotal_events import ACTIONS, bought, connection_of, deliver

from bff.privacy.personal_data import STATEMENTS

KEY = "an-intent-of-hers-alone"
Run = Callable[..., str]


@pytest.fixture
def service(start: Start) -> Service:
    return start(SUBTOTAL_ACTIONS=ACTIONS)


@pytest.fixture
def run(settings: dict[str, str]) -> Run:
    def command(*arguments: str, fails: bool = False) -> str:
        done = bff(settings, *arguments)
        assert (done.returncode != 0) is fails, done.stderr
        return done.stderr if fails else done.stdout

    return command


def test_everything_that_is_held_on_a_customer_is_told(
    service: Service, vendors: Vendors, run: Run, rows: Rows
) -> None:
    penny, ella, customer = service.signed_in("penny"), service.signed_in("ella"), vendors.member("penny")["customerId"]
    assert penny.submit(penny.get("/join"), "/join").path == "/welcome"
    vendors.control("member", persona="penny", balance=5000)
    assert redeem(penny, FIVE_OFF, KEY).status_code == 201
    assert redeem(ella, FIVE_OFF, "an-intent-of-another").status_code == 201
    assert deliver(service, bought(connection_of(vendors, "penny"), "20.00")).status_code == 204
    rows.execute(
        "INSERT INTO awards (reference, event, action, earning_rule_id, customer_id, payee, email, retailer_id,"
        " connection_id, state, try_until) VALUES ('A-1', 'account.linked', 'Link', 'rule', %s, 'p',"
        " 'penny@example.com', 'walmart', 'c-1', 'waiting', now())",
        (customer,),
    )
    run("sessions", "revoke", vendors.member("ella")["customerId"], "--by", "Kim")
    run("awards", "replay")
    held = json.loads(run("members", "export", customer, "--by", "Kim"))
    assert customer in held["customer"]
    [redemption] = held["redemptions"]
    assert redemption["coupon_code"] == vendors.member("penny")["redemptions"][0]["code"]
    assert [consent["outcome"] for consent in held["consents"]] == ["accepted"]
    assert [award["email"] for award in held["awards"]] == ["penny@example.com"]
    assert [account["retailer_id"] for account in held["linked_accounts"]] == ["walmart"]
    assert [json.loads(event["body"])["type"] for event in held["webhooks"]] == ["purchase.created"]
    assert len(held["sessions"]) == 1
    assert held["requests"] == []
    text = json.dumps(held)
    assert "ella" not in text
    for secret in ("eyJ", "shcat_", "credentials", "fingerprint", "payee"):
        assert secret not in text
    by_number = json.loads(run("members", "export", customer.rpartition("/")[2]))
    assert by_number["redemptions"] == held["redemptions"]
    # That somebody has read all this is part of the trail.
    assert [line["action"] for line in by_number["audit"]] == ["members export"]


def test_every_column_that_holds_a_customers_data_is_told_or_left_out_on_purpose(run: Run, rows: Rows) -> None:
    """Whoever adds a column decides, here."""
    left_out = {
        "redemptions": {"id", "customer_id", "key", "fingerprint", "request_id", "newest_transaction", "session",
                        "credentials", "transaction_id", "sent_at", "check_until"},
        "outbound_events": {"id", "deed", "customer_id", "tries", "try_until"},
        "consents": set(),
        "awards": {"id", "earning_rule_id", "payee", "possibly_paid", "tries", "sent_at", "try_until"},
    }  # fmt: skip
    for table, hidden in left_out.items():
        found = rows.execute(STATEMENTS[table.removeprefix("outbound_")], {"names": []})
        assert found.description is not None
        columns = rows.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public'",
            (table,),
        ).fetchall()
        assert {name for (name,) in columns} - {column.name for column in found.description} == hidden


def test_a_file_is_for_its_owner_alone_and_never_overwritten(vendors: Vendors, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "of-ella.json"
    customer = vendors.member("ella")["customerId"]
    assert run("members", "export", customer, "--file", str(file)).startswith(f"Written to {file}")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert customer in json.loads(before)["customer"]
    said = run("members", "export", customer, "--file", str(file), fails=True)
    assert said == f"bff: {file} cannot be written: File exists.\n"
    assert file.read_bytes() == before
    missing: Any = tmp_path / "nowhere" / "x.json"
    assert "No such file" in run("members", "export", customer, "--file", str(missing), fails=True)


def test_of_whom_nothing_is_held_that_is_what_is_told(run: Run) -> None:
    held = json.loads(run("members", "export", "gid://shopify/Customer/1"))
    assert [kind for kind, found in held.items() if isinstance(found, list) and found] == ["customer"]


def test_without_the_trail_nothing_is_shown(run: Run, vendors: Vendors, rows: Rows) -> None:
    rows.execute("ALTER TABLE audit RENAME TO audit_of_tomorrow")
    try:
        said = run("members", "export", vendors.member("ella")["customerId"], fails=True)
        assert said.endswith("bff: This cannot be recorded right now, so nothing was done.\n")
    finally:
        rows.execute("ALTER TABLE audit_of_tomorrow RENAME TO audit")
