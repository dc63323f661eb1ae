"""Reads a GraphQL document: one operation, with its fragments, as the fields it asks for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from bff.sandbox.json import Json

_TOKEN = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|\.\.\.|[{}()\[\]:$@!=|&]')
_WORDS: Mapping[str, Json] = {"true": True, "false": False, "null": None}


class Variable(NamedTuple):
    """`$name` where a value stands."""

    name: str


Value: TypeAlias = "Variable | Json | list[Value] | dict[str, Value]"


@dataclass
class Field:
    """`alias: name(arguments) { fields }`."""

    alias: str
    name: str
    arguments: dict[str, Value] = field(default_factory=dict)
    fields: "list[Field | Spread]" = field(default_factory=list)


@dataclass
class Spread:
    """`... on Type { fields }`, or `...Name` of a fragment whose definition may come later."""

    name: str = ""
    type: str = ""
    fields: "list[Field | Spread]" = field(default_factory=list)


class Reader:
    """Walks over the words of one document. Raises ValueError with a message for the GraphQL `errors`."""

    def __init__(self, document: str) -> None:
        self._words: list[str] = [word for word in _TOKEN.findall(document) if not word.startswith("#")]
        self._at = 0
        self.root_type = ""
        self.defaults: dict[str, Value] = {}
        self.fragments: dict[str, Spread] = {}
        self.fields: list[Field | Spread] = []
        while self._at < len(self._words):
            self._definition()
        if not self.root_type:
            raise ValueError("Parse error: there is no operation")

    def _definition(self) -> None:
        word = self._peek()
        if word == "fragment":
            self._next()
            name, _, kind = self._next(), self._next(), self._next()
            self._begin("{")
            self.fragments[name] = Spread(name, kind, self._selection())
            return
        if self.root_type:
            raise ValueError("An operation name is required")
        self.root_type = "Mutation" if word == "mutation" else "QueryRoot"
        self._head()
        self.fields = self._selection()

    def _head(self) -> None:
        """`query Name($first: Int = 10) @inContext(language: FR) {`: of these only what variables are by themselves."""
        while (word := self._next()) != "{":
            if word == "@":
                self._directive()
            elif word == "$":
                self._variable()

    def _directive(self) -> str:
        """What comes after the `@`."""
        name = self._name()
        if self._peek() == "(":
            self._arguments()
        return name

    def _variable(self) -> None:
        name = self._next()
        self._begin(":")
        while self._peek() not in ("$", ")", "="):
            self._next()
        if self._peek() == "=":
            self._next()
            self.defaults[name] = self._value()

    def _selection(self) -> "list[Field | Spread]":
        """The fields up to the closing brace."""
        fields: list[Field | Spread] = []
        while self._peek() != "}":
            fields.append(self._spread() if self._peek() == "..." else self._field())
        self._next()
        if not fields:
            raise ValueError("A selection must name at least one field")
        return fields

    def _spread(self) -> Spread:
        self._next()
        kind = ""
        if self._peek() == "on":
            self._next()
            kind = self._next()
        elif self._peek() not in ("{", "@"):
            name = self._next()
            self._put_off()
            return Spread(name)
        self._put_off()
        self._begin("{")
        return Spread("", kind, self._selection())

    def _put_off(self) -> None:
        """`@defer`: a server may answer at once all the same, and this one does."""
        while self._peek() == "@":
            self._next()
            if (name := self._directive()) != "defer":
                raise ValueError(f"Directive @{name} is not defined here")

    def _field(self) -> Field:
        name = alias = self._name()
        if self._peek() == ":":
            self._next()
            name = self._name()
        wanted = Field(alias, name)
        if self._peek() == "(":
            wanted.arguments = self._arguments()
        if self._peek() == "{":
            self._next()
            wanted.fields = self._selection()
        return wanted

    def _arguments(self) -> dict[str, Value]:
        self._begin("(")
        return self._pairs(")")

    def _pairs(self, end: str) -> dict[str, Value]:
        pairs = {}
        while self._peek() != end:
            name = self._name()
            self._begin(":")
            pairs[name] = self._value()
        self._next()
        return pairs

    def _value(self) -> Value:
        word = self._next()
        if word == "$":
            return Variable(self._name())
        if word == "{":
            return self._pairs("}")
        if word == "[":
            values = []
            while self._peek() != "]":
                values.append(self._value())
            self._next()
            return values
        if word in _WORDS:
            return _WORDS[word]
        return int(word) if re.fullmatch(r"-?\d+", word) else word.strip('"')

    def _name(self) -> str:
        name = self._next()
        if not re.match(r"[A-Za-z_]", name):
            raise ValueError(f"Parse error on '{name}'")
        return name

    def _begin(self, mark: str) -> None:
        if (word := self._next()) != mark:
            raise ValueError(f"Parse error on '{word}', expecting '{mark}'")

    def _peek(self) -> str:
        if self._at >= len(self._words):
            raise ValueError("Parse error: the query ends too early")
        return self._words[self._at]

    def _next(self) -> str:
        word = self._peek()
        self._at += 1
        return word
