"""What the processes may hold fits into what the stores give: reckoned by the doctor and at boot, and tried out."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx2
import psycopg
import pytest
from support.concurrency import at_once, same_browser, until
from support.processes import bff
from support.processes import start as begin
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import ROOT, Service, Vendors, as_process

from bff.devstack.servers import Server, new_valkey, running
from ops.test_migrations import empty_database

SMALLEST = 20
APP_JSON = json.loads((ROOT / "app.json").read_text())["env"]
PINNED = {name: APP_JSON[name]["value"] for name in ("WEB_CONCURRENCY", "DATABASE_CONNECTIONS", "VALKEY_CONNECTIONS")}


@pytest.fixture
def smallest(database: Server, settings: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings with stores that give twenty connections each, as the smallest plans of Heroku do."""
    empty_database(database, "smallest")
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS smallest")
        connection.execute(f"CREATE ROLE smallest LOGIN PASSWORD 'of-twenty' CONNECTION LIMIT {SMALLEST}".encode())
        connection.execute("ALTER DATABASE smallest OWNER TO smallest")
    store = new_valkey(tmp_path)
    store.command += ["--maxclients", str(SMALLEST)]
    address = database.url.rpartition("@")[2].rpartition("/")[0]
    with running(store):
        stores = {"DATABASE_URL": f"postgresql://smallest:of-twenty@{address}/smallest", "VALKEY_URL": store.url}
        assert bff(settings | stores, "migrate").returncode == 0
        yield settings | stores
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE smallest WITH (FORCE)")
        connection.execute("DROP ROLE smallest")


def told(settings: Mapping[str, str]) -> dict[str, tuple[str, str, str]]:
    """The doctor's verdict, sum and remedy of each store."""
    checks = json.loads(bff(settings, "doctor", "--json").stdout)["checks"]
    found = {one["name"]: (one["verdict"], one["detail"], one.get("remedy", "")) for one in checks}
    return {name: found[f"{name}'s connections"] for name in ("PostgreSQL", "Valkey")}


def sum_of(connections: int, web: int, worker: int = 1) -> str:
    steady = (web + worker) * connections
    parts = f"{web} web × {connections} + {worker} worker × {connections} = {steady}"
    return f"{SMALLEST} may be had; {parts}, twice that while a deploy lasts, 2 for commands: {2 * steady + 2}"


def test_the_doctor_reckons_before_anything_runs(smallest: dict[str, str]) -> None:
    assert told(smallest | PINNED) == {store: ("ok", sum_of(3, 2), "") for store in ("PostgreSQL", "Valkey")}
    usual = told(smallest | {"WEB_CONCURRENCY": "2", "VALKEY_CONNECTIONS": "16"})
    larger = "or take a plan with {} connections."
    assert usual == {
        "PostgreSQL": ("warn", sum_of(5, 2), f"Set DATABASE_CONNECTIONS=3, {larger.format(32)}"),
        "Valkey": ("fail", sum_of(16, 2), f"Set VALKEY_CONNECTIONS=3, {larger.format(98)}"),
    }
    many = told(smallest | PINNED | {"WEB_CONCURRENCY": "5"})["Valkey"]
    assert many == ("warn", sum_of(3, 5), f"Run fewer processes, {larger.format(38)}")


def test_a_process_whose_connections_do_not_fit_says_so_once(smallest: dict[str, str], logfile: Path) -> None:
    with as_process(smallest, logfile, VALKEY_CONNECTIONS="16"):
        until(lambda: logfile.read_text().count("connections_do_not_fit") >= 2)
    lines = [json.loads(line) for line in logfile.read_text().splitlines() if line.startswith("{")]
    said = {line["what"]: line["reason"] for line in lines if line["event"] == "connections_do_not_fit"}
    assert len([line for line in lines if line["event"] == "connections_do_not_fit"]) == 2
    assert said == {
        "PostgreSQL": f"{sum_of(5, 1)}. Set DATABASE_CONNECTIONS=4, or take a plan with 22 connections.",
        "Valkey": f"{sum_of(16, 1)}. Set VALKEY_CONNECTIONS=4, or take a plan with 66 connections.",
    }


def test_the_one_click_deploy_fits_while_the_next_one_replaces_it(
    smallest: dict[str, str], urls: list[str], vendors: Vendors, tmp_path: Path
) -> None:
    """Web processes and workers of before and after, all busy, and a command beside them: nothing is refused."""
    mine = smallest | PINNED | {"WEB_CONCURRENCY": "1"}
    web, workers = [tmp_path / f"web.{number}" for number in range(4)], [tmp_path / f"worker.{n}" for n in range(2)]
    with ExitStack() as stack:
        for url, log in zip(urls, web, strict=True):
            ends(stack, begin(mine | {"PUBLIC_URL": url, "PORT": url.rpartition(":")[2]}, "serve", out=log))
        for log in workers:
            ends(stack, begin(mine, "worker", out=log))
        both = [Service(url) for url in urls]
        until(lambda: all(answers(service) for service in both), 60)
        until(lambda: all(log.exists() and "worker_started" in log.read_text() for log in workers), 60)
        statuses = busy(both, stack)
        assert bff(mine, "redemptions", "list").returncode == 0
        assert statuses == {200, 201}
        with psycopg.connect(smallest["DATABASE_URL"]) as connection:
            held = "SELECT count(*) FROM pg_stat_activity WHERE usename = current_user"
            assert connection.execute(held).fetchall()[0][0] <= SMALLEST
    for log in (*web, *workers):
        assert "connections_do_not_fit" not in log.read_text()
        assert "unavailable" not in log.read_text()


def ends(stack: ExitStack, process: BaseProcess) -> None:
    stack.callback(process.join)
    stack.callback(process.terminate)


def answers(service: Service) -> bool:
    with suppress(httpx2.TransportError):
        return httpx2.get(f"{service.url}/readyz", trust_env=False).status_code == 200
    return False


def busy(both: list[Service], stack: ExitStack) -> set[int]:
    """How many requests to both, which need all their connections, are answered."""
    for service in both:
        stack.enter_context(service.stack)
    shoppers = [service.signed_in(persona) for service in both[::2] for persona in ("ella", "tara")]
    tabs = [same_browser(service, shopper) for shopper in shoppers for service in both for _ in range(5)]
    reads = [partial(tab.api, "GET", "/me/redemptions/" + "0" * 20) for tab in tabs]
    writes = [partial(redeem, shopper, FIVE_OFF, new_key()) for shopper in shoppers[:2]]
    found = {reply.status_code for reply in at_once([*reads, *writes])}
    assert found <= {404, 201}, found
    return {shopper.api("GET", "/me").status_code for shopper in shoppers} | {201 for status in found if status == 201}
