"""A JSON route as a row of data, and the OpenAPI document that such rows make."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from bff.api.endpoint import PREFIX, Endpoint, Who
from bff.errors import RETRYABLE, STATUS, Code, title_of
from bff.openapi.components import (
    ABOUT,
    ANSWER_HEADERS,
    FINER,
    HEADERS_OF,
    PATH,
    PROBLEMS,
    QUERY,
    REQUEST_HEADERS,
    TAGS,
    JsonSchema,
    Meaning,
)
from bff.schemas.base import ProblemDetails
from bff.schemas.program import EarningRule
from bff.schemas.redemption import Redemption
from bff.web.visitor import COOKIE

REQUEST_ID = "5f0c9d3a7b1e4c68a2d4f6b80e913c57"
# What stands in the braces of a path.
PATHS = {"id": EarningRule.example().id, "key": Redemption.example().key}
SESSION = [{"session": list[str]()}]
BEARER = [{"tickets": list[str]()}]
SECURITY: dict[Who, Any] = {"anyone": [], "visitor": [{}, *SESSION], "member": SESSION, "server": BEARER}
SchemaOf = Callable[[Any], JsonSchema]


def document(endpoints: Sequence[Endpoint], base_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these endpoints."""
    shapes = [ProblemDetails, *(shape for endpoint in endpoints for shape in _shapes(endpoint))]
    unique = list(dict.fromkeys(shape for shape in shapes if shape is not None))
    references, components = msgspec.json.schema_components(unique, ref_template="#/components/schemas/{name}")
    schemas = dict(zip(unique, references, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schemas.__getitem__, base_url)
        paths.setdefault(PREFIX + endpoint.path, {})[endpoint.method.lower()] = operation
    used = {name for endpoint in endpoints for status in _statuses(endpoint) for name in _headers(endpoint, status)}
    found: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Loyalty", "version": "1", "description": ABOUT},
        "servers": [{"url": base_url}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.values()],
        "paths": paths,
        "components": {
            "schemas": components,
            "examples": {
                _example_name(code, status): _problem(code, status, base_url)
                for code, status in dict.fromkeys(pair for endpoint in endpoints for pair in _refusals(endpoint))
            },
            "responses": {
                name: _response(endpoint, status, schemas.__getitem__)
                for endpoint in endpoints
                for status in _statuses(endpoint)
                if (name := _common(endpoint, status))
            },
            "headers": {name: header for name, header in ANSWER_HEADERS.items() if name in used},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Set by signing in."},
                "tickets": {"type": "http", "scheme": "bearer", "description": "`SESSION_TICKETS_TOKEN`."},
            },
        },
    }
    # The names of generic shapes have the module in them, which is nobody's business.
    plain: dict[str, Any] = json.loads(re.sub(r"bff\.[a-z_.]+\.(?=[A-Z])", "", json.dumps(found)))
    return plain


def _shapes(endpoint: Endpoint) -> list[Any]:
    return [endpoint.reads, *endpoint.answers.values()]


def _operation(endpoint: Endpoint, schema: SchemaOf, base_url: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": endpoint.description,
        "tags": [TAGS[endpoint.who][0]],
        "security": SECURITY[endpoint.who],
        "parameters": list(_parameters(endpoint)),
        "responses": {str(status): _response_or_name(endpoint, status, schema) for status in _statuses(endpoint)},
        "x-codeSamples": [{"lang": "JavaScript", "source": _fetch(endpoint, base_url)}],
    }
    if endpoint.reads is not None:
        reads = schema(endpoint.reads)
        body = {"schema": reads, "examples": {"example": {"value": example_of(endpoint.reads)}}}
        # An empty object may as well be left out.
        required = bool(getattr(endpoint.reads, "__struct_fields__", True))
        operation["requestBody"] = {"required": required, "content": {"application/json": body}}
    return operation


# Answers ------------------------------------------------------------------------------------------------------------


def _refusals(endpoint: Endpoint) -> Iterator[tuple[Code, int]]:
    """Every code with its status; first those of the row, then what any route of its kind may answer."""
    yield from ((code, STATUS[code]) for code in dict.fromkeys(endpoint.refuses))
    fits = {"any": True, "write": endpoint.writes, "vendor": "upstream_unavailable" in endpoint.refuses}
    yield from ((code, status) for status, code, _, kind in FINER if fits[kind])


def _statuses(endpoint: Endpoint) -> list[int]:
    unchanged = [304] if endpoint.who == "anyone" else []
    return sorted({*endpoint.answers, *unchanged, *(status for _, status in _refusals(endpoint))})


def _response_or_name(endpoint: Endpoint, status: int, schema: SchemaOf) -> dict[str, Any]:
    name = _common(endpoint, status)
    return {"$ref": f"#/components/responses/{name}"} if name else _response(endpoint, status, schema)


def _common(endpoint: Endpoint, status: int) -> str | None:
    """The name of a response that is the same wherever it occurs: a problem with one code and nothing else."""
    codes = _codes(endpoint, status)
    special = status in endpoint.answers or status in endpoint.sends
    return None if special or len(codes) != 1 else _example_name(codes[0], status)


