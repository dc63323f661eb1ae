"""Shopify's dialect: discovery, OAuth with the Customer Account API, ID tokens, and who a token belongs to.

Authlib builds the requests and checks the claims; what it leaves open is closed here: discovery and keys with a
lifetime, a required ID token whose audience is checked, refreshes that keep the old ID token, and Shopify's own
habits on errors. https://shopify.dev/docs/api/customer
"""

import asyncio
import re
from typing import Any

import msgspec
import structlog
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from httpx2 import AsyncBaseTransport, Request, Response
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from bff.clock import Clock
from bff.errors import Problem, UpstreamFailed, VendorRefused
from bff.stores.refreshing import StaleWhileRevalidate
from bff.vendors.shopify.tokens import ClientRegistration, PendingLogin, ShopifyCustomer, ShopifyTokens, TokenReply
from bff.vendors.upstream import Call, Upstream

SCOPE = "openid email customer-account-api:full"
API_VERSION = "2026-07"
FRESH_SECONDS = 3600
STALE_SECONDS = 86_400
KEYS_RETRY_SECONDS = 30
LEEWAY_SECONDS = 120
SHOPIFY_ISSUER = re.compile(r"https://shopify\.com/authentication/\d+")
CUSTOMER_QUERY = "query { customer { id displayName emailAddress { emailAddress } } }"
LEGACY_QUERY = "query ($token: String!) { customer(customerAccessToken: $token) { id displayName email } }"
log = structlog.get_logger("shopify")


