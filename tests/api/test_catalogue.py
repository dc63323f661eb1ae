"""The public program is served from copies: one process asks, all share, and an outage shows late and mildly."""

from collections.abc import Mapping
from functools import partial

import httpx2
import pytest
import redis
from support.concurrency import at_once, until
from support.expired_tokens import aged, without_faults
from support.services import Service, Start, Vendors
from support.shopper import Shopper

from bff.program.catalogue import FRESH_SECONDS, STALE_SECONDS
from bff.stores.shared_cache import FAILED_SECONDS
from bff.vendors.okendo.operations import LOGIN, OPERATIONS, REFERRAL_SENDER
from bff.vendors.okendo.row import Public

PUBLIC = ["/program", "/earning-rules", "/rewards", "/tiers", "/faqs", "/legal-policies"]


def second(start: Start, urls: list[str], **changes: str) -> Service:
    """Another service over the same stores, at the second address."""
    return start(PUBLIC_URL=urls[1], PORT=urls[1].rpartition(":")[2], **changes)


def rules(service: Service, query: str = "", **headers: str) -> httpx2.Response:
    return service.shopper().api("GET", f"/earning-rules{query}", **headers)


def is_fresh(reply: httpx2.Response) -> bool:
    return reply.status_code == 200 and int(reply.headers["age"]) <= FRESH_SECONDS


# One asks, all share ------------------------------------------------------------------------------------------------


def test_many_requests_at_two_services_ask_okendo_once(
    service: Service, start: Start, urls: list[str], vendors: Vendors
) -> None:
    other = second(start, urls)
    vendors.fault("earning_rules", "delay", times=1, seconds=0.5)
    works = [partial(rules, each) for each in (service, other) for _ in range(10)]
    replies = at_once(works)
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.content for reply in replies}) == 1
    assert len(vendors.calls("earning_rules")) == 1


def test_a_service_that_has_just_started_has_the_copies_of_the_others(
    service: Service, start: Start, urls: list[str], vendors: Vendors, shopper: Shopper
) -> None:
    before = [shopper.api("GET", path) for path in PUBLIC]
    calls = len(vendors.state()["calls"])
    cold = second(start, urls).shopper()
    assert [cold.api("GET", path).content for path in PUBLIC] == [reply.content for reply in before]
    assert len(vendors.state()["calls"]) == calls


def test_a_service_that_starts_while_okendo_is_down_serves_the_last_good_copies(
    service: Service, start: Start, urls: list[str], vendors: Vendors, shopper: Shopper
) -> None:
    before = [shopper.api("GET", path) for path in PUBLIC]
    operations = ("earning_rules", "redemption_rules", "vip_program", "faqs", "legal_policies")
    for operation in operations:
        vendors.fault(operation, "status:500", times=1000)
    cold = second(start, urls)
    cold.clock.advance(FRESH_SECONDS + 30)
    for path, reply in zip(PUBLIC, before, strict=True):
        late = cold.shopper().api("GET", path)
        assert (late.status_code, late.content) == (200, reply.content), path
        assert late.headers["cache-status"].endswith("; detail=stale")
        assert int(late.headers["age"]) >= FRESH_SECONDS + 30


def test_another_language_is_another_copy(service: Service, vendors: Vendors) -> None:
    english, french = (service.shopper().api("GET", f"/rewards?locale={language}") for language in ("en", "fr"))
    assert (english.headers["content-language"], french.headers["content-language"]) == ("en", "fr")
    assert len(vendors.calls("redemption_rules")) == 2
    service.shopper().api("GET", "/rewards", accept_language="fr-CA, en;q=0.5")
    assert len(vendors.calls("redemption_rules")) == 2


def test_a_service_that_reads_answers_otherwise_has_copies_of_its_own(
    service: Service, start: Start, urls: list[str], vendors: Vendors, tmp_path: object
) -> None:
    rules(service)
    path = f"{tmp_path}/overrides.toml"
    with open(path, "w") as file:
        file.write('[earning_rules]\nnames = { name = ["description"] }\n')
    rules(second(start, urls, OKENDO_OVERRIDES=path))
    assert len(vendors.calls("earning_rules")) == 2


def test_a_copy_that_was_tampered_with_is_not_believed(
    service: Service, start: Start, urls: list[str], vendors: Vendors, stores: Mapping[str, str]
) -> None:
    """Neither nonsense, nor one operation's copy in the place of another's (J4)."""
    honest = {path: service.shopper().api("GET", path).content for path in PUBLIC}
    calls = len(vendors.state()["calls"])
    with redis.Redis.from_url(stores["VALKEY_URL"]) as valkey:
        names = sorted(valkey.keys("copy:*"))
        assert len(names) == 5
        contents = valkey.mget(names)
        for name, content in zip(names, [b"{}", *contents], strict=False):
            valkey.set(name, content)
    cold = second(start, urls).shopper()
    assert {path: cold.api("GET", path).content for path in PUBLIC} == honest
    assert len(vendors.state()["calls"]) == calls + 5


def test_J4_only_what_is_the_same_for_everyone_can_be_kept() -> None:
    """The catalogue takes `Public` rows, which mypy holds; none of them tells the vendor about anybody."""
    assert {row.method for row in OPERATIONS.values() if isinstance(row, Public)} == {"GET"}
    assert not isinstance(LOGIN, Public)
    assert not isinstance(REFERRAL_SENDER, Public)


# Time ---------------------------------------------------------------------------------------------------------------