def _codes(endpoint: Endpoint, status: int) -> list[Code]:
    return sorted({code for code, its_status in _refusals(endpoint) if its_status == status})


def _response(endpoint: Endpoint, status: int, schema: SchemaOf) -> dict[str, Any]:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in _headers(endpoint, status)}
    codes = _codes(endpoint, status)
    shape = endpoint.answers.get(status)
    if codes:
        words = "\n".join(f"* `{code}`: {_meaning(code, status).when}" for code in codes)
        examples = {code: {"$ref": f"#/components/examples/{_example_name(code, status)}"} for code in codes}
        problem = {"schema": schema(shape or ProblemDetails), "examples": examples}
        return {"description": words, "headers": headers, "content": {"application/problem+json": problem}}
    if status == 304 or shape is None:
        words = "Your copy is still good." if status == 304 else endpoint.summary
        return {"description": words, "headers": headers}
    example = msgspec.to_builtins(endpoint.examples.get(status)) or example_of(shape)
    answer = {"schema": schema(shape), "examples": {"example": {"value": example}}}
    return {"description": endpoint.summary, "headers": headers, "content": {"application/json": answer}}


def _headers(endpoint: Endpoint, status: int) -> list[str]:
    kept = ("ETag", "Age", "Cache-Status") if endpoint.who == "anyone" and status in {200, 304} else ()
    # What is wrong with a request may be found before it is counted, and most refusals are described once for all.
    counted = ("RateLimit", "RateLimit-Policy") if endpoint.who != "anyone" or status >= 400 else ()
    always = ("X-Request-Id", "Cache-Control", "Server-Timing")
    return sorted({*always, *kept, *counted, *HEADERS_OF.get(status, ()), *endpoint.sends.get(status, ())})


def _example_name(code: Code, status: int) -> str:
    return code if STATUS[code] == status else f"{code}-{status}"


def _problem(code: Code, status: int, base_url: str) -> dict[str, Any]:
    meaning = _meaning(code, status)
    problem = ProblemDetails(
        type=f"{base_url}/problems/{code}",
        title=title_of(code),
        status=status,
        detail=meaning.detail,
        code=code,
        request_id=REQUEST_ID,
        retryable=code in RETRYABLE,
    )
    return {"summary": meaning.when, "value": msgspec.to_builtins(problem)}


def _meaning(code: Code, status: int) -> Meaning:
    return next((words for finer, of, words, _ in FINER if (of, finer) == (code, status)), PROBLEMS[code])


def example_of(schema: Any) -> Any:
    """The example that the schema brings itself."""
    return msgspec.to_builtins(getattr(schema, "__origin__", schema).example())


# Requests -----------------------------------------------------------------------------------------------------------


def _parameters(endpoint: Endpoint) -> Iterator[JsonSchema]:
    for name in re.findall(r"{(\w+)}", endpoint.path):
        yield {"name": name, "in": "path", "required": True, **PATH[name], "example": PATHS[name]}
    for name in endpoint.query:
        yield {"name": name, "in": "query", "required": False, **QUERY[name]}
    for name in _request_headers(endpoint):
        yield {"name": name, "in": "header", **REQUEST_HEADERS[name]}


def _request_headers(endpoint: Endpoint) -> Iterator[str]:
    if endpoint.writes and endpoint.who != "server":
        yield "X-Loyalty-Csrf"
    if "idempotency_key_missing" in endpoint.refuses:
        yield "Idempotency-Key"
    if endpoint.who == "anyone":
        yield "If-None-Match"


def _fetch(endpoint: Endpoint, base_url: str) -> str:
    """How storefront JavaScript calls it, ready to be copied."""
    options = [f'  method: "{endpoint.method}",'] if endpoint.writes else []
    options += ['  credentials: "include",'] if endpoint.who in {"visitor", "member"} else []
    headers = ['"X-Loyalty-Csrf": "1"'] if "X-Loyalty-Csrf" in _request_headers(endpoint) else []
    headers += ['"Authorization": `Bearer ${sessionTicketsToken}`'] if endpoint.who == "server" else []
    headers += ['"Idempotency-Key": crypto.randomUUID()'] if "idempotency_key_missing" in endpoint.refuses else []
    if endpoint.reads is not None:
        headers.append('"Content-Type": "application/json"')
    options += [f"  headers: {{ {', '.join(headers)} }},"] if headers else []
    if endpoint.reads is not None:
        options.append(f"  body: JSON.stringify({json.dumps(example_of(endpoint.reads))}),")
    address = json.dumps(base_url + PREFIX + endpoint.path.format_map(PATHS))
    call = f"fetch({address}" + (", {\n" + "\n".join(options) + "\n})" if options else ")")
    reads = any(shape is not None for shape in endpoint.answers.values())
    return f"const response = await {call};" + ("\nconst answer = await response.json();" if reads else "")
