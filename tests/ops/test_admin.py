"""What people do by hand: settling redemptions, exporting consent, forgetting a member."""

import csv
import io
import json
from collections.abc import Callable

import pytest
from support.concurrency import meanwhile, until
from support.enrolment_clients import Rows
from support.processes import bff
from support.reconciliation_runs import check, lines
from support.sandbox_catalogue import FIVE_OFF, TEN_PERCENT, redeem
from support.services import Service, Vendors
from support.shopper import Shopper

from bff.members.consents import Evidence

KEY = "an-intent-that-got-lost"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(settings: dict[str, str]) -> Command:
    def command(*arguments: str) -> tuple[int, str, str]:
        done = bff(settings, *arguments)
        return done.returncode, done.stdout, done.stderr

    return command


def lost(shopper: Shopper, vendors: Vendors, key: str = KEY) -> str:
    """Redeem with a lost answer; returns the support reference."""
    vendors.fault("redeem", "cut_after")
    return str(redeem(shopper, FIVE_OFF, key).json()["supportReference"])


# Redemptions --------------------------------------------------------------------------------------------------------


def test_the_list_shows_what_is_unknown(ella: Shopper, vendors: Vendors, run: Command) -> None:
    assert run("redemptions", "list") == (
        0, "reference  state  created  points  reward  customer  note\nNone is unknown.\n", ""
    )  # fmt: skip
    reference = lost(ella, vendors)
    assert redeem(ella, FIVE_OFF, "an-intent-that-went-well").status_code == 201
    status, said, _ = run("redemptions", "list")
    assert status == 0
    assert [line.split()[0] for line in said.splitlines()] == ["reference", reference]
    assert "unknown, checking" in said
    assert vendors.member("ella")["customerId"] in said
    assert len(run("redemptions", "list", "--state", "all")[1].splitlines()) == 3
    assert len(run("redemptions", "list", "--state", "all", "--limit", "1")[1].splitlines()) == 2
    assert reference not in run("redemptions", "list", "--customer", "gid://shopify/Customer/1")[1]


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_list_of_less_than_one_is_refused(run: Command, limit: str) -> None:
    status, said, complaint = run("redemptions", "list", "--limit", limit)
    assert (status, said) == (2, "")
    assert "--limit: give a whole number from 1" in complaint


def test_C1_the_list_as_json_has_no_secrets(ella: Shopper, vendors: Vendors, run: Command) -> None:
    reference = lost(ella, vendors)
    [line] = run("redemptions", "list", "--json")[1].splitlines()
    entry = json.loads(line)
    assert (entry["support_reference"], entry["state"], entry["points"]) == (reference, "unknown", 500)
    assert not {"credentials", "session", "fingerprint"} & entry.keys()
    assert "eyJ" not in line


def test_what_a_person_found_out_is_what_the_member_sees(ella: Shopper, vendors: Vendors, run: Command) -> None:
    reference = lost(ella, vendors)
    code = vendors.member("ella")["redemptions"][0]["code"]
    status, said, _ = run("redemptions", "resolve", reference, "succeeded", "--code", code, "--note", "seen, Kim")
    assert (status, said) == (0, f"{reference}: succeeded. The member sees it from now on.\n")
    found = ella.api("GET", f"/me/redemptions/{KEY}").json()
    assert (found["state"], found["coupon"]["code"]) == ("succeeded", code)
    assert code in ella.get(f"/redemptions/{KEY}").text
    again = redeem(ella, FIVE_OFF, KEY)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert "seen, Kim" in run("redemptions", "list", "--state", "succeeded")[1]
    assert len(vendors.calls("redeem")) == 1


def test_a_redemption_that_was_not_carried_out_is_resolved_as_failed(
    ella: Shopper, vendors: Vendors, run: Command, rows: Rows
) -> None:
    reference = lost(ella, vendors)
    assert run("redemptions", "resolve", reference, "failed", "--note", "no points went")[0] == 0
    assert "Your points were not taken" in ella.get(f"/redemptions/{KEY}").text
    assert rows.execute("SELECT credentials, check_until FROM redemptions").fetchone() == (None, None)


def test_without_a_code_the_member_is_sent_to_the_shop(ella: Shopper, vendors: Vendors, run: Command) -> None:
    reference = lost(ella, vendors)
    assert run("redemptions", "resolve", reference, "succeeded", "--note", "points went")[0] == 0
    page = ella.get(f"/redemptions/{KEY}")
    assert "The shop can tell you the code" in page.text
    assert reference in page.text


