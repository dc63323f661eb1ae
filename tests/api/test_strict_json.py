"""JSON bodies are read strictly: what is not exactly as documented is refused with a problem, and nothing is done."""

from typing import Any

import pytest
from support.sandbox_catalogue import FIVE_OFF, code_of, new_key
from support.services import Service, Vendors
from support.shopper import Shopper

WRITES = ("/session", "/me/enrolment", "/me/redemptions", "/me/referrals")
BODIES = {
    "/session": '{"customerAccessToken": %s}',
    "/me/enrolment": '{"policiesVersion": %s, "policiesDigest": "x"}',
    "/me/redemptions": '{"rewardId": %s}',
    "/me/referrals": '{"email": %s}',
}
# Where a text is expected; most of these make other readers stumble.
VALUES = {
    "not a number": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "infinity by exponent": "1e400",
    "minus infinity by exponent": "-1e400",
    "a whole number that doubles cannot hold": "9007199254740993",
    "a number of 5000 digits": "1" * 5000,
    "a leading zero": "0123",
    "a lone high surrogate": '"\\ud800"',
    "a lone low surrogate": '"a\\udc00b"',
    "a raw line break": '"a\nb"',
    "a raw NUL": '"a\0b"',
    "a wrong escape": '"\\x41"',
    "single quotes": "'x'",
    "a hole": "",
    "17 lists in one another": "[" * 17 + "]" * 17,
    "8000 lists in one another": "[" * 8000 + "]" * 8000,
    "true": "true",
    "null": "null",
    "a list": '["x"]',
    "an object": '{"x": "y"}',
}
WHOLE: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"  ",
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"1",
    "null": b"null",
    "no fields": b"{}",
    "cut short": b'{"x": ',
    "two values": b"{} {}",
    "a comma too many": b'{"x": "y",}',
    "a comment": b'{"x": "y"} // z',
    "bytes that are no UTF-8": b'{"\xff": "\xfe"}',
    "Latin-1": '{"é": "é"}'.encode("latin-1"),
    "UTF-16": '{"x": "y"}'.encode("utf-16"),
    "UTF-32": '{"x": "y"}'.encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "an overlong slash": b'{"x": "\xc0\xaf"}',
    "an encoded surrogate": b'{"x": "\xed\xa0\x80"}',
}


def send(shopper: Shopper, path: str, body: bytes) -> Any:
    headers = {"origin": shopper.base, "x-loyalty-csrf": "1", "content-type": "application/json"}
    headers["idempotency-key"] = new_key()
    return shopper.request("POST", f"/api/v1{path}", content=body, headers=headers)


@pytest.mark.parametrize("path", WRITES)
def test_H2_a_body_that_is_not_strict_json_is_refused(service: Service, vendors: Vendors, path: str) -> None:
    ella = service.signed_in("ella")
    before = vendors.state()["members"]
    bodies = WHOLE | {name: (BODIES[path] % value).encode() for name, value in VALUES.items()}
    for name, body in bodies.items():
        reply = send(ella, path, body)
        assert (reply.status_code, code_of(reply)) == (400, "invalid_request"), name
    assert vendors.state()["members"] == before


@pytest.mark.parametrize("path", WRITES)
def test_H2_a_name_given_twice_is_refused(service: Service, vendors: Vendors, path: str) -> None:
    """One reader takes the first, another the last, so neither is right."""
    penny = service.signed_in("penny")
    policies = penny.api("GET", "/legal-policies").json()
    good = {
        "/session": f'"customerAccessToken": "{vendors.token("ella")}"',
        "/me/enrolment": f'"policiesVersion": "{policies["version"]}", "policiesDigest": "{policies["digest"]}"',
        "/me/redemptions": f'"rewardId": "{FIVE_OFF}"',
        "/me/referrals": '"email": "friend@example.com"',
    }[path]
    escaped = good.replace(good[1], f"\\u{ord(good[1]):04x}", 1)
    for body in (f"{{{good}, {good}}}", f"{{{escaped}, {good}}}"):
        reply = send(penny, path, body.encode())
        assert (reply.status_code, code_of(reply)) == (400, "invalid_request"), body
    alone = send(penny, path, f"{{{escaped}}}".encode())
    assert alone.status_code in {201, 403}, "the escaped name is the same name"


@pytest.mark.parametrize("path", WRITES)
def test_H3_a_field_that_is_not_documented_is_refused(service: Service, vendors: Vendors, path: str) -> None:
    ella = service.signed_in("ella")
    texts = {"/session": f'"{vendors.token("tara")}"', "/me/redemptions": f'"{FIVE_OFF}"'}
    body = BODIES[path] % texts.get(path, '"friend@example.com"')
    for extra in ('"x": 1', '"customerId": "7000000000005"', '"": ""', '"__proto__": {}', '"state": "enrolled"'):
        reply = send(ella, path, body.replace("}", f", {extra}}}", 1).encode())
        assert (reply.status_code, code_of(reply)) == (400, "invalid_request"), extra
    assert vendors.calls("redeem") + vendors.calls("referral_request") == []
    assert ella.api("GET", "/session").json()["state"] == "enrolled"


def test_H3_a_value_of_another_type_is_never_converted(ella: Shopper, vendors: Vendors) -> None:
    bodies: dict[str, list[Any]] = {
        "/me/redemptions": [{"rewardId": 1}, {"rewardId": True}, {"rewardId": [FIVE_OFF]}],
        "/me/referrals": [{"email": 1}, {"email": False}, {"email": ["friend@example.com"]}, {"email": {}}],
        "/me/enrolment": [
            {"policiesVersion": True, "policiesDigest": "x"},
            {"policiesVersion": "1", "policiesDigest": 1},
        ],
        "/session": [{"customerAccessToken": 12345678}, {"customerAccessToken": ["x" * 20]}],
    }
    for path, given in bodies.items():
        for body in given:
            reply = ella.api("POST", path, body, idempotency_key=new_key())
            assert (reply.status_code, code_of(reply)) == (400, "invalid_request"), (path, body)
    assert vendors.calls("redeem") + vendors.calls("referral_request") == []


@pytest.mark.parametrize("day", ["1", "1.0", "01", 1.0, True, "true"])
def test_H3_what_a_lax_reader_would_convert_is_refused(ella: Shopper, vendors: Vendors, day: Any) -> None:
    """Each of these is the first of February to a reader that converts, and the day itself is accepted."""
    for body in ({"day": day, "month": 2}, {"day": 2, "month": day}):
        reply = ella.api("PUT", "/me/birthday", body)
        assert (reply.status_code, code_of(reply)) == (400, "invalid_request"), body
    assert vendors.calls("birthday") == []
    assert ella.api("PUT", "/me/birthday", {"day": 1, "month": 2}).status_code == 200


def test_H3_a_version_of_the_policies_is_compared_with_its_type(penny: Shopper, vendors: Vendors) -> None:
    policies = vendors.control("policies", version=1)
    digest = penny.api("GET", "/legal-policies").json()["digest"]
    for version in ("1", 1.0, "1.0", True, "true"):
        body = {"policiesVersion": version, "policiesDigest": digest}
        assert penny.api("POST", "/me/enrolment", body).status_code in {400, 409}, version
    assert vendors.calls("customer_activation") == []
    body = {"policiesVersion": policies["version"], "policiesDigest": digest}
    assert penny.api("POST", "/me/enrolment", body).status_code == 201
