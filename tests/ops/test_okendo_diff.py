"""`bff doctor --okendo-docs FILE`: a saved page of Okendo's reference becomes the file that corrects our rows."""

import json
import re
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Start, Vendors

from bff.ops.okendo_diff import overrides_from
from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.overrides import operations_with_overrides

TIKTOK = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05"
TEXT = {"type": "string"}
NUMBER = {"type": "number"}


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def many(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": of(**properties)}


# How Okendo may really speak: near to our guesses, as the words on its page suggest, but not the same.
STORE = "/v1/stores/{subscriber_id}/loyalty"
SPOKEN: dict[str, dict[str, Any]] = {
    "earning_rules": {
        "path": f"{STORE}/earn_rules",
        "names": {"rules": "ruleList", "earningRuleId": "loyaltyEarningRuleId", "title": "ruleTitle"},
        "envelope": "data",
    },
    "vip_program": {"path": f"{STORE}/vip", "names": {"vipProgram": "program", "tiers": "tierList"}},
    "customer": {
        "path": "/v1/loyalty/customer_details",
        "names": {"loyaltyCustomer": "details", "points": "loyaltyPoints"},
    },
    "redeem": {
        "method": "PUT",
        "path": "/v1/loyalty/redemption_requests",
        "names": {"redemptionRuleId": "ruleId", "coupon": "discount"},
        "envelope": "result",
    },
    "transactions": {
        "path": "/v1/loyalty/history",
        "names": {
            "transactions": "entries", "loyaltyTransactionId": "transactionIdentifier", "limit": "pageLimit",
            "lastEvaluated": "lastEvaluatedKey", "coupon": "discount",
        },
    },
    "birthday": {"method": "POST", "path": "/v1/loyalty/customer/birthday"},
}  # fmt: skip
COUPON = of(code=TEXT, description=TEXT, expiryDate=TEXT)
CREDIT = of(amount=NUMBER, currencyCode=TEXT)
RULES = many(loyaltyEarningRuleId=TEXT, action=TEXT, type=TEXT, ruleTitle=TEXT, amount=NUMBER, url=TEXT)
ENTRIES = many(
    transactionIdentifier=TEXT, type=TEXT, amount=NUMBER, date=TEXT, status=TEXT, notificationText=TEXT,
    redemptionRuleId=TEXT, discount=COUPON, storeCredit=CREDIT,
)  # fmt: skip
TIERS = many(name=TEXT, spendRequirement=NUMBER, perks={"type": "array", "items": TEXT})
DETAILS = of(status=TEXT, loyaltyPoints=of(balance=NUMBER, pending=NUMBER), referralSenderId=TEXT, vipTierName=TEXT)
# What the page says of them: a summary, names in query or body, and the success.
PAGE: dict[str, tuple[str, list[str], dict[str, Any]]] = {
    "earning_rules": ("List earning rules", [], of(data=of(ruleList=RULES))),
    "vip_program": ("Get the VIP program", [], of(program=of(tierList=TIERS))),
    "customer": ("Get customer details", [], of(details=DETAILS)),
    "redeem": ("Redeem points", ["ruleId"], of(result=of(discount=COUPON, pointsSpent=NUMBER, storeCredit=CREDIT))),
    "transactions": (
        "List transactions",
        ["pageLimit", "lastEvaluatedKey", "orderBy"],
        of(entries=ENTRIES, nextUrl=TEXT),
    ),
    "birthday": ("Update the birthday", ["day", "month"], {}),
}


def page(*names: str, **more: Any) -> str:
    """A saved page as Okendo's documentation makes them: prose, and a block of JSON for each operation."""
    blocks = ["# Loyalty\n\nSome prose, and ```code``` in a line.\n\n```json\n{ not json\n```\n"]
    for name in names:
        summary, arguments, success = PAGE[name]
        spoken = SPOKEN[name]
        operation: dict[str, Any] = {"summary": summary, "responses": {"200": {"description": "ok"}}}
        if success:
            operation["responses"]["200"]["content"] = {"application/json": {"schema": success}}
        method = spoken.get("method", "GET")
        if method == "GET":
            operation["parameters"] = [{"name": one, "in": "query"} for one in arguments]
        else:
            schema = {"$ref": "#/components/schemas/Body"}
            operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
        path = spoken["path"].removeprefix("/v1").replace("subscriber_id", "subscriberId")
        document = {
            "openapi": "3.0.3",
            "paths": {path: {method.lower(): operation}},
            "components": {"schemas": {"Body": of(**dict.fromkeys(arguments, TEXT))}},
        }
        blocks.append(f"## {summary}\n\n```json\n{json.dumps(document | more)}\n```\n")
    return "\n".join(blocks)


@pytest.fixture
def made(tmp_path: Path) -> Any:
    """The text that a page makes, and the file of it."""

    def make(text: str, gap: str = "") -> tuple[str, Path]:
        saved, overrides = tmp_path / "loyalty.md", tmp_path / "overrides.toml"
        saved.write_text(text, "utf-8")
        done = bff({}, "doctor", "--okendo-docs", str(saved))
        assert (done.returncode, done.stderr.count("\n")) == ((1, 1) if gap else (0, 0)), done.stderr
        assert gap in done.stderr
        overrides.write_text(done.stdout, "utf-8")
        return done.stdout, overrides

    return make


def test_a_page_makes_the_file_that_makes_the_service_work(made: Any, start: Start, vendors: Vendors) -> None:
    _, overrides = made(page(*PAGE))
    vendors.control("dialect", **SPOKEN)
    service = start(OKENDO_OVERRIDES=str(overrides))
    ella = service.signed_in("ella")
    assert [rule["name"] for rule in service.shopper().api("GET", "/earning-rules").json()["earningRules"]][:2] == [
        "Join the program",
        "Place an order",
    ]
    assert service.shopper().api("GET", "/tiers").json()["tiers"][0]["name"] == "Bronze"
    points = ella.api("GET", "/me").json()["points"]
    assert (points["balance"], points["pending"]) == (1240, 45)
    assert redeem(ella, FIVE_OFF, new_key()).json()["coupon"]["code"].startswith("OKE-")
    assert ella.api("PUT", "/me/birthday", {"day": 1, "month": 2}).status_code == 200
    newest = ella.api("GET", "/me/activity?limit=1").json()
    assert newest["activity"][0]["coupon"]["code"].startswith("OKE-")
    assert newest["next"]


def test_it_says_what_it_concluded_and_what_it_could_not(made: Any) -> None:
    unheard_of = page("redeem", "customer").replace("loyaltyPoints", "x").replace("balance", "unheardOf")
    text, _ = made(unheard_of, gap="[customer] names: nothing on the page is like 'points.balance'")
    assert "# redeem: was POST /loyalty/redemptions" in text
    assert "# Not on this page: faqs" in text
    overrides = tomllib.loads(text)
    assert overrides["redeem"]["path"] == "/loyalty/redemption_requests"
    assert overrides["redeem"]["sends"] == {"reward": "ruleId"}
    assert overrides["customer"]["envelope"] == ["details"]
    lost = "nothing on the page is like 'points.balance' for our 'balance', which we cannot do without; it has"
    assert re.search(rf"#   names: {lost} .*\bx\.unheardOf\b", text)
    assert "'ruleId' is the only name on the page, so it is taken for our 'reward'" in text


def test_a_page_that_says_what_we_do_corrects_nothing(made: Any) -> None:
    schema = of(faqs=many(question=TEXT, answer=TEXT))
    answers = {"200": {"content": {"application/json": {"schema": schema}}}}
    operation = {"get": {"summary": "List FAQ items", "responses": answers}}
    document = {"openapi": "3.0.3", "paths": {"/stores/{subscriberId}/loyalty/faqs": operation}}
    text, _ = made(f"```json\n{json.dumps(document)}\n```\n")
    assert tomllib.loads(text) == {}
    assert "# faqs: as on the page" in text


def answering(path: str, summary: str, success: dict[str, Any], *query: str) -> dict[str, Any]:
    answers = {"200": {"content": {"application/json": {"schema": success}}}}
    parameters = [{"name": one, "in": "query"} for one in query]
    return {path: {"get": {"summary": summary, "parameters": parameters, "responses": answers}}}


def saved(*paths: dict[str, Any]) -> str:
    return "\n".join(f"```json\n{json.dumps({'paths': each})}\n```" for each in paths)


def test_what_the_page_does_not_say_is_told_beside_what_is_as_on_it(made: Any) -> None:
    tiers = of(vipProgram=of(tiers=many(name=TEXT, threshold=NUMBER, benefits=TEXT)))
    text, _ = made(saved(answering("/stores/{subscriberId}/loyalty/vip_program", "VIP program", tiers)))
    assert tomllib.loads(text) == {}
    section = text.partition("# vip_program: ")[2].splitlines()
    assert section == [
        "as on the page, but for this:",
        "#   names: nothing on the page is like 'vipTierId' for our 'id'",
        "#   names: nothing on the page is like 'spendRequirement.amount' for our 'spend'",
        "#   names: nothing on the page is like 'spendRequirement.currencyCode' for our 'currency'",
        "#   names: nothing on the page is like 'perks' for our 'perks'",
        "#   names: nothing on the page is like 'color' for our 'colour'",
        "#   names: nothing on the page is like 'iconUrl' for our 'icon_url'",
        "#   names: nothing on the page is like 'multiplier' for our 'multiplier'",
        "#   names: the answer also has benefits, threshold",
    ]


def test_a_name_that_may_be_two_is_not_concluded(made: Any) -> None:
    """Of what is spelled alike, or ends alike, either may be meant."""
    spend = of(spend=of(shipping=of(amount=NUMBER), goods=of(amount=NUMBER)))
    text, _ = made(
        saved(answering("/loyalty/customer_spend", "Spend", spend)),
        gap="it has spend.goods.amount, spend.shipping.amount",
    )
    assert "names" not in tomllib.loads(text).get("spend", {})
    faqs = of(faqs=many(questionText=TEXT, questionTexts=TEXT))
    path = "/stores/{subscriberId}/loyalty/faqs"
    text, _ = made(saved(answering(path, "FAQs", faqs)), gap="[faqs] names: nothing on the page is like 'question'")
    assert tomllib.loads(text) == {}


def test_what_is_read_already_is_not_taken_for_something_else(made: Any) -> None:
    """Of the two names the first is ours for a thing, the other is alike, and is another thing's."""
    rules = of(rules=many(earningRuleId=TEXT, title=TEXT, type=TEXT))
    path = "/stores/{subscriberId}/loyalty/earning_rules"
    text, _ = made(saved(answering(path, "Earning rules", rules)))
    assert tomllib.loads(text) == {}
    assert "nothing on the page is like 'amount' for our 'points'" in text


def test_an_argument_is_not_taken_for_one_that_we_can_do_without(made: Any) -> None:
    entries = of(transactions=many(loyaltyTransactionId=TEXT), nextUrl=TEXT)
    listed = answering("/loyalty/transactions", "Transactions", entries, "limit", "lastEvaluated", "status")
    text, _ = made(saved(listed))
    assert "sends" not in tomllib.loads(text).get("transactions", {})
    assert "nothing on the page is like 'orderBy' for our 'order'; it has status" in text


def test_pages_of_lists_that_are_asked_for_alike_are_concluded_alike(made: Any) -> None:
    history = of(transactions=many(loyaltyTransactionId=TEXT), lastEvaluatedKey=TEXT)
    friends = of(referrals=many(status=TEXT, date=TEXT), lastEvaluatedKey=TEXT, lastEvaluation=TEXT)
    text, _ = made(
        saved(
            answering("/loyalty/transactions", "Transactions", history, "limit", "orderBy", "lastEvaluatedKey"),
            answering("/loyalty/referrals", "Referral history", friends, "lastEvaluatedKey", "lastEvaluation"),
        )
    )
    overrides = tomllib.loads(text)
    for name in ("transactions", "referrals"):
        assert overrides[name] == {"sends": {"cursor": "lastEvaluatedKey"}, "next": ["lastEvaluatedKey"]}


def test_an_operation_of_another_kind_is_told_and_left_out(made: Any) -> None:
    document = {"paths": {"/stores/{id}/reviews": {"get": {"summary": "List reviews", "responses": {}}}}}
    text, _ = made(f"~~~json\n{json.dumps(document)}\n~~~\n")
    assert "# Not one of ours: GET /stores/{id}/reviews" in text
    assert tomllib.loads(text) == {}


# Where a page may take the rule that was completed, and what the file then says.
QUERY = {"name": "earningRuleId", "in": "query"}
BODY = {"content": {"application/json": {"schema": of(earningRuleId=TEXT)}}}
TRIGGERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "query": ({"post": {"parameters": [QUERY]}}, {"path": "/loyalty/earning_rules?earningRuleId={rule}"}),
    "query of the path": (
        {"parameters": [QUERY], "post": {}},
        {"path": "/loyalty/earning_rules?earningRuleId={rule}"},
    ),
    "body": (
        {"post": {"requestBody": BODY}},
        {"sends": {"rule": "earningRuleId"}, "path": "/loyalty/earning_rules"},
    ),
}


