"""What a brand has set up at the pretended Subtotal: its retailers and its webhooks.

Follows subtotal.com/docs/api-reference/{retailers,webhooks}. The fields of a retailer are not public.
"""

import secrets
from datetime import UTC, datetime

from starlette.responses import Response

from bff.sandbox.calls import Call, Operation, answer
from bff.sandbox.json import Json, JsonObject
from bff.sandbox.subtotal.accounts import EVENT_TYPES
from bff.sandbox.subtotal.retailers import RETAILERS
from bff.sandbox.subtotal.server_api import problem, refused, text, with_key
from bff.sandbox.webhooks.destinations import Webhook
from bff.sandbox.webhooks.outbox import Destination
from bff.sandbox.webhooks.policies import SUBTOTAL
from bff.sandbox.world import World


def list_retailers(world: World, call: Call) -> Response:
    lines = [
        {"retailer_id": one.id, "name": one.name, "link_url": f"{world.config.url}/link/{one.code}"}
        for one in RETAILERS
    ]
    return answer(world, {"retailers": lines})


def list_webhooks(world: World, call: Call) -> Response:
    """Without the signing secrets, which are shown once."""
    return answer(world, {"webhooks": [webhook.description for webhook in world.destinations.webhooks]})


def create_webhook(world: World, call: Call) -> Response:
    """Nothing is delivered before it is active. Subtotal asks for https; on this machine http will do."""
    body = call.json() or {}
    name, url, types = text(world, body, "name", 128), text(world, body, "url", 2048), _event_types(world, body)
    if not url.startswith(("https://", "http://")):
        raise refused(world, 422, [problem("body", "url", "Input should be a valid URL", "url_parsing")])
    is_active, simulated = _boolean(world, body, "is_active"), _boolean(world, body, "receive_simulated_events")
    start, end = _moment(world, body, "purchase_date_start"), _moment(world, body, "purchase_date_end")
    description: dict[str, Json] = {
        "webhook_id": world.accounts.ulid(),
        "name": name,
        "url": url,
        "event_types": types,
        "is_active": is_active,
        "receive_simulated_events": simulated,
        "purchase_date_start": body.get("purchase_date_start"),
        "purchase_date_end": body.get("purchase_date_end"),
    }
    secret = secrets.token_urlsafe(32)
    destination = Destination(url, secret, SUBTOTAL, tuple(types), simulated, start, end)
    world.destinations.webhooks.append(Webhook(destination, is_active, description))
    return answer(world, description | {"signing_secret": secret}, 201)


def _event_types(world: World, body: JsonObject) -> list[str]:
    types = body.get("event_types")
    if not isinstance(types, list) or not types or not all(one in EVENT_TYPES for one in types):
        message = f"Input should be a list of {', '.join(EVENT_TYPES)}"
        raise refused(world, 422, [problem("body", "event_types", message, "enum")])
    return [str(one) for one in types]


def _boolean(world: World, body: JsonObject, name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise refused(world, 422, [problem("body", name, "Input should be a valid boolean", "bool_type")])
    return value


def _moment(world: World, body: JsonObject, name: str) -> datetime | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise refused(world, 422, [problem("body", name, "Input should be a valid date", "date_parsing")]) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


OPERATIONS = tuple(
    Operation("subtotal", name, method, (path,), with_key(handle))
    for name, method, path, handle in (
        ("subtotal_retailers", "GET", "/retailers", list_retailers),
        ("subtotal_webhooks", "GET", "/webhooks", list_webhooks),
        ("subtotal_webhooks", "POST", "/webhooks", create_webhook),
    )
)
