"""The OpenAPI document: whole, about exactly the routes there are, and true of what they answer."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from starlette.routing import BaseRoute, Mount, Route
from support.enrolment_clients import agree
from support.json_schema import differences, references, resolved
from support.sandbox_catalogue import FIVE_OFF, FREE_PRODUCT, STORE_CREDIT, new_key, redeem
from support.services import Service, Start, Vendors
from support.shopper import Shopper

from bff.app import create_app
from bff.settings.read import read_settings

PREFIX = "/api/v1"
TIKTOK, YOUTUBE = (f"0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a0{number}" for number in (5, 6))
# Documents and scripts, which are no operations of the API.
FILES = {"/openapi.json", "/docs", "/client.js", "/client.d.ts", "/elements.js"}
# What product.md promises, word for word, and `overloaded` and `internal_error`.
CODES = {
    "session_required", "session_expired", "token_rejected", "not_enrolled", "member_blocked", "program_not_launched",
    "feature_unavailable", "not_found", "policies_outdated", "rule_already_completed", "request_in_progress",
    "insufficient_points", "reward_ineligible", "reward_unavailable", "currency_mismatch", "invalid_birthday",
    "invalid_email", "referral_rejected", "idempotency_key_missing", "idempotency_key_reused", "invalid_request",
    "csrf_refused", "rate_limited", "internal_error", "upstream_unavailable", "upstream_timeout", "store_unavailable",
    "overloaded",
}  # fmt: skip


@pytest.fixture
def document(shopper: Shopper) -> Any:
    reply = shopper.api("GET", "/openapi.json")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    return reply.json()


def operations(document: Any) -> dict[tuple[str, str], Any]:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def answers_of(operation: Any, document: Any) -> dict[str, Any]:
    return {status: resolved(answer, document) for status, answer in operation["responses"].items()}


def problems_of(operation: Any, document: Any) -> Iterator[tuple[str, str, Any]]:
    """Status, code and example of every problem that an operation may answer."""
    for status, answer in answers_of(operation, document).items():
        for kind in answer.get("content", {}).keys() & {"application/problem+json"}:
            for code, example in answer["content"][kind]["examples"].items():
                yield status, code, resolved(example, document)["value"]


def routes_under(routes: list[BaseRoute], prefix: str = "") -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for route in routes:
        if isinstance(route, Mount):
            found |= routes_under(route.routes, prefix + route.path)
        elif isinstance(route, Route):
            found |= {(method, prefix + route.path) for method in (route.methods or set()) - {"HEAD"}}
    return found


def undocumented(reply: httpx2.Response, document: Any, path: str = "") -> list[str]:
    """How an answer differs from what the document says about it."""
    path = path or reply.request.url.path
    answers = operations(document)[reply.request.method, path]["responses"]
    if str(reply.status_code) not in answers:
        return [f"{reply.status_code} is not among {sorted(answers)}"]
    answer = resolved(answers[str(reply.status_code)], document)
    if not reply.content:
        return []
    kind = reply.headers["content-type"]
    if kind not in answer.get("content", {}):
        return [f"{reply.status_code} with {kind} is not documented"]
    value, schema = reply.json(), answer["content"][kind]["schema"]
    # The one finds fields that are not named, the other patterns and formats that do not fit.
    whole = {"components": document["components"], "allOf": [schema]}
    unfit = Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(value)
    return [*differences(value, schema, document), *(f"{error.json_path}: {error.message}" for error in unfit)]


def test_the_document_is_openapi_3_1_and_whole(document: Any, service: Service) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert {"title", "version"} <= set(document["info"])
    assert document["servers"] == [{"url": service.url}]
    used = set(references(document))
    assert all(resolved({"$ref": reference}, document) for reference in used)
    kinds = document["components"].keys() - {"securitySchemes"}
    assert {f"#/components/{kind}/{name}" for kind in kinds for name in document["components"][kind]} == used


def test_every_operation_is_described_in_full(document: Any) -> None:
    found = operations(document)
    identities = [operation["operationId"] for operation in found.values()]
    assert len(set(identities)) == len(identities)
    # What a generated client calls it: a verb, and what it is about.
    assert [one for one in identities if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", one)] == []
    for (method, path), operation in found.items():
        assert operation["summary"], path
        assert operation["description"], f"{path} has no description in its row in bff/api"
        assert all(answer["description"] for answer in answers_of(operation, document).values()), path
        assert all(re.fullmatch(r"[2-5]\d\d", status) for status in operation["responses"]), path
        declared = {one["name"] for one in operation["parameters"] if one["in"] == "path" and one["required"]}
        assert declared == set(re.findall(r"\{(\w+)\}", path)), path
        # A server shows a bearer token instead.
        by_browsers = [one for one in operation["security"] if "tickets" not in one]
        assert [("csrf" in one) for one in by_browsers] == [method != "GET"] * len(by_browsers), path
        assert not any({"tickets", "csrf"} <= set(one) for one in operation["security"]), path
        assert "X-Loyalty-Csrf" not in {one["name"] for one in operation["parameters"]}, path
        assert ("requestBody" in operation) is (method in {"POST", "PUT"}), path


def test_every_route_is_in_the_document_and_nothing_else(document: Any, service: Service) -> None:
    routes = routes_under(create_app(read_settings(service.settings)).routes)
    wanted = {(method, path) for method, path in routes if path.startswith(PREFIX + "/")}
    assert set(operations(document)) == {(method, path) for method, path in wanted if path[len(PREFIX) :] not in FILES}


def test_the_codes_are_the_closed_list_of_the_product(document: Any) -> None:
    problem = document["components"]["schemas"]["ProblemDetails"]
    assert set(resolved(problem["properties"]["code"], document)["enum"]) == CODES
    assert set(problem["required"]) == {"type", "title", "status", "detail", "code", "requestId", "retryable"}
    named = {code for operation in operations(document).values() for _, code, _ in problems_of(operation, document)}
    assert named == CODES


def test_answers_of_members_are_as_documented(document: Any, service: Service) -> None:
    ella = service.signed_in("ella")
    key = new_key()
    replies = [ella.api("GET", f"/{name}") for name in ("program", "earning-rules", "rewards", "legal-policies")]
    replies += [ella.api("GET", path) for path in ("/session", "/me", "/me/rewards", "/me/referrals")]
    replies += [redeem(ella, FIVE_OFF, key), redeem(ella, FREE_PRODUCT, key), redeem(ella, FREE_PRODUCT, new_key())]
    replies += [ella.api("POST", "/me/referrals", {"email": email}) for email in ("friend@example.com", "friend@")]
    replies += [redeem(ella, "nothing", new_key()), ella.api("POST", "/me/redemptions", {"rewardId": FIVE_OFF})]
    for reply in replies:
        assert undocumented(reply, document) == [], reply.request.url.path
    looked = ella.api("GET", f"/me/redemptions/{key}")
    assert undocumented(looked, document, f"{PREFIX}/me/redemptions/{{key}}") == []
    assert redeem(ella, STORE_CREDIT, new_key()).status_code == 422
    assert undocumented(ella.api("DELETE", "/session"), document) == []
    assert undocumented(ella.api("GET", "/me"), document) == []


@pytest.mark.parametrize("persona", ["ella", "penny", "blake", "zoe", "tara", "rami"])
def test_answers_are_as_documented_in_every_state_of_a_member(document: Any, service: Service, persona: str) -> None:
    shopper = service.signed_in(persona)
    bodies = {
        f"{PREFIX}/me/birthday": {"day": 30, "month": 4},
        f"{PREFIX}/me/referrals": {"email": "friend@example.com"},
        f"{PREFIX}/me/redemptions": {"rewardId": FIVE_OFF},
        f"{PREFIX}/me/earning-rules/{{id}}/completions": {},
    }
    paths = [(method, path) for method, path in operations(document) if method == "GET" or path in bodies]
    for method, path in paths:
        address = path.removeprefix(PREFIX).replace("{key}", new_key()).replace("{id}", FIVE_OFF)
        headers = {"idempotency_key": new_key()} if path.endswith("/redemptions") else {}
        reply = shopper.api(method, address, bodies.get(path) if method != "GET" else None, **headers)
        assert undocumented(reply, document, path) == [], f"{method} {path}"
        if reply.is_error:
            known = {code for status, code, _ in problems_of(operations(document)[method, path], document)}
            assert reply.json()["code"] in known, f"{method} {path}"


EVERY_PART = "/me?include=rewards&include=earningRules,tierProgress&include=coupons"


@pytest.mark.parametrize("persona", ["ella", "penny", "blake", "zoe", "tara", "rami"])
def test_every_part_is_as_documented_in_every_state_of_a_member(
    document: Any, service: Service, vendors: Vendors, persona: str
) -> None:
    shopper = service.signed_in(persona)
    assert undocumented(shopper.api("GET", EVERY_PART), document) == []
    for operation in ("customer_redemption_rules", "customer_earning_rules", "spend", "transactions"):
        vendors.fault(operation, "status:500", times=4)
    assert undocumented(shopper.api("GET", EVERY_PART), document) == []


def test_answers_about_coupons_and_store_credit_are_as_documented(document: Any, service: Service) -> None:
    zoe, tara = service.signed_in("zoe"), service.signed_in("tara")
    earned = [zoe.api("POST", f"/me/earning-rules/{rule}/completions") for rule in (TIKTOK, YOUTUBE)]
    assert {reply.json()["result"]["kind"] for reply in earned} == {"coupon", "store_credit"}
    done = f"{PREFIX}/me/earning-rules/{{id}}/completions"
    assert [undocumented(reply, document, done) for reply in earned] == [[], []]
    credited = redeem(tara, STORE_CREDIT, new_key())
    assert (credited.status_code, undocumented(credited, document)) == (201, [])
    for shopper in (zoe, tara):
        for path in ("/me/coupons", "/me/activity?limit=5", "/me/retailers"):
            assert undocumented(shopper.api("GET", path), document) == [], path


def test_answers_about_joining_are_as_documented(document: Any, penny: Shopper, vendors: Vendors) -> None:
    vendors.control("policies", version=7)
    outdated, joined, again = agree(penny, policiesDigest="another"), agree(penny), agree(penny)
    assert [reply.status_code for reply in (outdated, joined, again)] == [409, 201, 200]
    assert undocumented(joined, document) + undocumented(again, document) == []
    assert undocumented(outdated, document) == []


def test_answers_about_lost_redemptions_are_as_documented(document: Any, ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("redeem", "cut_after")
    unknown = redeem(ella, FIVE_OFF, new_key())
    assert (unknown.status_code, undocumented(unknown, document)) == (202, [])
    # A page of another origin would resolve a path against its own.
    assert unknown.headers["location"] == f"{ella.base}{PREFIX}/me/redemptions/{unknown.json()['key']}"


def test_answers_to_a_handed_in_token_are_as_documented(document: Any, shopper: Shopper, vendors: Vendors) -> None:
    bodies = [{"customerAccessToken": vendors.token("tara")}, {"customerAccessToken": "shcat_" + "x" * 30}, {}]
    bodies.append({"storefrontCustomerAccessToken": "x" * 32})
    replies = [shopper.api("POST", "/session", body) for body in bodies]
    assert [reply.status_code for reply in replies] == [201, 401, 400, 404]
    assert [undocumented(reply, document) for reply in replies] == [[]] * 4


def test_a_query_that_is_refused_is_documented_as_well(document: Any, ella: Shopper) -> None:
    for method, path in operations(document):
        reply = ella.api(method, path.removeprefix(PREFIX).replace("{key}", new_key()) + "?x=1")
        assert (reply.status_code, undocumented(reply, document, path)) == (400, []), path


def test_the_document_follows_the_base_path(start: Start) -> None:
    service = start(BASE_PATH="/loyalty")
    reply = service.shopper().request("GET", "/loyalty/api/v1/openapi.json")
    assert reply.json()["servers"] == [{"url": f"{service.url}/loyalty"}]


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ({"a": 1}, {"type": "object", "properties": {}}),
        ({}, {"type": "object", "properties": {"a": {}}, "required": ["a"]}),
        ({"a": "1"}, {"type": "object", "properties": {"a": {"type": "integer"}}}),
        ([1, "2"], {"type": "array", "items": {"type": "integer"}}),
        (True, {"type": "integer"}),
        (1, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ("x", {"enum": ["y"]}),
        ("x", {"$ref": "#/whole"}),
    ],
)
def test_the_reader_of_schemas_notices_what_is_wrong(value: Any, schema: Any) -> None:
    assert list(differences(value, schema, {"whole": {"type": "integer"}}))
