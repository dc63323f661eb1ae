"""Requests that some other page makes in a shopper's name: none of them changes anything."""

from collections.abc import Mapping

import httpx2
import psycopg
import pytest
import redis
from support.every_route import KEY, REWARD, SAFE, SIGNED, api_paths, effects, member_paths, page_paths, surface
from support.services import TICKETS_TOKEN, Service, Vendors
from support.shopper import Shopper

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
STOREFRONT = "http://localhost:3000"
FORM = "application/x-www-form-urlencoded"
REWARD_PAGE = f"/rewards/{REWARD}"


def foreign_origins(own: str) -> list[str | None]:
    port = own.rpartition(":")[2]
    return [
        None,
        "",
        "null",
        "*",
        "https://evil.test",
        "http://localhost.evil.test",
        "http://localhost:1.evil.test",
        f"https://localhost:{port}",
        f"http://LOCALHOST:{port}",
        f"http://localhost:{port}/",
        f"http://localhost:{port}.evil.test",
        f"http://evil.test#http://localhost:{port}",
        f"http://a_b.localhost:{port}",
        f"http://user@localhost:{port}",
        f"http://127.0.0.2:{port}",
        f"http://localhost:{port}, http://evil.test",
        f"http://localhost:{port} http://evil.test",
    ]


def without(headers: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if value is not None}


