"""Just enough GraphQL to answer what is asked here: it gives back the fields that a document names."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from bff.sandbox.json import Json, JsonObject
from bff.sandbox.okendo.members import Member
from bff.sandbox.shopify.query import Field, Reader, Spread, Value, Variable

Arguments = Mapping[str, Any]
# What can be asked about: values, and functions of the arguments with which they are asked for.
Shown: TypeAlias = Mapping[str, Any]
Resolver = Callable[[Arguments], Shown | None]
Roots = Mapping[str, Mapping[str, Resolver]]
# What is asked of by the name of an interface or union.
KINDS = {
    "ProductVariant": {"Merchandise", "Node"},
    "CartLine": {"BaseCartLine", "Node"},
    "CartCodeDiscountAllocation": {"CartDiscountAllocation"},
}


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


def connection(nodes: Sequence[Shown]) -> Callable[[Arguments], Shown]:
    """A list as GraphQL pages through it; here all is on the first page."""

    def page(given: Arguments) -> Shown:
        first = given.get("first", given.get("last"))
        if not isinstance(first, int):
            raise ValueError("you must provide one of first or last")
        some = nodes[:first]
        info = {"hasNextPage": len(some) < len(nodes), "hasPreviousPage": False, "startCursor": None, "endCursor": None}
        return {"nodes": some, "edges": [{"node": node, "cursor": str(at)} for at, node in enumerate(some)],
                "pageInfo": info}  # fmt: skip

    return page


def answered(query: str, variables: Mapping[str, Json], roots: Roots) -> JsonObject:
    """The `data` of the answer; the roots are those of `QueryRoot` and `Mutation`.

    Raises ValueError with a message for the GraphQL `errors` when the query is not understood.
    """
    reader = Reader(query)
    given = {name: _resolved(value, {}) for name, value in reader.defaults.items()} | dict(variables)
    root = {"__typename": reader.root_type, **roots.get(reader.root_type, {})}
    return _Picker(given, reader.fragments).object(root, reader.fields)


def asked(query: str) -> str:
    """The name of the first field at the root of a query; empty for what is none."""
    try:
        first = Reader(query).fields[0]
    except ValueError:
        return ""
    return first.name if isinstance(first, Field) else ""


def _resolved(value: Value, variables: Mapping[str, Json]) -> Any:
    if isinstance(value, Variable):
        return variables.get(value.name)
    if isinstance(value, dict):
        return {name: _resolved(inner, variables) for name, inner in value.items()}
    return [_resolved(inner, variables) for inner in value] if isinstance(value, list) else value


class _Picker:
    """Gives back what is asked for, by the variables and fragments of one document."""

    def __init__(self, variables: Mapping[str, Json], fragments: Mapping[str, Spread]) -> None:
        self._variables = variables
        self._fragments = fragments

    def object(self, data: Shown, fields: list[Field | Spread]) -> JsonObject:
        picked: dict[str, Json] = {}
        for wanted in fields:
            if isinstance(wanted, Field):
                _merge(picked, {wanted.alias: self._field(data, wanted)})
                continue
            spread = self._fragments.get(wanted.name) if wanted.name else wanted
            if spread is None:
                raise ValueError(f"Fragment {wanted.name} was used, but not defined")
            kind = data.get("__typename", spread.type)
            if spread.type in ("", kind, *KINDS.get(kind, ())):
                _merge(picked, self.object(data, spread.fields))
        return picked

    def _field(self, data: Shown, wanted: Field) -> Json:
        kind = data.get("__typename", "Object")
        if wanted.name not in data:
            raise ValueError(f"Field '{wanted.name}' doesn't exist on type '{kind}'")
        value = data[wanted.name]
        if callable(value):
            value = value({name: _resolved(given, self._variables) for name, given in wanted.arguments.items()})
        if not wanted.fields and isinstance(value, Mapping):
            raise ValueError(f"Field must have selections (field '{wanted.name}' has no selections)")
        return self._picked(value, wanted.fields)

    def _picked(self, value: Any, fields: list[Field | Spread]) -> Json:
        if isinstance(value, Mapping):
            return self.object(value, fields)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [self._picked(one, fields) for one in value]
        return value  # type: ignore[no-any-return]  # A scalar.


def _merge(picked: dict[str, Json], more: JsonObject) -> None:
    """Two selections of one field are one, of the fields of both (GraphQL §5.3.2)."""
    for name, value in more.items():
        known = picked.get(name)
        if isinstance(known, dict) and isinstance(value, Mapping):
            _merge(known, value)
        elif isinstance(known, list) and isinstance(value, list):
            picked[name] = [_merged(one, other) for one, other in zip(known, value, strict=True)]
        else:
            picked[name] = value


def _merged(one: Json, other: Json) -> Json:
    both = {"": one}
    _merge(both, {"": other})
    return both[""]
