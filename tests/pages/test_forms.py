"""Forms: each carries a token of its own sign-in and purpose, and does nothing with any other."""

from collections.abc import Iterator

import psycopg
import pytest
from support.every_page import TIKTOK
from support.every_route import REWARD, effects
from support.services import Service, Vendors
from support.shopper import Page, Shopper

REWARD_PAGE = f"/rewards/{REWARD}"
FORMS = [
    ("penny", "/join"),
    ("ella", REWARD_PAGE),
    ("ella", "/refer"),
    ("ella", TIKTOK),
    ("ella", "/earn/birthday"),
    ("ella", "/logout"),
    ("ella", "/logout/everywhere"),
]


def form_page(shopper: Shopper, action: str) -> Page:
    return shopper.get("/" if action == "/logout" else action)


def submit(shopper: Shopper, page: Page, action: str, **fields: str) -> Page:
    email = {"email": "friend@example.com"} if action == "/refer" else {}
    return shopper.submit(page, action, **email, **fields)


def wrong_tokens(service: Service, shopper: Shopper, persona: str, action: str) -> Iterator[str]:
    """No token, a made-up one, that of another form, and that of another browser of the same customer."""
    yield from ("", "made-up", "x.y", "\u00e9.\u00e9")
    right = form_page(shopper, action).form(action).fields["csrf"]
    yield from (right[:-1], right + "A", right.partition(".")[0], right.replace(".", ".."))
    other = "/logout" if action != "/logout" else "/refer"
    yield form_page(shopper, other).form(other).fields["csrf"]
    yield form_page(service.signed_in(persona), action).form(action).fields["csrf"]


@pytest.mark.parametrize(("persona", "action"), FORMS)
def test_D5_a_form_without_its_own_token_does_nothing(
    service: Service, vendors: Vendors, persona: str, action: str
) -> None:
    shopper = service.signed_in(persona)
    tokens = list(wrong_tokens(service, shopper, persona, action))
    before = effects(vendors)
    for token in tokens:
        answer = submit(shopper, form_page(shopper, action), action, csrf=token)
        assert answer.status in {403, 409}, token
        assert "set-cookie" not in answer.reply.headers
    fields = form_page(shopper, action).form(action).fields | {"other": "field"}
    fields.pop("csrf")
    assert shopper.post(action, fields).status == 403
    assert effects(vendors) == before
    assert shopper.api("GET", "/session").json()["state"] == before[persona]["state"]


@pytest.mark.parametrize(("persona", "action"), FORMS)
def test_D5_a_page_from_before_signing_in_again_does_nothing(
    service: Service, vendors: Vendors, persona: str, action: str
) -> None:
    shopper = service.signed_in(persona)
    page = form_page(shopper, action)
    shopper.sign_in(persona)
    before = effects(vendors)
    assert submit(shopper, page, action).status == 403
    assert effects(vendors) == before


@pytest.mark.parametrize(("persona", "action"), FORMS[:3])
def test_D5_a_refused_form_comes_back_explained_and_ready_to_send(
    service: Service, vendors: Vendors, persona: str, action: str
) -> None:
    shopper = service.signed_in(persona)
    refused = submit(shopper, form_page(shopper, action), action, csrf="made-up")
    assert "out of date" in refused.text
    assert refused.form(action).fields.get("email", "friend@example.com") == "friend@example.com"
    before = effects(vendors)
    assert shopper.submit(refused, action).status == 200
    assert effects(vendors) != before


@pytest.mark.parametrize(("first", "second", "action"), [
    ("penny", "ella", "/join"), ("ella", "tara", REWARD_PAGE), ("ella", "tara", "/refer"),
    ("ella", "tara", "/logout"), ("ella", "tara", "/logout/everywhere"),
])  # fmt: skip
def test_B16_a_page_made_for_one_customer_does_nothing_for_another(
    service: Service, vendors: Vendors, first: str, second: str, action: str
) -> None:
    shopper = service.signed_in(first)
    page = form_page(shopper, action)
    shopper.sign_in(second)
    before = effects(vendors)
    assert submit(shopper, page, action).status == 409
    assert effects(vendors) == before
    for operation in ("customer_activation", "redeem", "referral_request", "shopify_logout"):
        assert vendors.calls(operation) == []
    assert shopper.api("GET", "/session").json()["state"] == "enrolled"


def test_B16_consent_shown_in_an_earlier_session_is_not_consent(
    penny: Shopper, vendors: Vendors, rows: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    shown_before = penny.get("/join").form("/join").fields["consent"]
    penny.sign_in("penny")
    answer = penny.submit(penny.get("/join"), "/join", consent=shown_before)
    assert answer.status == 409
    assert vendors.member("penny")["state"] == "pending"
    assert rows.execute("SELECT count(*) FROM consents").fetchall() == [(0,)]