def test_only_what_is_unknown_can_be_resolved(ella: Shopper, vendors: Vendors, run: Command, rows: Rows) -> None:
    redeem(ella, FIVE_OFF, "an-intent-that-went-well")
    [(clear,)] = rows.execute("SELECT support_reference FROM redemptions").fetchall()
    before = rows.execute("SELECT * FROM redemptions").fetchall()
    for reference in (clear, "R-NOTHING", ""):
        status, said, complaint = run("redemptions", "resolve", str(reference), "failed", "--note", "x")
        assert (status, said) == (1, "")
        assert complaint == f"bff: No unknown redemption has the reference {reference}.\n"
    assert rows.execute("SELECT * FROM redemptions").fetchall() == before


def test_a_failed_redemption_has_no_code(ella: Shopper, vendors: Vendors, run: Command) -> None:
    reference = lost(ella, vendors)
    done = run("redemptions", "resolve", reference, "failed", "--note", "x", "--code", "OKE-1")
    assert done == (1, "", "bff: A redemption that failed has no coupon code.\n")
    assert ella.api("GET", f"/me/redemptions/{KEY}").json()["state"] == "unknown"


def test_a_note_is_asked_for(run: Command) -> None:
    status, _, complaint = run("redemptions", "resolve", "R-1", "failed")
    assert status == 2
    assert "--note" in complaint


# Consents -----------------------------------------------------------------------------------------------------------


def joined(service: Service) -> None:
    penny = service.signed_in("penny")
    assert penny.submit(penny.get("/join"), "/join").path == "/welcome"


def test_the_evidence_is_exported_word_for_word(service: Service, vendors: Vendors, run: Command) -> None:
    joined(service)
    status, said, _ = run("consents", "export")
    [evidence] = map(json.loads, said.splitlines())
    assert status == 0
    assert evidence["customer_id"] == vendors.member("penny")["customerId"]
    assert evidence["version"] == vendors.member("penny")["enrolments"][0]["version"]
    assert evidence["button_text"] == "Accept terms & join"
    assert "<a href=" in evidence["sentence_html"]
    # Nobody asked for a language, and nobody has told the store's.
    assert (evidence["outcome"], evidence["locale"], evidence["locale_requested"]) == ("accepted", "und", None)
    assert evidence["origin"] == service.url
    assert len(evidence["digest"]) == 64
    [row] = csv.DictReader(io.StringIO(run("consents", "export", "--format", "csv")[1]))
    assert row == {name: "" if value is None else str(value) for name, value in evidence.items()}


def test_a_spreadsheet_computes_nothing_from_what_is_exported(
    service: Service, vendors: Vendors, run: Command, rows: Rows
) -> None:
    """A cell that begins like a formula gets an apostrophe; JSON Lines have every character as it is stored."""
    joined(service)
    begins = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "1=1")
    rows.execute("UPDATE consents SET version = %s, button_text = %s", begins[:2])
    rows.execute("UPDATE consents SET sentence_html = %s, channel = %s", begins[2:4])
    rows.execute("UPDATE consents SET request_id = %s, digest = %s", begins[4:])
    names = ("version", "button_text", "sentence_html", "channel", "request_id", "digest")
    [row] = csv.DictReader(io.StringIO(run("consents", "export", "--format", "csv")[1]))
    assert [row[name] for name in names] == [*(f"'{text}" for text in begins[:-1]), "1=1"]
    evidence = json.loads(run("consents", "export")[1])
    assert tuple(evidence[name] for name in names) == begins


def test_an_export_without_evidence_has_its_heading(run: Command) -> None:
    assert run("consents", "export", "--format", "csv") == (0, ",".join(Evidence.__struct_fields__) + "\n", "")
    assert run("consents", "export") == (0, "", "")


def test_the_evidence_of_one_member_or_time_alone(service: Service, vendors: Vendors, run: Command, rows: Rows) -> None:
    joined(service)
    customer = vendors.member("penny")["customerId"]
    rows.execute("UPDATE consents SET agreed_at = '2026-05-04T12:00:00Z'")

    def found(*arguments: str) -> int:
        return len(run("consents", "export", *arguments)[1].splitlines())

    assert found("--customer", customer) == 1
    assert found("--customer", customer + "0") == 0
    assert found("--since", "2026-05-04T12:00:00Z", "--until", "2026-05-04T12:00:01") == 1
    assert found("--since", "2026-05-04T14:00:00+02:00") == 1
    assert found("--until", "2026-05-04T12:00:00") == 0
    assert found("--since", "2026-05-05") == 0


def test_a_time_that_is_none_is_refused(run: Command) -> None:
    status, _, complaint = run("consents", "export", "--since", "yesterday")
    assert status == 2
    assert "--since" in complaint


