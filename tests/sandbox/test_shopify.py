"""The pretended Shopify follows Shopify's rules, seen through its front door."""

import json
import time

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from support import sandbox_client
from support.sandbox_client import CHALLENGE, CONFIDENTIAL, CONFIG, ORIGIN, PUBLIC, REDIRECT_URI, Sandbox, query_of

from bff.sandbox.config import Client

served, sandbox = sandbox_client.served, sandbox_client.sandbox

ISSUER = "https://shopify.com/authentication/74758783200"


def claims_of(sandbox: Sandbox, id_token: str) -> dict[str, object]:
    keys = KeySet.import_key_set(sandbox.http.get("/authentication/.well-known/jwks.json").json())
    return jwt.decode(id_token, keys, algorithms=["RS256"]).claims


def grant_error(reply: httpx2.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]


def test_discovery_names_every_endpoint_under_the_sandbox_but_another_issuer(sandbox: Sandbox) -> None:
    found = sandbox.http.get("/.well-known/openid-configuration").json()
    assert found["issuer"] == ISSUER
    assert found["token_endpoint"] == f"{sandbox.url}/authentication/oauth/token"
    assert found["token_endpoint_auth_methods_supported"] == ["client_secret_basic"]
    api = sandbox.http.get("/.well-known/customer-account-api").json()
    assert api["graphql_api"] == f"{sandbox.url}/customer/api/2026-07/graphql"


def test_the_sign_in_page_lists_the_personas_and_has_one_submit_button(sandbox: Sandbox) -> None:
    page = sandbox.http.get("/authentication/oauth/authorize", params=sandbox.authorization())
    assert page.status_code == 200
    for persona in ("ella", "penny", "blake", "zoe", "tara", "rami"):
        assert f'type="radio" name="persona" value="{persona}"' in page.text
    assert page.text.count('type="submit"') == 1
    assert "<script" not in page.text


def test_choosing_a_persona_sends_the_browser_back_with_code_and_state(sandbox: Sandbox) -> None:
    reply = sandbox.authorize()
    assert reply.status_code == 303
    assert reply.headers["location"].startswith(f"{REDIRECT_URI}?")
    assert query_of(reply)["code"].startswith("shcac_")
    assert query_of(reply)["state"] == "state-1"


