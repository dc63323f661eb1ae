"""Parts of an address that could lead elsewhere, at us or at a vendor, and control characters in any of them."""

import pytest
from support.every_route import KEY, REWARD, talk
from support.hostile_input import TRICKY_SEGMENTS
from support.raw_json import as_json, is_problem, send
from support.services import Service, Vendors
from support.shopper import Shopper


@pytest.mark.parametrize("prefix", ["/rewards/", "/redemptions/", "/api/v1/me/redemptions/"])
def test_G1_a_segment_that_could_lead_elsewhere_is_not_found(ella: Shopper, vendors: Vendors, prefix: str) -> None:
    before = len(vendors.state()["calls"])
    for segment in TRICKY_SEGMENTS:
        reply = ella.request("GET", ella.base + prefix + segment)
        # Where the client leaves nothing of a segment, a slash is left over.
        is_list = reply.status_code == 308 and reply.headers["location"] in {"/rewards", "/rewards?"}
        assert reply.status_code in {400, 404} or is_list, segment
    reading = {"customer", "customer_redemption_rules", "redemption_rules", "vip_program", "login"}
    assert {call["operation"] for call in vendors.state()["calls"][before:]} <= reading


def test_G1_H8_only_a_reward_that_was_offered_can_be_redeemed(ella: Shopper, vendors: Vendors) -> None:
    csrf = ella.get(f"/rewards/{REWARD}").form(f"/rewards/{REWARD}").fields["csrf"]
    strange = (
        "",
        ".",
        "..",
        "../customer",
        "a/b",
        "\\",
        "%",
        "%2e%2e",
        "\0",
        "\r\n",
        "x" * 129,
        "\u202e",
        REWARD.upper(),
        REWARD + "/",
    )
    for reward in strange:
        reply = send(ella, "/me/redemptions", as_json({"rewardId": reward}), idempotency_key="k" * 20)
        assert is_problem(reply, 404, "not_found"), repr(reward)
    for segment in TRICKY_SEGMENTS:
        reply = ella.request(
            "POST", f"{ella.base}/rewards/{segment}", data={"csrf": csrf, "key": KEY}, headers={"origin": ella.base}
        )
        assert reply.status_code in {400, 404, 405}, segment
    assert vendors.calls("redeem") == []


def test_G13_control_characters_reach_no_header(service: Service, ella: Shopper, vendors: Vendors) -> None:
    for bad in (
        "%0d%0aSet-Cookie:%20evil=1",
        "%0aevil:1",
        "%00",
        "a%0db",
        "%c4%8d%c4%8aevil:%201",
        "%e5%98%8a%e5%98%8devil:1",
    ):
        for path in (
            f"/login?return_to=/{bad}", f"/login?locale={bad}", f"/login?login_hint={bad}",
            f"/login?region_country={bad}", f"/callback?state={bad}&code={bad}", f"/callback?error={bad}&state=x",
            f"/rewards/{bad}", f"/{bad}", f"/refer?sent={bad}", f"/api/v1/program?locale={bad}",
            f"/api/v1/me/redemptions/{bad}", f"/static/{bad}", f"/redemptions/{bad}",
        ):  # fmt: skip
            reply = ella.request("GET", service.url + path)
            assert reply.status_code < 500, path
            assert "evil" not in reply.headers.get("set-cookie", "")
            assert "evil" not in reply.headers
    ours = service.url.removeprefix("http://").encode()
    for line in (
        b"Idempotency-Key: a\x0bb",
        b"X-Request-Id: aaaaaaaaaaaaaaaaaaaaaaaa\x0c",
        b"Accept-Language: \x01",
        b"Origin: \x7f",
    ):
        said = talk(service.url, b"GET / HTTP/1.1\r\nHost: %s\r\n%s\r\nConnection: close\r\n\r\n" % (ours, line))
        assert said.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 400 "))
        assert line not in said
