"""Where webhooks go: the addresses in the configuration, and the webhooks that a brand made at Subtotal.

Shapes: subtotal.com/docs/api-reference/webhooks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bff.sandbox.config import Config
from bff.sandbox.json import JsonObject
from bff.sandbox.webhooks.outbox import Destination
from bff.sandbox.webhooks.policies import OKENDO, SHOPIFY, SUBTOTAL


@dataclass(frozen=True)
class Webhook:
    """One webhook made through Subtotal's API; `description` is what the API shows of it, without the secret."""

    destination: Destination
    is_active: bool
    description: JsonObject


class Destinations:
    """Addresses in force until the next reset; an empty one is nobody's."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.subtotal_url = config.subtotal_webhook_url
        self.simulated = config.subtotal_simulated
        self.okendo_url = config.okendo_webhook_url
        self.shopify_url = config.shopify_webhook_url
        self.webhooks: list[Webhook] = []

    def of_subtotal(self) -> Iterator[Destination]:
        if self.subtotal_url:
            secret = self._config.subtotal_signing_secret
            yield Destination(self.subtotal_url, secret, SUBTOTAL, receive_simulated_events=self.simulated)
        yield from (webhook.destination for webhook in self.webhooks if webhook.is_active)

    def of_okendo(self) -> Iterator[Destination]:
        if self.okendo_url:
            yield Destination(self.okendo_url, self._config.okendo_webhook_secret, OKENDO)

    def of_shopify(self) -> Iterator[Destination]:
        if self.shopify_url:
            yield Destination(self.shopify_url, self._config.shopify_webhook_secret, SHOPIFY)