def test_a_copy_is_used_for_a_minute_then_renewed_behind_the_readers_back(service: Service, vendors: Vendors) -> None:
    rules(service)
    aged(service, vendors, FRESH_SECONDS - 1)
    assert rules(service).headers["cache-status"].startswith("loyalty; hit; ttl=")
    assert len(vendors.calls("earning_rules")) == 1
    aged(service, vendors, 2)
    late = rules(service)
    assert late.headers["cache-status"].endswith("; detail=stale")
    assert int(late.headers["age"]) == FRESH_SECONDS + 1
    until(lambda: is_fresh(rules(service)))
    assert len(vendors.calls("earning_rules")) == 2


def test_during_an_outage_copies_are_served_for_an_hour_and_not_longer(service: Service, vendors: Vendors) -> None:
    before = rules(service)
    vendors.fault("earning_rules", "status:500", times=1000)
    aged(service, vendors, STALE_SECONDS - 1)
    late = rules(service)
    assert (late.status_code, late.content) == (200, before.content)
    assert int(late.headers["age"]) >= STALE_SECONDS - 1
    aged(service, vendors, 2)
    # Whoever asks while the try before is still under way gets what that one ends with.
    until(lambda: rules(service).json().get("code") == "upstream_unavailable")
    without_faults(vendors)
    aged(service, vendors, FAILED_SECONDS)
    assert is_fresh(rules(service))


def test_a_list_that_cannot_be_read_any_more_leaves_the_last_good_copy_alone(
    service: Service, vendors: Vendors
) -> None:
    before = rules(service)
    assert before.json()["earningRules"]
    vendors.control("dialect", earning_rules={"names": {"earningRuleId": "newName"}})
    aged(service, vendors, FRESH_SECONDS + 1)
    rules(service)
    until(lambda: len(vendors.calls("earning_rules")) == 2)
    late = rules(service)
    assert (late.status_code, late.content) == (200, before.content)
    assert late.headers["cache-status"].endswith("; detail=stale")
    aged(service, vendors, STALE_SECONDS)
    assert rules(service).json()["code"] == "upstream_unavailable"


def test_a_failure_is_remembered_for_a_moment_by_all(
    service: Service, start: Start, urls: list[str], vendors: Vendors
) -> None:
    vendors.fault("earning_rules", "status:500", times=1000)
    other = second(start, urls)
    assert rules(service).status_code == 502
    calls = len(vendors.calls("earning_rules"))
    again = [rules(each) for each in (service, other)]
    assert [reply.status_code for reply in again] == [503, 503]
    assert all(int(reply.headers["retry-after"]) > 0 for reply in again)
    assert len(vendors.calls("earning_rules")) == calls
    without_faults(vendors)
    other.clock.advance(FAILED_SECONDS)
    assert is_fresh(rules(other))


def test_a_vendor_that_says_when_to_come_back_is_left_alone_until_then(service: Service, vendors: Vendors) -> None:
    """K7: no storm on a vendor that is busy already."""
    vendors.fault("earning_rules", "status:429", times=1000, retryAfter=30)
    replies = [rules(service) for _ in range(10)]
    assert {reply.status_code for reply in replies} == {503}
    assert len(vendors.calls("earning_rules")) == 1


def test_without_valkey_the_program_is_still_public(start: Start) -> None:
    service = start(VALKEY_URL="valkey://127.0.0.1:1/0")
    assert [service.shopper().api("GET", path).status_code for path in PUBLIC] == [200] * len(PUBLIC)


def test_L5_words_that_were_found_to_be_new_are_the_ones_shown_from_then_on(penny: Shopper, vendors: Vendors) -> None:
    form = penny.get("/join")
    vendors.control("policies", version="2031-01-01", html="By joining, you agree to <em>quite other</em> terms.")
    assert penny.submit(form, "/join").status == 409
    page = penny.get("/join")
    assert "quite other" in page.text
    assert penny.submit(page, "/join").path == "/welcome"


def test_a_copy_that_gets_too_old_while_okendo_is_asked_is_not_served(start: Start, vendors: Vendors) -> None:
    service = start(UPSTREAM_TIMEOUT_SECONDS="1.5")
    assert is_fresh(rules(service))
    service.clock.advance(STALE_SECONDS - 10)
    vendors.fault("earning_rules", "delay", times=9, seconds=5)
    assert rules(service).status_code == 200
    until(lambda: len(vendors.calls("earning_rules")) == 2)
    service.clock.advance(20)
    assert rules(service).status_code in {502, 504}


# What is sent -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PUBLIC)
def test_public_answers_are_the_same_bytes_with_and_without_a_cookie(service: Service, path: str) -> None:
    """J2."""
    stranger, member = service.shopper().api("GET", path), service.signed_in("ella").api("GET", path)
    assert stranger.content == member.content
    names = ("etag", "cache-control", "vary", "content-type")
    assert [stranger.headers[name] for name in names] == [member.headers[name] for name in names]
    assert "set-cookie" not in member.headers
    assert "Cookie" not in stranger.headers["vary"]


@pytest.mark.parametrize("known", ["{}", "W/{}", '"another", {}', "*"])
def test_what_the_client_has_already_is_not_sent_again(service: Service, known: str) -> None:
    etag = rules(service).headers["etag"]
    reply = rules(service, if_none_match=known.format(etag))
    assert (reply.status_code, reply.content, reply.headers["etag"]) == (304, b"", etag)
    assert "stale-if-error" in reply.headers["cache-control"]
    assert rules(service, if_none_match='"another"').status_code == 200
