"""OKENDO_OVERRIDES: what nobody could read of Okendo's API is corrected by a file, proven against other addresses."""

from pathlib import Path
from typing import Any

import pytest
from support.processes import bff
from support.services import Service, Start, Vendors

from bff.errors import SettingsError
from bff.vendors.okendo.overrides import operations_with_overrides

FIVE_OFF = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01"
TIKTOK = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05"
STORE = "/stores/{subscriberId}/loyalty"
# Operation, the other path that the vendor may have, and what makes the service call it.
OTHER_PATHS = (
    ("vip_program", f"{STORE}/vip_tiers", ("GET", "/program")),
    ("vip_program", f"{STORE}/vip", ("GET", "/program")),
    ("customer", "/loyalty/customers", ("GET", "/me")),
    ("customer", "/loyalty/customer_details", ("GET", "/me")),
    ("redeem", "/loyalty/redemption_transactions", ("POST", "/me/redemptions")),
    ("redeem", "/loyalty/redeem", ("POST", "/me/redemptions")),
    ("referral_request", "/loyalty/referrals", ("POST", "/me/referrals")),
    ("referrals", "/loyalty/referral_history", ("GET", "/me/referrals")),
    ("referral_count", "/loyalty/referrals/count", ("GET", "/me/referrals")),
)
BODIES = {"/me/redemptions": {"rewardId": FIVE_OFF}, "/me/referrals": {"email": "a.friend@example.org"}}
# A file, and the words that its refusal must have: where, and what is wrong.
BAD_FILES = {
    "an operation that is not one": ('[redem]\npath = "/x"', ("[redem]", "redeem")),
    "a section that is none": ('redeem = "/x"', ("[redeem]",)),
    "a key that may not be changed": ('[redeem]\nlabel = "documented"', ("[redeem]", "label")),
    "a key that does not exist": ('[redeem]\npaht = "/x"', ("[redeem]", "paht")),
    "a method that is none": ('[redeem]\nmethod = "SEND"', ("[redeem]", "method")),
    "a redemption that would be sent twice": ('[redeem]\nmethod = "GET"', ("[redeem]", "method", "repeated")),
    "a question that would be a deed": ('[referral_count]\nmethod = "POST"', ("[referral_count]", "method", "GET")),
    "a path that is no path": ('[redeem]\npath = "https://evil.example/x"', ("[redeem]", "path")),
    "a path of the wrong type": ("[redeem]\npath = 5", ("[redeem]", "path")),
    "a path that asks for what is not there": ('[redeem]\npath = "/loyalty/{unknown}/x"', ("[redeem]", "path")),
    "a path that cannot be read": ('[redeem]\npath = "/loyalty/{"', ("[redeem]", "path")),
    "a path that says how to write a value": ('[faqs]\npath = "/{subscriberId!r}"', ("[faqs]", "path")),
    "a path with a value inside braces": ('[faqs]\npath = "/{{subscriberId}}"', ("[faqs]", "path")),
    "a path of two lines": ('[faqs]\npath = "/loyalty\\n/faqs"', ("[faqs]", "path")),
    "a path whose end is never sent": ('[trigger]\npath = "/loyalty/rules#{rule}"', ("[trigger]", "path")),
    "a path that loses its argument": (
        '[trigger]\npath = "/loyalty/trigger"', ("[trigger] path", "{rule}", 'sends = { rule = "')
    ),
    "a store that nothing sends": ('[faqs.sends]\nsubscriberId = "store"', ("[faqs]", "sends", "subscriberId")),
    "an argument of the wrong type": ("[redeem.sends]\nreward = 5", ("[redeem]", "sends")),
    "an argument nobody gives": ('[redeem.sends]\nrewrad = "x"', ("[redeem]", "sends")),
    "an envelope that is no list": ('[customer]\nenvelope = "data"', ("[customer]", "envelope")),
    "names that are no list": ('[customer.names]\nbalance = "points"', ("[customer]", "names")),
    "a name of a field there is not": ('[customer.names]\nbalnace = ["points"]', ("[customer]", "names")),
    "no TOML": ("[redeem", ("TOML",)),
}  # fmt: skip
# A file, and what its refusal proposes and lists.
MISSPELLED = {
    "an operation": ('[redem]\npath = "/x"', "Did you mean redeem? Known: birthday, customer, customer_activation, "),
    "a key": (
        '[redeem]\npaht = "/x"', "Did you mean path? Known: envelope, method, names, next, path, sends."
    ),
    "an argument": ('[redeem.sends]\nrewrad = "x"', "Did you mean reward? Known: reward."),
    "an argument where there is none": ('[customer.sends]\nemail = "x"', "is not a name of ours there. There is none."),
    "a field": (
        '[customer.names]\nbalnace = ["points"]',
        "Did you mean balance? Known: balance, birthday_day, birthday_month, email, enrolled_at, pending, "
        "points_expire_at, referral_sender_id, referral_url, state, tier, tier_entered_at, tier_expires_at.",
    ),
    "a field that is like none": (
        '[spend.names]\nzzz = ["x"]', "zzz is not a name of ours there. Known: amount, currency."
    ),
}  # fmt: skip
# Where the vendor may want the rule that was completed.
RULE_ELSEWHERE = {
    "in the query": 'path = "/loyalty/earning_rules?earningRuleId={rule}"',
    "in the body": 'path = "/loyalty/earning_rules"\nsends = { rule = "earningRuleId" }',
}


