"""The evidence of consent: stored before the vendor is told, with the very words, and with how it ended."""

from datetime import UTC, datetime, timedelta

import pytest
from support.concurrency import meanwhile, until
from support.enrolment_clients import NEW_WORDS, Rows, agree, enrolments_of, evidence, sends, sentence_on
from support.sandbox_catalogue import code_of
from support.services import Vendors
from support.shopper import Shopper


def test_the_evidence_holds_the_words_that_stood_on_the_page(penny: Shopper, vendors: Vendors, rows: Rows) -> None:
    vendors.control("policies", version=12, html=NEW_WORDS)
    page = penny.get("/join")
    policies = penny.api("GET", "/legal-policies").json()
    reply = penny.post("/join", page.form("/join").fields, follow=False).reply
    (row,) = evidence(rows)
    assert row["sentence_html"] == sentence_on(page) == policies["sentenceHtml"]
    assert [row["button_text"]] == page.form("/join").buttons
    assert (row["version"], row["digest"]) == ("12", policies["digest"])
    assert (
        row["privacy_policy_url"] == policies["privacyPolicyUrl"] == "https://shop.example.com/policies/privacy-policy"
    )
    assert row["terms_and_conditions_url"] == policies["termsAndConditionsUrl"]
    assert (row["customer_id"], row["channel"]) == (vendors.member("penny")["customerId"], "sandbox-partner")
    assert (row["request_id"], row["locale"]) == (reply.headers["x-request-id"], "und")
    assert abs(row["agreed_at"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert row["outcome"] == "accepted"


def test_the_evidence_is_stored_before_the_vendor_is_told(penny: Shopper, vendors: Vendors, rows: Rows) -> None:
    vendors.fault("customer_activation", "delay", seconds=0.6)
    with meanwhile(lambda: agree(penny)) as joining:
        until(lambda: sends(vendors) > 0)
        (row,) = evidence(rows)
        assert (row["outcome"], enrolments_of(vendors, "penny")) == ("sent", [])
        assert joining.result().status_code == 201
    assert [row["outcome"] for row in evidence(rows)] == ["accepted"]


@pytest.mark.parametrize(("status", "code"), [(400, "upstream_unavailable"), (403, "feature_unavailable")])
def test_a_refusal_is_part_of_the_evidence(
    penny: Shopper, vendors: Vendors, rows: Rows, status: int, code: str
) -> None:
    vendors.fault("customer_activation", f"status:{status}")
    assert code_of(agree(penny)) == code
    assert [row["outcome"] for row in evidence(rows)] == ["refused"]


@pytest.mark.parametrize("trouble", ["cut_after", "garbage", "huge"])
def test_L3_a_lost_reply_is_found_out_by_asking_for_the_member(
    penny: Shopper, vendors: Vendors, rows: Rows, trouble: str
) -> None:
    vendors.fault("customer_activation", trouble)
    assert penny.submit(penny.get("/join"), "/join").path == "/welcome"
    assert (sends(vendors), len(enrolments_of(vendors, "penny"))) == (1, 1)
    assert [row["outcome"] for row in evidence(rows)] == ["accepted"]


@pytest.mark.parametrize("trouble", ["cut_before", "status:500"])
def test_L3_a_join_that_did_not_reach_the_vendor_is_said_to_be_open(
    penny: Shopper, vendors: Vendors, rows: Rows, trouble: str
) -> None:
    vendors.fault("customer_activation", trouble)
    reply = agree(penny)
    assert (reply.status_code, code_of(reply)) == (502, "upstream_unavailable")
    assert (sends(vendors), enrolments_of(vendors, "penny")) == (1, [])
    assert [row["outcome"] for row in evidence(rows)] == ["unknown"]
    assert agree(penny).status_code == 201


def test_L3_a_join_that_nobody_can_ask_about_is_open_until_the_member_is_seen_enrolled(
    penny: Shopper, vendors: Vendors, rows: Rows
) -> None:
    vendors.fault("customer_activation", "cut_after")
    # The first look at the member goes well; the one after the lost reply does not.
    vendors.fault("customer", "delay", seconds=0)
    vendors.fault("customer", "status:500", times=2)
    assert agree(penny).status_code == 502
    assert [row["outcome"] for row in evidence(rows)] == ["unknown"]
    vendors.http.delete(f"{vendors.url}/_control/faults")
    assert agree(penny).status_code == 200
    assert (sends(vendors), len(enrolments_of(vendors, "penny"))) == (1, 1)
    assert [row["outcome"] for row in evidence(rows)] == ["accepted"]


def test_L3_only_the_latest_words_that_were_not_refused_can_have_made_a_member(
    penny: Shopper, vendors: Vendors, rows: Rows
) -> None:
    for trouble in ("cut_before", "status:400", ""):
        if trouble:
            vendors.fault("customer_activation", trouble)
        agree(penny)
    assert agree(penny).status_code == 200
    assert [row["outcome"] for row in evidence(rows)] == ["unknown", "refused", "accepted"]


def test_evidence_of_a_process_that_died_is_completed_when_the_member_is_seen_enrolled(
    penny: Shopper, rows: Rows
) -> None:
    agree(penny)
    rows.execute("UPDATE consents SET outcome = 'sent'")
    rows.execute(
        "INSERT INTO consents (customer_id, version, digest, button_text, sentence_html, locale, channel, request_id,"
        " outcome) SELECT customer_id, version, digest, button_text, sentence_html, locale, channel, request_id,"
        " 'refused' FROM consents"
    )
    assert agree(penny).status_code == 200
    assert [row["outcome"] for row in evidence(rows)] == ["accepted", "refused"]


def test_every_click_that_was_sent_has_its_own_evidence(penny: Shopper, vendors: Vendors, rows: Rows) -> None:
    vendors.fault("customer_activation", "status:400")
    agree(penny)
    agree(penny)
    assert [row["outcome"] for row in evidence(rows)] == ["refused", "accepted"]


def test_a_click_that_is_not_sent_leaves_no_evidence(penny: Shopper, rows: Rows) -> None:
    assert agree(penny, policiesDigest="another").status_code == 409
    assert evidence(rows) == []