def write(shopper: Shopper, method: str, path: str, **changes: str | None) -> httpx2.Response:
    """A write that would pass, but for the changed headers; None leaves one out."""
    is_api = "/api/" in path
    headers: dict[str, str | None] = {
        "origin": shopper.base,
        "accept": "application/json",
        "content-type": "application/json" if is_api else FORM,
        "x-loyalty-csrf": "1",
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return shopper.request(method, path, headers=without(headers), content=b"{}" if is_api else b"")


def invite(shopper: Shopper, **changes: str | None) -> httpx2.Response:
    """A JSON write with an effect that can be counted, but for the changed headers."""
    headers: dict[str, str | None] = {"origin": shopper.base, "content-type": "application/json", "x-loyalty-csrf": "1"}
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return shopper.request(
        "POST", "/api/v1/me/referrals", headers=without(headers), content=b'{"email": "friend@example.com"}'
    )


def code_of(reply: httpx2.Response) -> str:
    return str(reply.json()["code"])


def test_D1_D2_no_route_takes_a_write_from_another_origin(
    ella: Shopper, settings: dict[str, str], vendors: Vendors
) -> None:
    before, calls = effects(vendors), len(vendors.state()["calls"])
    for path in surface(settings).keys() - SIGNED:
        for method in UNSAFE:
            for origin in foreign_origins(ella.base):
                reply = write(ella, method, path, origin=origin)
                assert (reply.status_code, code_of(reply)) == (403, "csrf_refused"), f"{method} {path} from {origin}"
                assert "set-cookie" not in reply.headers
    assert effects(vendors) == before
    assert len(vendors.state()["calls"]) == calls


def test_D1_a_write_from_the_right_origin_passes_the_gate_of_every_route(
    ella: Shopper, settings: dict[str, str]
) -> None:
    found = surface(settings)
    end_session = ("/api/v1/me/sessions", "/api/v1/session")
    for path in (*(found.keys() - set(end_session)), *end_session):
        for method in sorted(found[path] - SAFE) if "/api/" in path else ():
            reply = write(ella, method, path, authorization=f"Bearer {TICKETS_TOKEN}")
            assert reply.status_code not in {401, 403, 415}, f"{method} {path}"


def test_D1_an_address_that_does_not_exist_is_guarded_as_well(ella: Shopper) -> None:
    for path in ("/nothing", "/api/v1/nothing", "/static/nothing", "/rewards/"):
        assert write(ella, "POST", path, origin="https://evil.test").status_code == 403
        assert write(ella, "POST", path).status_code in {404, 405}


def test_D2_the_storefront_may_call_the_json_routes(ella: Shopper, vendors: Vendors) -> None:
    assert invite(ella, origin=STOREFRONT).status_code == 202
    assert {"email": "friend@example.com"} in vendors.member("ella")["referrals"]


SITES = {
    "same-origin": True, "same-site": True, "cross-site": False, "none": False, "a-word-of-tomorrow": True, None: True,
}  # fmt: skip


@pytest.mark.parametrize("site", SITES)
def test_D3_a_json_write_must_agree_with_sec_fetch_site(ella: Shopper, vendors: Vendors, site: str | None) -> None:
    before = effects(vendors)
    reply = invite(ella, origin=STOREFRONT, sec_fetch_site=site)
    assert reply.status_code == (202 if SITES[site] else 403)
    assert (effects(vendors) != before) is SITES[site]
    varies = reply.headers["vary"].split(", ")
    assert {"Origin", "Sec-Fetch-Site"} <= set(varies)
    assert len(set(varies)) == len(varies)


@pytest.mark.parametrize("site", SITES)
def test_D3_a_form_is_only_taken_from_the_same_origin(ella: Shopper, vendors: Vendors, site: str | None) -> None:
    may_pass = SITES[site] and site != "same-site"
    before = effects(vendors)
    fields = ella.get("/refer").form("/refer").fields | {"email": "friend@example.com"}
    headers = without({"origin": ella.base, "sec-fetch-site": site})
    reply = ella.request("POST", "/refer", data=fields, headers=headers)
    assert reply.status_code == (303 if may_pass else 403)
    assert (effects(vendors) != before) is may_pass
    assert {"Origin", "Sec-Fetch-Site"} <= set(reply.headers["vary"].split(", "))


def test_D3_forms_are_for_our_own_pages_and_not_for_the_storefronts(ella: Shopper, vendors: Vendors) -> None:
    before = effects(vendors)
    fields = ella.get("/refer").form("/refer").fields | {"email": "friend@example.com"}
    for site in ("same-site", "same-origin", None):
        headers = without({"origin": STOREFRONT, "sec-fetch-site": site})
        assert ella.request("POST", "/refer", data=fields, headers=headers).status_code == 403
    assert effects(vendors) == before


def test_D3_no_sec_fetch_site_makes_up_for_a_foreign_origin(ella: Shopper, vendors: Vendors) -> None:
    before = effects(vendors)
    for site in ("same-origin", "same-site", "none"):
        for origin in (None, "null", "https://evil.test"):
            assert invite(ella, origin=origin, sec_fetch_site=site).status_code == 403
    assert effects(vendors) == before


def test_D4_only_json_is_read_as_json(ella: Shopper, vendors: Vendors) -> None:
    before = effects(vendors)
    refused = [
        None, "", "text/plain", FORM, "multipart/form-data; boundary=x", "text/json", "application/jsonp",
        "application/problem+json", "application/json;charset=utf-16", "application/json; charset=latin-1",
        "application/json; version=1", "application/json, text/plain", "text/plain;application/json",
        "application/json;charset=utf-8;charset=utf-16",
    ]  # fmt: skip
    for kind in refused:
        assert invite(ella, content_type=kind).status_code == 415, kind
    assert effects(vendors) == before


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", 'Application/JSON;CHARSET="UTF-8"']
)
def test_D4_json_may_say_that_it_is_utf_8(ella: Shopper, kind: str) -> None:
    assert invite(ella, content_type=kind).status_code == 202


def test_D4_every_json_write_wants_its_header_and_its_content_type(ella: Shopper, settings: dict[str, str]) -> None:
    found = surface(settings)
    writes = [(path, method) for path in found if "/api/" in path for method in found[path] - SAFE]
    assert ("/api/v1/session", "DELETE") in writes
    for path, method in writes:
        if path in SIGNED:
            continue
        for value in (None, "", "0", "true", "1, 1", "11"):
            assert write(ella, method, path, x_loyalty_csrf=value).status_code == 403, f"{method} {path} {value}"
        assert write(ella, method, path, content_type="text/plain").status_code == 415, f"{method} {path}"
    assert ella.api("GET", "/session").json()["state"] == "enrolled"


