"""The JSON routes explained: the OpenAPI document, and the page for people that is made of it."""

import json
from typing import Any

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from bff.api.routes import ENDPOINTS
from bff.openapi.components import JsonSchema
from bff.openapi.document import document
from bff.openapi.fields import PROBLEM, Field, SchemaTable, SchemaTables, link_to
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


class BodyDoc(msgspec.Struct, frozen=True):
    """What is sent or answered; `example` is JSON."""

    shape: SchemaTable
    example: str


class AnswerDoc(msgspec.Struct, frozen=True):
    """A good one, which need not have a body."""

    status: str
    headers: tuple[str, ...]
    body: BodyDoc | None


class ProblemDoc(msgspec.Struct, frozen=True):
    status: str
    code: str
    words: Markup


class OperationDoc(msgspec.Struct, frozen=True, kw_only=True):
    """One route as the page shows it; `name` is its anchor, and `problems` is what its refusals look like."""

    name: str
    method: str
    path: str
    who: str
    summary: str
    words: Markup
    parameters: tuple[Field, ...]
    body: BodyDoc | None
    answers: tuple[AnswerDoc, ...]
    refusals: tuple[ProblemDoc, ...]
    problems: tuple[Markup, ...]
    call: str


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


def page_values(whole: JsonSchema) -> dict[str, Any]:
    """What the page shows; a group is the name, introduction and routes of a tag."""
    shapes = SchemaTables(whole)
    routes = [
        (operation["tags"], operation_doc(method, path, operation, whole, shapes))
        for path, item in whole["paths"].items()
        for method, operation in item.items()
    ]
    groups = [
        (tag["name"], render(tag["description"]), [route for tags, route in routes if tag["name"] in tags])
        for tag in whole["tags"]
    ]
    return {"about": render(whole["info"]["description"]), "groups": groups, "shapes": shapes.apart()}


def operation_doc(
    method: str, path: str, operation: JsonSchema, whole: JsonSchema, shapes: SchemaTables
) -> OperationDoc:
    answers = {status: found(answer, whole) for status, answer in operation["responses"].items()}
    problems = {status: answer["content"][PROBLEM] for status, answer in answers.items() if status >= "400"}
    return OperationDoc(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        who=WHO[operation["tags"][0]],
        summary=operation["summary"],
        words=render(operation["description"]),
        parameters=tuple(_parameter(one, shapes) for one in operation["parameters"]),
        body=_body(operation.get("requestBody", {}), shapes),
        answers=tuple(_answer(status, answer, shapes) for status, answer in answers.items() if status < "400"),
        refusals=tuple(
            ProblemDoc(status, code, render(found(example, whole)["summary"]))
            for status, content in problems.items()
            for code, example in content["examples"].items()
        ),
        problems=tuple(dict.fromkeys(link_to(shapes.of(content["schema"]).name) for content in problems.values())),
        call=operation["x-codeSamples"][0]["source"],
    )


def found(value: JsonSchema, whole: JsonSchema) -> JsonSchema:
    """The value itself, or the component that it names."""
    if "$ref" not in value:
        return value
    _, _, kind, name = value["$ref"].split("/")
    component: JsonSchema = whole["components"][kind][name]
    return component


def _parameter(one: JsonSchema, shapes: SchemaTables) -> Field:
    kind = Markup("{}: {}").format(one["in"], shapes.kind(one["schema"]))
    return Field(one["name"], kind, one["required"], render(one["description"]))


def _answer(status: str, answer: JsonSchema, shapes: SchemaTables) -> AnswerDoc:
    usual = {"Cache-Control", "X-Request-Id"}
    return AnswerDoc(status, tuple(name for name in answer["headers"] if name not in usual), _body(answer, shapes))


def _body(holder: JsonSchema, shapes: SchemaTables) -> BodyDoc | None:
    content = holder.get("content", {}).get("application/json")
    if content is None:
        return None
    example = json.dumps(content["examples"]["example"]["value"], indent=2, ensure_ascii=False)
    return BodyDoc(shapes.of(content["schema"]), example)
