"""What production refuses because it is weak or only for development, and what it warns of (checklist P7, C5, C10)."""

import base64
import json
import random
import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from support.concurrency import until
from support.processes import bff, start
from support.proxied_service import production

from bff.errors import SettingsError
from bff.settings.production import weaknesses
from bff.settings.read import read_settings
from bff.settings.table import SETTINGS
from ops.test_settings import CANARY, PRODUCTION, names_it_and_nothing_else, refusal

ELSEWHERE = {
    "DATABASE_URL": "postgresql://u:p@db.invalid/loyalty?sslmode=require",
    "VALKEY_URL": "rediss://valkey.invalid:6379/0",
    "VALKEY_VERIFY_TLS": "off",
}


def whsec(content: bytes) -> str:
    return f"whsec_{base64.b64encode(content).decode()}"


# P7: signing secrets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUBTOTAL_SIGNING_SECRET", "12345678"),
        ("SUBTOTAL_SIGNING_SECRET", "b7d1f0a2c9e84d63"),
        ("SUBTOTAL_SIGNING_SECRET", "b7d1f0a2-c9e8-4d63-91f0"),
        ("SUBTOTAL_SIGNING_SECRET", "the-signing-secret-of-our-shop-2026"),
        ("SUBTOTAL_SIGNING_SECRET", "The.Signing.Secret.Of.Our.Shop.2026"),
        ("SUBTOTAL_SIGNING_SECRET", base64.b64encode(b"the signing secret of our shop").decode()),
        ("SUBTOTAL_SIGNING_SECRET", "0123456789abcdef0123456789abcdef"),
        ("SUBTOTAL_SIGNING_SECRET", "abcdefghijklmnopqrstuvwxyz012345"),
        ("SUBTOTAL_SIGNING_SECRET", "f4b5c1d2e3a49687f4b5c1d2e3a49687"),
        ("SUBTOTAL_SIGNING_SECRET", "Zq81-kfWc-02Lm-Zq81-kfWc-02Lm-"),
        ("SUBTOTAL_SIGNING_SECRET", "nR8xWq2LmTz7YbKc4VhJd"),
        ("OKENDO_WEBHOOK_SECRET", whsec(b"the secret of our webhooks, 32 b")),
        ("OKENDO_WEBHOOK_SECRET", whsec(bytes(32))),
        ("OKENDO_WEBHOOK_SECRET", whsec(b"x" * 32)),
        ("SESSION_TICKETS_TOKEN", "a-token-of-the-storefronts-server"),
        ("SESSION_TICKETS_TOKEN", "11223344556677889900112233445566"),
        ("METRICS_TOKEN", "only.for.prometheus.and.nobody.else"),
    ],
)
def test_P7_a_signing_secret_that_can_be_guessed_ends_the_boot(name: str, value: str) -> None:
    assert names_it_and_nothing_else(refusal(**{name: value}), name, value)


def test_P7_what_vendors_and_generators_write_is_taken() -> None:
    """Sixteen random bytes or more in every spelling; the same ones in each run, since one in millions looks weak."""
    alphabet = string.ascii_letters + string.digits
    writers: Mapping[str, Callable[[random.Random], str]] = {
        "hex": lambda chance: chance.randbytes(16).hex(),
        "HEX": lambda chance: chance.randbytes(16).hex().upper(),
        "hex with a prefix": lambda chance: f"shpss_{chance.randbytes(16).hex()}",
        "a UUID": lambda chance: str(UUID(bytes=chance.randbytes(16), version=4)),
        "base64": lambda chance: base64.b64encode(chance.randbytes(16)).decode(),
        "base64 for URLs": lambda chance: base64.urlsafe_b64encode(chance.randbytes(16)).decode().rstrip("="),
        "base32": lambda chance: base64.b32encode(chance.randbytes(16)).decode().rstrip("="),
        "letters and digits": lambda chance: "".join(chance.choices(alphabet, k=22)),
        "Svix": lambda chance: whsec(chance.randbytes(24)),
        "the least of Standard Webhooks": lambda chance: whsec(chance.randbytes(16)),
        "hex in whsec_": lambda chance: whsec(chance.randbytes(16).hex().encode()),
    }  # fmt: skip
    chance = random.Random(20261129)  # noqa: S311
    refused = []
    for kind, written in writers.items():
        for value in (written(chance) for _ in range(200)):
            name = "OKENDO_WEBHOOK_SECRET" if value.startswith("whsec_") else "SUBTOTAL_SIGNING_SECRET"
            refused += [(kind, value)] if refusal(**{name: value}) else []
    assert refused == []


