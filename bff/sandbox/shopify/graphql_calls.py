"""What both GraphQL endpoints have in common: how a request is read, and how fields are denied."""

import re
from collections.abc import Mapping, Sequence

from starlette.responses import Response

from bff.sandbox.calls import Call, answer
from bff.sandbox.json import Json, JsonObject
from bff.sandbox.shopify.graphql import Roots, answered
from bff.sandbox.world import World


def queried(world: World, call: Call, roots: Roots) -> Response:
    if not re.fullmatch(r"\d{4}-\d\d|unstable", call.path_value("version")):
        return answer(world, {"errors": "Not Found"}, 404)
    body = call.json() or {}
    query, variables = body.get("query"), body.get("variables")
    if not isinstance(query, str):
        return answer(world, {"errors": "The request body must be JSON with a query."}, 400)
    try:
        data = answered(query, variables if isinstance(variables, Mapping) else {}, roots)
    except ValueError as error:
        return answer(world, {"errors": [{"message": str(error)}]})
    denied = [name for name in world.denied_fields if re.search(rf"\b{name}\b", query)]
    if not denied:
        return answer(world, {"data": data})
    return answer(world, {"data": None if world.denies_all else _without(data, denied), "errors": _denials(denied)})


def _without(data: JsonObject, denied: Sequence[str]) -> JsonObject:
    """The answer with null where access was denied; `id` may not be null, so without it there is no customer."""
    if "customer" not in data:
        return {name: _nulled(value, denied) for name, value in data.items()}
    customer = data.get("customer")
    if "id" in denied or not isinstance(customer, Mapping):
        return {"customer": None}
    return {"customer": {name: None if name in denied else value for name, value in customer.items()}}


def _nulled(value: Json, denied: Sequence[str]) -> Json:
    if not isinstance(value, Mapping):
        return value
    return {name: None if name in denied else _nulled(inner, denied) for name, inner in value.items()}


def _denials(denied: Sequence[str]) -> list[Json]:
    """Shopify's errors for fields that the app was not granted (shopify.dev/docs/api/customer, error codes)."""
    return [
        {
            "message": f"Access denied for {name} field. Required access: permission of the merchant.",
            "path": ["customer", name],
            "extensions": {"code": "ACCESS_DENIED"},
        }
        for name in denied
    ]
