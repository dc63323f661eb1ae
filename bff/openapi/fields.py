"""The schemas of the OpenAPI document as tables of fields for people."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from markupsafe import Markup

from bff.openapi.components import PROBLEM_TYPE, JsonSchema
from bff.openapi.markdown import render

# A schema that occurs several times has a section of its own if it has more properties than this.
FEW_PROPERTIES = 2
# How a schema narrows its type, as a person would say it.
LIMITS = {
    "const": Markup("that is <code>{}</code>"),
    "format": Markup("({})"),
    "minimum": Markup("from {}"),
    "maximum": Markup("to {}"),
    "maxLength": Markup("of at most {} characters"),
    "pattern": Markup("that matches <code>{}</code>"),
}


class Field(msgspec.Struct, frozen=True):
    """`name` is dotted for a field of a field, with [] for the items of a list."""

    name: str
    type: Markup
    required: bool
    description: Markup


class SchemaTable(msgspec.Struct, frozen=True):
    """`is_linked`: it has a section of its own, linked from wherever the schema occurs."""

    name: str
    is_linked: bool
    description: Markup
    fields: tuple[Field, ...]

    @property
    def link(self) -> Markup:
        return link_to(self.name)


class SchemaTables:
    """The tables of a document. Problems have sections of their own, and so have the larger schemas that occur more
    than once; the fields of all others are shown right where they occur."""

    def __init__(self, document: JsonSchema) -> None:
        self._schemas = document["components"]["schemas"]
        problems = {name for content in _values_of(PROBLEM_TYPE, document) for name in _references(content)}
        times = Counter(_references(document))
        self._linked = {
            name for name in self._schemas if name in problems or (times[name] > 1 and self._is_large(name))
        }

    def linked(self) -> list[SchemaTable]:
        """Those with sections of their own, by name."""
        return [self.of({"$ref": f"#/components/schemas/{name}"}) for name in sorted(self._linked)]

    def of(self, reference: JsonSchema) -> SchemaTable:
        """The table of the schema that is referred to."""
        (name,) = _references(reference)
        description = render(self._schemas[name].get("description", ""))
        return SchemaTable(name, name in self._linked, description, tuple(self._fields(name)))

    def type_of(self, schema: JsonSchema) -> Markup:
        """The type of a value, or what it may be."""
        match schema:
            case {"$ref": _}:
                (name,) = _references(schema)
                return link_to(name) if name in self._linked else Markup("object")
            case {"anyOf": alternatives}:
                return Markup(" or ").join(self.type_of(one) for one in alternatives)
            case {"items": items}:
                return Markup("list of ") + self.type_of(items)
            case {"enum": values}:
                return Markup("one of ") + Markup(", ").join(Markup("<code>{}</code>").format(one) for one in values)
        limits = [limit.format(schema[name]) for name, limit in LIMITS.items() if name in schema]
        return Markup(" ").join([schema["type"], *limits])

    def _is_large(self, name: str) -> bool:
        return len(self._schemas[name]["properties"]) > FEW_PROPERTIES

    def _fields(self, name: str, above: str = "") -> Iterator[Field]:
        required = self._schemas[name]["required"]
        for field, schema in self._schemas[name]["properties"].items():
            yield Field(above + field, self.type_of(schema), field in required, render(schema["description"]))
            for brackets, inner in _nested(schema):
                if inner not in self._linked:
                    yield from self._fields(inner, f"{above}{field}{brackets}.")


def link_to(name: str) -> Markup:
    """A link to the section of this schema."""
    return Markup('<a href="#schema-{0}">{0}</a>').format(name)


def _references(value: Any) -> Iterator[str]:
    """The name of every schema that is referred to anywhere in there, as often as it is."""
    return (reference.split("/")[-1] for reference in _values_of("$ref", value) if "/schemas/" in reference)


def _values_of(key: str, value: Any) -> Iterator[Any]:
    """What stands under this key, anywhere in there."""
    if isinstance(value, dict) and key in value:
        yield value[key]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _values_of(key, inner)


def _nested(schema: JsonSchema) -> Iterator[tuple[str, str]]:
    """The schemas that a value of this one holds, each after the brackets of the lists around it."""
    match schema:
        case {"$ref": _}:
            yield from (("", name) for name in _references(schema))
        case {"items": items}:
            yield from (("[]" + brackets, name) for brackets, name in _nested(items))
        case {"anyOf": alternatives}:
            for one in alternatives:
                yield from _nested(one)
