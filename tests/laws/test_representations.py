"""Whatever holds a credential does not show it, so that no log line, message or traceback can repeat it (C1, N3)."""

from collections.abc import Iterator
from typing import Any

import msgspec

from bff.app import create_app
from bff.cli import main

CANARY = "a-credential-that-nobody-may-see"
CREDENTIALS = {
    "access_token", "refresh_token", "id_token", "token", "jwt", "nonce", "verifier", "key_share", "ticket",
    "customer_access_token", "storefront_customer_access_token", "storefront_token", "tickets_token", "metrics_token",
    "client_secret", "webhook_secret", "signing_secret", "api_key", "secret_keys", "session_nonce",
    "storefront_private_token", "public_token", "private_token", "cart_id",
}  # fmt: skip
# Importing these two imports the whole service.
WHOLE = (create_app, main)


def structs(kind: type[msgspec.Struct] = msgspec.Struct) -> Iterator[type[msgspec.Struct]]:
    """Every struct of the service; the sandbox keeps no secrets."""
    for found in kind.__subclasses__():
        if found.__module__.startswith("bff.") and not found.__module__.startswith("bff.sandbox."):
            yield found
        yield from structs(found)


def test_C1_N3_what_holds_a_credential_does_not_show_it() -> None:
    holding = {found for found in structs() if CREDENTIALS & set(found.__struct_fields__)}
    assert {"SessionData", "ShopifyTokens", "PendingLogin", "Credentials"} <= {found.__name__ for found in holding}
    showing: list[str] = []
    for found in holding:
        values: dict[str, Any] = {name: CANARY if name in CREDENTIALS else "x" for name in found.__struct_fields__}
        held = found(**values)
        showing += [found.__name__ for shown in (repr(held), str([held]), f"{held}") if CANARY in shown]
    assert showing == []
