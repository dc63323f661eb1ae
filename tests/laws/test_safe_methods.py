"""Looking at a page or reading JSON changes nothing: not here, not at the vendor, not even by prefetching."""

from typing import Any

from support.enrolment_clients import Rows, agree
from support.every_route import KEY, surface
from support.sandbox_catalogue import FIVE_OFF, redeem
from support.services import Service, Vendors
from support.shopper import Shopper

# Posts by which we learn something: tokens, who a customer is, and the link of a member's own.
QUESTIONS = {"login", "shopify_token", "shopify_graphql", "referral_sender"}
TABLES = ("redemptions", "consents")


def stored(rows: Rows) -> list[Any]:
    """Every row of ours, with the transaction that wrote it last: an update that changes nothing shows as well."""
    lines = [rows.execute(f"SELECT xmin::text, line.*::text FROM {table} line ORDER BY id") for table in TABLES]  # noqa: S608
    return [line.fetchall() for line in lines]


def effects(vendors: Vendors) -> Any:
    """What has happened to every member, exchanges of tokens aside."""
    members = vendors.state()["members"]
    return {persona: {**member, "logins": None} for persona, member in members.items()}


def test_D6_nothing_that_is_only_looked_at_changes_anything(service: Service, vendors: Vendors, rows: Rows) -> None:
    ella, penny = service.signed_in("ella"), service.signed_in("penny")
    assert redeem(ella, FIVE_OFF, KEY).status_code == 201
    vendors.fault("customer_activation", "status:400")
    assert agree(penny).status_code == 502
    happened, lines, calls = effects(vendors), stored(rows), len(vendors.state()["calls"])
    paths = [path for path, methods in surface(service.settings).items() if "GET" in methods]
    for path in paths:
        for shopper in (ella, penny):
            for method in ("GET", "HEAD"):
                reply = shopper.request(method, path, headers={"sec-purpose": "prefetch"})
                assert reply.status_code < 500, (method, path)
    made = [call["operation"] for call in vendors.state()["calls"][calls:] if call["method"] != "GET"]
    assert set(made) <= QUESTIONS
    assert effects(vendors) == happened
    assert stored(rows) == lines


def test_D6_a_post_in_disguise_is_still_a_look(penny: Shopper, ella: Shopper, vendors: Vendors, rows: Rows) -> None:
    happened = effects(vendors)
    for shopper in (penny, ella):
        for path in ("/join", f"/rewards/{FIVE_OFF}", "/refer", "/api/v1/me/enrolment", "/api/v1/me/redemptions"):
            form = {"x-http-method-override": "POST", "x-method-override": "POST", "idempotency-key": KEY}
            shopper.request("GET", f"{path}?_method=POST&email=friend@example.com&key={KEY}", headers=form)
    assert effects(vendors) == happened
    assert stored(rows) == [[], []]
