"""Stores that go away, stand still and come back, and what shoppers try meanwhile."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx2
import psycopg
import redis

from bff.devstack.servers import Server
from support.services import Service
from support.shopper import Shopper

KEY = "one-key-for-one-intent"
PUBLIC = ("/", "/rewards", "/healthz", "/signed-out", "/api/v1/program", "/api/v1/rewards", "/api/v1/legal-policies",
          "/api/v1/earning-rules")  # fmt: skip
OF_A_SESSION = ("/", "/rewards", "/join", "/refer", "/api/v1/session", "/api/v1/me", "/api/v1/me/rewards")


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """Gone, and back again afterwards; Valkey comes back with what it held when it went."""
    if server.name == "Valkey":
        with redis.Redis.from_url(server.url) as client:
            client.save()
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextmanager
def paused(server: Server) -> Iterator[None]:
    """There, accepting connections, and silent."""
    stilled = _stilled_postgres(server) if server.name == "PostgreSQL" else _stilled([server.pid])
    try:
        yield
    finally:
        for pid in stilled:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _stilled_postgres(server: Server) -> list[int]:
    """Each connection of PostgreSQL has a process of its own, which would go on if only their parent stood still."""
    with psycopg.connect(server.url) as connection:
        # The parent first: from now on no more processes begin, so that none is missed.
        stilled = _stilled([server.pid])
        query = "SELECT pid FROM pg_stat_activity WHERE pid != pg_backend_pid()"
        return stilled + _stilled([int(pid) for (pid,) in connection.execute(query).fetchall()])


def _stilled(pids: list[int]) -> list[int]:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    return pids


def says_come_again(reply: httpx2.Response) -> bool:
    return (
        reply.status_code == 503 and int(reply.headers.get("retry-after", 0)) > 0 and "set-cookie" not in reply.headers
    )


def a_reward(shopper: Shopper) -> str:
    rewards = shopper.api("GET", "/me/rewards").json()["rewards"]
    return next(str(reward["id"]) for reward in rewards if reward["canRedeem"]["state"] == "ready")


def redeem(shopper: Shopper, reward: str) -> httpx2.Response:
    return shopper.api("POST", "/me/redemptions", {"rewardId": reward}, idempotency_key=KEY)


def agreement(shopper: Shopper) -> dict[str, Any]:
    policies = shopper.api("GET", "/legal-policies").json()
    return {"policiesVersion": policies["version"], "policiesDigest": policies["digest"]}


def is_ready(service: Service) -> bool:
    return service.shopper().request("GET", "/readyz").status_code == 200


@contextmanager
def failing_inserts(url: str, table: str) -> Iterator[None]:
    """Whatever is written into this table fails in a way that nobody has foreseen; its message has "canary" in it."""
    fail = "BEGIN RAISE EXCEPTION 'canary of a value' USING ERRCODE = '22012'; END"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE FUNCTION failing() RETURNS trigger LANGUAGE plpgsql AS $$ {fail} $$")
        connection.execute(f"CREATE TRIGGER failing BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION failing()")
        try:
            yield
        finally:
            connection.execute("DROP FUNCTION failing CASCADE")
