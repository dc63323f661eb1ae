"""What the sandbox is told when it starts: its address, its two OAuth clients and the secrets both sides share."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

MAIN_CLIENT_ID = "6f3a1c52-9d0e-4b7a-8c41-2e5d7f90ab13"
OTHER_CLIENT_ID = "b1d24e8f-57c3-4f06-a9e2-83c0d6417a5b"
OTHER_CLIENT_SECRET = "sandbox-second-client-secret-0123456789"
STOREFRONT_TOKEN = "5f0c9a7be1d24c3890ab6d7e8f123456"
STOREFRONT_PRIVATE_TOKEN = "sandbox-storefront-private-token-01234567"
OKENDO_USER_ID = "3c2f8a10-64be-4d59-9f7a-1b0e6c8d2f47"
OKENDO_PARTNER_ID = "sandbox-partner"
OKENDO_API_KEY = "sandbox0merchant0key0abcdef01234"
SUBTOTAL_API_KEY = "sandbox-subtotal-api-key"
SUBTOTAL_CLIENT_ID = "01JSANDB0XC11ENT0000000000"
SUBTOTAL_SIGNING_SECRET = "sandbox-subtotal-signing-secret"
# "sandbox-okendo-webhook-secret-32" in base64.
OKENDO_WEBHOOK_SECRET = "whsec_c2FuZGJveC1va2VuZG8td2ViaG9vay1zZWNyZXQtMzI="

SHOPIFY_WEBHOOK_SECRET = "sandbox-shopify-app-client-secret"


def origin_of(url: str) -> str:
    """`https://shop.example.com/callback` -> `https://shop.example.com`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True)
class Client:
    """One OAuth client; with a secret it is confidential, without one public
    (shopify.dev, Customer Account API, getting started)."""

    client_id: str
    secret: str

    @property
    def confidential(self) -> bool:
        return bool(self.secret)


@dataclass(frozen=True)
class Config:
    """Everything the pretended vendors and the service must agree on.

    `url` is the sandbox as browsers see it; empty means the address it listens on.
    An empty `client_secret` makes the main client public; the second client is always of the other kind.
    An empty webhook URL means that nobody listens; `subtotal_simulated` sends it simulated events as well.
    """

    url: str = ""
    redirect_uris: tuple[str, ...] = ("http://localhost:8000/callback",)
    javascript_origins: tuple[str, ...] = ("http://localhost:8000",)
    logout_uris: tuple[str, ...] = ()
    client_id: str = MAIN_CLIENT_ID
    client_secret: str = ""
    storefront_token: str = STOREFRONT_TOKEN
    storefront_private_token: str = STOREFRONT_PRIVATE_TOKEN
    okendo_user_id: str = OKENDO_USER_ID
    okendo_partner_id: str = OKENDO_PARTNER_ID
    okendo_api_key: str = OKENDO_API_KEY
    subtotal_api_key: str = SUBTOTAL_API_KEY
    subtotal_client_id: str = SUBTOTAL_CLIENT_ID
    subtotal_signing_secret: str = SUBTOTAL_SIGNING_SECRET
    subtotal_webhook_url: str = ""
    subtotal_simulated: bool = False
    okendo_webhook_url: str = ""
    okendo_webhook_secret: str = OKENDO_WEBHOOK_SECRET
    shopify_webhook_url: str = ""
    shopify_webhook_secret: str = SHOPIFY_WEBHOOK_SECRET

    @property
    def clients(self) -> tuple[Client, Client]:
        """The main client and a second one of the other kind."""
        main = Client(self.client_id, self.client_secret)
        return main, Client(OTHER_CLIENT_ID, "" if main.confidential else OTHER_CLIENT_SECRET)

    def client(self, client_id: str) -> Client | None:
        return next((client for client in self.clients if client.client_id == client_id), None)

    @property
    def origins(self) -> frozenset[str]:
        """The registered JavaScript origins: those named, and that of every redirect URI."""
        return frozenset((*self.javascript_origins, *map(origin_of, self.redirect_uris)))

    @property
    def registered_logout_uris(self) -> frozenset[str]:
        """Those named, or else the front page and the page for who has signed out, beside every redirect URI."""
        if self.logout_uris:
            return frozenset(self.logout_uris)
        beside = {urljoin(uri, page) for uri in self.redirect_uris for page in (".", "signed-out")}
        return frozenset(beside | self.origins | {f"{origin}/" for origin in self.origins})


def from_environment(env: Mapping[str, str], port: int) -> Config:
    """The configuration that `python -m bff.sandbox` runs with; an unset or empty variable means the default."""
    default = Config()

    def text(name: str, otherwise: str) -> str:
        return env.get(name) or otherwise

    def words(name: str, otherwise: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(word.strip() for word in env.get(name, "").split(",") if word.strip()) or otherwise

    return Config(
        url=text("SANDBOX_URL", f"http://localhost:{port}").rstrip("/"),
        redirect_uris=words("SANDBOX_REDIRECT_URIS", default.redirect_uris),
        javascript_origins=words("SANDBOX_JAVASCRIPT_ORIGINS", default.javascript_origins),
        logout_uris=words("SANDBOX_LOGOUT_URIS", default.logout_uris),
        client_id=text("SHOPIFY_CLIENT_ID", default.client_id),
        client_secret=text("SHOPIFY_CLIENT_SECRET", default.client_secret),
        storefront_token=text("SHOPIFY_STOREFRONT_TOKEN", default.storefront_token),
        storefront_private_token=text("SHOPIFY_STOREFRONT_PRIVATE_TOKEN", default.storefront_private_token),
        okendo_user_id=text("OKENDO_USER_ID", default.okendo_user_id),
        okendo_partner_id=text("OKENDO_PARTNER_ID", default.okendo_partner_id),
        okendo_api_key=text("OKENDO_API_KEY", default.okendo_api_key),
        subtotal_api_key=text("SUBTOTAL_API_KEY", default.subtotal_api_key),
        subtotal_client_id=text("SUBTOTAL_CLIENT_ID", default.subtotal_client_id),
        subtotal_signing_secret=text("SUBTOTAL_SIGNING_SECRET", default.subtotal_signing_secret),
        subtotal_webhook_url=env.get("SANDBOX_SUBTOTAL_WEBHOOK_URL", ""),
        subtotal_simulated=env.get("SANDBOX_SUBTOTAL_SIMULATED") == "on",
        okendo_webhook_url=env.get("SANDBOX_OKENDO_WEBHOOK_URL", ""),
        okendo_webhook_secret=text("OKENDO_WEBHOOK_SECRET", default.okendo_webhook_secret),
        shopify_webhook_url=env.get("SANDBOX_SHOPIFY_WEBHOOK_URL", ""),
        shopify_webhook_secret=text("SHOPIFY_WEBHOOK_SECRET", default.shopify_webhook_secret),
    )
