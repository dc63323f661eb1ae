"""OAuth with the Customer Account API: the addresses a browser is sent to, and the token requests.

Authlib builds the requests; what is Shopify's own habit on errors is said here.
https://shopify.dev/docs/api/customer, "Authentication"
"""

import msgspec
import structlog
from authlib.common.urls import add_params_to_uri
from authlib.integrations.httpx_client import AsyncOAuth2Client
from httpx2 import AsyncBaseTransport, Request, Response

from bff.errors import UpstreamFailed, VendorRefused
from bff.vendors.shopify.discovery import Discovery
from bff.vendors.shopify.requests import ShopifyRequests
from bff.vendors.shopify.tokens import ClientRegistration, PendingLogin, TokenReply

SCOPE = "openid email customer-account-api:full"
FORWARDED_HEADERS = ("authorization", "content-type", "accept", "origin", "user-agent")
LONGEST_TOKEN_SECONDS = 10**8
log = structlog.get_logger("shopify")


class UpstreamTransport(AsyncBaseTransport):
    """What Authlib sends goes through `Upstream` like everything else: one deadline, one size cap, one log line."""

    def __init__(self, requests: ShopifyRequests) -> None:
        self._requests = requests

    async def handle_async_request(self, request: Request) -> Response:
        headers = {name: request.headers[name] for name in FORWARDED_HEADERS if name in request.headers}
        body = await request.aread()
        reply = await self._requests.send("shopify_token", request.method, str(request.url), headers=headers, body=body)
        return Response(reply.status, headers=reply.headers, content=reply.body)


class OAuth:
    """Every method raises UpstreamFailed or UpstreamTimeout when Shopify does not answer, or answers with nonsense."""

    def __init__(self, requests: ShopifyRequests, discovery: Discovery, registration: ClientRegistration) -> None:
        self._discovery = discovery
        self._registration = registration
        self._transport = UpstreamTransport(requests)

    async def authorization_url(self, pending: PendingLogin, **hints: str) -> str:
        """Where the browser goes to sign in: always PKCE S256, state and nonce. `hints` such as locale, login_hint."""
        endpoints = await self._discovery.endpoints()
        async with self._client() as client:
            url, _ = client.create_authorization_url(
                endpoints.authorization_endpoint,
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.verifier,
                **hints,
            )
        return str(url)

    async def end_session_url(self, id_token: str, state: str) -> str | None:
        """Where the browser goes to sign out; None when the shop names no such address."""
        endpoint = (await self._discovery.endpoints()).end_session_endpoint
        if endpoint is None:
            return None
        return add_params_to_uri(
            endpoint,
            [
                ("id_token_hint", id_token),
                ("post_logout_redirect_uri", self._registration.post_logout_redirect_uri),
                ("state", state),
            ],
        )

    async def request_tokens(self, grant_type: str, **fields: str) -> TokenReply:
        """One token request (RFC 6749 §4.1.3, §6); raises VendorRefused when the grant is dead."""
        endpoints = await self._discovery.endpoints()
        try:
            async with self._client() as client:
                token = await client.fetch_token(
                    endpoints.token_endpoint, grant_type=grant_type, client_id=self._registration.client_id, **fields
                )
            reply = msgspec.convert(dict(token), TokenReply, strict=False)
        except (msgspec.ValidationError, ValueError) as error:
            raise UpstreamFailed("Shopify's token answer is unusable.", sent=True) from error
        if not reply.access_token or not 0 < reply.expires_in < LONGEST_TOKEN_SECONDS:
            raise UpstreamFailed("Shopify's token answer is empty.", sent=True)
        return reply

    def _client(self) -> AsyncOAuth2Client:
        # A new one for each call, because it stores the token it fetched on itself. The transport is shared.
        client = AsyncOAuth2Client(
            client_id=self._registration.client_id,
            client_secret=self._registration.client_secret,
            token_endpoint_auth_method="client_secret_basic" if self._registration.client_secret else "none",
            scope=SCOPE,
            redirect_uri=self._registration.redirect_uri,
            code_challenge_method="S256",
            transport=self._transport,
            trust_env=False,
            headers={"origin": self._registration.origin, "user-agent": "loyalty-bff"},
        )
        client.register_compliance_hook("access_token_response", _raise_for_error)
        return client


def _raise_for_error(response: Response) -> Response:
    """Only `invalid_grant` says that a grant is dead. Any other error, such as a 401 with an empty one, may pass."""
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