def test_however_much_evidence_there_is_all_of_it_is_exported(service: Service, run: Command, rows: Rows) -> None:
    joined(service)
    rows.execute(
        "INSERT INTO consents (customer_id, version, digest, button_text, sentence_html, locale, channel, request_id)"
        " SELECT customer_id, number::text, digest, button_text, sentence_html, locale, channel, request_id"
        " FROM consents, generate_series(1, 1100) AS number"
    )
    versions = [json.loads(line)["version"] for line in run("consents", "export")[1].splitlines()]
    assert versions[1:] == [str(number) for number in range(1, 1101)]


# Members ------------------------------------------------------------------------------------------------------------


def test_a_member_is_forgotten_as_far_as_may_be(service: Service, vendors: Vendors, run: Command, rows: Rows) -> None:
    tara, ella = service.signed_in("tara"), service.signed_in("ella")
    redeem(ella, FIVE_OFF, "an-intent-of-ella-alone")
    redeem(tara, FIVE_OFF, "an-intent-that-went-well")
    vendors.fault("redeem", "status:422")
    redeem(tara, TEN_PERCENT, "an-intent-that-failed-1")
    redeem(tara, TEN_PERCENT, "an-intent-never-sent-1")
    rows.execute(
        "UPDATE redemptions SET state = 'reserved', sent_at = NULL, changed_at = now() - interval '2 minutes'"
        " WHERE key = 'an-intent-never-sent-1'"
    )
    lost(tara, vendors)
    customer = vendors.member("tara")["customerId"]
    status, said, _ = run("members", "forget", customer)
    assert status == 0
    assert "Sessions ended, with every token in them: 1." in said
    assert "Redemptions that were never sent to Okendo, deleted: 1." in said
    assert "without their coupon codes: 3" in said
    assert "Shopify, Okendo and Subtotal keep data of their own" in said
    assert tara.api("GET", "/session").json()["state"] == "anonymous"
    assert ella.api("GET", "/session").json()["state"] == "enrolled"
    kept = rows.execute(
        "SELECT state, coupon_code, credentials, check_until, session FROM redemptions WHERE customer_id = %s"
        " ORDER BY id",
        (customer,),
    ).fetchall()
    assert kept == [(state, None, None, None, "") for state in ("succeeded", "failed", "unknown")]
    assert rows.execute("SELECT count(*) FROM redemptions WHERE coupon_code IS NOT NULL").fetchone() == (1,)
    assert run("members", "forget", customer)[0] == 0


def test_a_redemption_under_way_is_not_forgotten_halfway(
    ella: Shopper, vendors: Vendors, run: Command, rows: Rows
) -> None:
    vendors.fault("redeem", "delay_after", seconds=4)
    customer = vendors.member("ella")["customerId"]
    with meanwhile(lambda: redeem(ella, FIVE_OFF, KEY)) as redeeming:
        until(lambda: lines(rows) == [("sent", None)])
        status, said, complaint = run("members", "forget", customer)
        assert (status, said) == (1, "")
        assert complaint.endswith("\nbff: A redemption of this member is under way. Run this again in a minute.\n")
        assert redeeming.result().status_code == 201
    assert run("members", "forget", customer)[0] == 0
    assert lines(rows) == [("succeeded", None)]


def test_what_was_forgotten_does_not_come_back_with_what_is_found_out(
    ella: Shopper, settings: dict[str, str], vendors: Vendors, run: Command, rows: Rows
) -> None:
    lost(ella, vendors)
    vendors.fault("transactions", "delay", seconds=4)
    looks = len(vendors.calls("transactions"))
    with meanwhile(lambda: check(settings, rows)) as checking:
        until(lambda: len(vendors.calls("transactions")) > looks)
        assert run("members", "forget", vendors.member("ella")["customerId"])[0] == 0
        checking.result()
    assert lines(rows) == [("unknown", None)]


def test_what_was_forgotten_stays_so_when_the_member_comes_back(
    service: Service, vendors: Vendors, run: Command, rows: Rows
) -> None:
    lost(service.signed_in("ella"), vendors)
    run("members", "forget", vendors.member("ella")["customerId"])
    back = service.signed_in("ella")
    assert back.api("GET", f"/me/redemptions/{KEY}").json()["state"] == "unknown"
    assert rows.execute("SELECT session, credentials, check_until FROM redemptions").fetchall() == [("", None, None)]


def test_consent_that_led_to_membership_stays(service: Service, vendors: Vendors, run: Command, rows: Rows) -> None:
    joined(service)
    rows.execute(
        "INSERT INTO consents (customer_id, version, digest, button_text, sentence_html, locale, channel, request_id,"
        " outcome) SELECT customer_id, version, digest, button_text, sentence_html, locale, channel, request_id,"
        " 'refused' FROM consents"
    )
    said = run("members", "forget", vendors.member("penny")["customerId"])[1]
    assert "Consents that were refused, deleted: 1." in said
    assert "Consents that stay: 1." in said
    assert rows.execute("SELECT outcome FROM consents").fetchall() == [("accepted",)]
