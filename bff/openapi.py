"""A JSON route as a row of data, and the OpenAPI document that such rows make."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from bff.errors import STATUS, Code
from bff.shapes import ProblemDetails
from bff.web import Handler


def _text(pattern: str, example: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern, "examples": [example]}


PREFIX = "/api/v1"
# Every query parameter there is.
QUERY: dict[str, dict[str, Any]] = {
    "locale": {"description": "Language, with a region if need be", "schema": _text("^[a-z]{2}(-[A-Za-z]{2})?$", "en")},
    "country": {"description": "Country (ISO 3166-1)", "schema": _text("^[A-Za-z]{2}$", "us")},
    "currency": {"description": "Currency (ISO 4217)", "schema": _text("^[A-Za-z]{3}$", "USD")},
    "include": {
        "description": "Parts of the member to add, separated by commas: rewards, earning, tier, coupons",
        "schema": _text("^(rewards|earning|tier|coupons)(,(rewards|earning|tier|coupons)){0,3}$", "rewards,coupons"),
    },
    "limit": {
        "description": "At most so many",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 25},
    },
    "cursor": {"description": "`next` of the page before", "schema": {"type": "string"}},
}


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """`who` is "anyone" (public data, cacheable), "visitor" (reads the session) or "member" (needs one)."""

    method: str
    path: str
    handler: Handler
    summary: str
    who: Literal["anyone", "visitor", "member"]
    reads: Any = None
    answers: dict[int, Any]
    refuses: tuple[Code, ...] = ()
    query: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.handler.__name__


def document(endpoints: Sequence[Endpoint], base_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these endpoints."""
    shapes = [ProblemDetails, *(shape for endpoint in endpoints for shape in _shapes(endpoint))]
    unique = list(dict.fromkeys(shape for shape in shapes if shape is not None))
    references, components = msgspec.json.schema_components(unique, ref_template="#/components/schemas/{name}")
    schemas = dict(zip(unique, references, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, lambda shape: schemas[shape])
        paths.setdefault(PREFIX + endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Loyalty", "version": "1"},
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {"schemas": components},
    }


def _shapes(endpoint: Endpoint) -> list[Any]:
    return [endpoint.reads, *endpoint.answers.values()]


def _operation(endpoint: Endpoint, schema: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    answers: dict[str, Any] = {
        str(status): {"description": endpoint.summary, **_content("application/json", shape and schema(shape))}
        for status, shape in endpoint.answers.items()
        if status < 400
    }
    for status in sorted({STATUS[code] for code in endpoint.refuses}):
        codes = sorted(code for code in endpoint.refuses if STATUS[code] == status)
        problem = _content("application/problem+json", schema(endpoint.answers.get(status, ProblemDetails)))
        answers[str(status)] = {"description": "One of: " + ", ".join(codes), **problem}
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint),
        "responses": answers,
    }
    if endpoint.reads is not None:
        required = bool(endpoint.reads.__struct_fields__)
        operation["requestBody"] = {"required": required, **_content("application/json", schema(endpoint.reads))}
    return operation


def _content(kind: str, schema: dict[str, Any] | None) -> dict[str, Any]:
    return {"content": {kind: {"schema": schema}}} if schema else {}


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    found = [{"name": name, "in": "query", "required": False, **QUERY[name]} for name in endpoint.query]
    names = re.findall(r"{(\w+)}", endpoint.path)
    found += [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    if endpoint.method != "GET":
        only = {"type": "string", "const": "1"}
        found.append({"name": "X-Loyalty-Csrf", "in": "header", "required": True, "schema": only})
    if "idempotency_key_missing" in endpoint.refuses:
        pattern = {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,64}$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": pattern})
    return found
