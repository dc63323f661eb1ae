"""What bodies are made of: the schemas of the OpenAPI document, as rows of fields for people."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from markupsafe import Markup

from bff.openapi.components import JsonSchema
from bff.openapi.markdown import render

PROBLEM = "application/problem+json"
SMALL = 2
# How a schema narrows its type, in words.
LIMITS = {
    "const": Markup("that is <code>{}</code>"),
    "format": Markup("({})"),
    "minimum": Markup("from {}"),
    "maximum": Markup("to {}"),
    "maxLength": Markup("of at most {} characters"),
    "pattern": Markup("that matches <code>{}</code>"),
}


class Field(msgspec.Struct, frozen=True):
    """`name` is dotted for what lies deeper, with [] for the items of a list."""

    name: str
    kind: Markup
    required: bool
    words: Markup


class SchemaTable(msgspec.Struct, frozen=True):
    """`apart`: it is shown once, at an anchor of its own, and linked from wherever it occurs."""

    name: str
    apart: bool
    words: Markup
    fields: tuple[Field, ...]

    @property
    def link(self) -> Markup:
        return link_to(self.name)


class SchemaTables:
    """The shapes of a document. Those that are problems stand apart, and those that occur again and are not small; all
    others are shown right where they occur."""

    def __init__(self, document: JsonSchema) -> None:
        self._schemas = document["components"]["schemas"]
        problems = {name for content in _anywhere(document, PROBLEM) for name in _names(content)}
        times = Counter(_names(document))
        self._apart = {name for name in self._schemas if name in problems or (times[name] > 1 and self._is_large(name))}

    def apart(self) -> list[SchemaTable]:
        return [self.of({"$ref": f"#/components/schemas/{name}"}) for name in sorted(self._apart)]

    def of(self, schema: JsonSchema) -> SchemaTable:
        """The shape of a whole body, of which the document always has the name."""
        (name,) = _names(schema)
        words = render(self._schemas[name].get("description", ""))
        return SchemaTable(name, name in self._apart, words, tuple(self._fields(name)))

    def kind(self, schema: JsonSchema) -> Markup:
        """The type of a value, or what it may be."""
        match schema:
            case {"$ref": _}:
                (name,) = _names(schema)
                return link_to(name) if name in self._apart else Markup("object")
            case {"anyOf": alternatives}:
                # What may be null by default is left out instead.
                absent = {"type": "null"} if "default" in schema else None
                return Markup(" or ").join(self.kind(one) for one in alternatives if one != absent)
            case {"items": items}:
                return Markup("list of ") + self.kind(items)
            case {"enum": values}:
                return Markup("one of ") + Markup(", ").join(Markup("<code>{}</code>").format(one) for one in values)
        limits = [words.format(schema[name]) for name, words in LIMITS.items() if name in schema]
        return Markup(" ").join([schema["type"], *limits])

    def _is_large(self, name: str) -> bool:
        return len(self._schemas[name]["properties"]) > SMALL

    def _fields(self, name: str, above: str = "") -> Iterator[Field]:
        required = self._schemas[name]["required"]
        for field, schema in self._schemas[name]["properties"].items():
            yield Field(above + field, self.kind(schema), field in required, render(schema["description"]))
            for brackets, inner in _inside(schema):
                if inner not in self._apart:
                    yield from self._fields(inner, f"{above}{field}{brackets}.")


def link_to(name: str) -> Markup:
    return Markup('<a href="#shape-{0}">{0}</a>').format(name)


def _names(value: Any) -> Iterator[str]:
    """Every schema that is named anywhere in there, as often as it is."""
    return (name.split("/")[-1] for name in _anywhere(value, "$ref") if "/schemas/" in name)


def _anywhere(value: Any, key: str) -> Iterator[Any]:
    if isinstance(value, dict) and key in value:
        yield value[key]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _anywhere(inner, key)


def _inside(schema: JsonSchema) -> Iterator[tuple[str, str]]:
    """The shapes that lie in there, each after the brackets of the lists around it."""
    match schema:
        case {"$ref": _}:
            yield from (("", name) for name in _names(schema))
        case {"items": items}:
            yield from (("[]" + brackets, name) for brackets, name in _inside(items))
        case {"anyOf": alternatives}:
            for one in alternatives:
                yield from _inside(one)
