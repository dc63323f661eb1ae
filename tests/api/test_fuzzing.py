"""Schemathesis reads the OpenAPI document and tries to prove it wrong, as a stranger and as a member.

All its checks are on. Where this API needs to be understood, the reason stands beside what was changed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import redis
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance
from support.breadth import FUZZED_EXAMPLES
from support.empty_stores import forget_limits
from support.services import ROOT, Service, Start, Vendors
from support.shopper import COOKIE, Shopper

from bff.settings.locales import COUNTRIES, CURRENCIES, read_language_tag

ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "429", "5xx"]
CHECKING = {
    # Right in form and yet not possible: the 30th of February, a reward that costs more than there is.
    "positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "422"]},
    # An answer that takes longer than our own deadline is never right.
    "max_response_time": 12,
}
# The service is new for each route and not for each request, so what one request does to the next is looked at too.
bounded = settings(
    max_examples=FUZZED_EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def described(**generation: Any) -> Any:
    config = SchemathesisConfig.from_dict({"checks": CHECKING, "generation": generation})
    return schemathesis.openapi.from_path(ROOT / "docs" / "openapi.json", config=config)


for_strangers = described()
# The cookie comes from signing in. To take it away, or to make one up, is what the check `ignored_auth` does by itself.
for_members = described(**{"with-security-parameters": False})


@pytest.fixture
def service(start: Start) -> Service:
    """With everything switched on that is documented."""
    return start(SESSION_TICKETS_TOKEN="a-token-that-no-fuzzer-will-ever-guess")


@pytest.fixture
def valkey(stores: Mapping[str, str]) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        yield client


def sent(case: "Case[Any]", service: Service, vendors: Vendors, valkey: "redis.Redis", **options: Any) -> None:
    """Send it as a script of the storefront, and hold the answer, and what it has done, against the document."""
    # Budgets are given back first: a request is to be judged by what it says, not by how many came before.
    forget_limits(valkey)
    headers = {"Origin": service.url, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"}
    if case.method != "GET":
        # A security scheme, which is made up or left out otherwise: then nothing that writes would be tried.
        headers["X-Loyalty-Csrf"] = "1"
    if case.method != case.operation.method.upper():
        # The gate stands before the routes (D1): only what passes it is told that there is no such method here.
        headers |= {"X-Loyalty-Csrf": "1", "Content-Type": "application/json"}
    before = effects(vendors)
    unless: Any = [positive_data_acceptance] if is_beyond_schemas(case) else []
    reply = case.call_and_validate(service.url, headers=headers, excluded_checks=unless, **options)
    assert reply.status_code != 429, "a limit has answered in the place of what is documented"
    assert reply.status_code < 400 or effects(vendors) == before, "a refusal has changed something at a vendor"


def effects(vendors: Vendors) -> Any:
    """What has happened to every member, exchanges of tokens aside."""
    members = vendors.state()["members"]
    return {persona: {**member, "logins": None, "storefrontToken": ""} for persona, member in members.items()}


def is_beyond_schemas(case: "Case[Any]") -> bool:
    """What fits its schema and is refused nevertheless: a cursor that we did not sign for this very member, 3.0, which
    a schema takes for an integer and no JavaScript writes, and a language, country or currency that does not exist."""
    fields = case.body.values() if isinstance(case.body, dict) else ()
    query = case.query or {}
    return "cursor" in query or any(isinstance(value, float) for value in fields) or names_nothing(query)


def names_nothing(query: Mapping[str, Any]) -> bool:
    """Whether a value is made up, which the document refuses in words: hundreds of codes would be no pattern."""
    asked = {name: str(query[name]) for name in ("locale", "country", "currency") if name in query}
    return (
        ("locale" in asked and read_language_tag(asked["locale"]) is None)
        or asked.get("country", "us").lower() not in COUNTRIES
        or asked.get("currency", "USD").upper() not in CURRENCIES
    )


@for_strangers.parametrize()  # type: ignore[untyped-decorator]  # it depends on the document
@pytest.mark.broad
@bounded
def test_a_stranger_cannot_prove_the_document_wrong(
    case: "Case[Any]", service: Service, vendors: Vendors, valkey: "redis.Redis"
) -> None:
    sent(case, service, vendors, valkey)


@for_members.parametrize()  # type: ignore[untyped-decorator]  # as above
@pytest.mark.broad
@bounded
def test_a_member_cannot_prove_the_document_wrong(
    case: "Case[Any]", service: Service, ella: Shopper, vendors: Vendors, valkey: "redis.Redis"
) -> None:
    # Signing out is one of the routes; whoever did it signs in again.
    if ella.api("GET", "/session").json()["state"] == "anonymous":
        ella.sign_in("ella")
    sent(case, service, vendors, valkey, cookies={COOKIE: ella.cookies[COOKIE]})


def test_every_check_there_is_is_on() -> None:
    for schema in (for_strangers, for_members):
        checks = schema.config.checks_config_for()
        assert [name for name in CHECKS.get_all_names() if not checks.get_by_name(name=name).enabled] == []