@pytest.fixture
def overridden(start: Start, tmp_path: Path) -> Any:
    """Starts a service whose overrides file has this text."""

    def starter(text: str) -> Service:
        file = tmp_path / "overrides.toml"
        file.write_text(text, "utf-8")
        return start(OKENDO_OVERRIDES=str(file))

    return starter


@pytest.mark.parametrize(("operation", "path", "route"), OTHER_PATHS)
def test_another_path_is_one_line_in_a_file(
    overridden: Any, vendors: Vendors, operation: str, path: str, route: tuple[str, str]
) -> None:
    ella = overridden(f'[{operation}]\npath = "{path}"').signed_in("ella")
    method, where = route
    reply = ella.api(
        method, where, BODIES.get(where) if method == "POST" else None, idempotency_key="an-intent-of-ella"
    )
    assert reply.status_code in {200, 201, 202}
    calls = vendors.calls(operation)
    assert {call["path"].endswith(path.removeprefix(STORE)) for call in calls} == {True}
    assert {call["status"] for call in calls} <= {200, 204}


def test_a_path_through_the_public_store_segment_keeps_the_store(overridden: Any, vendors: Vendors) -> None:
    service = overridden('[vip_program]\npath = "/stores/{subscriberId}/loyalty/vip"')
    assert service.shopper().api("GET", "/program").status_code == 200
    (call,) = vendors.calls("vip_program")
    assert call["path"] == f"/v1/stores/{service.settings['OKENDO_USER_ID']}/loyalty/vip"


def test_another_method_is_used(overridden: Any, vendors: Vendors) -> None:
    ella = overridden('[birthday]\nmethod = "POST"').signed_in("ella")
    assert ella.api("PUT", "/me/birthday", {"day": 29, "month": 2}).status_code == 200
    assert [call["method"] for call in vendors.calls("birthday")] == ["POST"]


def test_another_name_of_an_argument_is_sent(overridden: Any, vendors: Vendors) -> None:
    """The sandbox knows `redemptionRuleId` only, so a renamed argument is refused as an unknown reward."""
    ella = overridden('[redeem.sends]\nreward = "ruleId"').signed_in("ella")
    reply = ella.api("POST", "/me/redemptions", BODIES["/me/redemptions"], idempotency_key="an-intent-of-ella")
    assert (reply.status_code, reply.json()["code"]) == (422, "reward_unavailable")
    assert vendors.member("ella")["redemptions"] == []


@pytest.mark.parametrize("where", RULE_ELSEWHERE)
def test_an_argument_of_the_path_can_go_elsewhere(overridden: Any, vendors: Vendors, where: str) -> None:
    ella = overridden(f"[trigger]\n{RULE_ELSEWHERE[where]}").signed_in("ella")
    assert ella.api("POST", f"/me/earning-rules/{TIKTOK}/completions").status_code == 201
    [call] = vendors.calls("trigger")
    assert (call["path"], call["status"]) == ("/v1/loyalty/earning_rules", 200)
    assert call["query"] == (f"earningRuleId={TIKTOK}" if where == "in the query" else "")


def test_the_reward_can_go_into_the_path_and_is_not_sent_twice(overridden: Any, vendors: Vendors) -> None:
    """The sandbox looks for it in the body alone, and finds none there."""
    ella = overridden('[redeem]\npath = "/loyalty/redemptions?of={reward}"').signed_in("ella")
    reply = ella.api("POST", "/me/redemptions", BODIES["/me/redemptions"], idempotency_key="an-intent-of-ella")
    assert (reply.status_code, reply.json()["code"]) == (422, "reward_unavailable")
    [call] = vendors.calls("redeem")
    assert (call["path"], call["query"]) == ("/v1/loyalty/redemptions", f"of={BODIES['/me/redemptions']['rewardId']}")
    assert vendors.member("ella")["redemptions"] == []


