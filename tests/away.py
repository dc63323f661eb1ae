"""Stores that go away, stand still and come back, and what shoppers try meanwhile."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import redis
from running import Service
from shopper import Shopper

from bff.sandbox.servers import Server

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
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


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