def test_C5_random_keys_are_taken() -> None:
    """A thousand of them, since a check for phrases and patterns could be too strict for one in a few hundred."""
    chance = random.Random(20261129)  # noqa: S311
    pairs = ",".join(f"k{number}:{base64.b64encode(chance.randbytes(32)).decode()}" for number in range(1000))
    assert len(read_settings({**PRODUCTION, "SECRET_KEYS": pairs}).secret_keys) == 1000


# P7: development, and what is only for it ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://loyalty.example.com", "http://loyalty.example.com", "https://x.herokuapp.com", "https://8.8.8.8",
        "https://localhost.example.com", "https://notlocalhost", "https://[2606:4700::1111]",
        "https://loyalty.internal.example.com",
    ],
)  # fmt: skip
def test_P7_development_is_refused_where_the_world_can_come(url: str) -> None:
    error = refusal(ENVIRONMENT="development", PUBLIC_URL=url, STOREFRONT_ORIGINS="")
    assert names_it_and_nothing_else(error, "ENVIRONMENT", url)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000", "http://127.0.0.1:8000", "http://127.8.9.1", "http://[::1]:8000", "http://a.localhost",
        "http://192.168.1.20:8000", "http://10.1.2.3", "http://[fd00::1]:8000", "http://loyalty.test", "http://mac.local",
        "http://loyalty.internal", "http://nas.home.arpa",
    ],
)  # fmt: skip
def test_P7_development_is_for_this_machine_and_private_networks(url: str) -> None:
    assert refusal(ENVIRONMENT="development", PUBLIC_URL=url, STOREFRONT_ORIGINS="") is None


def addresses() -> list[tuple[str, str]]:
    """Every setting that takes an http address, in development."""
    local = {**PRODUCTION, "ENVIRONMENT": "development", "PUBLIC_URL": "http://localhost", "STOREFRONT_ORIGINS": ""}
    forms = [f"http://{CANARY}.test{rest}" for rest in ("", "/{code}", "/{token}")]
    known = (
        {row.name for row in SETTINGS}
        - {"BRAND_NAME", "OKENDO_OVERRIDES"}
        - {row.name for row in SETTINGS if row.secret}
    )
    return [(name, form) for name in sorted(known) for form in forms if takes({**local, name: form})]


def takes(environ: Mapping[str, str]) -> bool:
    try:
        read_settings(environ)
    except SettingsError:
        return False
    return True


COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"


def test_P7_a_collector_out_there_speaks_https() -> None:
    assert names_it_and_nothing_else(refusal(**{COLLECTOR: f"http://{CANARY}.example.com"}), COLLECTOR, CANARY)
    assert refusal(**{COLLECTOR: "http://localhost:4318"}) is None


def test_P7_no_address_is_http() -> None:
    found = addresses()
    assert {name for name, _ in found} >= {
        "PUBLIC_URL", "SHOPIFY_SHOP_URL", "SHOPIFY_ISSUER", "OKENDO_API_URL", "SUBTOTAL_API_URL", "SUBTOTAL_LINK_URL",
        "SUBTOTAL_LINK_TOKEN_URL", "COUPON_APPLY_URL",
    }  # fmt: skip
    for name, address in found:
        if name == COLLECTOR:
            continue
        for value in (address, address.replace("http", "HTTP")):
            assert names_it_and_nothing_else(refusal(**{name: value}), name, CANARY), name


