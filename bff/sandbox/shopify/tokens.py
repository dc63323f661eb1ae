"""Tokens that look like the vendors': an RS256 id_token, `shcat_` and `shcrt_` tokens, and Okendo's HS256 JWT.

Shapes: shopify.dev, Customer Account API (id_token RS256 with kid `id_0`; access tokens whose header says ED25519,
an algorithm name no library knows, so that nobody can do more than keep them).
"""

import base64
import json
import secrets
from collections.abc import Mapping

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, RSAKey

from bff.sandbox.json import Json

Claims = dict[str, Json]


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


class Signer:
    """The keys of the pretended vendors, made once and kept over resets."""

    def __init__(self) -> None:
        self._published = [new_key("id_0")]
        self._withdrawn: list[RSAKey] = []
        self._okendo = OctKey.generate_key(256)

    def renew(self, kid: str) -> None:
        """Sign with a new key of this name from now on; earlier ones stay published, but for one of the same name."""
        self._withdrawn += [key for key in self._published if key.kid == kid]
        self._published = [*(key for key in self._published if key.kid != kid), new_key(kid)]

    def jwks(self) -> dict[str, Json]:
        return {
            "keys": [
                {name: str(value) for name, value in key.as_dict(private=False).items()} for key in self._published
            ]
        }

    def id_token(self, claims: Claims) -> str:
        key = self._published[-1]
        return jwt.encode({"alg": "RS256", "kid": str(key.kid)}, claims, key)

    def read_id_token(self, token: str) -> Mapping[str, object] | None:
        """The claims of an id_token that this server signed, whenever; None for any other text."""
        for key in (*self._published, *self._withdrawn):
            try:
                return jwt.decode(token, key, algorithms=["RS256"]).claims
            except (JoseError, ValueError):
                continue
        return None

    def okendo_jwt(self, claims: Claims) -> str:
        return jwt.encode({"alg": "HS256"}, {**claims, "jti": secrets.token_hex(8)}, self._okendo)


def shopify_access_token(claims: Claims) -> str:
    """`shcat_` and something JWT-shaped."""
    header = _base64url(json.dumps({"kid": "0", "alg": "ED25519"}).encode())
    payload = _base64url(json.dumps({**claims, "jti": secrets.token_hex(8)}).encode())
    return f"shcat_{header}.{payload}.{_base64url(secrets.token_bytes(64))}"


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
