"""A sandbox running as a real server, and the few things tests of it do again and again."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from bff.sandbox.config import Client, Config
from bff.sandbox.serving import serve

REDIRECT_URI = "http://localhost:8000/callback"
ORIGIN = "http://localhost:8000"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CONFIG = Config()
PUBLIC, CONFIDENTIAL = CONFIG.clients


Changes: TypeAlias = dict[str, str] | None


@dataclass
class Sandbox:
    """The running sandbox, and an HTTP client that follows no redirects."""

    url: str
    http: httpx2.Client

    def control(self, what: str, **body: object) -> Any:
        reply = self.http.post(f"/_control/{what}", json=body)
        assert reply.is_success, reply.text
        return reply.json()

    def state(self) -> Any:
        return self.http.get("/_control/state").json()

    def member(self, persona: str) -> Any:
        return self.state()["members"][persona]

    def fault(self, operation: str, kind: str, **more: object) -> None:
        self.control("faults", operation=operation, kind=kind, **more)

    def authorization(self, client: Client = PUBLIC, changes: Changes = None) -> dict[str, str]:
        """A right authorization request, with changes; a change to "" leaves the parameter out."""
        params = {
            "client_id": client.client_id,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": "openid email customer-account-api:full",
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return _changed(params, changes)

    def authorize(self, client: Client = PUBLIC, changes: Changes = None, persona: str = "ella") -> httpx2.Response:
        """Choose a persona on the sign-in page."""
        params = self.authorization(client, changes)
        return self.http.post("/authentication/oauth/authorize", params=params, data={"persona": persona})

    def code(self, client: Client = PUBLIC, changes: Changes = None, persona: str = "ella") -> str:
        return query_of(self.authorize(client, changes, persona))["code"]

    def trade(self, form: dict[str, str], client: Client = PUBLIC, origin: str = ORIGIN) -> httpx2.Response:
        """Call the token endpoint as this client should."""
        data = {"client_id": client.client_id, **form}
        basic = httpx2.BasicAuth(client.client_id, client.secret) if client.confidential else httpx2.Auth()
        headers = {"origin": origin} if origin else {}
        return self.http.post("/authentication/oauth/token", data=data, headers=headers, auth=basic)

    def trade_code(self, code: str, client: Client = PUBLIC, changes: Changes = None) -> httpx2.Response:
        form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
        return self.trade(_changed(form | {"code": code}, changes), client)

    def refresh(self, refresh_token: str, client: Client = PUBLIC) -> httpx2.Response:
        return self.trade({"grant_type": "refresh_token", "refresh_token": refresh_token}, client)

    def sign_in(self, persona: str = "ella", client: Client = PUBLIC) -> Any:
        """All the tokens of a fresh sign-in."""
        return self.trade_code(self.code(client, None, persona), client).json()

    def graphql(self, token: str, query: str = "{ customer { id } }") -> httpx2.Response:
        return self.http.post("/customer/api/2026-07/graphql", json={"query": query}, headers={"authorization": token})

    def store(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """A public Okendo call."""
        return self.http.request(
            method,
            f"/v1/stores/{CONFIG.okendo_user_id}/{path}",
            headers={"okendo-api-version": "2025-02-01"},
            **options,
        )

    def login(self, persona: str) -> str:
        """A loyalty token by way of a customer token."""
        token = self.control("token", persona=persona, kind="customer_account")["token"]
        reply = self.store("POST", "loyalty/login", json={"customerAccessToken": token})
        assert reply.status_code == 200, reply.text
        return str(reply.json()["token"])

    def loyalty(self, token: str, method: str, path: str, **options: Any) -> httpx2.Response:
        """An Okendo call with a loyalty token."""
        headers = {"okendo-api-version": "2025-02-01", "authorization": f"Bearer {token}"}
        headers |= options.pop("headers", {})
        return self.http.request(method, f"/v1/loyalty/{path}", headers=headers, **options)

    def merchant(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """An Okendo Merchant call."""
        options.setdefault("auth", (CONFIG.okendo_user_id, CONFIG.okendo_api_key))
        headers = {"okendo-api-version": "2025-02-01"}
        return self.http.request(method, f"/enterprise/loyalty/{path}", headers=headers, **options)


def _changed(params: dict[str, str], changes: Changes) -> dict[str, str]:
    return {name: value for name, value in (params | (changes or {})).items() if value}


def query_of(reply: httpx2.Response) -> dict[str, str]:
    """The parameters that a redirect carries."""
    assert reply.status_code in (302, 303), reply.text
    return {name: values[0] for name, values in parse_qs(urlsplit(reply.headers["location"]).query).items()}


def error_of(reply: httpx2.Response) -> tuple[int, str]:
    """Status and code of an Okendo error, whose body must have the documented shape."""
    error = reply.json()["error"]
    assert re.search(r"\w", error["description"])
    return reply.status_code, error.get("code", "")


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with serve(CONFIG) as url, httpx2.Client(base_url=url, timeout=10, trust_env=False) as http:
        yield Sandbox(url, http)


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    """The running sandbox as new."""
    served.http.cookies.clear()
    served.control("reset")
    return served
