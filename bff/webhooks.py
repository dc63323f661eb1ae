"""Webhooks: each event is verified, stored once together with its job, and answered at once.

No browser calls these addresses, so the rules for browsers do not apply; a signature over the raw body replaces them.
"""

import hashlib

import structlog
from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Problem
from bff.stores.inbox import Arrival, Inbox
from bff.stores.queue import Task
from bff.vendors.okendo import webhooks as okendo
from bff.vendors.shopify import webhooks as shopify
from bff.vendors.subtotal import webhooks as subtotal
from bff.web.state import WebState

log = structlog.get_logger("webhooks")


class WebhookState(WebState):
    inbox: Inbox


async def from_subtotal(request: Request[WebhookState]) -> Response:
    settings, body = request.state["settings"], await request.body()
    secret = _known(settings.subtotal.signing_secret)
    now, tolerance = request.state["clock"](), settings.subtotal.tolerance_seconds
    subtotal.check_signature(request.headers, body, secret, now=now, tolerance_seconds=tolerance)
    event = subtotal.read_event(body)
    arrival = Arrival(
        vendor="subtotal",
        event_id=event.id,
        type=event.type,
        digest=hashlib.sha256(body).hexdigest(),
        body=body,
        customer_id=event.connection.customer_id if event.connection else None,
        is_simulated=event.is_simulated,
    )
    return await _stored(request, arrival, "take_event")


async def from_okendo(request: Request[WebhookState]) -> Response:
    body = await request.body()
    secret = _known(request.state["settings"].okendo.webhook_secret)
    event = okendo.read_event(request.headers, body, secret)
    arrival = Arrival(
        vendor="okendo",
        event_id=event.id,
        type=event.type,
        digest=hashlib.sha256(body).hexdigest(),
        body=body,
        resource=event.resource,
        sequence=event.sequence,
    )
    return await _stored(request, arrival, "refresh_member")


async def from_shopify(request: Request[WebhookState]) -> Response:
    """What a customer asks for at Shopify; anything else that Shopify sends is answered and not stored."""
    body = await request.body()
    shopify.check_signature(request.headers, body, _known(request.state["settings"].shopify.webhook_secret))
    topic = shopify.topic_of(request.headers)
    if topic is None:
        log.info("webhook", vendor="shopify", state="ignored")
        return Response(status_code=204)
    asked = shopify.read_request(topic, request.headers.get("x-shopify-webhook-id", ""), body)
    digest = hashlib.sha256(body).hexdigest()
    arrival = Arrival(vendor="shopify", event_id=asked.id, type=asked.topic, digest=digest, body=body)
    return await _stored(request, arrival, "take_request")


async def _stored(request: Request[WebhookState], arrival: Arrival, task: Task) -> Response:
    """204 for a new event and for one that came before: the vendor need not send it again."""
    is_new = await request.state["inbox"].store(arrival, task)
    log.info("webhook", vendor=arrival.vendor, what=arrival.type, state="new" if is_new else "repeated")
    return Response(status_code=204)


def _known(secret: str | None) -> str:
    if secret is None:
        raise Problem("not_found", "There is nothing at this address.")
    return secret
