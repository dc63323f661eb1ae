"""Words are agreed to in the language in which they were shown, and the evidence says which that was, and where."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from psycopg.rows import dict_row
from support.enrolment_clients import Rows, sends
from support.processes import bff
from support.sandbox_catalogue import code_of
from support.services import Service, Start, Vendors
from support.shopper import Shopper

OVERRIDES = '[legal_policies]\nsends = { language = "languageCode", country = "countryCode" }\n'
STOREFRONT = "http://localhost:3000"
FRENCH_BUTTON = "Accepter et rejoindre"
# What a version that knows nothing of places reads: every column, as these fields.
COLUMNS_OF_BEFORE = {
    "id", "customer_id", "version", "digest", "button_text", "sentence_html", "privacy_policy_url",
    "terms_and_conditions_url", "locale", "channel", "request_id", "agreed_at", "outcome",
}  # fmt: skip


@pytest.fixture
def speaking(start: Start, tmp_path: Path) -> Service:
    """A service that has been told how Okendo is asked for policies in a language."""
    file = tmp_path / "languages.toml"
    file.write_text(OVERRIDES, "utf-8")
    return start(OKENDO_OVERRIDES=str(file), STOREFRONT_ORIGINS=STOREFRONT)


def shown(shopper: Shopper, query: str = "", **headers: str) -> dict[str, Any]:
    policies = shopper.api("GET", f"/legal-policies{query}", **headers).json()
    return {"policiesVersion": policies["version"], "policiesDigest": policies["digest"]}


def join(shopper: Shopper, agreed: dict[str, Any], query: str = "", **headers: str) -> httpx2.Response:
    return shopper.api("POST", f"/me/enrolment{query}", agreed, **headers)


def places(rows: Rows) -> list[tuple[Any, ...]]:
    """Of each consent: the language of its words, the one they were asked for in, and where they stood."""
    return rows.execute(
        "SELECT locale, locale_requested, origin FROM consents JOIN consent_places ON consent_id = id ORDER BY id"
    ).fetchall()


def test_L5_words_are_compared_in_the_language_in_which_they_were_shown(
    speaking: Service, vendors: Vendors, rows: Rows
) -> None:
    penny = speaking.signed_in("penny")
    french = shown(penny, "?locale=fr")
    assert french != shown(penny)
    refused = join(penny, french, "?locale=de")
    assert (refused.status_code, code_of(refused), sends(vendors)) == (409, "policies_outdated", 0)
    assert "Programmbedingungen" in refused.json()["legalPolicies"]["sentenceHtml"]
    assert join(penny, french, "?locale=fr").status_code == 201
    (row,) = rows.execute("SELECT digest, button_text FROM consents").fetchall()
    assert row == (french["policiesDigest"], FRENCH_BUTTON)
    assert places(rows) == [("fr", "fr", penny.base)]


def test_L5_words_that_changed_in_that_language_alone_are_shown_again(speaking: Service, vendors: Vendors) -> None:
    penny = speaking.signed_in("penny")
    french = shown(penny, "?locale=fr-CA")
    vendors.control("policies", html="De nouvelles conditions.", language="fr")
    refused = join(penny, french, "?locale=fr-CA")
    assert (code_of(refused), sends(vendors)) == ("policies_outdated", 0)
    assert refused.json()["legalPolicies"]["sentenceHtml"] == "De nouvelles conditions."
    # Its own sentences are in English, and what is to be agreed to is not.
    assert "content-language" not in refused.headers
    assert join(penny, shown(penny, "?locale=fr-CA"), "?locale=fr-CA").status_code == 201


def test_L5_words_that_changed_in_another_language_hold_up_nobody(speaking: Service, vendors: Vendors) -> None:
    penny = speaking.signed_in("penny")
    german = shown(penny, accept_language="de")
    vendors.control("policies", html="De nouvelles conditions.", language="fr")
    assert join(penny, german, accept_language="de").status_code == 201


def test_the_evidence_says_in_which_language_the_words_were_asked_for_and_where_they_stood(
    speaking: Service, vendors: Vendors, rows: Rows
) -> None:
    penny = speaking.signed_in("penny")
    there = {"origin": STOREFRONT, "sec_fetch_site": "same-site"}
    agreed = shown(penny, "?locale=fr-CA", **there)
    assert join(penny, agreed, "?locale=fr-CA", **there).status_code == 201
    assert places(rows) == [("fr", "fr-CA", STOREFRONT)]
    said = json.loads(bff(speaking.settings, "consents", "export").stdout)
    assert (said["locale"], said["locale_requested"], said["origin"]) == ("fr", "fr-CA", STOREFRONT)
    held = json.loads(bff(speaking.settings, "members", "export", said["customer_id"], "--by", "Kim").stdout)
    assert [(one["locale_requested"], one["origin"]) for one in held["consents"]] == [("fr-CA", STOREFRONT)]


def test_the_evidence_does_not_claim_a_language_that_nobody_knows(
    service: Service, vendors: Vendors, rows: Rows
) -> None:
    """As shipped the policies are asked for in no language: a shopper who wanted French saw the words of the store."""
    penny = service.signed_in("penny")
    assert join(penny, shown(penny, "?locale=fr"), "?locale=fr").status_code == 201
    assert places(rows) == [("und", "fr", penny.base)]


def test_the_evidence_names_the_stores_language_where_the_merchant_has_told_it(start: Start, rows: Rows) -> None:
    penny = start(DEFAULT_LANGUAGE="en").signed_in("penny")
    assert join(penny, shown(penny)).status_code == 201
    assert places(rows) == [("en", None, penny.base)]


def test_the_evidence_names_the_language_that_okendo_tells(speaking: Service, vendors: Vendors, rows: Rows) -> None:
    vendors.control("languages", told=True)
    penny = speaking.signed_in("penny")
    assert join(penny, shown(penny, "?locale=sw"), "?locale=sw").status_code == 201
    assert places(rows) == [("en", "sw", penny.base)]


def test_L5_the_form_is_for_the_words_in_the_language_it_showed(speaking: Service, rows: Rows) -> None:
    penny = speaking.signed_in("penny")
    page = penny.get("/join", headers={"accept-language": "fr-FR, en;q=0.5"})
    assert page.form("/join").buttons == [FRENCH_BUTTON]
    assert '<html lang="fr" dir="ltr">' in page.reply.text
    assert '<div class="policy" id="policy" dir="auto">' in page.reply.text
    # The click comes from a browser that prefers another language by now.
    assert penny.post("/join", page.form("/join").fields).path == "/welcome"
    assert places(rows) == [("fr", "fr", speaking.url)]


def test_code_of_the_version_before_reads_the_evidence_as_ever(speaking: Service, rows: Rows) -> None:
    penny = speaking.signed_in("penny")
    assert join(penny, shown(penny)).status_code == 201
    with rows.cursor(row_factory=dict_row) as cursor:
        assert set(cursor.execute("SELECT * FROM consents").fetchone() or ()) == COLUMNS_OF_BEFORE
    # It writes no place, and deletes what goes.
    rows.execute(
        "INSERT INTO consents (customer_id, version, digest, button_text, sentence_html, locale, channel, request_id)"
        " SELECT customer_id, version, digest, button_text, sentence_html, 'en', channel, request_id FROM consents"
    )
    lines = [json.loads(line) for line in bff(speaking.settings, "consents", "export").stdout.splitlines()]
    assert [(line["locale"], line["locale_requested"], line["origin"]) for line in lines][1] == ("en", None, None)
    rows.execute("DELETE FROM consents")
    assert rows.execute("SELECT count(*) FROM consent_places").fetchone() == (0,)
