"""The pretended Shopify in the browser: the page where a shopper signs in, and the way out.

Follows shopify.dev, Customer Account API, "Authentication": authorization request and logout.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from bff.sandbox.calls import Call, Operation, answer
from bff.sandbox.config import Client
from bff.sandbox.pages import page
from bff.sandbox.world import World

SCOPES = ("openid", "email", "customer-account-api:full", "customer-account-mcp-api:full")
NEEDED_SCOPES = {"openid", "email", "customer-account-api:full"}


def authorize(world: World, call: Call) -> Response:
    """Ask who signs in, then go back to the redirect URI with a code.

    An unknown client or redirect URI gets a page: never send a browser to an address that nobody registered.
    """
    params = {**call.query, **call.form()}
    client = world.config.client(params.get("client_id", ""))
    if client is None:
        return page("refused", 400, reason="This client_id is not registered.")
    if params.get("redirect_uri") not in world.config.redirect_uris:
        return page("refused", 400, reason="This redirect_uri is not a registered callback URI.")
    remembered = world.browser_sessions.persona_of(call.request)
    if error := _request_error(client, params, is_signed_in=remembered is not None):
        return _redirect_back(call, params, error)
    if "cancel" in params:
        return _redirect_back(call, params, {"error": "access_denied", "error_description": "The customer cancelled."})
    if remembered is not None and "persona" not in params:
        return _sign_in(world, call, {**params, "persona": remembered})
    if "persona" not in params and call.request.method != "POST":
        return page("authorize", people=list(world.members.values()), again=f"?{urlencode(params)}")
    return _sign_in(world, call, params)


def _sign_in(world: World, call: Call, params: Mapping[str, str]) -> Response:
    member = world.members.get(params.get("persona", ""))
    if member is None:
        return page("refused", 400, reason="Choose one of the personas.")
    grant = world.grants.open(params["client_id"], member.persona)
    challenge, nonce = params.get("code_challenge", ""), params.get("nonce", "")
    code = world.grants.issue_code(grant, params["redirect_uri"], challenge, nonce)
    return world.browser_sessions.begin(_redirect_back(call, params, {"code": code}), member.persona)


def _request_error(client: Client, params: Mapping[str, str], *, is_signed_in: bool) -> dict[str, str] | None:
    """What is wrong with an authorization request, as the error parameters that go back to the client."""
    scopes = set(params.get("scope", "").split())
    pkce_needed = not client.confidential or "code_challenge" in params
    checks = (
        (not params.get("state"), "invalid_request", "state is required."),
        (params.get("response_type") != "code", "unsupported_response_type", "response_type must be code."),
        (not scopes >= NEEDED_SCOPES or not scopes <= set(SCOPES), "invalid_scope", "The scope is not supported."),
        (pkce_needed and not params.get("code_challenge"), "invalid_request", "code_challenge is required."),
        (pkce_needed and params.get("code_challenge_method") != "S256", "invalid_request", "Use S256."),
        (params.get("prompt") == "none" and not is_signed_in, "login_required", "The customer is not signed in."),
    )
    return next(({"error": error, "error_description": text} for wrong, error, text in checks if wrong), None)


def _redirect_back(call: Call, params: Mapping[str, str], result: Mapping[str, str]) -> Response:
    target = params["redirect_uri"]
    query = urlencode({**result, "state": params.get("state", "")})
    status = 303 if call.request.method == "POST" else 302
    return RedirectResponse(f"{target}{'&' if '?' in target else '?'}{query}", status, {"cache-control": "no-store"})


def logout(world: World, call: Call) -> Response:
    """End the sign-in that the id_token_hint names; an expired hint will do, a forged one will not.

    With a registered post_logout_redirect_uri the browser goes there, with any other one silently to the shop;
    without one the call is taken for an API call ("Mobile") and answered 200. What the browser remembers ends with it,
    where it is a browser that calls.
    """
    params = {**call.query, **call.form()}
    claims = world.signer.read_id_token(params.get("id_token_hint", ""))
    if claims is None or world.config.client(str(claims.get("aud"))) is None:
        return page("refused", 400, reason="The id_token_hint is missing or not one of ours.")
    world.grants.end(str(claims.get("sid")))
    return world.browser_sessions.end(call.request, _after_logout(world, params))


def _after_logout(world: World, params: Mapping[str, str]) -> Response:
    target = params.get("post_logout_redirect_uri", "")
    if not target:
        return answer(world, {})
    if target not in world.config.registered_logout_uris:
        return RedirectResponse(f"{world.config.url}/", 302)
    state = f"{'&' if '?' in target else '?'}{urlencode({'state': params['state']})}" if "state" in params else ""
    return RedirectResponse(target + state, 302)


OPERATIONS = (
    Operation("shopify", "shopify_authorize", "GET POST", ("/authentication/oauth/authorize",), authorize),
    Operation("shopify", "shopify_logout", "GET POST", ("/authentication/logout",), logout),
)