def one_operation(path: str, item: dict[str, Any], summary: str) -> str:
    for operation in item.values():
        if isinstance(operation, dict):
            operation["summary"] = summary
    return f"```json\n{json.dumps({'paths': {path: item}})}\n```\n"


@pytest.mark.parametrize("where", TRIGGERS)
def test_an_argument_of_our_path_goes_where_the_page_takes_it(
    made: Any, start: Start, vendors: Vendors, where: str
) -> None:
    item, expected = TRIGGERS[where]
    text, overrides = made(one_operation("/loyalty/earning_rules", item, "Trigger a social earning rule"))
    assert tomllib.loads(text) == {"trigger": expected}
    assert f"the page takes our {{rule}} in its {where.split()[0]}, as earningRuleId" in text
    ella = start(OKENDO_OVERRIDES=str(overrides)).signed_in("ella")
    assert ella.api("POST", f"/me/earning-rules/{TIKTOK}/completions").status_code == 201
    assert [call["path"] for call in vendors.calls("trigger")] == ["/v1/loyalty/earning_rules"]


def test_a_place_for_an_argument_is_told_by_its_name(made: Any) -> None:
    path = "/loyalty/{tenantId}/earning_rules/{ruleId}/completions"
    text, _ = made(one_operation(path, {"post": {}}, "Trigger a social earning rule"), gap="[trigger] path:")
    assert f"#   path: the page has {{tenantId}}, which is not a name of ours: {path}" in text
    text, _ = made(one_operation("/loyalty/social/{id}", {"post": {}}, "Trigger a social earning rule"))
    assert tomllib.loads(text) == {"trigger": {"path": "/loyalty/social/{rule}"}}


