"""The OpenAPI document as it is served, and the page for people that is made of it."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from bff.api.routes import ENDPOINTS
from bff.openapi.components import PROBLEM_TYPE, JsonSchema
from bff.openapi.document import document
from bff.openapi.fields import Field, SchemaTable, SchemaTables, link_to
from bff.openapi.markdown import render
from bff.program.rendered import RenderedResponses
from bff.web.responses import public_page, public_response
from bff.web.state import WebState

WHO = {
    "Program": "Anyone",
    "Session": "Anyone, signed in or not",
    "Member": "Whoever is signed in",
    "Server": "Your storefront's server",
}
# Headers that every response has.
USUAL_HEADERS = {"Cache-Control", "X-Request-Id"}


class BodyDoc(msgspec.Struct, frozen=True):
    """What is sent or answered; `example` is JSON."""

    schema: SchemaTable
    example: str


class ResponseDoc(msgspec.Struct, frozen=True):
    """A response that is no problem; it need not have a body."""

    status: str
    headers: tuple[str, ...]
    body: BodyDoc | None


class ProblemDoc(msgspec.Struct, frozen=True):
    status: str
    code: str
    description: Markup


class OperationDoc(msgspec.Struct, frozen=True, kw_only=True):
    """One operation as the page shows it; `name` is its anchor, and `problem_schemas` are links."""

    name: str
    method: str
    path: str
    who: str
    summary: str
    description: Markup
    parameters: tuple[Field, ...]
    body: BodyDoc | None
    responses: tuple[ResponseDoc, ...]
    problems: tuple[ProblemDoc, ...]
    problem_schemas: tuple[Markup, ...]
    code_sample: str


class DocumentState(WebState):
    rendered: RenderedResponses


async def show_openapi(request: Request[DocumentState]) -> Response:
    base_url = request.state["settings"].base_url
    rendered = request.state["rendered"].of("openapi.json", lambda: msgspec.json.encode(document(ENDPOINTS, base_url)))
    return public_response(request, rendered, "application/json")


async def show_docs(request: Request[DocumentState]) -> Response:
    """The page has no script, and so needs no nonce."""
    base_url = request.state["settings"].base_url
    rendered = request.state["rendered"].of(
        "docs.html", lambda: public_page(request, "docs.html", **page_values(document(ENDPOINTS, base_url)))
    )
    return public_response(request, rendered, "text/html")


def page_values(openapi: JsonSchema) -> dict[str, Any]:
    """What the page shows; a group is the name, introduction and operations of a tag."""
    tables = SchemaTables(openapi)
    operations = list(_operations(openapi))
    groups = [
        (
            tag["name"],
            render(tag["description"]),
            [_operation_doc(one, openapi, tables) for one in operations if tag["name"] in one["tags"]],
        )
        for tag in openapi["tags"]
    ]
    return {"about": render(openapi["info"]["description"]), "groups": groups, "schemas": tables.linked()}


def _operations(openapi: JsonSchema) -> Iterator[JsonSchema]:
    """Every operation, with its method and path."""
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield {"method": method.upper(), "path": path, **operation}


def _operation_doc(operation: JsonSchema, openapi: JsonSchema, tables: SchemaTables) -> OperationDoc:
    responses = {status: _resolved(response, openapi) for status, response in operation["responses"].items()}
    problems = {status: one["content"][PROBLEM_TYPE] for status, one in responses.items() if status >= "400"}
    return OperationDoc(
        name=operation["operationId"],
        method=operation["method"],
        path=operation["path"],
        who=WHO[operation["tags"][0]],
        summary=operation["summary"],
        description=render(operation["description"]),
        parameters=tuple(_parameter(one, tables) for one in operation["parameters"]),
        body=_body_doc(operation.get("requestBody", {}), tables),
        responses=tuple(_response_doc(status, one, tables) for status, one in responses.items() if status < "400"),
        problems=tuple(
            ProblemDoc(status, code, render(_resolved(example, openapi)["summary"]))
            for status, content in problems.items()
            for code, example in content["examples"].items()
        ),
        problem_schemas=tuple(dict.fromkeys(link_to(tables.of(one["schema"]).name) for one in problems.values())),
        code_sample=operation["x-codeSamples"][0]["source"],
    )


def _resolved(value: JsonSchema, openapi: JsonSchema) -> JsonSchema:
    """The value itself, or the component that it refers to."""
    if "$ref" not in value:
        return value
    _, _, kind, name = value["$ref"].split("/")
    component: JsonSchema = openapi["components"][kind][name]
    return component


def _parameter(parameter: JsonSchema, tables: SchemaTables) -> Field:
    place_and_type = Markup("{}: {}").format(parameter["in"], tables.type_of(parameter["schema"]))
    return Field(parameter["name"], place_and_type, parameter["required"], render(parameter["description"]))


def _response_doc(status: str, response: JsonSchema, tables: SchemaTables) -> ResponseDoc:
    headers = tuple(name for name in response["headers"] if name not in USUAL_HEADERS)
    return ResponseDoc(status, headers, _body_doc(response, tables))


def _body_doc(request_or_response: JsonSchema, tables: SchemaTables) -> BodyDoc | None:
    content = request_or_response.get("content", {}).get("application/json")
    if content is None:
        return None
    example = json.dumps(content["examples"]["example"]["value"], indent=2, ensure_ascii=False)
    return BodyDoc(tables.of(content["schema"]), example)