# C10: the way to the stores -----------------------------------------------------------------------------------------

POSTGRES = "postgresql://user:password@"


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
@pytest.mark.parametrize("host", ["db.example.com", "10.0.0.7", "db.internal", "127.0.0.1,db.example.com"])
def test_C10_postgresql_without_tls_ends_the_boot(mode: str, host: str) -> None:
    url = f"{POSTGRES}{host}/loyalty?sslmode={mode}"
    assert names_it_and_nothing_else(refusal(DATABASE_URL=url), "DATABASE_URL", url)
    assert refusal(DATABASE_URL=url, DATABASE_REQUIRE_TLS="off") is None


def test_C10_another_host_in_the_parameters_counts() -> None:
    for more in ("host=db.example.com", "hostaddr=192.0.2.7"):
        url = f"{POSTGRES}localhost/loyalty?{more}&sslmode=disable"
        assert names_it_and_nothing_else(refusal(DATABASE_URL=url), "DATABASE_URL", url)


@pytest.mark.parametrize(
    ("given", "more", "connects_to"),
    [
        ("db.example.com/loyalty", {}, "db.example.com/loyalty?sslmode=require"),
        ("db.example.com/x?connect_timeout=5", {}, "db.example.com/x?connect_timeout=5&sslmode=require"),
        ("db.example.com/x", {"PGSSLMODE": "verify-full"}, "db.example.com/x?sslmode=verify-full"),
        ("db.example.com/x?sslmode=require", {"PGSSLMODE": "disable"}, "db.example.com/x?sslmode=require"),
        ("db.example.com/x?sslrootcert=system", {}, "db.example.com/x?sslrootcert=system&sslmode=verify-full"),
        ("db.example.com/x", {"DATABASE_REQUIRE_TLS": "off"}, "db.example.com/x"),
        ("localhost/x", {}, "localhost/x"),
        ("127.0.0.1:6432/x?sslmode=disable", {}, "127.0.0.1:6432/x?sslmode=disable"),
        ("[::1]/x", {}, "[::1]/x"),
        ("%2Fvar%2Frun/x", {}, "%2Fvar%2Frun/x"),
        ("pg.localhost./x", {}, "pg.localhost./x"),
    ],
)
def test_C10_postgresql_never_falls_back_to_plain_text(given: str, more: dict[str, str], connects_to: str) -> None:
    settings = read_settings({**PRODUCTION, "DATABASE_URL": POSTGRES + given, **more})
    assert settings.database.url == POSTGRES + connects_to


def test_C10_a_mode_of_the_platform_counts_as_one_of_ours() -> None:
    url = f"{POSTGRES}db.example.com/loyalty"
    assert names_it_and_nothing_else(refusal(DATABASE_URL=url, PGSSLMODE="prefer"), "DATABASE_URL", url)


def test_C10_development_connects_as_it_was_told() -> None:
    local = {"ENVIRONMENT": "development", "PUBLIC_URL": "http://localhost", "STOREFRONT_ORIGINS": ""}
    stores = {"DATABASE_URL": f"{POSTGRES}db/loyalty", "VALKEY_URL": "redis://valkey:6379"}
    assert read_settings({**PRODUCTION, **local, **stores}).database.url == stores["DATABASE_URL"]


@pytest.mark.parametrize("scheme", ["redis", "valkey", "valkey+cluster"])
def test_C10_valkey_without_tls_ends_the_boot(scheme: str) -> None:
    url = f"{scheme}://:{CANARY}@valkey.example.com:6379/0"
    assert names_it_and_nothing_else(refusal(VALKEY_URL=url), "VALKEY_URL", CANARY)
    assert refusal(VALKEY_URL=url, VALKEY_REQUIRE_TLS="off") is None
    assert refusal(VALKEY_URL=url.replace("valkey.example.com", "localhost")) is None


