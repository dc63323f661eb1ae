"""A saved page of Okendo's reference: the operations it documents.

Okendo's pages have a Markdown form (their address with `.md`), in which each operation brings its OpenAPI document as a
block of JSON.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from bff.errors import SettingsError

OPTION = "--okendo-docs"
LARGEST_BYTES = 10_000_000
DEEPEST = 8
BLOCK = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*json[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
Schema = Mapping[str, Any]


class Documented(msgspec.Struct, frozen=True):
    """An operation as the page has it; `fields` are dotted paths in the success, `lists` those of lists of objects."""

    method: str
    path: str
    words: str
    arguments: tuple[str, ...]
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
        for method, operation in item.items() if isinstance(item, dict) else ():
            if method in {"get", "post", "put", "patch", "delete"} and isinstance(operation, dict):
                yield _operation(document, method.upper(), path, operation)


def _operation(document: Schema, method: str, path: str, operation: Schema) -> Documented:
    fields, lists = set[str](), set[str]()
    for _, where, is_list in _walk(document, _success(document, operation), ""):
        fields.add(where)
        if is_list:
            lists.add(where)
    words = " ".join(str(operation.get(key, "")) for key in ("summary", "operationId"))
    arguments = tuple(_arguments(document, method, operation))
    return Documented(method, path, f"{path} {words}".lower(), arguments, tuple(sorted(fields)), tuple(sorted(lists)))


def _success(document: Schema, operation: Schema) -> Schema:
    answers = operation.get("responses")
    for status in ("200", "201", "202", "default"):
        answer = _resolved(document, answers.get(status) if isinstance(answers, dict) else None)
        schema = _json_schema(document, answer)
        if schema:
            return schema
    return {}


def _arguments(document: Schema, method: str, operation: Schema) -> Iterator[str]:
    if method != "GET":
        body = _json_schema(document, _resolved(document, operation.get("requestBody")))
        yield from _properties(document, body)
        return
    for given in operation.get("parameters") or ():
        parameter = _resolved(document, given)
        if parameter.get("in") == "query":
            yield str(parameter.get("name"))


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


def _properties(document: Schema, schema: Schema) -> dict[str, Any]:
    """Of an object, or of all the objects that it is put together from."""
    own = schema.get("properties")
    found = dict(own) if isinstance(own, dict) else {}
    for key in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(key) or ():
            found |= _properties(document, _resolved(document, part))
    return found


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