def test_the_reward_may_stand_in_the_path(made: Any) -> None:
    text, _ = made(one_operation("/loyalty/redemption_rules/{id}/redeem", {"post": {}}, "Redeem points"))
    assert tomllib.loads(text) == {"redeem": {"path": "/loyalty/redemption_rules/{reward}/redeem"}}
    assert "sends" not in text


def test_what_the_query_of_a_deed_takes_is_told_apart_from_its_body(made: Any) -> None:
    parameters = [{"name": "dryRun", "in": "query"}, {"name": "okendo-api-version", "in": "header"}]
    schema = of(redemptionRuleId=TEXT, currencyCode=TEXT)
    operation = {"parameters": parameters, "requestBody": {"content": {"application/json": {"schema": schema}}}}
    text, _ = made(one_operation("/loyalty/redemptions", {"post": operation}, "Redeem points"))
    assert tomllib.loads(text) == {}
    assert "#   the page also takes currencyCode\n#   the page also takes dryRun in its query\n" in text


AWKWARD_PATHS = (
    "/loyalty/{tenantId}/customer", "/stores/{id}/{tenantId}/loyalty/faqs", "/{tenant}/stores/{id}/loyalty/faqs",
    "/stores/x/loyalty/faqs", "loyalty/customer", "", "/loyalty/customer{", "/loyalty/{}/customer",
    "/loyalty/{{customer}}", "/loyalty/{subscriberId!r}/customer", "/loyalty/customer/{a b}", "/loyalty/customer me",
    "/loyalty/customer#me", "/loyalty/customer\n[redeem]\npaht = 1", "/loyalty/customer\x7f", "/loyalty/customer\ud800",
    '/loyalty/customer"', "/loyalty/customer\\", "/loyalty/cüstomer", "/loyalty/customer?expand={all}",
    "https://evil.example/loyalty/customer", "/loyalty/social", "/loyalty/social/{a}/{b}", "/loyalty/social/{rule}?x=1",
    "/loyalty/{subscriberId}/social/{id}", "/loyalty/redemption_rules/{redemptionRuleId}/redeem", "/loyalty/birthday",
)  # fmt: skip
AWKWARD_NAMES = (
    "ruleId", "rule[id]", "rule id&x={y}", 'ru"le', "ru\\le", "rule\n[redeem]", "rule\x7f", "rule\ud800", "rülé", "",
    "rule.id", "{rule}", "#rule", 5, None, ["rule"],
)  # fmt: skip


