"""The OpenAPI document of the JSON endpoints."""

from collections.abc import Sequence

import msgspec

from bff.api.endpoint import PREFIX, Endpoint, Who
from bff.openapi.components import ABOUT, TAGS, JsonSchema
from bff.openapi.requests import code_sample, parameters, request_body
from bff.openapi.responses import (
    References,
    problem_examples,
    response_or_reference,
    sent_headers,
    shared_responses,
    statuses,
)
from bff.openapi.version import API_VERSION
from bff.schemas.base import ProblemDetails
from bff.web import cookies

# What a caller has to show; of several, one.
SECURITY: dict[Who, list[dict[str, list[str]]]] = {
    "anyone": [],
    "visitor": [{}, {"session": []}],
    "member": [{"session": []}],
    "server": [{"tickets": []}],
}
BY_HANDLE: dict[str, list[str]] = {"tickets": [], "handle": []}
SECURITY_SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": cookies.SESSION, "description": "Set by signing in."},
    "handle": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Loyalty-Session",
        "description": "Of `POST /session-handles`, for a server, which sends its bearer token as well.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Loyalty-Csrf",
        "description": "Always `1`: it shows that a script of an allowed origin is writing.",
    },
    "tickets": {"type": "http", "scheme": "bearer", "description": "`SESSION_TICKETS_TOKEN`."},
}


def document(endpoints: Sequence[Endpoint], base_url: str) -> JsonSchema:
    """The OpenAPI 3.1 document of these endpoints."""
    references, schemas = _schemas(endpoints)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Loyalty", "version": API_VERSION, "description": ABOUT},
        "servers": [{"url": base_url}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.values()],
        "paths": _paths(endpoints, references, base_url),
        "components": {
            "schemas": schemas,
            "examples": problem_examples(endpoints, base_url),
            "responses": shared_responses(endpoints, references),
            "headers": sent_headers(endpoints),
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _schemas(endpoints: Sequence[Endpoint]) -> tuple[References, JsonSchema]:
    """References to the schemas of all bodies, and these schemas by their names."""
    bodies = [ProblemDetails, *(body for one in endpoints for body in (one.reads, *one.answers.values()))]
    unique = list(dict.fromkeys(body for body in bodies if body is not None))
    references, schemas = msgspec.json.schema_components(unique, ref_template="#/components/schemas/{name}")
    return dict(zip(unique, references, strict=True)), {name: _without_null(one) for name, one in schemas.items()}


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    """A browser that writes shows besides that a script of an allowed origin does; a server has its token instead."""
    shown: dict[str, list[str]] = {"csrf": []} if endpoint.needs_csrf else {}
    return [one | shown for one in SECURITY[endpoint.who]] + ([BY_HANDLE] if endpoint.takes_handle else [])


def _without_null(schema: JsonSchema) -> JsonSchema:
    """A schema whose fields are null by default, which are left out where they are: they are optional, never null."""
    fields = {name: _never_null(one) for name, one in schema.get("properties", {}).items()}
    return {**schema, "properties": fields} if fields else schema


def _never_null(field: JsonSchema) -> JsonSchema:
    if field.get("default", field) is not None:
        return field
    kept = [one for one in field["anyOf"] if one != {"type": "null"}]
    said = {name: value for name, value in field.items() if name not in {"anyOf", "default"}}
    return {**kept[0], **said} if len(kept) == 1 else {"anyOf": kept, **said}


def _paths(endpoints: Sequence[Endpoint], references: References, base_url: str) -> JsonSchema:
    paths: dict[str, JsonSchema] = {}
    for endpoint in endpoints:
        path = paths.setdefault(PREFIX + endpoint.path, {})
        path[endpoint.method.lower()] = _operation(endpoint, references, base_url)
    return paths


def _operation(endpoint: Endpoint, references: References, base_url: str) -> JsonSchema:
    body = {} if endpoint.reads is None else {"requestBody": request_body(endpoint, references[endpoint.reads])}
    gone = endpoint.deprecated
    leaving = "" if gone is None else f"Deprecated: it is there until {gone.sunset.isoformat()}. {gone.instead} "
    return {
        "operationId": endpoint.operation_id,
        "summary": endpoint.summary,
        "description": leaving + endpoint.description,
        "tags": [TAGS[endpoint.who][0]],
        "security": _security(endpoint),
        "parameters": list(parameters(endpoint)),
        "responses": {
            str(status): response_or_reference(endpoint, status, references) for status in statuses(endpoint)
        },
        "x-codeSamples": [{"lang": "JavaScript", "source": code_sample(endpoint, base_url)}],
        **body,
        **({} if gone is None else {"deprecated": True}),
    }