@pytest.mark.parametrize("change", [{"client_id": "unknown"}, {"redirect_uri": "https://evil.example/callback"}])
def test_an_unregistered_client_or_callback_gets_a_page_and_no_redirect(
    sandbox: Sandbox, change: dict[str, str]
) -> None:
    reply = sandbox.authorize(PUBLIC, change)
    assert reply.status_code == 400
    assert "location" not in reply.headers


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "openid email customer-account-api:full write_everything"}, "invalid_scope"),
        ({"state": ""}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_a_wrong_request_goes_back_with_its_error(sandbox: Sandbox, change: dict[str, str], error: str) -> None:
    assert query_of(sandbox.authorize(PUBLIC, change))["error"] == error


def test_cancelling_goes_back_with_access_denied(sandbox: Sandbox) -> None:
    params = sandbox.authorization() | {"cancel": "1"}
    assert query_of(sandbox.http.get("/authentication/oauth/authorize", params=params))["error"] == "access_denied"


def test_an_unknown_persona_is_refused(sandbox: Sandbox) -> None:
    assert sandbox.authorize(persona="mallory").status_code == 400


@pytest.mark.parametrize("client", [PUBLIC, CONFIDENTIAL])
def test_a_code_is_traded_for_tokens_that_look_like_the_vendors(sandbox: Sandbox, client: Client) -> None:
    tokens = sandbox.sign_in("ella", client)
    assert set(tokens) == {"access_token", "expires_in", "id_token", "refresh_token"}
    assert tokens["access_token"].startswith("shcat_ey")
    assert tokens["access_token"].count(".") == 2
    assert tokens["expires_in"] == 3600
    assert len(tokens["refresh_token"].removeprefix("shcrt_")) == 32


def test_the_id_token_is_signed_and_says_who_signed_in(sandbox: Sandbox) -> None:
    claims = claims_of(sandbox, sandbox.sign_in("rami")["id_token"])
    expected = {"iss": ISSUER, "aud": CONFIG.client_id, "nonce": "nonce-1", "email": "rami@example.com"}
    assert claims | expected == claims
    assert {"sub", "sid", "iat", "exp", "email_verified"} <= set(claims)


@pytest.mark.parametrize("kid", ["id_0", "id_1"])
def test_a_signing_key_can_be_replaced_under_its_name_or_added(sandbox: Sandbox, kid: str) -> None:
    def published() -> dict[str, object]:
        keys = sandbox.http.get("/authentication/.well-known/jwks.json").json()["keys"]
        return {key["kid"]: key["n"] for key in keys}

    before, tokens = published(), sandbox.sign_in()
    sandbox.control("keys", kid=kid)
    after = published()
    assert after != before
    assert len(after) == len({**before, kid: ""})
    assert claims_of(sandbox, sandbox.sign_in()["id_token"])["iss"] == ISSUER
    hint = {"id_token_hint": tokens["id_token"]}
    assert sandbox.http.get("/authentication/logout", params=hint).status_code == 200


def test_the_id_token_keeps_real_time_when_the_clock_is_moved(sandbox: Sandbox) -> None:
    sandbox.control("clock", advance=30 * 24 * 3600)
    issued_at = claims_of(sandbox, sandbox.sign_in()["id_token"])["iat"]
    assert isinstance(issued_at, int)
    assert abs(issued_at - time.time()) < 60


def test_a_code_works_once_and_its_replay_revokes_the_tokens(sandbox: Sandbox) -> None:
    code = sandbox.code()
    tokens = sandbox.trade_code(code).json()
    assert sandbox.graphql(tokens["access_token"]).status_code == 200
    assert grant_error(sandbox.trade_code(code)) == (400, "invalid_grant")
    assert sandbox.graphql(tokens["access_token"]).status_code == 401
    assert grant_error(sandbox.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


def test_a_code_dies_after_a_minute(sandbox: Sandbox) -> None:
    code = sandbox.code()
    sandbox.control("clock", advance=61)
    assert grant_error(sandbox.trade_code(code)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "wrong",
    [
        {"code_verifier": "another-verifier-of-at-least-forty-three-chars"},
        {"redirect_uri": "http://localhost:8000/other"},
        {"code": "shcac_unknown"},
    ],
)
def test_a_code_with_the_wrong_company_is_an_invalid_grant(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    assert grant_error(sandbox.trade_code(sandbox.code(), PUBLIC, wrong)) == (400, "invalid_grant")


def test_a_padded_challenge_never_matches(sandbox: Sandbox) -> None:
    code = sandbox.code(PUBLIC, {"code_challenge": f"{CHALLENGE}="})
    assert grant_error(sandbox.trade_code(code)) == (400, "invalid_grant")


def test_a_missing_verifier_gets_the_vendors_empty_error(sandbox: Sandbox) -> None:
    reply = sandbox.trade_code(sandbox.code(), PUBLIC, {"code_verifier": ""})
    assert reply.status_code == 400
    assert reply.json() == {"error": "", "error_description": "code_verifier is invalid."}


def test_a_code_of_one_client_is_no_good_for_the_other(sandbox: Sandbox) -> None:
    assert grant_error(sandbox.trade_code(sandbox.code(PUBLIC), CONFIDENTIAL)) == (400, "invalid_grant")


def test_a_confidential_client_may_go_without_pkce(sandbox: Sandbox) -> None:
    code = sandbox.code(CONFIDENTIAL, {"code_challenge": "", "code_challenge_method": ""})
    assert sandbox.trade_code(code, CONFIDENTIAL, {"code_verifier": ""}).status_code == 200


@pytest.mark.parametrize(
    "auth", [httpx2.Auth(), httpx2.BasicAuth(CONFIDENTIAL.client_id, "wrong"), httpx2.BasicAuth(PUBLIC.client_id, "")]
)
def test_a_confidential_client_must_prove_itself_by_basic(sandbox: Sandbox, auth: httpx2.Auth) -> None:
    form = {"client_id": CONFIDENTIAL.client_id, "client_secret": CONFIDENTIAL.secret, "grant_type": "refresh_token"}
    reply = sandbox.http.post("/authentication/oauth/token", data=form, auth=auth)
    assert grant_error(reply) == (401, "invalid_client")


def test_an_unknown_client_is_an_invalid_client(sandbox: Sandbox) -> None:
    reply = sandbox.trade({"grant_type": "refresh_token", "client_id": "unknown"})
    assert grant_error(reply) == (401, "invalid_client")


@pytest.mark.parametrize("origin", ["", "https://evil.example"])
def test_a_public_client_needs_a_registered_origin(sandbox: Sandbox, origin: str) -> None:
    reply = sandbox.trade({"grant_type": "authorization_code"}, PUBLIC, origin)
    assert reply.status_code == 401
    assert "invalid_token" in reply.headers["www-authenticate"]


def test_a_call_without_user_agent_is_refused_in_plain_text(sandbox: Sandbox) -> None:
    request = sandbox.http.build_request("POST", "/authentication/oauth/token", headers={"origin": ORIGIN})
    del request.headers["user-agent"]
    reply = sandbox.http.send(request)
    assert reply.status_code == 403
    assert reply.text == "You do not have permission to access this website"


def test_the_token_endpoint_of_another_shop_redirects(sandbox: Sandbox) -> None:
    assert sandbox.http.post("/authentication/1234/oauth/token").status_code == 301


def test_an_unknown_grant_type_is_refused(sandbox: Sandbox) -> None:
    assert grant_error(sandbox.trade({"grant_type": "password"})) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("client", [PUBLIC, CONFIDENTIAL])
def test_a_refresh_rotates_both_tokens_and_brings_no_id_token(sandbox: Sandbox, client: Client) -> None:
    first = sandbox.sign_in("ella", client)
    second = sandbox.refresh(first["refresh_token"], client).json()
    assert set(second) == {"access_token", "expires_in", "refresh_token"}
    assert second["refresh_token"] != first["refresh_token"]
    assert sandbox.graphql(second["access_token"]).status_code == 200


def test_a_refresh_token_used_twice_revokes_the_whole_sign_in(sandbox: Sandbox) -> None:
    first = sandbox.sign_in()
    second = sandbox.refresh(first["refresh_token"]).json()
    assert grant_error(sandbox.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert grant_error(sandbox.refresh(second["refresh_token"])) == (400, "invalid_grant")
    assert sandbox.graphql(second["access_token"]).status_code == 401


def test_a_refresh_token_of_another_client_is_no_good(sandbox: Sandbox) -> None:
    refresh_token = sandbox.sign_in("ella", PUBLIC)["refresh_token"]
    assert grant_error(sandbox.refresh(refresh_token, CONFIDENTIAL)) == (400, "invalid_grant")
    assert sandbox.refresh(refresh_token, PUBLIC).status_code == 200


def test_an_access_token_dies_after_an_hour_and_a_refresh_token_lives_on(sandbox: Sandbox) -> None:
    tokens = sandbox.sign_in()
    sandbox.control("clock", advance=3601)
    assert sandbox.graphql(tokens["access_token"]).status_code == 401
    assert sandbox.refresh(tokens["refresh_token"]).status_code == 200


def test_the_customer_api_answers_the_fields_that_are_asked_for(sandbox: Sandbox) -> None:
    query = "query Me { customer { id key: displayName emailAddress { emailAddress } phoneNumber { phoneNumber } } }"
    reply = sandbox.graphql(sandbox.sign_in("rami")["access_token"], query)
    assert reply.json()["data"]["customer"] == {
        "id": "gid://shopify/Customer/7000000000006",
        "key": "رامي الخطيب",
        "emailAddress": {"emailAddress": "rami@example.com"},
        "phoneNumber": None,
    }


@pytest.mark.parametrize(
    "query", ["{ customer { password } }", "{ shop { name } }", "mutation { x }", "{ customer {", ""]
)
def test_a_query_that_makes_no_sense_gets_graphql_errors(sandbox: Sandbox, query: str) -> None:
    reply = sandbox.graphql(sandbox.sign_in()["access_token"], query)
    assert reply.status_code == 200
    assert reply.json()["errors"][0]["message"]


def test_the_customer_api_refuses_a_bearer_prefix(sandbox: Sandbox) -> None:
    reply = sandbox.graphql(f"Bearer {sandbox.sign_in()['access_token']}")
    assert (reply.status_code, reply.json()) == (401, {"errors": "User does not have access"})


def test_the_customer_api_says_when_the_header_is_missing(sandbox: Sandbox) -> None:
    reply = sandbox.http.post("/customer/api/2026-07/graphql", json={"query": "{ customer { id } }"})
    assert (reply.status_code, reply.json()) == (401, {"errors": [{"message": "Missing Authorization Header"}]})


def test_logging_out_ends_that_sign_in_only_and_goes_to_a_registered_page(sandbox: Sandbox) -> None:
    tokens, other = sandbox.sign_in(), sandbox.sign_in()
    params = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": f"{ORIGIN}/"}
    assert sandbox.http.get("/authentication/logout", params=params).headers["location"] == f"{ORIGIN}/"
    assert sandbox.graphql(tokens["access_token"]).status_code == 401
    assert grant_error(sandbox.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert sandbox.graphql(other["access_token"]).status_code == 200


def test_an_unregistered_logout_page_is_silently_replaced_by_the_shop(sandbox: Sandbox) -> None:
    params = {"id_token_hint": sandbox.sign_in()["id_token"], "post_logout_redirect_uri": "https://evil.example/"}
    assert sandbox.http.get("/authentication/logout", params=params).headers["location"] == f"{sandbox.url}/"


def test_logging_out_by_api_answers_ok_and_also_with_an_old_id_token(sandbox: Sandbox) -> None:
    tokens = sandbox.sign_in()
    sandbox.control("clock", advance=7 * 24 * 3600)
    assert sandbox.http.get("/authentication/logout", params={"id_token_hint": tokens["id_token"]}).status_code == 200
    assert grant_error(sandbox.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


def test_a_browser_that_is_remembered_is_not_asked_again_until_it_signs_out(sandbox: Sandbox) -> None:
    sandbox.control("browsers", remembers=True)
    asked = sandbox.authorization()
    with httpx2.Client(base_url=sandbox.url, trust_env=False) as browser:
        assert (
            "login_required"
            in browser.get("/authentication/oauth/authorize", params=asked | {"prompt": "none"}).headers["location"]
        )
        first = browser.post("/authentication/oauth/authorize", params=asked, data={"persona": "ella"})
        assert "HttpOnly; Path=/authentication; SameSite=lax" in first.headers["set-cookie"]
        for more in ({}, {"prompt": "none"}):
            assert (
                "code=shcac_" in browser.get("/authentication/oauth/authorize", params=asked | more).headers["location"]
            )
        tokens = sandbox.sign_in()
        sandbox.http.get("/authentication/logout", params={"id_token_hint": tokens["id_token"]})
        assert browser.get("/authentication/oauth/authorize", params=asked).status_code == 302
        browser.get("/authentication/logout", params={"id_token_hint": tokens["id_token"]})
        assert browser.get("/authentication/oauth/authorize", params=asked).status_code == 200
        sandbox.control("browsers", remembers=False)
        browser.post("/authentication/oauth/authorize", params=asked, data={"persona": "ella"})
        assert browser.get("/authentication/oauth/authorize", params=asked).status_code == 200


@pytest.mark.parametrize("tail", ["", "x"])
def test_a_forged_or_missing_hint_ends_nothing(sandbox: Sandbox, tail: str) -> None:
    tokens = sandbox.sign_in()
    hint = f"{tokens['id_token'][:-8]}{tail}" if tail else ""
    assert sandbox.http.get("/authentication/logout", params={"id_token_hint": hint}).status_code == 400
    assert sandbox.graphql(tokens["access_token"]).status_code == 200


def storefront(sandbox: Sandbox, customer_token: str, store_token: str = CONFIG.storefront_token) -> httpx2.Response:
    query = "query ($t: String!) { customer(customerAccessToken: $t) { id email } }"
    body = {"query": query, "variables": {"t": customer_token}}
    headers = {"x-shopify-storefront-access-token": store_token}
    return sandbox.http.post("/api/2026-07/graphql.json", json=body, headers=headers)


def test_a_legacy_token_names_its_customer(sandbox: Sandbox) -> None:
    token = sandbox.control("token", persona="tara", kind="storefront")["token"]
    assert token == sandbox.member("tara")["storefrontToken"]
    customer = storefront(sandbox, token).json()["data"]["customer"]
    assert customer == {"id": sandbox.member("tara")["customerId"], "email": "tara@example.com"}


def test_a_bad_legacy_token_gives_null_without_errors(sandbox: Sandbox) -> None:
    reply = storefront(sandbox, "nonsense")
    assert (reply.status_code, reply.json()) == (200, {"data": {"customer": None}})


def test_the_storefront_api_needs_the_shops_token(sandbox: Sandbox) -> None:
    assert storefront(sandbox, "nonsense", "wrong").status_code == 401


def test_a_token_of_another_shop_is_refused(sandbox: Sandbox) -> None:
    token = sandbox.control("token", persona="ella", kind="customer_account", shop="other")["token"]
    assert sandbox.graphql(token).status_code == 401


def test_replies_are_json_that_any_parser_reads(sandbox: Sandbox) -> None:
    reply = sandbox.http.get("/authentication/.well-known/jwks.json")
    key = json.loads(reply.content)["keys"][0]
    assert (key["kid"], key["kty"], "d" in key) == ("id_0", "RSA", False)
