"""The pretended Shopify between servers: discovery, token endpoint, keys and the Customer Account API.

Follows shopify.dev, Customer Account API ("Authentication", "Discovery").
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from bff.sandbox.calls import Call, Operation, Refused, answer
from bff.sandbox.config import Client
from bff.sandbox.json import Json
from bff.sandbox.shopify.authorize import SCOPES
from bff.sandbox.shopify.grants import ACCESS_TOKEN_SECONDS, ISSUER, THIS_SHOP, Code, InvalidGrant, TokenPair
from bff.sandbox.shopify.graphql import customer_data
from bff.sandbox.shopify.graphql_calls import queried
from bff.sandbox.world import World

API_VERSION = "2026-07"
# Advertised by live shops, though nothing is known of its use.
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ID_TOKEN_SECONDS = 3600


def openid_configuration(world: World, call: Call) -> Response:
    """As live shops answer it: the issuer's host is not the host of the document."""
    base = f"{world.config.url}/authentication"
    return answer(
        world,
        {
            "issuer": ISSUER,
            "authorization_endpoint": f"{base}/oauth/authorize",
            "token_endpoint": f"{base}/oauth/token",
            "end_session_endpoint": f"{base}/logout",
            "jwks_uri": f"{base}/.well-known/jwks.json",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "grant_types_supported": ["authorization_code", "refresh_token", JWT_BEARER],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "sid", "email", "email_verified"],
            "ui_locales_supported": ["en", "fr", "de", "ar"],
        },
    )


def customer_account_api(world: World, call: Call) -> Response:
    """The version in the path is the newest stable one; it changes every quarter."""
    url = world.config.url
    graphql_api = f"{url}/customer/api/{API_VERSION}/graphql"
    return answer(world, {"graphql_api": graphql_api, "mcp_api": f"{url}/customer/api/mcp"})


def jwks(world: World, call: Call) -> Response:
    return answer(world, world.signer.jwks())


def token(world: World, call: Call) -> Response:
    """Trade a code or a refresh token for tokens. The answer has no token_type, and after a refresh no id_token."""
    if not call.header("user-agent"):
        return PlainTextResponse("You do not have permission to access this website", 403)
    if call.path_value("shop_id") not in ("", str(THIS_SHOP)):
        return RedirectResponse(f"{world.config.url}/", 301)
    form = call.form()
    client = _authenticated(world, call, form)
    if not client.confidential and call.header("origin") not in world.config.origins:
        challenge = {"www-authenticate": 'Bearer error="invalid_token", error_description="Invalid origin"'}
        return answer(world, {"error": "invalid_token", "error_description": "Invalid origin"}, 401, challenge)
    issue = _GRANT_TYPES.get(form.get("grant_type", ""))
    if issue is None:
        return answer(world, {"error": "unsupported_grant_type"}, 400)
    try:
        return issue(world, client, form)
    except InvalidGrant:
        return answer(world, {"error": "invalid_grant", "error_description": "The grant is not valid."}, 400)


def _authenticated(world: World, call: Call, form: Mapping[str, str]) -> Client:
    """A confidential client proves itself by Basic and nothing else; a public one only names itself."""
    basic = call.basic()
    client = world.config.client(basic[0] if basic else form.get("client_id", ""))
    same = client is not None and form.get("client_id", client.client_id) == client.client_id
    if client is not None and same and _proven(client, basic):
        return client
    raise Refused(answer(world, {"error": "invalid_client", "error_description": "Client authentication failed."}, 401))


def _proven(client: Client, basic: tuple[str, str] | None) -> bool:
    if not client.confidential or basic is None:
        return not client.confidential and basic is None
    return hmac.compare_digest(basic[1].encode(), client.secret.encode())


def _by_code(world: World, client: Client, form: Mapping[str, str]) -> Response:
    code = world.grants.redeem_code(form.get("code", ""), client.client_id, form.get("redirect_uri", ""))
    verifier = form.get("code_verifier", "")
    if code.challenge and not verifier:
        # The vendor's own odd answer: an empty error.
        return answer(world, {"error": "", "error_description": "code_verifier is invalid."}, 400)
    if code.challenge and not hmac.compare_digest(s256(verifier), code.challenge.encode()):
        raise InvalidGrant
    issued = world.grants.issue(code.grant)
    return _tokens(world, issued, {"id_token": _id_token(world, code)})


def _by_refresh_token(world: World, client: Client, form: Mapping[str, str]) -> Response:
    return _tokens(world, world.grants.rotate(form.get("refresh_token", ""), client.client_id), {})


_GRANT_TYPES: Mapping[str, Callable[[World, Client, Mapping[str, str]], Response]] = {
    "authorization_code": _by_code,
    "refresh_token": _by_refresh_token,
}


def _tokens(world: World, issued: TokenPair, more: Mapping[str, Json]) -> Response:
    payload = {"access_token": issued.access_token, "expires_in": ACCESS_TOKEN_SECONDS, **more}
    return answer(world, {**payload, "refresh_token": issued.refresh_token}, headers={"cache-control": "no-store"})


def _id_token(world: World, code: Code) -> str:
    """Dated by the machine's clock, so that sign-ins stay acceptable after the sandbox's clock was moved."""
    member, now = world.members[code.grant.persona], int(time.time())
    claims: dict[str, Json] = {
        "iss": ISSUER,
        "sub": str(member.number),
        "aud": code.grant.client_id,
        "iat": now,
        "exp": now + ID_TOKEN_SECONDS,
        "sid": code.grant.sid,
        "email": member.email,
        "email_verified": True,
    }
    return world.signer.id_token(claims | ({"nonce": code.nonce} if code.nonce else {}))


def s256(verifier: str) -> bytes:
    """A PKCE challenge: base64url of SHA-256, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")


def customer_graphql(world: World, call: Call) -> Response:
    """`query { customer { … } }` for the holder of an access token, which is sent bare, without "Bearer"."""
    if not call.header("user-agent"):
        return PlainTextResponse("You do not have permission to access this website", 403)
    if not call.header("authorization"):
        return answer(world, {"errors": [{"message": "Missing Authorization Header"}]}, 401)
    persona = world.grants.persona_of(call.header("authorization"))
    if persona is None:
        return answer(world, {"errors": "User does not have access"}, 401)
    return queried(world, call, {"QueryRoot": {"customer": lambda _: customer_data(world.members[persona])}})


OPERATIONS = (
    Operation(
        "shopify", "shopify_discovery", "GET",
        ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"), openid_configuration,
    ),
    Operation("shopify", "shopify_discovery", "GET", ("/.well-known/customer-account-api",), customer_account_api),
    Operation("shopify", "shopify_jwks", "GET", ("/authentication/.well-known/jwks.json",), jwks),
    Operation(
        "shopify", "shopify_token", "POST",
        ("/authentication/oauth/token", "/authentication/{shop_id}/oauth/token"), token,
    ),
    Operation("shopify", "shopify_graphql", "POST", ("/customer/api/{version}/graphql",), customer_graphql),
)  # fmt: skip
