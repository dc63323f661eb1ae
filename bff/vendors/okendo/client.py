"""Calls of Okendo: the row of an operation becomes a request, and whatever comes back is read or refused."""

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Generic
from urllib.parse import urlencode

import msgspec

from bff.errors import Problem, Unreadable, UpstreamFailed, VendorRefused
from bff.settings.locales import read_language_tag
from bff.vendors.addresses import VendorId, url_for
from bff.vendors.okendo.fields import fields_of
from bff.vendors.okendo.ids import as_sent, is_usable
from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.places import find
from bff.vendors.okendo.reading import ReplyReader
from bff.vendors.okendo.row import ForMember, ForMerchant, ForStore, Operation, Page, Public, ReplyT
from bff.vendors.upstream import Call, Upstream
from bff.vendors.upstream import HttpReply as HttpReply

API_VERSION = "2025-02-01"
# So many names of questions are kept at hand.
QUESTIONS = 1024
# Money goes out with the decimals it came with.
_encode = msgspec.json.Encoder(decimal_format="number").encode


class OkendoAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Whose program it is. `api_url` is without the version, `api_key` the merchant's own, `timeout_seconds` the
    deadline of one call, `currency` the shop's, in which amounts are where Okendo tells none."""

    api_url: str
    user_id: str
    partner_id: str
    timeout_seconds: float
    api_key: str | None = None
    currency: str | None = None

    def __repr__(self) -> str:
        return f"<Account {self.user_id}>"


class Worded(msgspec.Struct, Generic[ReplyT], frozen=True):
    """An answer, and the language it is in where Okendo itself has told (Content-Language, RFC 9110 §8.5)."""

    value: ReplyT
    language: str | None


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
        self._readers = {name: ReplyReader(row) for name, row in rows.items()}
        self._questions = {name: self._question(row) for name, row in rows.items() if isinstance(row, Public)}
        self._name_of_question = lru_cache(QUESTIONS)(self._name)

    def found(self, row: Operation[Any]) -> frozenset[str]:
        """The fields of ours that some answer to this operation had."""
        return frozenset(self._readers[row.name].found)

    async def public(self, row: Public[ReplyT], **arguments: Any) -> ReplyT:
        """Call an operation that is the same for everyone."""
        return (await self.public_worded(row, **arguments)).value

    async def public_worded(self, row: Public[ReplyT], **arguments: Any) -> Worded[ReplyT]:
        """The same, with what is told of its language."""
        return await self._call(row, "/v1", {}, arguments)

    async def for_store(self, row: ForStore[ReplyT], **arguments: Any) -> ReplyT:
        """Call an operation that is about somebody, in the store's name."""
        return (await self._call(row, "/v1", {}, arguments)).value

    async def for_member(self, row: ForMember[ReplyT], jwt: str, **arguments: Any) -> ReplyT:
        """Call an operation as the member whose JWT this is."""
        return (await self._call(row, "/v1", {"authorization": f"Bearer {jwt}"}, arguments)).value

    async def for_merchant(self, row: ForMerchant[ReplyT], **arguments: Any) -> ReplyT:
        """Call an operation of the Merchant API (HTTP Basic, RFC 7617); raises Problem `feature_unavailable` without a
        key."""
        if self._account.api_key is None:
            raise Problem("feature_unavailable", "OKENDO_API_KEY is not set.")
        basic = base64.b64encode(f"{self._account.user_id}:{self._account.api_key}".encode()).decode()
        return (await self._call(row, "/enterprise", {"authorization": f"Basic {basic}"}, arguments)).value

    def question(self, row: Public[Any], **arguments: str) -> str:
        """A name for what is asked here: the same for every process that would read the answer in the same way, and
        another one for another store, version of the API, correction of the row, or way to read its reply (J4)."""
        return self._name_of_question(row.name, *sorted(arguments.items()))

    def _name(self, operation: str, *arguments: tuple[str, str]) -> str:
        asked = self._questions[operation].copy()
        asked.update(msgspec.json.encode(dict(arguments), order="deterministic"))
        return f"{operation}:{asked.hexdigest()[:32]}"

    def _question(self, row: Public[Any]) -> "hashlib._Hash":
        """The part of such a name that is the same for all arguments; the types of a reply are looked into once."""
        account = (self._account.api_url, self._account.user_id, API_VERSION, self._account.currency)
        asked = (row.method, row.path, row.sends)
        types, read_as = msgspec.json.schema(row.reply), [field.read_as for field in fields_of(row.item)]
        reading = (row.envelope, row.names_of_fields(), row.next, types, read_as)
        return hashlib.sha256(msgspec.json.encode((account, asked, reading), order="deterministic"))

    async def _call(
        self, row: Operation[ReplyT], root: str, headers: dict[str, str], arguments: dict[str, Any]
    ) -> Worded[ReplyT]:
        # Judged by the row as it was written, since what is idempotent may be sent twice (L3).
        idempotent = row.method == "GET"
        row = self._rows.get(row.name, row)
        arguments = arguments | {name: as_sent(arguments[name]) for name in row.ids}
        segments = {name: _segment(row, name, value) for name, value in arguments.items() if f"{{{name}}}" in row.path}
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
        reader: ReplyReader[ReplyT] = self._readers[row.name]
        body = reply.json() if reader.has_fields and reply.body.strip() else {}
        # What was asked for in a currency is told in it, whether or not the answer says so.
        answer = reader.read(body, sent.get("currency") or self._account.currency)
        return Worded(_leading_on(row, answer, arguments.get("cursor")), _language(reply))

    def _segments(self, row: Operation[Any], given: dict[str, str]) -> dict[str, str]:
        return given | ({"subscriberId": self._account.user_id} if "{subscriberId}" in row.path else {})


def _segment(row: Operation[Any], name: str, value: str) -> str:
    return VendorId(value) if name in row.ids and is_usable(value) else value


def _language(reply: HttpReply) -> str | None:
    """The language of an answer that says it is in one."""
    tag = read_language_tag(reply.headers.get("content-language", "").strip())
    return tag.language if tag else None


def _leading_on(row: Operation[Any], answer: ReplyT, cursor: str | None) -> ReplyT:
    """The answer, unless it is a page that names itself as its next one: then the rest of the list is out of reach, and
    to show this page as the last would be to show a part as the whole."""
    if isinstance(answer, Page) and answer.next is not None and answer.next == cursor:
        raise Unreadable(f"Okendo's {row.name} answer leads back to itself.", sent=True)
    return answer


def with_query(url: str, values: Mapping[str, Any]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(values)}" if values else url


def _refusal(row: Operation[Any], reply: HttpReply) -> VendorRefused:
    """The documented error body is {"error": {"description", "code"?}}; anything else still is a refusal."""
    try:
        body = reply.json()
    except UpstreamFailed:
        body = None
    code, description = find(body, "error.code"), find(body, "error.description")
    return VendorRefused(row.name, reply.status, _text(code), _text(description), by_page=reply.is_page)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
