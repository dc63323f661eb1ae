"""Just enough GraphQL to answer what is asked here: it reads the selection and gives back the fields it names."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bff.sandbox.json import Json, JsonObject
from bff.sandbox.okendo.members import Member

_TOKEN = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|\.\.\.|[{}()\[\]:$@!=|&]')


def customer_data(member: Member) -> JsonObject:
    """Customer Account API, type Customer: the e-mail address is an object, the phone number may be null."""
    return {**_common(member), "emailAddress": {"emailAddress": member.email}, "phoneNumber": None}


def storefront_customer_data(member: Member) -> JsonObject:
    """Storefront API, type Customer."""
    return {**_common(member), "email": member.email, "phone": None}


def _common(member: Member) -> dict[str, Json]:
    name = f"{member.first_name} {member.last_name}"
    return {
        "__typename": "Customer",
        "id": member.shopify_id,
        "firstName": member.first_name,
        "lastName": member.last_name,
        "displayName": name,
        "tags": [],
    }


@dataclass
class Field:
    """`alias: name(arguments) { fields }`."""

    alias: str
    name: str
    arguments: dict[str, str] = field(default_factory=dict)
    fields: list["Field"] = field(default_factory=list)


Arguments = Mapping[str, Json]
Resolver = Callable[[Arguments], Mapping[str, Json] | None]


def answered(query: str, variables: Mapping[str, Json], roots: Mapping[str, Resolver]) -> JsonObject:
    """The `data` of the answer. Each root gets the arguments it was asked with.

    Raises ValueError with a message for the GraphQL `errors` when the query is not understood.
    """
    answers: dict[str, Json] = {}
    reader = _Reader(query)
    for wanted in reader.selection():
        if wanted.name not in roots:
            raise ValueError(f"Field '{wanted.name}' doesn't exist on type '{reader.root_type}'")
        given = {name: _value(text, variables) for name, text in wanted.arguments.items()}
        answers[wanted.alias] = _picked(roots[wanted.name](given), wanted.fields)
    return answers


def asked(query: str) -> str:
    """The name of the first field at the root of a query; empty for what is none."""
    try:
        return _Reader(query).selection()[0].name
    except ValueError:
        return ""


def _value(text: str, variables: Mapping[str, Json]) -> Json:
    return variables.get(text[1:]) if text.startswith("$") else text.strip('"')


def _picked(data: Json, fields: list[Field]) -> Json:
    if isinstance(data, str) or not isinstance(data, Mapping | Sequence):
        return data
    if not isinstance(data, Mapping):
        return [_picked(one, fields) for one in data]
    picked: dict[str, Json] = {}
    for wanted in fields:
        if wanted.name not in data:
            raise ValueError(f"Field '{wanted.name}' doesn't exist on type '{data.get('__typename', 'Object')}'")
        picked[wanted.alias] = _picked(data[wanted.name], wanted.fields)
    return picked


class _Reader:
    """Walks over the words of one query."""

    def __init__(self, query: str) -> None:
        self._words: list[str] = [word for word in _TOKEN.findall(query) if not word.startswith("#")]
        self._at = 0
        self.root_type = "Mutation" if self._words[:1] == ["mutation"] else "QueryRoot"
        self._skip_head()

    def selection(self) -> list[Field]:
        """The fields up to the closing brace."""
        fields = []
        while self._peek() != "}":
            fields.append(self._field())
        self._next()
        if not fields:
            raise ValueError("A selection must name at least one field")
        return fields

    def _field(self) -> Field:
        name = alias = self._next()
        if not re.match(r"[A-Za-z_]", name):
            raise ValueError(f"Parse error on '{name}'")
        if self._peek() == ":":
            self._next()
            name = self._next()
        wanted = Field(alias, name)
        if self._peek() == "(":
            wanted.arguments = self._arguments()
        if self._peek() == "{":
            self._next()
            wanted.fields = self.selection()
        return wanted

    def _arguments(self) -> dict[str, str]:
        arguments = {}
        self._next()
        while self._peek() != ")":
            name, _, value = self._next(), self._next(), self._next()
            arguments[name] = f"${self._next()}" if value == "$" else value
        self._next()
        return arguments

    def _skip_head(self) -> None:
        """`query Name($t: String!) @inContext(language: FR)` says nothing that is needed here."""
        depth = 0
        while (word := self._next()) != "{" or depth:
            depth += (word in "({") - (word in ")}")

    def _peek(self) -> str:
        if self._at >= len(self._words):
            raise ValueError("Parse error: the query ends too early")
        return self._words[self._at]

    def _next(self) -> str:
        word = self._peek()
        self._at += 1
        return word
