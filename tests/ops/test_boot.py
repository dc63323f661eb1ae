"""What happens when a process is started with a fit environment and an unfit one (checklist N1, N3, A7)."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg
from support.concurrency import until
from support.services import ROOT, Start, as_process
from support.shopper import Shopper

from bff.devstack.servers import Server
from ops.test_settings import CANARY, PRODUCTION


def test_A7_across_sites_the_cookie_is_partitioned(start: Start) -> None:
    service = start(CROSS_SITE_MODE="partitioned", STOREFRONT_ORIGINS="https://shop.example.com")
    ella = service.signed_in("ella")
    given = [header for reply in ella.replies for header in reply.headers.get_list("set-cookie")]
    assert len(given) == 2
    assert all(header.endswith("; Path=/; Secure; HttpOnly; SameSite=None; Partitioned") for header in given)


def bff(command: str, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    known = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "TMPDIR"}}
    return subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "bff", command], env={**known, **environment}, cwd=ROOT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_N1_an_unfit_process_ends_with_one_line(settings: dict[str, str]) -> None:
    for name, value in [
        ("SECRET_KEYS", f"k1:{CANARY}"), ("PUBLIC_URL", f"{CANARY}.example.com"), ("OKENDO_USER_ID", ""),
        ("SHOPIFY_SECRET", CANARY), ("OKENDO_OVERRIDES", f"/nowhere/{CANARY}.toml"),
        ("VALKEY_URL", f"redis://:{CANARY}/1@127.0.0.1:6379/0"),
    ]:  # fmt: skip
        done = bff("serve", settings | {name: value})
        said = (done.stdout + done.stderr).strip()
        assert done.returncode not in {0, None}, name
        assert CANARY not in said, name
        assert (len(said.splitlines()), said.startswith(f"bff: {name}: ")) == (1, True), (name, said)


def test_N1_production_starts_with_what_production_has(settings: dict[str, str], logfile: Path) -> None:
    """Only the stores are real: a process that starts asks no vendor anything."""
    live = {name: settings[name] for name in ("PORT", "DATABASE_URL", "VALKEY_URL")}
    with as_process({**PRODUCTION, **live}, logfile) as service:
        ready = Shopper(f"http://127.0.0.1:{live['PORT']}")
        until(lambda: ready.request("GET", "/readyz").status_code == 200)
        ready.close()
        assert service.url == PRODUCTION["PUBLIC_URL"]


def test_a_process_that_serves_does_not_look_for_garbage_among_what_it_is_made_of(settings: dict[str, str]) -> None:
    count = "import gc; from bff.app import create_from_environment; app = create_from_environment(); "
    count += "print(gc.get_freeze_count(), len(gc.get_objects()))"
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-c", count], env=settings, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    lasting, others = map(int, done.stdout.split())
    assert others * 50 < lasting, (lasting, others)


def schema(url: str) -> list[str]:
    query = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
    with psycopg.connect(url) as connection:
        return sorted(map(str, connection.execute(query).fetchall()))


def test_migrating_twice_is_migrating_once(settings: dict[str, str], database: Server) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS migrated")
        connection.execute("CREATE DATABASE migrated")
    url = database.url.rpartition("/")[0] + "/migrated"
    once = bff("migrate", settings | {"DATABASE_URL": url})
    tables = schema(url)
    twice = bff("migrate", settings | {"DATABASE_URL": url})
    assert (once.returncode, twice.returncode) == (0, 0), once.stderr + twice.stderr
    assert schema(url) == tables
    assert {"redemptions", "consents"} <= {str(column).split("'")[1] for column in tables}


def test_N3_migrating_without_a_database_fails_without_showing_the_password(settings: dict[str, str]) -> None:
    done = bff("migrate", settings | {"DATABASE_URL": f"postgresql://user:{CANARY}@127.0.0.1:1/loyalty"})
    assert done.returncode != 0
    assert CANARY not in done.stdout + done.stderr
