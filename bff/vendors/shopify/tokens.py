"""What Shopify gives: tokens, and whose they are."""

import msgspec


class ShopifyTokens(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is "customer_account" or "storefront" (legacy); `expires_at` is in Unix seconds. Tokens are secrets."""

    kind: str
    access_token: str
    expires_at: float
    refresh_token: str | None = None
    id_token: str | None = None

    def __repr__(self) -> str:
        return f"<ShopifyTokens {self.kind}>"


class PendingLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in under way. `browser` is an HMAC over the cookie of the browser that began it."""

    state: str
    nonce: str
    verifier: str
    return_to: str
    browser: str


class ClientRegistration(msgspec.Struct, frozen=True, kw_only=True):
    """How we are registered at the shop. Without a secret we are a public client; `origin` is sent with every call."""

    shop_url: str
    client_id: str
    client_secret: str | None
    redirect_uri: str
    origin: str
    issuer: str | None
    storefront_token: str | None
    timeout_seconds: float


class TokenReply(msgspec.Struct, frozen=True, kw_only=True):
    """A token response (RFC 6749 §5.1); Shopify's has no token_type."""

    access_token: str
    expires_in: float
    refresh_token: str | None = None
    id_token: str | None = None


class ShopifyCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is a GID such as gid://shopify/Customer/1."""

    id: str
    name: str | None = None
    email: str | None = None