def test_C10_all_hosts_of_valkey_must_be_this_machine_to_do_without_tls() -> None:
    url = f"valkey+sentinel://:{CANARY}@localhost,127.0.0.1/loyalty"
    assert refusal(VALKEY_URL=url) is None
    mixed = url.replace("127.0.0.1", "valkey.example.com")
    assert names_it_and_nothing_else(refusal(VALKEY_URL=mixed), "VALKEY_URL", CANARY)
    assert refusal(VALKEY_URL=mixed.replace("valkey+", "valkeys+")) is None


# What is put up with ------------------------------------------------------------------------------------------------


PLAIN = {
    "DATABASE_URL": f"{POSTGRES}db.invalid/loyalty?sslmode=prefer",
    "DATABASE_REQUIRE_TLS": "off",
    "VALKEY_URL": "redis://valkey.invalid:6379/0",
    "VALKEY_REQUIRE_TLS": "off",
}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        (ELSEWHERE, {"DATABASE_URL", "VALKEY_VERIFY_TLS"}),
        (PLAIN, {"DATABASE_REQUIRE_TLS", "VALKEY_REQUIRE_TLS"}),
        ({"DATABASE_URL": f"{POSTGRES}db.invalid/x", "DATABASE_REQUIRE_TLS": "off"}, {"DATABASE_REQUIRE_TLS"}),
        ({"VALKEY_URL": "rediss://valkey.invalid?ssl_cert_reqs=none"}, {"DATABASE_URL", "VALKEY_VERIFY_TLS"}),
        ({"DATABASE_URL": f"{POSTGRES}db.invalid/x?sslmode=verify-full"}, set()),
        ({"DATABASE_URL": f"{POSTGRES}db.invalid/x?sslrootcert=system"}, set()),
        ({"DATABASE_URL": f"{POSTGRES}db.invalid/x?sslmode=require&sslrootcert={__file__}"}, set()),
        ({"DATABASE_URL": f"{POSTGRES}localhost/x", "VALKEY_URL": "redis://127.0.0.1"}, set()),
    ],
)
def test_C10_what_is_not_verified_or_not_encrypted_is_known(changes: dict[str, str], names: set[str]) -> None:
    assert {weakness.name for weakness in weaknesses(read_settings({**PRODUCTION, **changes}))} == names


def test_C10_development_is_not_warned_of_itself() -> None:
    local = {"ENVIRONMENT": "development", "PUBLIC_URL": "http://localhost", "STOREFRONT_ORIGINS": ""}
    assert list(weaknesses(read_settings({**PRODUCTION, **PLAIN, **local}))) == []


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_C10_the_log_tells_it_at_boot(settings: dict[str, str], logfile: Path, command: str) -> None:
    logfile.touch()
    process = start({**production(settings), **ELSEWHERE}, command, out=logfile)
    until(lambda: warned_of(logfile) == {"DATABASE_URL", "VALKEY_VERIFY_TLS"}, seconds=60)
    process.terminate()
    process.join()


def warned_of(logfile: Path) -> set[str]:
    whole = logfile.read_text().rpartition("\n")[0]
    lines: list[dict[str, Any]] = [json.loads(line) for line in whole.splitlines()]
    return {line["what"] for line in lines if line["event"] == "weak_setting" and len(line["reason"]) > 40}


def test_C10_the_doctor_tells_it_with_the_remedy(settings: dict[str, str]) -> None:
    done = bff({**production(settings), **ELSEWHERE}, "doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    for name in ("DATABASE_URL", "VALKEY_VERIFY_TLS"):
        assert (checks[name]["verdict"], bool(checks[name]["remedy"])) == ("warn", True)
    assert checks["TRUSTED_PROXIES"]["verdict"] == "note"
    named = bff({**production(settings), **ELSEWHERE, "TRUSTED_PROXIES": "10.0.0.0/8"}, "doctor")
    assert "TRUSTED_PROXIES" not in named.stdout
