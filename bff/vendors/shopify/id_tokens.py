"""Whether an ID token is Shopify's answer to our own sign-in (OpenID Connect Core 1.0 §3.1.3.7).

Authlib checks the claims; what it leaves open is closed here: the algorithm is RS256, and the audience is required.
"""

import structlog
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jws import JWSRegistry

from bff.errors import Problem
from bff.vendors.shopify.discovery import Discovery
from bff.vendors.shopify.tokens import TokenReply

# Keys that a token names and we do not know are asked for again, but not more often than this.
KEYS_RETRY_SECONDS = 30
LEEWAY_SECONDS = 120
log = structlog.get_logger("shopify")


class IdTokens:
    def __init__(self, discovery: Discovery, *, client_id: str) -> None:
        self._discovery = discovery
        self._client_id = client_id

    async def verify(self, reply: TokenReply, nonce: str) -> None:
        """Signature, issuer, audience, expiry and nonce; raises Problem `session_required` when one does not hold."""
        endpoints = await self._discovery.endpoints()
        options = {
            "iss": {"essential": True, "value": endpoints.issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        params = {"nonce": nonce, "client_id": self._client_id, "access_token": reply.access_token}
        try:
            token = await self._decode(str(reply.id_token))
            CodeIDToken(token.claims, token.header, options, params).validate(leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError) as error:
            log.warning("id_token_refused", reason=type(error).__name__)
            raise Problem("session_required", "Shopify's answer could not be verified.") from None

    async def _decode(self, id_token: str) -> jwt.Token:
        registry = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
        try:
            return jwt.decode(id_token, await self._discovery.keys(), registry=registry)
        except InvalidKeyIdError:
            # The keys may have been rotated.
            keys = await self._discovery.keys(at_most_seconds=KEYS_RETRY_SECONDS)
            return jwt.decode(id_token, keys, registry=registry)
