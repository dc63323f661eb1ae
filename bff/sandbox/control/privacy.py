"""The command of the control API that plays a customer who asks Shopify what is known of them, or to be forgotten.

Payloads: shopify.dev/docs/apps/build/compliance/privacy-law-compliance; headers: shopify.dev/docs/apps/build/webhooks.
"""

import uuid

from bff.sandbox.clock import iso
from bff.sandbox.control.commands import persona
from bff.sandbox.control.faults import BadCommand
from bff.sandbox.json import Json, JsonObject, encode
from bff.sandbox.webhooks.outbox import Event
from bff.sandbox.world import World

TOPICS = ("customers/data_request", "customers/redact", "shop/redact")
SHOP_ID, SHOP_DOMAIN = 954889, "sandbox.myshopify.com"
API_VERSION = "2026-10"


def ask_for_privacy(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"topic", "persona"?, "id"?}`: the webhook is sent at once; the same `id` is a webhook that comes again."""
    topic = str(body.get("topic"))
    if topic not in TOPICS:
        raise BadCommand(f"topic must be one of {', '.join(TOPICS)}")
    event_id = str(body.get("id") or uuid.uuid4())
    headers = (
        ("X-Shopify-Topic", topic),
        ("X-Shopify-Shop-Domain", SHOP_DOMAIN),
        ("X-Shopify-API-Version", API_VERSION),
        ("X-Shopify-Triggered-At", iso(world.clock.now())),
    )
    event = Event(event_id, topic, str(SHOP_ID), encode(_payload(world, topic, body)), headers=headers)
    world.outbox.add([event], world.destinations.of_shopify(), world.clock.seconds())
    return 202, event.summary()


def _payload(world: World, topic: str, body: JsonObject) -> JsonObject:
    shop: dict[str, Json] = {"shop_id": SHOP_ID, "shop_domain": SHOP_DOMAIN}
    if topic == "shop/redact":
        return shop
    member = persona(world, body)
    number = int(member.shopify_id.rpartition("/")[2])
    customer: dict[str, Json] = {"id": number, "email": member.email, "phone": None}
    if topic == "customers/redact":
        return {**shop, "customer": customer, "orders_to_redact": [299938, 280263]}
    return {**shop, "orders_requested": [299938], "customer": customer, "data_request": {"id": 9999}}
