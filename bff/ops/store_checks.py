"""The doctor's checks of the two stores, and of the worker that shows in one of them."""

import asyncio
import time
from itertools import chain
from typing import Any, NamedTuple, cast

from psycopg import AsyncConnection
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bff.errors import Problem
from bff.ops.backlog_checks import check_backlog
from bff.ops.database_server import SILENT, ask_server, check_version, unreachable
from bff.ops.privacy_checks import check_requests
from bff.ops.report import Check
from bff.ops.schema import is_newer, newest
from bff.settings.groups import DatabaseSettings, ValkeySettings
from bff.settings.settings import Settings
from bff.settings.valkey_address import Topology, read_valkey_address
from bff.stores.database import Database
from bff.stores.pins import Pins
from bff.stores.valkey import can_write, connect, primaries_of, store_errors
from bff.stores.versions import major
from bff.vendors.shopify.trust import pin_name

VALKEY_TIMEOUT_SECONDS = 2
# Of the memory that Valkey may use; beyond it there is little time left to act.
MUCH_MEMORY = 0.8


async def check_stores(settings: Settings) -> list[Check]:
    valkey, database = await asyncio.gather(_check_valkey(settings.valkey), _check_database(settings.database))
    return [*valkey, *database]


async def pinned_issuer(settings: Settings) -> str | None:
    """The issuer that the service has pinned for this shop, if it has and Valkey tells."""
    given = settings.valkey
    valkey = connect(given.url, verify_tls=given.verify_tls, timeout_seconds=VALKEY_TIMEOUT_SECONDS)
    try:
        return await Pins(valkey).find(pin_name(settings.shopify.shop_url))
    except Problem:
        return None
    finally:
        await valkey.aclose(close_connection_pool=True)


async def _check_valkey(settings: ValkeySettings) -> list[Check]:
    valkey = connect(settings.url, verify_tls=settings.verify_tls, timeout_seconds=VALKEY_TIMEOUT_SECONDS)
    began = time.perf_counter()
    try:
        with store_errors():
            await valkey.get("doctor")
            took = time.perf_counter() - began
            primaries = await primaries_of(valkey)
        found = [
            Found(primary.name, await _facts(primary.client), await can_write(primary.client, primary.key))
            for primary in primaries
        ]
    except Problem:
        return [Check("stores", "Valkey", "fail", "does not answer", "Look at VALKEY_URL and at the store itself.")]
    finally:
        await valkey.aclose(close_connection_pool=True)
    topology = read_valkey_address(settings.url).topology
    return [
        *_answer(took, settings, topology, found),
        *chain.from_iterable(_check_memory(each) for each in found),
        *(() if topology == "single" else chain.from_iterable(_check_replicas(each) for each in found)),
    ]


class Found(NamedTuple):
    """What one primary says of itself; empty where the provider does not allow to ask. `name` is empty if there is
    only one."""

    name: str
    facts: dict[str, Any]
    writes: bool

    @property
    def who(self) -> str:
        return f"{self.name}: " if self.name else ""


def _answer(took: float, settings: ValkeySettings, topology: Topology, found: list[Found]) -> list[Check]:
    if failed := [each for each in found if not each.writes]:
        remedy = "Point VALKEY_URL to the primary, or give it more memory; until then nobody can sign in or redeem."
        return [Check("stores", "Valkey", "fail", _why_it_does_not_write(each), remedy) for each in failed]
    if took > settings.timeout_seconds:
        detail = f"took {took:.2f} s, longer than VALKEY_TIMEOUT_SECONDS"
        return [Check("stores", "Valkey", "warn", detail, "Move it nearer, or allow it more time.")]
    return [Check("stores", "Valkey", "ok", f"answers and writes: {_described(topology, found)}")]


def _why_it_does_not_write(found: Found) -> str:
    is_replica = found.facts.get("role") in {"slave", "replica"}
    why = "it is a replica" if is_replica else "it is full, or cannot save"
    return f"{found.who}answers, but does not write: {why}"


def _described(topology: Topology, found: list[Found]) -> str:
    replicas = [int(each.facts.get("connected_slaves", 0)) for each in found]
    if topology == "cluster":
        return f"a cluster of {len(found)} primaries, replicas: {sum(replicas)}"
    by = ", as Sentinel says" if topology == "sentinel" else ""
    return f"a primary{by}, replicas: {replicas[0]}"


def _check_replicas(found: Found) -> list[Check]:
    """Whether anybody can take the place of a primary that somebody watches."""
    if found.facts.get("connected_slaves") != 0:
        return []
    detail = f"{found.who}no replica follows it: when it fails, its sessions are away or lost"
    return [Check("stores", "Valkey's replicas", "warn", detail, "Give each primary a replica on another machine.")]


def _check_memory(found: Found) -> list[Check]:
    """How full it is, and what it does when it is full; nothing where it does not tell."""
    policy, most = found.facts.get("maxmemory_policy"), int(found.facts.get("maxmemory") or 0)
    checks = []
    if policy is not None and policy != "noeviction":
        detail = f"{found.who}its policy is {policy}: when it is full it drops sessions, leases and limits"
        remedy = "Set maxmemory-policy to noeviction, and give it the memory that docs/operations.md reckons."
        checks.append(Check("stores", "Valkey's policy", "warn", detail, remedy))
    share = int(found.facts.get("used_memory") or 0) / most if most else 0
    if share >= MUCH_MEMORY:
        detail, remedy = f"{found.who}{share:.0%} of what it may use is used", "Give it more before it is full."
        checks.append(Check("stores", "Valkey's memory", "warn", detail, remedy))
    return checks


async def _facts(valkey: Redis) -> dict[str, Any]:
    """What Valkey says of itself; empty where the provider does not allow to ask."""
    try:
        return {**await cast(Any, valkey.info("memory")), **await cast(Any, valkey.info("replication"))}
    except (RedisError, OSError, TimeoutError):
        return {}


async def _check_database(settings: DatabaseSettings) -> list[Check]:
    server = await ask_server(settings.url)
    if isinstance(server, Check):
        return [server]
    database = Database(settings.url)
    await database.open()
    try:
        async with database.connection() as connection:
            version = await _version(connection)
            if version != newest() and not is_newer(version):
                detail = "answers, but its tables are not up to date"
                return [Check("stores", "PostgreSQL", "fail", detail, "Run `python -m bff migrate`.")]
            pooled = " (a pooler is in front of it)" if await _is_pooled(connection) else ""
            answers = _answers(version, f"answers (version {major(server.version)}), and its tables are", pooled)
            waiting = [*await check_backlog(connection), *await check_requests(connection)]
            return [answers, *check_version(server), *waiting]
    except Problem:
        return [unreachable(SILENT)]
    finally:
        await database.close()


async def _is_pooled(connection: AsyncConnection) -> bool:
    """Whether somebody else than PostgreSQL answered when we connected: then the process that serves us is another."""
    serving = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
    return serving != (connection.info.backend_pid,)


async def _version(connection: AsyncConnection) -> str:
    """Of the tables; empty where there are none yet."""
    exists = await connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL")
    if await exists.fetchone() != (True,):
        return ""
    row = await (await connection.execute("TABLE alembic_version")).fetchone()
    return str(row[0]) if row else ""


def _answers(version: str, detail: str, pooled: str) -> Check:
    if version == newest():
        return Check("stores", "PostgreSQL", "ok", f"{detail} up to date{pooled}")
    remedy = "Fine during a deploy, and after going back to this version (docs/upgrading.md)."
    return Check("stores", "PostgreSQL", "warn", f"{detail} of a newer version than this one{pooled}", remedy)