class Discovery(msgspec.Struct, frozen=True):
    """The parts we need of the shop's two discovery documents."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str
    jwks_uri: str
    graphql_api: str


class OneDoor(AsyncBaseTransport):
    """What Authlib sends goes through `Upstream` like everything else: one deadline, one size cap, one log line."""

    def __init__(self, upstream: Upstream, timeout_seconds: float) -> None:
        self._upstream = upstream
        self._timeout_seconds = timeout_seconds

    async def handle_async_request(self, request: Request) -> Response:
        kept = ("authorization", "content-type", "accept", "origin", "user-agent")
        reply = await self._upstream.call(
            Call(
                vendor="shopify",
                operation="shopify_token",
                method=request.method,
                url=str(request.url),
                headers={name: request.headers[name] for name in kept if name in request.headers},
                body=await request.aread(),
                timeout_seconds=self._timeout_seconds,
            )
        )
        return Response(reply.status, headers=reply.headers, content=reply.body)


class ShopifyClient:
    """One shop's Customer Account API. Every call raises UpstreamFailed or UpstreamTimeout when Shopify cannot be
    reached or answers with nonsense, and VendorRefused when it says a definite no."""

    def __init__(self, upstream: Upstream, client: ClientRegistration, clock: Clock) -> None:
        self.storefront_token = client.storefront_token
        self._upstream = upstream
        self._client = client
        self._transport = OneDoor(upstream, client.timeout_seconds)
        self._clock = clock
        self._issuer = client.issuer
        self._discovery = StaleWhileRevalidate(
            self._discover, clock, fresh_seconds=FRESH_SECONDS, stale_seconds=STALE_SECONDS
        )
        self._keys = StaleWhileRevalidate(
            self._load_keys, clock, fresh_seconds=FRESH_SECONDS, stale_seconds=STALE_SECONDS
        )

    async def authorization_url(self, pending: PendingLogin, **hints: str) -> str:
        """Where the browser goes to sign in: always PKCE S256, state and nonce. `hints` such as locale, login_hint."""
        discovery = await self._discovered()
        async with self._oauth() as oauth:
            url, _ = oauth.create_authorization_url(
                discovery.authorization_endpoint,
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.verifier,
                **hints,
            )
        return str(url)

    async def redeem_code(self, code: str, pending: PendingLogin) -> ShopifyTokens:
        """Trade the callback's code for tokens.

        Raises VendorRefused when the code is dead, Problem `session_required` when the ID token does not hold.
        """
        reply = await self._token_request(
            "authorization_code", code=code, code_verifier=pending.verifier, redirect_uri=self._client.redirect_uri
        )
        if not reply.id_token:
            raise UpstreamFailed("Shopify's token answer has no ID token.", sent=True)
        await self._check_id_token(reply, pending.nonce)
        return self._tokens(reply, reply.refresh_token, reply.id_token)

    async def refresh(self, tokens: ShopifyTokens) -> ShopifyTokens:
        """Trade the one-use refresh token for new tokens; Shopify sends no new ID token, so the old one is kept.

        Raises VendorRefused only for `invalid_grant`, the one answer that says the grant is dead.
        """
        if tokens.refresh_token is None:
            raise VendorRefused("shopify_token", 400, "invalid_grant")
        reply = await self._token_request("refresh_token", refresh_token=tokens.refresh_token)
        return self._tokens(reply, reply.refresh_token or tokens.refresh_token, reply.id_token or tokens.id_token)

    async def customer_of(self, access_token: str) -> ShopifyCustomer:
        """Whose Customer Account API token this is; raises VendorRefused when Shopify does not accept it."""
        discovery = await self._discovered()
        # The raw token, without "Bearer": Shopify's own convention.
        body = await self._graphql(discovery.graphql_api, {"authorization": access_token}, CUSTOMER_QUERY, {})
        return _customer(body, "emailAddress.emailAddress")

    async def customer_of_legacy(self, access_token: str) -> ShopifyCustomer:
        """Whose legacy Storefront token this is; an invalid one gives a null customer instead of an error."""
        url = f"{self._client.shop_url}/api/{API_VERSION}/graphql.json"
        headers = {"x-shopify-storefront-access-token": self.storefront_token or ""}
        return _customer(await self._graphql(url, headers, LEGACY_QUERY, {"token": access_token}), "email")

    async def end_session(self, id_token: str) -> None:
        """End the shopper's session at Shopify as well, from server to server, so that no token meets a browser."""
        discovery = await self._discovered()
        async with self._oauth() as oauth:
            request = oauth.build_request("GET", discovery.end_session_endpoint, params={"id_token_hint": id_token})
        await self._upstream.call(self._call("shopify_logout", "GET", str(request.url), {}))

    async def issuer(self) -> str:
        """Who signs the shop's ID tokens, as its discovery documents and the settings agree."""
        return (await self._discovered()).issuer

    async def _discovered(self) -> Discovery:
        discovery, _ = await self._discovery.get()
        return discovery

    async def _discover(self) -> Discovery:
        documents = await asyncio.gather(self._document("openid-configuration"), self._document("customer-account-api"))
        try:
            discovery = msgspec.convert({**documents[0], **documents[1]}, Discovery)
        except msgspec.ValidationError:
            raise UpstreamFailed("Shopify's discovery document is incomplete.", sent=True) from None
        self._pin(discovery.issuer)
        endpoint = re.sub(r"/api/[^/]+/", f"/api/{API_VERSION}/", discovery.graphql_api)
        return msgspec.structs.replace(discovery, graphql_api=endpoint)

    async def _document(self, name: str) -> dict[str, Any]:
        url = f"{self._client.shop_url}/.well-known/{name}"
        reply = await self._upstream.call(self._call("shopify_discovery", "GET", url, {}))
        body = reply.json() if reply.status == 200 else None
        if not isinstance(body, dict):
            raise UpstreamFailed(f"{name} is not there: are customer accounts enabled in the shop?", sent=True)
        return body

    def _pin(self, issuer: str) -> None:
        """The issuer is set in the settings, or the first one seen of Shopify's form; it never changes afterwards."""
        if self._issuer is None and SHOPIFY_ISSUER.fullmatch(issuer):
            self._issuer = issuer
        if issuer != self._issuer:
            log.error("issuer_refused")
            raise UpstreamFailed("Shopify's issuer is not the one that was pinned.", sent=True)

    def _oauth(self) -> AsyncOAuth2Client:
        # A client a call: it stores the token it fetched on itself. The transport below is shared.
        client = AsyncOAuth2Client(
            client_id=self._client.client_id,
            client_secret=self._client.client_secret,
            token_endpoint_auth_method="client_secret_basic" if self._client.client_secret else "none",
            scope=SCOPE,
            redirect_uri=self._client.redirect_uri,
            code_challenge_method="S256",
            transport=self._transport,
            trust_env=False,
            headers={"origin": self._client.origin, "user-agent": "loyalty-bff"},
        )
        client.register_compliance_hook("access_token_response", _checked)
        return client

    async def _token_request(self, grant_type: str, **fields: str) -> TokenReply:
        discovery = await self._discovered()
        try:
            async with self._oauth() as oauth:
                token = await oauth.fetch_token(
                    discovery.token_endpoint, grant_type=grant_type, client_id=self._client.client_id, **fields
                )
            reply = msgspec.convert(dict(token), TokenReply, strict=False)
        except (msgspec.ValidationError, ValueError) as error:
            raise UpstreamFailed("Shopify's token answer is unusable.", sent=True) from error
        if not reply.access_token or not 0 < reply.expires_in < 10**8:
            raise UpstreamFailed("Shopify's token answer is empty.", sent=True)
        return reply

    def _tokens(self, reply: TokenReply, refresh_token: str | None, id_token: str | None) -> ShopifyTokens:
        return ShopifyTokens(
            kind="customer_account",
            access_token=reply.access_token,
            expires_at=self._clock() + reply.expires_in,
            refresh_token=refresh_token,
            id_token=id_token,
        )

    async def _check_id_token(self, reply: TokenReply, nonce: str) -> None:
        """OpenID Connect Core §3.1.3.7: signature, issuer, audience, expiry, nonce."""
        options = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": self._client.client_id},
        }
        params = {"nonce": nonce, "client_id": self._client.client_id, "access_token": reply.access_token}
        try:
            token = await self._verified(str(reply.id_token))
            CodeIDToken(token.claims, token.header, options, params).validate(leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError) as error:
            log.warning("id_token_refused", reason=type(error).__name__)
            raise Problem("session_required", "Shopify's answer could not be verified.") from None

    async def _verified(self, id_token: str) -> jwt.Token:
        registry = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
        keys, _ = await self._keys.get()
        try:
            return jwt.decode(id_token, keys, registry=registry)
        except InvalidKeyIdError:
            # The keys may have been rotated; they are asked for again, but not at every stranger's wish.
            keys, _ = await self._keys.get(at_most_seconds=KEYS_RETRY_SECONDS)
            return jwt.decode(id_token, keys, registry=registry)

    async def _load_keys(self) -> KeySet:
        discovery = await self._discovered()
        reply = await self._upstream.call(self._call("shopify_jwks", "GET", discovery.jwks_uri, {}))
        try:
            return KeySet.import_key_set(reply.json())
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UpstreamFailed("Shopify's keys cannot be read.", sent=True) from error

    async def _graphql(self, url: str, headers: dict[str, str], query: str, variables: dict[str, str]) -> Any:
        body = msgspec.json.encode({"query": query, "variables": variables})
        operation = "storefront_graphql" if variables else "shopify_graphql"
        reply = await self._upstream.call(
            self._call(operation, "POST", url, headers | {"content-type": "application/json"}, body)
        )
        if reply.status in {401, 403}:
            raise VendorRefused(operation, reply.status)
        answer = reply.json() if reply.status == 200 else None
        if not isinstance(answer, dict) or not isinstance(answer.get("data"), dict):
            raise UpstreamFailed("Shopify did not say whose token this is.", sent=True)
        return answer["data"].get("customer")

    def _call(self, operation: str, method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Call:
        return Call(
            vendor="shopify",
            operation=operation,
            method=method,
            url=url,
            headers={"origin": self._client.origin, **headers},
            body=body,
            timeout_seconds=self._client.timeout_seconds,
            idempotent=method == "GET",
        )


def _customer(body: Any, email_path: str) -> ShopifyCustomer:
    """Raises VendorRefused for a null customer: that is how the Storefront API says "invalid token"."""
    if not isinstance(body, dict) or not isinstance(body.get("id"), str) or not body["id"]:
        raise VendorRefused("shopify_graphql", 401)
    email: Any = body
    for part in email_path.split("."):
        email = email.get(part) if isinstance(email, dict) else None
    name = body.get("displayName")
    return ShopifyCustomer(
        id=body["id"], name=name if isinstance(name, str) else None, email=email if isinstance(email, str) else None
    )


def _checked(response: Response) -> Response:
    """Only `invalid_grant` means that a grant is dead. Everything else, such as a 401 with an empty error, passes."""
    if response.status_code == 200:
        return response
    try:
        error = response.json().get("error")
    except (ValueError, AttributeError):
        error = None
    if response.status_code == 400 and error == "invalid_grant":
        raise VendorRefused("shopify_token", 400, "invalid_grant")
    log.error("token_request_refused", status=response.status_code, invalid_client=error == "invalid_client")
    raise UpstreamFailed("Shopify refused the token request.", sent=True)
