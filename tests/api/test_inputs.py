"""What clients send, in every shape but the right one: refused with an explanation, never a failure of ours."""

import re
import socket
from contextlib import suppress
from itertools import product
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from support.every_route import KEY, REWARD, api_paths, page_paths, surface, talk
from support.hostile_input import BAD_EMAILS, BAD_JSON, GOOD_EMAILS
from support.raw_json import as_json, is_problem, send
from support.services import Vendors, in_thread
from support.shopper import COOKIE, Shopper

FRIEND = b'{"email": "friend@example.com"}'
WRITES = ("/session", "/me/enrolment", "/me/redemptions", "/me/referrals")
thorough = effort(max_examples=120, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def head(shopper: Shopper, path: str, kind: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {shopper.base.removeprefix('http://')}", f"Origin: {shopper.base}"]
    lines += [f"Content-Type: {kind}", "X-Loyalty-Csrf: 1", f"Cookie: {COOKIE}={shopper.session_cookie}"]
    return "\r\n".join(lines).encode() + b"\r\n"


BODIES = (("/api/v1/me/referrals", "application/json"), ("/refer", "application/x-www-form-urlencoded"))


@pytest.mark.parametrize(("path", "kind"), BODIES)
def test_H1_a_body_that_is_announced_too_large_is_refused_unread(ella: Shopper, path: str, kind: str) -> None:
    for length in (b"16385", b"1000000000", b"9" * 18):
        said = talk(ella.base, head(ella, path, kind) + b"Content-Length: %s\r\n\r\n" % length)
        assert_refused_for_good(said)


@pytest.mark.parametrize(("path", "kind"), BODIES)
def test_H1_a_body_without_end_is_refused_while_it_streams(ella: Shopper, path: str, kind: str) -> None:
    chunk = b"1000\r\n" + b"a" * 4096 + b"\r\n"
    said = talk(ella.base, head(ella, path, kind) + b"Transfer-Encoding: chunked\r\n\r\n", *([chunk] * 2000))
    assert_refused_for_good(said)


def assert_refused_for_good(said: bytes) -> None:
    """One 413, after which the connection is of no use: what is left of the body is never read as a request."""
    assert said.startswith(b"HTTP/1.1 413 ")
    assert said.count(b"HTTP/1.1") == 1
    assert b"\r\nconnection: close" in said.lower()


def test_H1_the_largest_body_is_read_and_one_byte_more_is_not(ella: Shopper) -> None:
    assert send(ella, "/me/referrals", FRIEND.ljust(16_384)).status_code == 202
    assert is_problem(send(ella, "/me/referrals", FRIEND.ljust(16_385)), 413, "invalid_request")
    assert ella.post("/refer", {"csrf": "x" * 17_000}).status == 413


def test_H1_a_body_shorter_than_announced_does_nothing(settings: dict[str, str], vendors: Vendors) -> None:
    before = vendors.member("ella")["referrals"]
    with in_thread(settings) as service:
        ella = service.signed_in("ella")
        announced = head(ella, "/api/v1/me/referrals", "application/json") + b"Content-Length: 90\r\n\r\n"
        with socket.create_connection(("localhost", int(settings["PORT"])), timeout=10) as connection:
            connection.sendall(announced + FRIEND)
            connection.shutdown(socket.SHUT_WR)
            with suppress(ConnectionError):
                assert b" 202 " not in connection.recv(65536)
    # The service has stopped, so whatever it was still doing is done.
    assert vendors.member("ella")["referrals"] == before


@pytest.mark.parametrize("path", WRITES)
def test_H2_H3_what_is_not_strict_json_of_the_right_shape_is_a_400(ella: Shopper, vendors: Vendors, path: str) -> None:
    calls = len(vendors.state()["calls"])
    for body in BAD_JSON:
        reply = send(ella, path, body)
        assert is_problem(reply, 400, "invalid_request"), f"{path} {body[:60]!r}: {reply.status_code}"
    assert len(vendors.state()["calls"]) == calls


@pytest.mark.parametrize(("path", "body"), [
    ("/me/redemptions", b'{"rewardId": 1}'), ("/me/redemptions", b'{"rewardId": true}'),
    ("/me/redemptions", b'{"rewardId": ["x"]}'), ("/me/redemptions", b'{"reward_id": "x"}'),
    ("/me/redemptions", b'{"rewardId": "x", "points": 0}'),
    ("/me/enrolment", b'{"policiesVersion": true, "policiesDigest": "x"}'),
    ("/me/enrolment", b'{"policiesVersion": "1", "policiesDigest": 1}'),
    ("/me/enrolment", b'{"policiesVersion": "1"}'),
    ("/me/enrolment", b'{"policiesVersion": null, "policiesDigest": "x"}'),
    ("/me/enrolment", b'{"policiesVersion": "1", "policiesDigest": "x", "channel": "other"}'),
    ("/session", b'{"customerAccessToken": 12345678901}'),
    ("/session", b'{"customerAccessToken": ["shcat_0123456789"]}'),
    ("/session", b'{"customerAccessToken": "shcat_0123456789", "customerId": 1}'),
])  # fmt: skip
def test_H3_types_and_names_are_exact(ella: Shopper, path: str, body: bytes) -> None:
    assert is_problem(send(ella, path, body), 400, "invalid_request")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
names = (
    "email",
    "rewardId",
    "policiesVersion",
    "policiesDigest",
    "customerAccessToken",
    "storefrontCustomerAccessToken",
)
objects = st.dictionaries(st.sampled_from(names), json_values, max_size=3)


@pytest.mark.parametrize("path", WRITES)
def test_H2_no_json_body_whatever_is_a_failure_of_ours(ella: Shopper, path: str) -> None:
    @thorough
    @given(body=st.binary(max_size=200) | (objects | json_values).map(as_json))
    def law(body: bytes) -> None:
        assert send(ella, path, body).status_code < 500

    law()


FORMS = ("/join", f"/rewards/{REWARD}", "/refer", "/logout")


@pytest.mark.parametrize("path", FORMS)
def test_H4_a_form_is_urlencoded_and_has_each_field_once(ella: Shopper, path: str) -> None:
    form = "application/x-www-form-urlencoded"
    refused = [
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="x"\r\n\r\na\r\n--x--', 415),
        ("application/json", b'{"csrf": "a"}', 415), ("text/plain", b"csrf=a", 415), ("", b"csrf=a", 415),
        (form, b"csrf=a&csrf=b", 400), (form, b"csrf=a&%63srf=b", 400), (form, b"email=a&email=a", 400),
        (form, b"&".join(b"f%d=1" % number for number in range(17)), 400), (form, b"csrf=%ff", 400),
        (form, b"csrf=\xff", 400), (form, b"csrf=%c0%af", 400),
    ]  # fmt: skip
    for kind, body, status in refused:
        headers = {"origin": ella.base, "content-type": kind}
        reply = ella.request("POST", path, content=body, headers=headers)
        assert reply.status_code == status, f"{kind} {body!r}"
    assert ella.api("GET", "/session").json()["state"] == "enrolled"


@pytest.mark.parametrize("path", FORMS)
def test_H4_no_form_whatever_is_a_failure_of_ours(ella: Shopper, path: str) -> None:
    page = ella.get("/" if path == "/logout" else path.replace("/join", "/refer"))
    csrf = page.read.forms[-1].fields["csrf"]
    pairs = st.dictionaries(st.sampled_from(["csrf", "key", "email", "consent", "x"]), st.text(max_size=40), max_size=4)

    @thorough
    @given(fields=pairs, mine=st.booleans(), raw=st.none() | st.binary(max_size=80))
    def law(fields: dict[str, str], mine: bool, raw: bytes | None) -> None:
        fields |= {"csrf": csrf} if mine and path != "/logout" else {}
        headers = {"origin": ella.base, "content-type": "application/x-www-form-urlencoded"}
        content = raw if raw is not None else urlencoded(fields)
        assert ella.request("POST", path, content=content, headers=headers).status_code < 500

    law()


def urlencoded(fields: dict[str, str]) -> bytes:
    return str(
        httpx2.QueryParams({name: value.encode("utf-8", "replace").decode() for name, value in fields.items()})
    ).encode()


def test_H5_json_routes_know_their_parameters(ella: Shopper, settings: dict[str, str]) -> None:
    documented = ella.request("GET", "/api/v1/openapi.json").json()["paths"]
    for path in api_paths(surface(settings)):
        if path in {"/api/v1/openapi.json", "/api/v1/docs"}:
            continue
        template = path.replace(KEY, "{key}").replace(REWARD, "{id}")
        known = [item["name"] for item in documented[template]["get"]["parameters"] if item["in"] == "query"]
        for name in known:
            assert ella.request("GET", f"{path}?{name}=en&{name}=en").status_code == 400, f"{path} {name} twice"
        for query in ("unknown=1", "x", "=1", "%00=1", "include=rewards&include=rewards", "token=shcat_1"):
            assert is_problem(ella.request("GET", f"{path}?{query}"), 400, "invalid_request"), f"{path}?{query}"


def test_H5_a_malformed_locale_is_refused_wherever_one_is_known(ella: Shopper) -> None:
    documented = ella.request("GET", "/api/v1/openapi.json").json()["paths"]
    knowing = [path for path, item in documented.items() if "locale" in str(item.get("get", {}).get("parameters"))]
    assert len(knowing) > 6
    for path in knowing:
        for query in ("locale=null", "country=usa", "currency=$"):
            assert is_problem(ella.request("GET", f"{path}?{query}"), 400, "invalid_request"), f"{path}?{query}"


def test_H5_no_query_whatever_is_a_failure_of_ours(ella: Shopper, settings: dict[str, str]) -> None:
    found = surface(settings)
    paths = st.sampled_from(sorted(api_paths(found) + page_paths(found)))
    words = st.sampled_from(["locale", "return_to", "state", "code", "error", "sent", "cursor", "limit", "login_hint"])
    chars = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)

    @thorough
    @given(path=paths, query=st.dictionaries(words | chars, chars, max_size=4))
    def law(path: str, query: dict[str, str]) -> None:
        assert ella.request("GET", path, params=query).status_code < 500

    law()


def test_H6_what_is_not_one_address_is_refused_before_anybody_is_asked(ella: Shopper, vendors: Vendors) -> None:
    assert len(BAD_EMAILS) > 80
    replies = {email: ella.api("POST", "/me/referrals", {"email": email}) for email in BAD_EMAILS}
    assert [email for email, reply in replies.items() if not is_problem(reply, 422, "invalid_email")] == []
    assert vendors.calls("referral_request") == []


def test_H6_a_good_address_reaches_the_vendor_normalised(ella: Shopper, vendors: Vendors) -> None:
    for typed, sent in GOOD_EMAILS.items():
        assert ella.api("POST", "/me/referrals", {"email": typed}).status_code in {202, 422}, typed
        assert sent in [referral["email"] for referral in vendors.member("ella")["referrals"]], typed


def test_H6_H7_a_refused_address_is_shown_again_as_text(ella: Shopper) -> None:
    hostile = '"><script>alert(1)</script>@example.com'
    page = ella.submit(ella.get("/refer"), "/refer", email=hostile)
    assert page.status == 422
    assert page.form("/refer").fields["email"] == hostile
    assert "<script>alert(1)" not in page.reply.text


# M7: the request id


def test_M7_a_request_id_of_the_routers_shape_is_kept_and_any_other_replaced(shopper: Shopper) -> None:
    for good in ("a" * 20, "0123456789-abcdefABCDEF", "Z" * 200, "8a3f2f9c-1b1e-4c55-9a30-5ad5a3b1c0de"):
        assert shopper.request("GET", "/signed-out", headers={"x-request-id": good}).headers["x-request-id"] == good
    ours = re.compile(r"[A-Za-z0-9-]{20,200}")
    bad = (
        "",
        "a",
        "a" * 19,
        "a" * 201,
        "a" * 30 + " b",
        "a" * 30 + "_",
        "<script>" + "a" * 30,
        "a" * 30 + "\u00e9",
        '"' * 30,
        "../" * 10,
    )
    # What is ready is answered ahead of the edge.
    for given_id, (method, path) in product(bad, (("GET", "/api/v1/me"), ("DELETE", "/api/v1/session"))):
        reply = shopper.request(method, path, headers={"x-request-id": given_id.encode("latin-1")})
        assert ours.fullmatch(reply.headers["x-request-id"])
        assert reply.headers["x-request-id"] != given_id
        assert reply.json()["requestId"] == reply.headers["x-request-id"]


def test_L1_an_idempotency_key_has_one_shape(ella: Shopper, vendors: Vendors) -> None:
    body = as_json({"rewardId": REWARD})
    for key in (
        "a" * 15,
        "a" * 65,
        "a" * 20 + " b",
        "a" * 20 + "/",
        "a" * 20 + "'",
        '"' + "a" * 20,
        "a" * 20 + '"',
        "\u00e9" * 20,
    ):
        headers = {"origin": ella.base, "x-loyalty-csrf": "1", "content-type": "application/json"}
        reply = ella.request(
            "POST", "/api/v1/me/redemptions", content=body, headers=headers | {"idempotency-key": key.encode("latin-1")}
        )
        assert is_problem(reply, 400, "invalid_request"), key
    assert is_problem(send(ella, "/me/redemptions", body, idempotency_key=""), 400, "idempotency_key_missing")
    assert vendors.calls("redeem") == []


def test_H5_login_hints_travel_as_values_and_nothing_else(shopper: Shopper) -> None:
    given_hints = (
        "locale=fr%26client_id%3Devil&login_hint=a%40b.co%23x&client_id=evil&redirect_uri=https://evil.test&scope=all"
    )
    query = parse_qs(urlsplit(shopper.request("GET", f"/login?{given_hints}").headers["location"]).query)
    assert query["locale"] == ["fr&client_id=evil"]
    assert query["client_id"] != ["evil"]
    assert query["redirect_uri"] == [f"{shopper.base}/callback"]
    assert "all" not in query["scope"]
