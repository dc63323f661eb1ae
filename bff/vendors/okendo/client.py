"""Okendo's dialect: a row of `endpoints` becomes a call, and whatever comes back becomes our shape of it.

Replies are read tolerantly, since most of their field names are not public: any listed alias will do, unknown fields
are dropped, unusable optional ones are left out. Only a missing field that we cannot do without is a failure.
"""

import base64
import contextlib
import hashlib
import math
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import parse_qs, urlencode

import msgspec

from bff.errors import Problem, UpstreamFailed, VendorRefused
from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.row import Expiry, ForMember, ForMerchant, ForStore, Id, Operation, Page, Public, ReplyT, Text
from bff.vendors.sanitize import strip_html
from bff.vendors.timestamps import parse_timestamp
from bff.vendors.upstream import Call, Upstream, url_for
from bff.vendors.upstream import HttpReply as HttpReply

API_VERSION = "2025-02-01"
MISSING = object()
IDS = (Id, Id | None)
TEXTS = (Text, Text | None)
EXPIRIES = (Expiry, Expiry | None)
TIMES = (datetime, datetime | None, *EXPIRIES)
# Money goes out with the decimals it came with.
_encode = msgspec.json.Encoder(decimal_format="number").encode


class OkendoAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Whose program it is. `api_url` is without the version, `api_key` the merchant's own, `timeout_seconds` the
    deadline of one call."""

    api_url: str
    user_id: str
    partner_id: str
    timeout_seconds: float
    api_key: str | None = None

    def __repr__(self) -> str:
        return f"<Account {self.user_id}>"


class OkendoClient:
    """Okendo's Storefront API for one store, and what of the Merchant API pays points. Every call raises UpstreamFailed
    or UpstreamTimeout when it cannot be trusted, and VendorRefused when Okendo says no (4xx)."""

    def __init__(
        self, upstream: Upstream, account: OkendoAccount, rows: Mapping[str, Operation[Any]] = OPERATIONS
    ) -> None:
        self.partner_id = account.partner_id
        self._upstream = upstream
        self._account = account
        self._rows = rows

    async def public(self, row: Public[ReplyT], **arguments: Any) -> ReplyT:
        """Call an operation that is the same for everyone."""
        return await self._call(row, "/v1", {}, arguments)

    async def for_store(self, row: ForStore[ReplyT], **arguments: Any) -> ReplyT:
        """Call an operation that is about somebody, in the store's name."""
        return await self._call(row, "/v1", {}, arguments)

    async def for_member(self, row: ForMember[ReplyT], jwt: str, **arguments: Any) -> ReplyT:
        """Call an operation as the member whose JWT this is."""
        return await self._call(row, "/v1", {"authorization": f"Bearer {jwt}"}, arguments)

    async def for_merchant(self, row: ForMerchant[ReplyT], **arguments: Any) -> ReplyT:
        """Call an operation of the Merchant API (HTTP Basic, RFC 7617); raises Problem `feature_unavailable` without a
        key."""
        if self._account.api_key is None:
            raise Problem("feature_unavailable", "OKENDO_API_KEY is not set.")
        basic = base64.b64encode(f"{self._account.user_id}:{self._account.api_key}".encode()).decode()
        return await self._call(row, "/enterprise", {"authorization": f"Basic {basic}"}, arguments)

    def question(self, row: Public[Any], **arguments: str) -> str:
        """A name for what is asked here: the same for every process that would read the answer in the same way, and
        another one for another store, version of the API, correction of the row, or shape of ours (J4)."""
        row = self._rows.get(row.name, row)  # type: ignore[assignment]  # an override keeps the row's type
        account = (self._account.api_url, self._account.user_id, API_VERSION)
        reading = (row.method, row.path, row.sends, row.envelope, row.names, row.next, msgspec.json.schema(row.reply))
        whole = msgspec.json.encode((account, reading, arguments), order="deterministic")
        return f"{row.name}:{hashlib.sha256(whole).hexdigest()[:32]}"

    async def _call(
        self, row: Operation[ReplyT], root: str, headers: dict[str, str], arguments: dict[str, Any]
    ) -> ReplyT:
        # Judged by the row as it was written, since what is idempotent may be sent twice (L3).
        idempotent = row.method == "GET"
        row = self._rows.get(row.name, row)
        segments = {name: str(value) for name, value in arguments.items() if f"{{{name}}}" in row.path}
        sent = {name: value for name, value in arguments.items() if name in row.sends.keys() - segments.keys()}
        values = {row.sends[name]: value for name, value in sent.items() if value is not None}
        url = url_for(self._account.api_url + root, row.path, **self._segments(row, segments))
        headers |= {"okendo-api-version": API_VERSION, "okendo-partner-id": self._account.partner_id}
        if not idempotent:
            headers["content-type"] = "application/json"
        reply = await self._upstream.call(
            Call(
                vendor="okendo",
                operation=row.name,
                method=row.method,
                url=with_query(url, values) if idempotent else url,
                headers=headers,
                body=None if idempotent else _encode(values),
                timeout_seconds=self._account.timeout_seconds,
                idempotent=idempotent,
                # The Merchant API has a pace of its own, and work that waits for its turn there.
                backs_off=not isinstance(row, ForMerchant),
            )
        )
        if reply.status >= 400:
            raise _refusal(row, reply)
        # An empty success is as good as an empty object: some bodies are not public.
        return read(row, reply.json() if _has_fields(row) and reply.body.strip() else {})

    def _segments(self, row: Operation[Any], given: dict[str, str]) -> dict[str, str]:
        return given | ({"subscriberId": self._account.user_id} if "{subscriberId}" in row.path else {})


