"""A small reader of JSON Schema, as far as the service's own OpenAPI document uses it."""

from collections.abc import Iterator
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def differences(value: Any, schema: dict[str, Any], document: dict[str, Any], at: str = "$") -> Iterator[str]:
    """Where the value is not as the schema says. A field that the schema does not know is a difference too."""
    schema = resolved(schema, document)
    if "anyOf" in schema:
        if all(any(differences(value, one, document)) for one in schema["anyOf"]):
            yield f"{at}: {value!r} fits no alternative"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not one of {schema['enum']}"
    if "type" in schema and not _is_a(value, schema["type"]):
        yield f"{at}: {value!r} is not of type {schema['type']}"
    elif isinstance(value, dict):
        yield from _of_fields(value, schema, document, at)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from differences(item, schema.get("items", {}), document, f"{at}[{number}]")


def _of_fields(value: dict[str, Any], schema: dict[str, Any], document: dict[str, Any], at: str) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in value)
    yield from (f"{at}: {name} is not documented" for name in value if name not in known)
    for name in value.keys() & known.keys():
        yield from differences(value[name], known[name], document, f"{at}.{name}")


def _is_a(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, or the one it refers to."""
    if "$ref" not in schema:
        return schema
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return resolved(found, document)


def references(value: Any) -> Iterator[str]:
    """Every $ref in the document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
