"""The JSON routes explained: the OpenAPI document, and the page for people that is made of it."""

import functools
import json
import re
from typing import Any

import msgspec
from markupsafe import Markup, escape
from starlette.responses import Response

from bff.api import ENDPOINTS
from bff.openapi import document
from bff.public import kept
from bff.state import LoyaltyRequest
from bff.web import page, reply

PROBLEM = "application/problem+json"
WHO = {
    "Program": "Anyone",
    "Session": "Anyone, signed in or not",
    "Member": "Whoever is signed in",
    "Server": "Your storefront's server",
}


class Parameter(msgspec.Struct, frozen=True):
    name: str
    place: str
    required: bool
    words: Markup


class Answer(msgspec.Struct, frozen=True):
    """A good one; `example` is JSON, or None where there is no body."""

    status: str
    headers: tuple[str, ...]
    example: str | None


class Refusal(msgspec.Struct, frozen=True):
    status: str
    code: str
    words: Markup


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """One route as the page shows it; `name` is its anchor."""

    name: str
    method: str
    path: str
    who: str
    summary: str
    words: Markup
    parameters: tuple[Parameter, ...]
    body: str | None
    answers: tuple[Answer, ...]
    refusals: tuple[Refusal, ...]
    call: str


async def show_openapi(request: LoyaltyRequest) -> Response:
    return kept(request, reply(described(request.state["settings"].base_url)))


async def show_docs(request: LoyaltyRequest) -> Response:
    """The same bytes for everybody: the page has no script, and so no nonce."""
    whole = described(request.state["settings"].base_url)
    about = prose(whole["info"]["description"])
    return kept(request, page(request, "docs.html", about=about, groups=groups(whole)))


@functools.cache
def described(base_url: str) -> dict[str, Any]:
    """The document of all routes; `base_url` is the same for the life of a process."""
    return document(ENDPOINTS, base_url)


def groups(whole: dict[str, Any]) -> list[tuple[str, Markup, list[Explained]]]:
    """Name, introduction and routes of every tag."""
    routes = [
        (operation["tags"], explained(method, path, operation, whole))
        for path, item in whole["paths"].items()
        for method, operation in item.items()
    ]
    return [
        (tag["name"], prose(tag["description"]), [route for tags, route in routes if tag["name"] in tags])
        for tag in whole["tags"]
    ]


def explained(method: str, path: str, operation: dict[str, Any], whole: dict[str, Any]) -> Explained:
    answers = {status: found(answer, whole) for status, answer in operation["responses"].items()}
    return Explained(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        who=WHO[operation["tags"][0]],
        summary=operation["summary"],
        words=prose(operation["description"]),
        parameters=tuple(_parameter(one) for one in operation["parameters"]),
        body=_example(operation.get("requestBody", {})),
        answers=tuple(_answer(status, answer) for status, answer in answers.items() if status < "400"),
        refusals=tuple(
            Refusal(status, code, prose(found(example, whole)["summary"]))
            for status, answer in answers.items()
            for code, example in answer.get("content", {}).get(PROBLEM, {}).get("examples", {}).items()
        ),
        call=operation["x-codeSamples"][0]["source"],
    )


def found(value: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """The value itself, or the component that it names."""
    if "$ref" not in value:
        return value
    _, _, kind, name = value["$ref"].split("/")
    component: dict[str, Any] = whole["components"][kind][name]
    return component


def _parameter(one: dict[str, Any]) -> Parameter:
    return Parameter(one["name"], one["in"], one.get("required", False), prose(one["description"]))


def _answer(status: str, answer: dict[str, Any]) -> Answer:
    usual = {"Cache-Control", "X-Request-Id"}
    return Answer(status, tuple(name for name in answer["headers"] if name not in usual), _example(answer))


def _example(holder: dict[str, Any]) -> str | None:
    content = holder.get("content", {}).get("application/json")
    return json.dumps(content["examples"]["example"]["value"], indent=2, ensure_ascii=False) if content else None


def prose(text: str) -> Markup:
    """Our own words with `code`, **weight**, paragraphs and lists, as HTML."""
    blocks = re.split(r"\n\n|\n(?=\* )", text.strip())
    lines = [_line(block.removeprefix("* "), "li" if block.startswith("* ") else "p") for block in blocks]
    return Markup(re.sub(r"(<li>.*</li>)", r"<ul>\1</ul>", "".join(lines), flags=re.DOTALL))  # noqa: S704


def _line(block: str, tag: str) -> str:
    inside = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(" ".join(block.split()))))
    return f"<{tag}>" + re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", inside) + f"</{tag}>"
