"""What an operation answers: its responses by status, each with headers, schema and examples."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bff.api.deprecation import HEADERS
from bff.api.endpoint import Endpoint
from bff.errors import STATUS, Code
from bff.openapi.components import (
    HEADERS_OF_STATUS,
    PROBLEM_TYPE,
    RESPONSE_HEADERS,
    JsonSchema,
)
from bff.openapi.examples import example_of, problem_example, problem_name
from bff.openapi.meanings import GENERAL_PROBLEMS, meaning_of
from bff.schemas.base import ProblemDetails

# From the type of a body to the reference to its schema.
References = Mapping[Any, JsonSchema]


def statuses(endpoint: Endpoint) -> list[int]:
    unchanged = [304] if endpoint.is_tagged else []
    return sorted({*endpoint.answers, *unchanged, *(status for _, status in _problems(endpoint))})


def response_or_reference(endpoint: Endpoint, status: int, references: References) -> JsonSchema:
    name = _shared_name(endpoint, status)
    return {"$ref": f"#/components/responses/{name}"} if name else _response(endpoint, status, references)


def shared_responses(endpoints: Sequence[Endpoint], references: References) -> JsonSchema:
    """The responses that are the same wherever they occur, by name."""
    return {
        name: _response(endpoint, status, references)
        for endpoint in endpoints
        for status in statuses(endpoint)
        if (name := _shared_name(endpoint, status))
    }


def problem_examples(endpoints: Sequence[Endpoint], base_url: str) -> JsonSchema:
    problems = dict.fromkeys(problem for endpoint in endpoints for problem in _problems(endpoint))
    return {problem_name(code, status): problem_example(code, status, base_url) for code, status in problems}


def sent_headers(endpoints: Sequence[Endpoint]) -> JsonSchema:
    """The headers that some response has."""
    sent = {name for endpoint in endpoints for status in statuses(endpoint) for name in _headers(endpoint, status)}
    return {name: header for name, header in RESPONSE_HEADERS.items() if name in sent}


def _response(endpoint: Endpoint, status: int, references: References) -> JsonSchema:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in _headers(endpoint, status)}
    body = endpoint.answers.get(status)
    if codes := _codes(endpoint, status):
        description = "\n".join(f"* `{code}`: {meaning_of(code, status).when}" for code in codes)
        examples = {code: {"$ref": f"#/components/examples/{problem_name(code, status)}"} for code in codes}
        problem = {"schema": references[body or ProblemDetails], "examples": examples}
        return {"description": description, "headers": headers, "content": {PROBLEM_TYPE: problem}}
    if status == 304:
        return {"description": "Your copy is still good.", "headers": headers}
    if body is None:
        return {"description": endpoint.summary, "headers": headers}
    content = {"schema": references[body], "examples": {"example": {"value": example_of(endpoint, body, status)}}}
    return {"description": endpoint.summary, "headers": headers, "content": {"application/json": content}}


def _shared_name(endpoint: Endpoint, status: int) -> str | None:
    """The name of a response that is the same wherever it occurs: a problem with one code and nothing else."""
    codes = _codes(endpoint, status)
    is_own = status in endpoint.answers or status in endpoint.sends or endpoint.deprecated is not None
    return None if is_own or len(codes) != 1 else problem_name(codes[0], status)


def _codes(endpoint: Endpoint, status: int) -> list[Code]:
    return sorted({code for code, its_status in _problems(endpoint) if its_status == status})


def _problems(endpoint: Endpoint) -> Iterator[tuple[Code, int]]:
    """Every code with its status; first those of the row, then what any endpoint of its kind may answer."""
    yield from ((code, STATUS[code]) for code in dict.fromkeys(endpoint.refuses))
    applies = {
        "all": True,
        "write": endpoint.writes,
        "vendor": "upstream_unavailable" in endpoint.refuses,
        "sign-in": "Set-Cookie" in endpoint.sends.get(201, ()),
    }
    yield from ((general.code, general.status) for general in GENERAL_PROBLEMS if applies[general.operations])


def _headers(endpoint: Endpoint, status: int) -> list[str]:
    always = ("X-Request-Id", "Cache-Control", "Server-Timing")
    tagged = ("ETag",) if endpoint.is_tagged and status in {200, 304} else ()
    cached = ("Age", "Cache-Status") if endpoint.who == "anyone" and status in {200, 304} else ()
    # What is wrong with a request may be found before it is counted, and most problems are described once for all.
    counted = ("RateLimit", "RateLimit-Policy") if endpoint.who != "anyone" or status >= 400 else ()
    leaving = HEADERS if endpoint.deprecated else ()
    own = (*leaving, *endpoint.sends.get(status, ()))
    worded = ("Content-Language",) if status >= 400 else ()
    return sorted({*always, *tagged, *cached, *counted, *worded, *HEADERS_OF_STATUS.get(status, ()), *own})
