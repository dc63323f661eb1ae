"""What Shopify gives: tokens, and whose they are."""

import msgspec


class ShopifyTokens(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`kind` is "customer_account" or "storefront" (legacy); `expires_at` is in Unix seconds. Tokens are secrets."""

    kind: str
    access_token: str
    expires_at: float
    refresh_token: str | None = None
    id_token: str | None = None

    def __repr__(self) -> str:
        return f"<ShopifyTokens {self.kind}>"


class AuthorizationResponse(msgspec.Struct, frozen=True):
    """What a browser brings back from Shopify: the code, and who says that they issued it (RFC 9207), if it is said."""

    code: str
    issuer: str | None = None

    def __repr__(self) -> str:
        return "<AuthorizationResponse>"


class PendingLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in under way. `browser` is an HMAC over the cookie of the browser that began it, `begun_at` when it did
    (Unix seconds)."""

    state: str
    nonce: str
    verifier: str
    return_to: str
    browser: str
    # What an earlier version stored does not tell; that counts as begun before everything else.
    begun_at: float = 0.0

    def __repr__(self) -> str:
        return "<PendingLogin>"


class ClientRegistration(msgspec.Struct, frozen=True, kw_only=True):
    """How we are registered at the shop. Without a secret we are a public client; `origin` is sent with every call."""

    shop_url: str
    client_id: str
    client_secret: str | None
    redirect_uri: str
    post_logout_redirect_uri: str
    origin: str
    issuer: str | None
    accounts_url: str | None
    storefront_token: str | None
    timeout_seconds: float

    def __repr__(self) -> str:
        return "<ClientRegistration>"


class TokenReply(msgspec.Struct, frozen=True, kw_only=True):
    """A token response (RFC 6749 §5.1); Shopify's has no token_type."""

    access_token: str
    expires_in: float
    refresh_token: str | None = None
    id_token: str | None = None

    def __repr__(self) -> str:
        return "<TokenReply>"


class ShopifyCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is a GID such as gid://shopify/Customer/1; `denied` are fields that the merchant does not let us read."""

    id: str
    name: str | None = None
    email: str | None = None
    denied: tuple[str, ...] = ()
