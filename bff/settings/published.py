"""The secrets that stand in this repository: everybody can read them, so production takes none of them."""

# What the pretended vendors of `make run` would have told the merchant; it opens nothing but the sandbox.
OF_THE_SANDBOX = {
    "SHOPIFY_CLIENT_SECRET": "sandbox-client-secret-0123456789abcdef",
    "SHOPIFY_STOREFRONT_TOKEN": "5f0c9a7be1d24c3890ab6d7e8f123456",
    "SHOPIFY_STOREFRONT_PRIVATE_TOKEN": "sandbox-storefront-private-token-01234567",
    "SHOPIFY_WEBHOOK_SECRET": "sandbox-shopify-app-client-secret",
    "OKENDO_API_KEY": "sandbox0merchant0key0abcdef01234",
    "OKENDO_WEBHOOK_SECRET": "whsec_c2FuZGJveC1va2VuZG8td2ViaG9vay1zZWNyZXQtMzI=",
    "SUBTOTAL_API_KEY": "sandbox-subtotal-api-key",
    "SUBTOTAL_SIGNING_SECRET": "sandbox-subtotal-signing-secret",
}
# What a storefront's server on this machine proves itself with at `make run`, unless it is given another.
OF_A_STOREFRONT = "development-only-session-tickets-token-0123456789"
# What docs/storefront.md began with before.
OF_THE_GUIDE = "a-secret-of-the-storefronts-server-0123456789"
OF_ITS_SECOND_CLIENT = "sandbox-second-client-secret-0123456789"
PUBLISHED = frozenset({*OF_THE_SANDBOX.values(), OF_A_STOREFRONT, OF_THE_GUIDE, OF_ITS_SECOND_CLIENT})
