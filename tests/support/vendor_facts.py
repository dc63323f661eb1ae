"""What is known of Okendo's surface, as an OpenAPI document, and how an answer differs from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import yaml
from jsonschema import Draft202012Validator, FormatChecker

FILE = Path(__file__).parent / "facts" / "okendo-loyalty.openapi.yaml"
FACTS: Any = yaml.safe_load(FILE.read_text("utf-8"))
METHODS = ("get", "post", "put", "delete")


@dataclass(frozen=True)
class Known:
    """One operation at one of the addresses it may have."""

    name: str
    method: str
    path: str
    details: Any

    @property
    def headers(self) -> list[Any]:
        return [one for one in self.parameters if one["in"] == "header" and one["required"]]

    @property
    def parameters(self) -> list[Any]:
        return [resolved(one) for one in self.details["parameters"]]


def known() -> Iterator[Known]:
    """Every operation at every address: first the likely one, then its aliases."""
    for path, item in FACTS["paths"].items():
        for method in (method for method in METHODS if method in item):
            details = {**item[method], "parameters": item.get("parameters", []) + item[method].get("parameters", [])}
            name = item[method]["operationId"]
            yield Known(name, method.upper(), path, details)
            for alias in item[method].get("x-aliases", ()):
                yield Known(name, *_elsewhere(method.upper(), path, alias), details)


def _elsewhere(method: str, path: str, alias: str) -> tuple[str, str]:
    """An alias is another method, another path, or another last word of the path."""
    if alias.isupper():
        return alias, path
    return method, alias if alias.startswith("/") else f"{path.rpartition('/')[0]}/{alias}"


def resolved(value: Any) -> Any:
    """The value itself, or the component it refers to."""
    if "$ref" not in value:
        return value
    found = FACTS
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def differences(operation: Known, reply: httpx2.Response) -> Iterator[str]:
    """Where status, kind or body of an answer are not as the facts say."""
    answers = operation.details["responses"]
    answer = answers.get(str(reply.status_code), answers.get("default") if reply.is_error else None)
    if answer is None:
        yield f"status {reply.status_code} is not among {sorted(answers)}"
        return
    content = resolved(answer).get("content")
    if content is None:
        yield from ["a body where there is none"] if reply.content else []
        return
    if reply.headers.get("content-type") != "application/json":
        yield "the answer is not JSON"
        return
    yield from _flaws(reply.json(), content["application/json"]["schema"])


def _flaws(value: Any, schema: Any) -> Iterator[str]:
    whole = {"components": FACTS["components"], "allOf": [schema]}
    for error in Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(value):
        yield f"{error.json_path}: {error.message}"
    yield from (f"{name} is not a known name" for name in unknown_names(value, schema))


def unknown_names(value: Any, schema: Any, at: str = "") -> Iterator[str]:
    """Fields that the schema does not name; an object without any names may hold what it likes."""
    names, items = _names(schema), resolved(schema).get("items")
    if isinstance(value, dict) and names:
        yield from (f"{at}{name}" for name in value if name not in names)
        for name in value.keys() & names.keys():
            yield from unknown_names(value[name], names[name], f"{at}{name}.")
    elif isinstance(value, list) and items:
        for item in value:
            yield from unknown_names(item, items, at)


def _names(schema: Any) -> dict[str, Any]:
    schema = resolved(schema)
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= _names(part)
    return found
