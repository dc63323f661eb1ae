"""Whether an ID token is Shopify's answer to our own sign-in (OpenID Connect Core 1.0 §3.1.3.7).

Authlib checks the claims; what it leaves open is closed here: the algorithm is RS256, and the audience is required.
"""

import re
from typing import Any

import structlog
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jws import JWSRegistry

from bff.vendors.shopify.discovery import Discovery
from bff.vendors.shopify.id_token_refusals import refused_for, unverified
from bff.vendors.shopify.tokens import TokenReply

LEEWAY_SECONDS = 120
CUSTOMER_NUMBER = re.compile(r"(?:gid://shopify/Customer/)?(\d+)")
log = structlog.get_logger("shopify")


class IdTokens:
    def __init__(self, discovery: Discovery, *, client_id: str) -> None:
        self._discovery = discovery
        self._client_id = client_id

    async def check_issuer(self, issuer: str | None) -> None:
        """The issuer that a callback names is compared where it names one (RFC 9207 §2.4): whoever answers for another
        authorization server is not given our code. Raises Problem `session_required`."""
        endpoints = await self._discovery.endpoints()
        if issuer is not None and issuer != endpoints.issuer:
            raise unverified("callback_issuer")

    async def verify(self, reply: TokenReply, nonce: str) -> str:
        """Signature, issuer, audience, expiry and nonce; raises Problem `session_required` when one does not hold.

        Returns whom it is about, the `sub` claim.
        """
        endpoints = await self._discovery.endpoints()
        options = {
            "iss": {"essential": True, "value": endpoints.issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        params = {"nonce": nonce, "client_id": self._client_id, "access_token": reply.access_token}
        claims: dict[str, Any] = {}
        try:
            token = await self._decode(str(reply.id_token))
            claims = token.claims
            CodeIDToken(claims, token.header, options, params).validate(leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError) as error:
            raise refused_for(error, claims) from None
        return str(claims["sub"])

    async def _decode(self, id_token: str) -> jwt.Token:
        registry, keys = JWSRegistry(algorithms=["RS256"], strict_check_header=False), await self._discovery.keys()
        try:
            return jwt.decode(id_token, keys, registry=registry)
        except (InvalidKeyIdError, BadSignatureError):
            # A key may have been added, or replaced under the same name.
            newer = await self._discovery.keys_after(keys)
            if newer is None:
                raise
            return jwt.decode(id_token, newer, registry=registry)


def check_subject(subject: str, customer_id: str) -> None:
    """An ID token's `sub` and the customer whose access token came with it are one.

    Shopify does not document the form of `sub`: the number and the GID are both read, and of any other form nothing can
    be said but in the log. Raises Problem `session_required`.
    """
    told, known = CUSTOMER_NUMBER.fullmatch(subject), CUSTOMER_NUMBER.fullmatch(customer_id)
    if told is None or known is None:
        log.warning("id_token_subject_unreadable")
    elif told[1] != known[1]:
        raise unverified("subject")
