"""Shopify and Okendo as far as a member's requests need them, quick enough to be no part of what is measured.

At its start this process asks the sandbox once for every answer, as its persona Ella. From then on it gives out those
bytes, to whoever asks: nothing is checked, nobody's points change. A token `bench-N` is of a customer with the number
N; each redemption has a transaction and a coupon of its own. `POST /_delay/MS` has every answer take so long.

    python -m benchmarks.vendor          with the environment of the sandbox (SANDBOX_PORT, SANDBOX_URL and so on)
"""

import asyncio
import base64
import http.client
import itertools
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import httptools
import uvloop

from bff.sandbox.config import Config, from_environment
from bff.sandbox.okendo.program import FIVE_OFF, RETAIL_PURCHASE
from bff.sandbox.okendo.public_api import VERSION
from bff.sandbox.serving import serve

PERSONA = "ella"
MEMBER_GETS = (
    "customer", "earning_rules", "redemption_rules", "transactions", "customer_spend", "referrals", "referral_count",
)  # fmt: skip
# So many transactions are asked for at once: with fewer an answer would name a page that this process does not have.
TRANSACTIONS = 100
STORE_GETS = ("earning_rules", "redemption_rules", "vip_program", "faqs", "legal_policies")
DISCOVERY = ("/.well-known/openid-configuration", "/.well-known/customer-account-api")
WHO = "query { customer { id displayName emailAddress { emailAddress } } }"
GRAPHQL = "/customer/api/"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


class Answer(NamedTuple):
    """A body; `{n}` in it is the customer's number, `{u}` another one each time."""

    body: bytes

    def head(self, length: int) -> bytes:
        return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % length

    def is_fixed(self) -> bool:
        return b"{n}" not in self.body and b"{u}" not in self.body

    def filled(self, number: bytes, unique: int) -> bytes:
        body = self.body.replace(b"{n}", number).replace(b"{u}", b"%d" % unique)
        return self.head(len(body)) + body


class Sandbox:
    """The sandbox, asked over HTTP."""

    def __init__(self, url: str, config: Config) -> None:
        self._at = urlsplit(url).netloc
        self._config = config

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> bytes:
        """The body of its answer; raises RuntimeError unless that is a success."""
        connection = http.client.HTTPConnection(self._at, timeout=10)
        sent = None if body is None else json.dumps(body)
        always = {
            "okendo-api-version": VERSION,
            "okendo-partner-id": self._config.okendo_partner_id,
            # Shopify refuses who does not say what they are.
            "user-agent": "bench",
            "content-type": "application/json",
        }
        connection.request(method, path, sent, always | headers)
        reply = connection.getresponse()
        found = reply.read()
        connection.close()
        if reply.status >= 300:
            raise RuntimeError(f"the sandbox answered {reply.status} to {method} {path}: {found[:200]!r}")
        return found

    def answers(self) -> Iterator[tuple[str, str, bytes]]:
        """Method, path, and what is answered there."""
        store = f"/v1/stores/{self._config.okendo_user_id}/loyalty"
        token = json.loads(self.ask("POST", "/_control/token", {"persona": PERSONA}))["token"]
        for path in DISCOVERY:
            yield "GET", path, self.ask("GET", path, host=urlsplit(self._config.url).netloc)
        yield "POST", GRAPHQL, self._customer(token)
        login = self.ask("POST", f"{store}/login", {"customerAccessToken": token})
        yield "POST", f"{store}/login", login
        for path in (f"{store}/{name}" for name in STORE_GETS):
            yield "GET", path, self.ask("GET", path)
        bearer = f"Bearer {json.loads(login)['token']}"
        for path in (f"/v1/loyalty/{name}" for name in MEMBER_GETS):
            asked = f"{path}?limit={TRANSACTIONS}" if path.endswith("/transactions") else path
            yield "GET", path, self.ask("GET", asked, authorization=bearer)
        yield "POST", "/v1/loyalty/redemptions", self._redemption(bearer)
        yield from self._merchant_answers()

    def _customer(self, token: str) -> bytes:
        version = "2026-07"
        found = self.ask("POST", f"{GRAPHQL}{version}/graphql", {"query": WHO}, authorization=token)
        email = json.loads(found)["data"]["customer"]["emailAddress"]["emailAddress"]
        numbered = found.replace(email.encode(), b"ella{n}@example.com")
        return re.sub(rb"(gid://shopify/Customer/)\d+", rb"\g<1>{n}", numbered)

    def _redemption(self, bearer: str) -> bytes:
        wanted = {"redemptionRuleId": FIVE_OFF}
        found = self.ask("POST", "/v1/loyalty/redemptions", wanted, authorization=bearer)
        spent = json.loads(found)
        names = (spent["transaction"]["loyaltyTransactionId"], spent["coupon"]["code"])
        for name in names:
            found = found.replace(name.encode(), b"bench-{u}")
        return found

    def _merchant_answers(self) -> Iterator[tuple[str, str, bytes]]:
        user, key = self._config.okendo_user_id, self._config.okendo_api_key
        basic = f"Basic {base64.b64encode(f'{user}:{key}'.encode()).decode()}"
        email = json.loads(self.ask("GET", "/_control/state"))["members"][PERSONA]["email"]
        path = "/enterprise/loyalty/customers"
        yield "GET", path, self.ask("GET", f"{path}?email={email}", authorization=basic)
        path = "/enterprise/loyalty/earning_transactions"
        wanted = {"email": email, "earningRuleId": RETAIL_PURCHASE, "value": 10}
        yield "POST", path, self.ask("POST", path, wanted, authorization=basic)


class Vendor(asyncio.Protocol):
    """One connection. httptools calls the methods named `on_`."""

    delay_seconds = 0.0
    unique = itertools.count(1)

    def __init__(self, answers: Mapping[tuple[bytes, bytes], Answer]) -> None:
        self._answers = answers
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._number = b"0"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url.partition(b"?")[0]

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"authorization" and b"bench-" in value:
            self._number = value.partition(b"bench-")[2].partition(b"-")[0]

    def on_message_complete(self) -> None:
        reply = self._reply(self._parser.get_method())
        if Vendor.delay_seconds:
            asyncio.get_running_loop().call_later(Vendor.delay_seconds, self._transport.write, reply)
        else:
            self._transport.write(reply)

    def _reply(self, method: bytes) -> bytes:
        path = self._path
        if path.startswith(b"/_delay/"):
            Vendor.delay_seconds = int(path.rpartition(b"/")[2]) / 1000
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        if path.startswith(GRAPHQL.encode()):
            path = GRAPHQL.encode()
        found = self._answers.get((method, path))
        return found.filled(self._number, next(Vendor.unique)) if found else NOT_FOUND


async def listen(port: int, answers: Mapping[tuple[bytes, bytes], Answer]) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Vendor(answers), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def main() -> None:
    port = int(os.environ["SANDBOX_PORT"])
    config = from_environment(os.environ, port)
    with serve(config) as url:
        found = {(m.encode(), p.encode()): Answer(body) for m, p, body in Sandbox(url, config).answers()}
    uvloop.run(listen(port, found | {(b"GET", b"/"): Answer(b"{}")}))


if __name__ == "__main__":
    main()
