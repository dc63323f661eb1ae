"""The OpenAPI document of the JSON endpoints."""

import json
import re
from collections.abc import Sequence
from typing import Any

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
from bff.schemas.base import ProblemDetails
from bff.web import cookies

SESSION = [{"session": list[str]()}]
BEARER = [{"tickets": list[str]()}]
SECURITY: dict[Who, Any] = {"anyone": [], "visitor": [{}, *SESSION], "member": SESSION, "server": BEARER}
SECURITY_SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": cookies.SESSION, "description": "Set by signing in."},
    "tickets": {"type": "http", "scheme": "bearer", "description": "`SESSION_TICKETS_TOKEN`."},
}


def document(endpoints: Sequence[Endpoint], base_url: str) -> JsonSchema:
    """The OpenAPI 3.1 document of these endpoints."""
    references, schemas = _schemas(endpoints)
    return _without_modules(
        {
            "openapi": "3.1.0",
            "info": {"title": "Loyalty", "version": "1", "description": ABOUT},
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
    )


def _schemas(endpoints: Sequence[Endpoint]) -> tuple[References, JsonSchema]:
    """References to the schemas of all bodies, and these schemas by their names."""
    bodies = [ProblemDetails, *(body for one in endpoints for body in (one.reads, *one.answers.values()))]
    unique = list(dict.fromkeys(body for body in bodies if body is not None))
    references, schemas = msgspec.json.schema_components(unique, ref_template="#/components/schemas/{name}")
    return dict(zip(unique, references, strict=True)), schemas


def _paths(endpoints: Sequence[Endpoint], references: References, base_url: str) -> JsonSchema:
    paths: dict[str, JsonSchema] = {}
    for endpoint in endpoints:
        path = paths.setdefault(PREFIX + endpoint.path, {})
        path[endpoint.method.lower()] = _operation(endpoint, references, base_url)
    return paths


def _operation(endpoint: Endpoint, references: References, base_url: str) -> JsonSchema:
    body = {} if endpoint.reads is None else {"requestBody": request_body(endpoint, references[endpoint.reads])}
    return {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": endpoint.description,
        "tags": [TAGS[endpoint.who][0]],
        "security": SECURITY[endpoint.who],
        "parameters": list(parameters(endpoint)),
        "responses": {
            str(status): response_or_reference(endpoint, status, references) for status in statuses(endpoint)
        },
        "x-codeSamples": [{"lang": "JavaScript", "source": code_sample(endpoint, base_url)}],
        **body,
    }


def _without_modules(value: JsonSchema) -> JsonSchema:
    """The names of generic schemas have Python modules in them, which are nobody's business."""
    plain: JsonSchema = json.loads(re.sub(r"bff\.[a-z_.]+\.(?=[A-Z])", "", json.dumps(value)))
    return plain
