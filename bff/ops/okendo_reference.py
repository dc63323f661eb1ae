"""A saved page of Okendo's reference: the operations it documents.

Okendo's pages have a Markdown form (their address with `.md`), in which each operation brings its OpenAPI document as a
block of JSON.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import msgspec

from bff.errors import SettingsError

OPTION = "--okendo-docs"
LARGEST_BYTES = 10_000_000
DEEPEST = 8
BLOCK = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*json[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
Schema = Mapping[str, Any]


class Documented(msgspec.Struct, frozen=True):
    """An operation as the page has it: the names it takes in its query and in its body; `fields` are dotted paths in
    the success, `lists` those of lists of objects."""

    method: str
    path: str
    words: str
    query: tuple[str, ...]
    body: tuple[str, ...]
    fields: tuple[str, ...]
    lists: tuple[str, ...]


def page_of(file: str) -> str:
    """The text of a saved page; raises SettingsError when there is none."""
    try:
        path = Path(file)
        if path.stat().st_size > LARGEST_BYTES:
            raise SettingsError(OPTION, "the file is too large for a page.")
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise SettingsError(OPTION, f"the file cannot be read ({type(error).__name__}).") from None


def documented(page: str) -> list[Documented]:
    """Every operation on the page, in its order; raises SettingsError when there is none."""
    found = [operation for document in _documents(page) for operation in _operations(document)]
    unique = {(operation.method, operation.path): operation for operation in found}
    if not unique:
        raise SettingsError(OPTION, "no OpenAPI document is in it. Save the page's .md form, not its HTML.")
    return list(unique.values())


def _documents(page: str) -> Iterator[Schema]:
    for block in BLOCK.finditer(page):
        try:
            document = json.loads(block[2])
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict) and isinstance(document.get("paths"), dict):
            yield document


def _operations(document: Schema) -> Iterator[Documented]:
    for path, item in document["paths"].items():
        for method, operation in item.items() if isinstance(item, dict) and _is_name(path) else ():
            if method in {"get", "post", "put", "patch", "delete"} and isinstance(operation, dict):
                shared = _list(item.get("parameters"))
                yield _operation(document, method.upper(), path, operation, shared)


def _operation(document: Schema, method: str, path: str, operation: Schema, shared: list[Any]) -> Documented:
    fields, lists = set[str](), set[str]()
    for _, where, is_list in _walk(document, _success(document, operation), ""):
        fields.add(where)
        if is_list:
            lists.add(where)
    words = " ".join(str(operation.get(key, "")) for key in ("summary", "operationId"))
    return Documented(
        method=method,
        path=path,
        words=f"{path} {words}".lower(),
        query=_query(document, [*shared, *_list(operation.get("parameters"))]),
        body=() if method == "GET" else _body(document, operation),
        fields=tuple(sorted(fields)),
        lists=tuple(sorted(lists)),
    )


def _success(document: Schema, operation: Schema) -> Schema:
    answers = operation.get("responses")
    for status in ("200", "201", "202", "default"):
        answer = _resolved(document, answers.get(status) if isinstance(answers, dict) else None)
        schema = _json_schema(document, answer)
        if schema:
            return schema
    return {}


def _query(document: Schema, parameters: list[Any]) -> tuple[str, ...]:
    found = (_resolved(document, given) for given in parameters)
    names = (one.get("name") for one in found if one.get("in") == "query")
    return tuple(dict.fromkeys(name for name in names if _is_name(name)))


def _body(document: Schema, operation: Schema) -> tuple[str, ...]:
    return tuple(_properties(document, _json_schema(document, _resolved(document, operation.get("requestBody")))))


def _json_schema(document: Schema, holder: Schema) -> Schema:
    content = holder.get("content")
    media = content.get("application/json") if isinstance(content, dict) else None
    return _resolved(document, media.get("schema") if isinstance(media, dict) else None)


def _walk(document: Schema, schema: Schema, where: str, depth: int = 0) -> Iterator[tuple[Schema, str, bool]]:
    """Every field at any depth by its dotted path; a list's items count as lying where the list does."""
    items = _resolved(document, schema.get("items"))
    if items and depth < DEEPEST:
        yield schema, where, bool(_properties(document, items))
        yield from _walk(document, items, where, depth + 1)
    for name, given in _properties(document, schema).items() if depth < DEEPEST else ():
        inner = f"{where}.{name}" if where else name
        yield _resolved(document, given), inner, False
        yield from _walk(document, _resolved(document, given), inner, depth + 1)


def _properties(document: Schema, schema: Schema, depth: int = 0) -> dict[str, Any]:
    """Of an object, or of all the objects that it is put together from."""
    own = schema.get("properties")
    found = {name: given for name, given in own.items() if _is_name(name)} if isinstance(own, dict) else {}
    for key in ("allOf", "oneOf", "anyOf") if depth < DEEPEST else ():
        for part in _list(schema.get(key)):
            found |= _properties(document, _resolved(document, part), depth + 1)
    return found


def _is_name(name: Any) -> TypeGuard[str]:
    """Whether this can stand in a line of a file."""
    return isinstance(name, str) and bool(name.strip()) and name.isprintable()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _resolved(document: Schema, schema: Any) -> Schema:
    """The schema itself, or the one it refers to within its document."""
    for _ in range(DEEPEST):
        if not isinstance(schema, dict):
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        schema = document
        for part in reference.removeprefix("#/").split("/"):
            schema = schema.get(part) if isinstance(schema, dict) else None
    return {}
