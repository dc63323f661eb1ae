"""What an operation takes: its parameters, its body, and how JavaScript sends them."""

import json
import re
from collections.abc import Iterator

from bff.api.endpoint import PREFIX, Endpoint
from bff.openapi.components import PATH_PARAMETERS, QUERY_PARAMETERS, REQUEST_HEADERS, JsonSchema
from bff.openapi.examples import example_of
from bff.schemas.activity import Coupon
from bff.schemas.program import EarningRule
from bff.schemas.redemption import Redemption

# What stands in the braces of a path.
PATHS = {"id": EarningRule.example().id, "key": Redemption.example().key, "code": Coupon.example().code}


def parameters(endpoint: Endpoint) -> Iterator[JsonSchema]:
    for name in re.findall(r"{(\w+)}", endpoint.path):
        yield {"name": name, "in": "path", "required": True, **PATH_PARAMETERS[name], "example": PATHS[name]}
    for name in endpoint.query:
        yield {"name": name, "in": "query", "required": False, **QUERY_PARAMETERS[name]}
    for name in _headers(endpoint):
        yield {"name": name, "in": "header", **REQUEST_HEADERS[name]}


def request_body(endpoint: Endpoint, schema: JsonSchema) -> JsonSchema:
    """Required, unless it is an empty object, which may as well be left out."""
    required = bool(getattr(endpoint.reads, "__struct_fields__", True))
    content = {"schema": schema, "examples": {"example": {"value": example_of(endpoint, endpoint.reads)}}}
    return {"required": required, "content": {"application/json": content}}


def code_sample(endpoint: Endpoint, base_url: str) -> str:
    """How storefront JavaScript calls it, ready to be copied."""
    address = json.dumps(base_url + PREFIX + endpoint.path.format_map(PATHS))
    options = "\n".join(_fetch_options(endpoint))
    call = f"fetch({address}, {{\n{options}\n}})" if options else f"fetch({address})"
    has_body = any(body is not None for body in endpoint.answers.values())
    return f"const response = await {call};" + ("\nconst answer = await response.json();" if has_body else "")


def _fetch_options(endpoint: Endpoint) -> Iterator[str]:
    if endpoint.writes:
        yield f'  method: "{endpoint.method}",'
    if endpoint.who in {"visitor", "member"}:
        yield '  credentials: "include",'
    if headers := ", ".join(_fetch_headers(endpoint)):
        yield f"  headers: {{ {headers} }},"
    if endpoint.reads is not None:
        yield f"  body: JSON.stringify({json.dumps(example_of(endpoint, endpoint.reads))}),"


def _fetch_headers(endpoint: Endpoint) -> Iterator[str]:
    """Without If-None-Match, which browsers send by themselves or scripts that keep a copy."""
    needed = set(_headers(endpoint))
    if endpoint.needs_csrf:
        yield '"X-Loyalty-Csrf": "1"'
    if endpoint.who == "server":
        yield '"Authorization": `Bearer ${sessionTicketsToken}`'
    if "Idempotency-Key" in needed:
        yield '"Idempotency-Key": crypto.randomUUID()'
    if endpoint.reads is not None:
        yield '"Content-Type": "application/json"'


def _headers(endpoint: Endpoint) -> Iterator[str]:
    if "idempotency_key_missing" in endpoint.refuses:
        yield "Idempotency-Key"
    if endpoint.is_tagged:
        yield "If-None-Match"
