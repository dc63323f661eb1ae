"""The JSON routes explained: the OpenAPI document, and the page for people that is made of it."""

import functools
import json
from typing import Any

import msgspec
from markupsafe import Markup
from starlette.responses import Response

from bff.api.routes import ENDPOINTS
from bff.openapi.components import Schema
from bff.openapi.document import document
from bff.openapi.fields import PROBLEM, Field, Shape, Shapes, link_to
from bff.openapi.markdown import prose
from bff.web.responses import kept, page, reply
from bff.web.state import LoyaltyRequest

WHO = {
    "Program": "Anyone",
    "Session": "Anyone, signed in or not",
    "Member": "Whoever is signed in",
    "Server": "Your storefront's server",
}


class Body(msgspec.Struct, frozen=True):
    """What is sent or answered; `example` is JSON."""

    shape: Shape
    example: str


class Answer(msgspec.Struct, frozen=True):
    """A good one, which need not have a body."""

    status: str
    headers: tuple[str, ...]
    body: Body | None


class Refusal(msgspec.Struct, frozen=True):
    status: str
    code: str
    words: Markup


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """One route as the page shows it; `name` is its anchor, and `problems` is what its refusals look like."""

    name: str
    method: str
    path: str
    who: str
    summary: str
    words: Markup
    parameters: tuple[Field, ...]
    body: Body | None
    answers: tuple[Answer, ...]
    refusals: tuple[Refusal, ...]
    problems: tuple[Markup, ...]
    call: str


async def show_openapi(request: LoyaltyRequest) -> Response:
    return kept(request, reply(described(request.state["settings"].base_url)))


async def show_docs(request: LoyaltyRequest) -> Response:
    """The same bytes for everybody: the page has no script, and so no nonce."""
    return kept(request, page(request, "docs.html", **contents(request.state["settings"].base_url)))


@functools.cache
def described(base_url: str) -> Schema:
    """The document of all routes; `base_url` is the same for the life of a process."""
    return document(ENDPOINTS, base_url)


@functools.cache
def contents(base_url: str) -> dict[str, Any]:
    """What the page shows; a group is the name, introduction and routes of a tag."""
    whole = described(base_url)
    shapes = Shapes(whole)
    routes = [
        (operation["tags"], explained(method, path, operation, whole, shapes))
        for path, item in whole["paths"].items()
        for method, operation in item.items()
    ]
    groups = [
        (tag["name"], prose(tag["description"]), [route for tags, route in routes if tag["name"] in tags])
        for tag in whole["tags"]
    ]
    return {"about": prose(whole["info"]["description"]), "groups": groups, "shapes": shapes.apart()}


def explained(method: str, path: str, operation: Schema, whole: Schema, shapes: Shapes) -> Explained:
    answers = {status: found(answer, whole) for status, answer in operation["responses"].items()}
    problems = {status: answer["content"][PROBLEM] for status, answer in answers.items() if status >= "400"}
    return Explained(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        who=WHO[operation["tags"][0]],
        summary=operation["summary"],
        words=prose(operation["description"]),
        parameters=tuple(_parameter(one, shapes) for one in operation["parameters"]),
        body=_body(operation.get("requestBody", {}), shapes),
        answers=tuple(_answer(status, answer, shapes) for status, answer in answers.items() if status < "400"),
        refusals=tuple(
            Refusal(status, code, prose(found(example, whole)["summary"]))
            for status, content in problems.items()
            for code, example in content["examples"].items()
        ),
        problems=tuple(dict.fromkeys(link_to(shapes.of(content["schema"]).name) for content in problems.values())),
        call=operation["x-codeSamples"][0]["source"],
    )


def found(value: Schema, whole: Schema) -> Schema:
    """The value itself, or the component that it names."""
    if "$ref" not in value:
        return value
    _, _, kind, name = value["$ref"].split("/")
    component: Schema = whole["components"][kind][name]
    return component


def _parameter(one: Schema, shapes: Shapes) -> Field:
    kind = Markup("{}: {}").format(one["in"], shapes.kind(one["schema"]))
    return Field(one["name"], kind, one["required"], prose(one["description"]))


def _answer(status: str, answer: Schema, shapes: Shapes) -> Answer:
    usual = {"Cache-Control", "X-Request-Id"}
    return Answer(status, tuple(name for name in answer["headers"] if name not in usual), _body(answer, shapes))


def _body(holder: Schema, shapes: Shapes) -> Body | None:
    content = holder.get("content", {}).get("application/json")
    if content is None:
        return None
    example = json.dumps(content["examples"]["example"]["value"], indent=2, ensure_ascii=False)
    return Body(shapes.of(content["schema"]), example)
