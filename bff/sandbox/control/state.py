"""What the control API shows of the sandbox: members with the effects counted at the vendor, calls, and webhooks."""

import dataclasses

from bff.sandbox.clock import iso
from bff.sandbox.json import Json, JsonObject
from bff.sandbox.okendo.members import Member
from bff.sandbox.subtotal.accounts import connection_json, purchase_json
from bff.sandbox.webhooks.policies import OKENDO, SHOPIFY, SUBTOTAL, DeliveryPolicy
from bff.sandbox.world import World


def describe(world: World) -> JsonObject:
    """The whole state; lists are oldest first."""
    return {
        "members": {persona: describe_member(world, one) for persona, one in world.members.items()},
        "calls": [vars(call) for call in world.calls],
        "policies": {"version": world.policies.version},
        "clock": describe_clock(world),
        "faults": world.faults.waiting(),
        "subtotal": {
            "connections": [connection_json(one) for one in world.accounts.connections.values()],
            "purchases": [purchase_json(one) for one in world.accounts.purchases.values()],
            "events": [event.summary() for event in world.accounts.events],
            "deliveries": _deliveries(world, SUBTOTAL),
        },
        "okendo": {
            "events": [event.summary() for event in world.changes.events],
            "deliveries": _deliveries(world, OKENDO),
        },
        "shopify": {"deliveries": _deliveries(world, SHOPIFY)},
        "carts": {
            cart.bare_id: {"codes": list(cart.codes), "buyer": cart.buyer, "subtotal": f"{cart.subtotal:.2f}"}
            for cart in world.carts.all()
        },
    }


def describe_member(world: World, one: Member) -> JsonObject:
    birthday = one.birthday and {"day": one.birthday[0], "month": one.birthday[1]}
    return {
        "state": one.state,
        "balance": one.balance,
        **dataclasses.asdict(one.effects),
        "birthday": birthday,
        "customerId": one.shopify_id,
        "email": one.email,
        "referralSenderId": one.referral_sender_id,
        "loyaltyCustomerId": one.uuid("loyalty"),
        "storefrontToken": world.grants.storefront_token(one.persona),
    }


def describe_clock(world: World) -> JsonObject:
    return {"now": iso(world.clock.now()), "offsetSeconds": world.clock.offset_seconds, "rate": world.clock.rate}


def _deliveries(world: World, policy: DeliveryPolicy) -> list[Json]:
    return [one.summary() for one in world.outbox.deliveries if one.destination.policy is policy]