def test_a_path_with_a_query_keeps_it_beside_the_arguments(overridden: Any, vendors: Vendors) -> None:
    ella = overridden('[transactions]\npath = "/loyalty/transactions?kind=all"').signed_in("ella")
    assert ella.api("GET", "/me/activity?limit=2").status_code == 200
    call = vendors.calls("transactions")[-1]
    assert (call["path"], call["query"].split("&")[:2]) == ("/v1/loyalty/transactions", ["kind=all", "limit=2"])


def test_an_argument_can_be_given_its_name_back(overridden: Any) -> None:
    """The other arguments of the row stay as they are."""
    text = '[referral_request.sends]\nemail = "email"\n[redeem.sends]\nreward = "redemptionRuleId"'
    ella = overridden(text).signed_in("ella")
    assert ella.api("POST", "/me/referrals", BODIES["/me/referrals"]).status_code == 202
    reply = ella.api("POST", "/me/redemptions", BODIES["/me/redemptions"], idempotency_key="an-intent-of-ella")
    assert reply.status_code == 201


@pytest.mark.parametrize(
    "text", ['[customer]\nenvelope = ["nowhere"]', '[customer.names]\nbalance = ["points.nowhere"]']
)
def test_a_balance_that_is_not_where_we_look_is_an_outage_and_not_zero(overridden: Any, text: str) -> None:
    ella = overridden(text).signed_in("ella")
    reply = ella.api("GET", "/me")
    assert (reply.status_code, reply.json().get("code")) == (502, "upstream_unavailable")
    assert "couldn't load your points" in ella.get("/").text


def test_a_name_points_at_another_field(overridden: Any) -> None:
    ella = overridden('[customer.names]\nbalance = ["points.pending"]\ntier = ["status"]').signed_in("ella")
    member = ella.api("GET", "/me").json()
    assert (member["points"]["balance"], member["tier"]) == (45, "enrolled")
    assert member["state"] == "enrolled", "fields that are not named keep their names"


def test_another_envelope_of_a_list_is_looked_into(overridden: Any) -> None:
    service = overridden('[vip_program]\nenvelope = ["vipProgram.tiers"]\n[earning_rules]\nenvelope = ["nothing"]')
    shopper = service.shopper()
    assert shopper.api("GET", "/earning-rules").status_code == 502
    assert shopper.api("GET", "/rewards").status_code == 200


def test_the_file_corrects_several_operations_at_once(overridden: Any, vendors: Vendors) -> None:
    text = "\n".join(f'[{name}]\npath = "{path}"' for name, path, _ in OTHER_PATHS[1::2] if name != "vip_program")
    ella = overridden(text).signed_in("ella")
    assert ella.api("GET", "/me/referrals").status_code == 200
    assert ella.api("GET", "/me").status_code == 200
    assert {call["path"] for call in vendors.calls("customer")} == {"/v1/loyalty/customer_details"}


@pytest.mark.parametrize("text", ["", "# nothing to correct\n"])
def test_an_empty_file_corrects_nothing(overridden: Any, text: str) -> None:
    assert overridden(text).signed_in("ella").api("GET", "/me").status_code == 200


@pytest.mark.parametrize("fault", BAD_FILES)
def test_N1_a_bad_file_is_refused_with_row_and_key(tmp_path: Path, fault: str) -> None:
    text, words = BAD_FILES[fault]
    file = tmp_path / "overrides.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as refused:
        operations_with_overrides(str(file))
    assert [word for word in ("OKENDO_OVERRIDES", *words) if word not in str(refused.value)] == []


@pytest.mark.parametrize("what", MISSPELLED)
def test_whoever_misspells_a_name_reads_at_boot_which_there_are(
    settings: dict[str, str], tmp_path: Path, what: str
) -> None:
    text, told = MISSPELLED[what]
    file = tmp_path / "overrides.toml"
    file.write_text(text, "utf-8")
    done = bff(settings | {"OKENDO_OVERRIDES": str(file)}, "serve")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert told in done.stderr


def test_N1_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="OKENDO_OVERRIDES"):
        operations_with_overrides(str(tmp_path / "none.toml"))


def test_N1_a_bad_file_stops_the_boot_and_the_operator_reads_why(settings: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "overrides.toml"
    file.write_text('[redeem]\npaht = "/loyalty/redeem"', "utf-8")
    ended = bff(settings | {"OKENDO_OVERRIDES": str(file)}, "serve")
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert [word for word in ("OKENDO_OVERRIDES", "[redeem]", "paht") if word not in said] == []
    assert "Traceback" not in said