@pytest.mark.parametrize("persona", ["ella", "penny", "blake", None])
def test_D6_B14_looking_at_everything_changes_nothing(
    service: Service,
    settings: dict[str, str],
    vendors: Vendors,
    rows: "psycopg.Connection[tuple[object, ...]]",
    persona: str | None,
) -> None:
    shopper = service.signed_in(persona) if persona else service.shopper()
    before, cookies = effects(vendors), dict(shopper.cookies)
    for path in sorted(surface(settings)):
        for method in ("GET", "HEAD", "OPTIONS"):
            assert shopper.request(method, path).status_code < 500
    assert effects(vendors) == before
    for operation in ("customer_activation", "trigger", "birthday", "redeem", "referral_request"):
        assert vendors.calls(operation) == []
    assert rows.execute("SELECT count(*) FROM consents").fetchall() == [(0,)]
    assert rows.execute("SELECT count(*) FROM redemptions").fetchall() == [(0,)]
    assert shopper.session_cookie == cookies.get("__Host-Http-loyalty")
    with redis.Redis.from_url(settings["VALKEY_URL"]) as store:
        assert len(store.keys("session:*")) == (1 if persona else 0)


def test_D7_a_hand_in_from_elsewhere_signs_nobody_in_and_tells_nothing(shopper: Shopper, vendors: Vendors) -> None:
    answers = []
    for token in (vendors.token("ella"), "shcat_" + "0" * 40):
        for changes in ({"origin": "https://evil.test"}, {"origin": None}, {"x-loyalty-csrf": None}):
            headers = {"origin": shopper.base, "x-loyalty-csrf": "1", "content-type": "application/json"} | changes
            reply = shopper.request(
                "POST", "/api/v1/session", headers=without(headers), json={"customerAccessToken": token}
            )
            assert "set-cookie" not in reply.headers
            answers.append((reply.status_code, reply.json() | {"requestId": ""}))
    assert {status for status, _ in answers} == {403}
    assert answers[:3] == answers[3:]
    assert vendors.calls("shopify_graphql") == []
    assert shopper.api("POST", "/session", {"customerAccessToken": vendors.token("ella")}).status_code == 201


def test_D7_handing_in_another_customers_token_replaces_the_session(ella: Shopper, vendors: Vendors) -> None:
    before = ella.session_cookie
    assert ella.api("POST", "/session", {"customerAccessToken": vendors.token("penny")}).json()["state"] == "pending"
    assert ella.session_cookie != before
    old = ella.request("GET", "/api/v1/session", headers={"cookie": f"__Host-Http-loyalty={before}"})
    assert old.json() == {"state": "anonymous"}


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_D8_the_method_is_the_one_of_the_request_line(ella: Shopper, vendors: Vendors, name: str) -> None:
    before = effects(vendors)
    assert ella.request("GET", "/logout", headers={name: "POST"}).status_code == 405
    assert ella.request("GET", "/refer?_method=POST", headers={name: "POST"}).status_code == 200
    assert ella.api("GET", "/session", **{name: "DELETE"}).json()["state"] == "enrolled"
    assert ella.api("GET", "/session?_method=DELETE").status_code == 400
    fields = ella.get("/refer").form("/refer").fields | {"email": "friend@example.com", "_method": "GET"}
    assert ella.post("/refer", fields, headers={name: "DELETE"}, follow=False).status == 303
    assert ella.api("GET", "/session").json()["state"] == "enrolled"
    assert effects(vendors) != before


def test_D9_a_members_data_cannot_be_loaded_as_a_picture_or_a_script(
    ella: Shopper, service: Service, settings: dict[str, str]
) -> None:
    stranger = service.shopper()
    found = surface(settings)
    assert f"/api/v1/me/redemptions/{KEY}" in member_paths(found)
    for path in member_paths(found):
        for destination in ("script", "image", "iframe", "document", "style", "object", "embed", "worker", "audio"):
            headers = {"sec-fetch-dest": destination, "sec-fetch-mode": "no-cors", "sec-fetch-site": "cross-site"}
            one, other = (visitor.request("GET", path, headers=headers) for visitor in (ella, stranger))
            assert one.status_code == other.status_code == 403, f"{path} as {destination}"
            assert one.json() | {"requestId": ""} == other.json() | {"requestId": ""}


def test_D9_nothing_may_be_embedded_by_other_sites(ella: Shopper, settings: dict[str, str]) -> None:
    found = surface(settings)
    for path in api_paths(found) + page_paths(found):
        assert ella.request("GET", path).headers["cross-origin-resource-policy"] == "same-origin"
