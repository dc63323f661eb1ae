"""What the pretended Shopify has issued: sign-in codes, access tokens, refresh tokens and legacy Storefront tokens.

Rules: shopify.dev, Customer Account API, "Authentication". Codes and refresh tokens are one-use, and using one twice
revokes everything that came from the same sign-in (Shopify calls such a token "previously revoked").
"""

import secrets
from dataclasses import dataclass

from bff.sandbox.clock import Clock
from bff.sandbox.shopify.tokens import shopify_access_token

THIS_SHOP = 74758783200
OTHER_SHOP = 65065065065
ISSUER = f"https://shopify.com/authentication/{THIS_SHOP}"
CODE_SECONDS = 60
ACCESS_TOKEN_SECONDS = 3600
# Shopify publishes no lifetime of refresh tokens; three months is this sandbox's choice.
REFRESH_TOKEN_SECONDS = 90 * 24 * 3600
# "Six weeks", said a Shopify engineer of Storefront API customer tokens.
STOREFRONT_TOKEN_SECONDS = 42 * 24 * 3600


class InvalidGrant(Exception):
    """The code or refresh token is unknown, used, expired, revoked or another client's."""


@dataclass
class Grant:
    """One sign-in of one persona through one client; `sid` names it in the id_token."""

    client_id: str
    persona: str
    shop: int
    sid: str
    revoked: bool = False


@dataclass
class Code:
    """A sign-in code with what the authorization request bound it to."""

    grant: Grant
    redirect_uri: str
    challenge: str
    nonce: str
    expires_at: float
    used: bool = False


@dataclass
class Token:
    """An access, refresh or Storefront token."""

    grant: Grant
    expires_at: float
    used: bool = False


@dataclass(frozen=True)
class TokenPair:
    access_token: str
    refresh_token: str


class Grants:
    """All codes and tokens of one world, looked up by their text; nothing is decoded."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._codes: dict[str, Code] = {}
        self._access: dict[str, Token] = {}
        self._refresh: dict[str, Token] = {}
        self._storefront: dict[str, Token] = {}
        self._sessions: dict[str, Grant] = {}

    def open(self, client_id: str, persona: str, shop: int = THIS_SHOP) -> Grant:
        grant = Grant(client_id, persona, shop, secrets.token_hex(16))
        self._sessions[grant.sid] = grant
        return grant

    def issue_code(self, grant: Grant, redirect_uri: str, challenge: str, nonce: str) -> str:
        text = f"shcac_{secrets.token_hex(16)}"
        self._codes[text] = Code(grant, redirect_uri, challenge, nonce, self._clock.seconds() + CODE_SECONDS)
        return text

    def redeem_code(self, text: str, client_id: str, redirect_uri: str) -> Code:
        """The code, which is used up by this call whatever the outcome; InvalidGrant when it is no good."""
        code = self._codes.get(text)
        if code is None:
            raise InvalidGrant
        if code.used:
            code.grant.revoked = True
        wrong = (client_id, redirect_uri) != (code.grant.client_id, code.redirect_uri)
        if code.used or wrong or self._is_dead(code):
            code.used = True
            raise InvalidGrant
        code.used = True
        return code

    def issue(self, grant: Grant) -> TokenPair:
        """A fresh pair of tokens."""
        now = self._clock.seconds()
        access = shopify_access_token(
            {"iss": f"https://shopify.com/{grant.shop}", "sid": grant.sid, "exp": int(now) + ACCESS_TOKEN_SECONDS}
        )
        refresh = f"shcrt_{secrets.token_hex(16)}"
        self._access[access] = Token(grant, now + ACCESS_TOKEN_SECONDS)
        self._refresh[refresh] = Token(grant, now + REFRESH_TOKEN_SECONDS)
        return TokenPair(access, refresh)

    def rotate(self, text: str, client_id: str) -> TokenPair:
        """A new pair for a refresh token, which is used up; InvalidGrant when it is no good."""
        token = self._refresh.get(text)
        if token is None or token.grant.client_id != client_id:
            raise InvalidGrant
        if token.used:
            token.grant.revoked = True
        if token.used or self._is_dead(token):
            raise InvalidGrant
        token.used = True
        return self.issue(token.grant)

    def persona_of(self, access_token: str) -> str | None:
        """Whose access token of this shop this is, if it is good."""
        return self._holder(self._access.get(access_token))

    def storefront_token(self, persona: str, shop: int = THIS_SHOP) -> str:
        """The persona's valid legacy token; a new one only when the last has expired."""
        for text, token in self._storefront.items():
            if (token.grant.persona, token.grant.shop) == (persona, shop) and not self._is_dead(token):
                return text
        text = secrets.token_hex(16)
        grant = Grant("legacy customer accounts", persona, shop, secrets.token_hex(16))
        self._storefront[text] = Token(grant, self._clock.seconds() + STOREFRONT_TOKEN_SECONDS)
        return text

    def storefront_persona_of(self, token: str) -> str | None:
        return self._holder(self._storefront.get(token))

    def end(self, sid: str) -> None:
        """Sign out: every token of that sign-in is dead; an unknown session is already over."""
        if grant := self._sessions.get(sid):
            grant.revoked = True

    def _holder(self, token: Token | None) -> str | None:
        if token is None or token.grant.shop != THIS_SHOP or self._is_dead(token):
            return None
        return token.grant.persona

    def _is_dead(self, issued: Code | Token) -> bool:
        return issued.grant.revoked or issued.expires_at <= self._clock.seconds()