@pytest.mark.parametrize("name", AWKWARD_NAMES, ids=ascii)
def test_whatever_the_page_says_the_file_is_accepted_at_boot(tmp_path: Path, name: Any) -> None:
    saved, overrides = tmp_path / "page.md", tmp_path / "overrides.toml"
    schema = of(**{str(name): of(**{str(name): TEXT}, balance=NUMBER)}, rules=many(**{str(name): TEXT}))
    said = {"content": {"application/json": {"schema": schema}}}
    whole = {"parameters": [{"name": name, "in": "query"}], "requestBody": said, "responses": {"200": said}}
    bare = {"parameters": name, "requestBody": name, "responses": {"200": name}}
    for path, operation in product(AWKWARD_PATHS, (whole, bare)):
        item = dict.fromkeys(("get", "post", "put", "patch", "delete"), operation)
        saved.write_text(f"```json\n{json.dumps({'paths': {path: item, '/loyalty/spend': item}})}\n```\n", "utf-8")
        overrides.write_text(overrides_from(str(saved)).text, "utf-8")
        assert operations_with_overrides(str(overrides)).keys() == OPERATIONS.keys(), path


def test_what_goes_round_in_a_circle_is_read_once(made: Any) -> None:
    again = {"allOf": [{"$ref": "#/components/schemas/Again"}], "properties": {"count": NUMBER}}
    answers = {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Again"}}}}}
    paths = {"/loyalty/referrals/count": {"get": {"summary": "Number of referrals", "responses": answers}}}
    document = {"paths": paths, "components": {"schemas": {"Again": again}}}
    text, _ = made(f"```json\n{json.dumps(document)}\n```\n")
    assert tomllib.loads(text) == {"referral_count": {"path": "/loyalty/referrals/count"}}


@pytest.mark.parametrize(
    "text", ["", "# Loyalty\n", "```json\n{}\n```\n", "```json\n[1]\n```\n", "<html></html>", "```json\n" + "[" * 9999]
)
def test_what_is_no_such_page_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    saved = tmp_path / "page.md"
    saved.write_text(text, "utf-8")
    done = bff({}, "doctor", "--okendo-docs", str(saved))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "--okendo-docs" in done.stderr


@pytest.mark.parametrize(
    "odd",
    [
        {"/stores/{id}/loyalty/faqs": None},
        {"/stores/{id}/loyalty/faqs": {"get": None}},
        {"/stores/{id}/loyalty/faqs": {"get": {"responses": None, "parameters": None}}},
        {"/stores/{id}/loyalty/faqs": {"get": {"responses": {"200": {"$ref": "#/nowhere"}}}}},
        {"/loyalty/redemptions": {"post": {"requestBody": {"content": {"application/json": {"schema": []}}}}}},
    ],
)
def test_an_odd_page_is_no_failure_of_ours(tmp_path: Path, odd: Any) -> None:
    endless = {"Endless": {"type": "object", "properties": {"again": {"$ref": "#/components/schemas/Endless"}}}}
    schema = {"$ref": "#/components/schemas/Endless"}
    answers = {"200": {"content": {"application/json": {"schema": schema}}}}
    paths = {"/stores/{id}/loyalty/vip": {"get": {"summary": "VIP", "responses": answers}}, **odd}
    saved = tmp_path / "page.md"
    saved.write_text(f"```json\n{json.dumps({'paths': paths, 'components': {'schemas': endless}})}\n```\n", "utf-8")
    done = bff({}, "doctor", "--okendo-docs", str(saved))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "[vip_program] envelope: there is no list" in done.stderr


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.md").write_bytes(b"\xff\xfe\x00")
    for file in (tmp_path / "none.md", tmp_path, tmp_path / "bytes.md"):
        done = bff({}, "doctor", "--okendo-docs", str(file))
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