def with_query(url: str, values: Mapping[str, Any]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(values)}" if values else url


def _refusal(row: Operation[Any], reply: HttpReply) -> VendorRefused:
    """The documented error body is {"error": {"description", "code"?}}; anything else still is a refusal."""
    try:
        body = reply.json()
    except UpstreamFailed:
        body = None
    code, description = find(body, "error.code"), find(body, "error.description")
    return VendorRefused(row.name, reply.status, _text(code), _text(description))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _has_fields(row: Operation[Any]) -> bool:
    return get_origin(row.reply) is not None or bool(row.reply.__struct_fields__)


def read(row: Operation[ReplyT], body: Any) -> ReplyT:
    """Project a reply to the row's shape.

    Raises UpstreamFailed when the reply lacks something we cannot do without; inside a list such an item is left out,
    unless that leaves none.
    """
    kind = get_origin(row.reply)
    if kind is None:
        return row.reply(**_fields_of_object(row, body))
    items = _items(row, body)
    # mypy cannot see that Reply is one of these two here.
    return Page(items=items, next=_next(row, body)) if kind is Page else items  # type: ignore[return-value]


def _items(row: Operation[Any], body: Any) -> list[Any]:
    found = next((value for value in (find(body, where) for where in row.envelope) if isinstance(value, list)), None)
    if found is None:
        raise UpstreamFailed(f"Okendo's {row.name} answer holds no list.", sent=True)
    (shape,) = get_args(row.reply)
    kept = []
    for item in found:
        with contextlib.suppress(UpstreamFailed):
            kept.append(shape(**fields_of(shape, row.names, item)))
    if found and not kept:
        # That the program has nothing to offer would be a lie, and would take the place of the last good copy.
        raise UpstreamFailed(f"Okendo's {row.name} answer holds nothing that can be read.", sent=True)
    return kept


def _next(row: Operation[Any], body: Any) -> str | None:
    """The token that asks for the next page: as it is, or inside the address of that page, which is not followed."""
    given = next((value for value in (find(body, where) for where in row.next) if isinstance(value, str)), "")
    _, is_address, query = given.partition("?")
    if not is_address:
        return given or None
    return parse_qs(query.partition("#")[0]).get(row.sends.get("cursor", ""), [None])[0]


def _fields_of_object(row: Operation[Any], body: Any) -> dict[str, Any]:
    """The fields in the first envelope that has all we cannot do without."""
    if not _has_fields(row):
        return {}
    for where in row.envelope:
        found = find(body, where)
        if isinstance(found, dict):
            with contextlib.suppress(UpstreamFailed):
                return fields_of(row.reply, row.names, found)
    raise UpstreamFailed(f"Okendo's {row.name} answer lacks what it must have.", sent=True)


def fields_of(shape: type[msgspec.Struct], names: Mapping[str, tuple[str, ...]], found: Any) -> dict[str, Any]:
    """The fields of one object under our names; raises UpstreamFailed when a required one is missing or unusable."""
    fields = {}
    for field in msgspec.structs.fields(shape):
        wanted = _types(shape)[field.name]
        value = _first_usable(found, names.get(field.name, ()), wanted)
        if value is not MISSING:
            fields[field.name] = strip_html(value) if wanted in TEXTS else value
        elif field.required:
            raise UpstreamFailed(f"Okendo's answer lacks {field.name}.", sent=True)
    return fields


@lru_cache
def _types(shape: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(shape, include_extras=True)


def _first_usable(found: Any, paths: tuple[str, ...], wanted: Any) -> Any:
    for path in paths:
        value = find(found, path)
        if value is None:
            continue
        if wanted in IDS and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if wanted in TIMES:
            if moment := parse_timestamp(value, is_end=wanted in EXPIRIES):
                return moment
            continue
        try:
            usable = msgspec.convert(value, wanted, strict=False)
        except msgspec.ValidationError:
            continue
        if not isinstance(usable, float) or math.isfinite(usable):
            return usable
    return MISSING


def find(value: Any, path: str) -> Any:
    """What lies at a dotted path, None when there is nothing; "" is the value itself."""
    for part in path.split(".") if path else ():
        value = value.get(part) if isinstance(value, dict) else None
    return value
