"""Asking Sentinels where the primary is.

https://valkey.io/topics/sentinel-clients/
"""

from typing import Any, cast

from redis.asyncio import Redis

from bff.stores.lookups import Lookup, first_answer
from bff.stores.one_valkey import OneValkey
from bff.stores.valkey_node import Host, Network

# For so long nobody asks again: a failover takes seconds.
KEEP_SECONDS = 0.25


class Sentinels:
    """All are asked at once and the first answer counts, so that one that is away costs no time."""

    def __init__(self, network: Network, hosts: tuple[Host, ...], service: str, login: dict[str, str]) -> None:
        own: dict[str, Any] = {"username": None, "password": None, "db": 0, "decode_responses": True, **login}
        self._clients = [Redis.from_pool(network.pool(1, host=host, port=port, **own)) for host, port in hosts]
        self._service = service
        self._lookup = Lookup(self._ask, KEEP_SECONDS)

    async def primary(self) -> Host:
        """Host and port of the primary; raises redis-py's ConnectionError when no Sentinel tells."""
        return await self._lookup.get()

    async def aclose(self) -> None:
        for client in self._clients:
            await client.aclose(close_connection_pool=True)

    async def _ask(self) -> Host:
        return await first_answer([self._ask_one(client) for client in self._clients])

    async def _ask_one(self, client: Redis) -> Host | None:
        found = await cast(Any, client).execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", self._service)
        return (str(found[0]), int(found[1])) if found else None


class SentinelValkey(OneValkey):
    """The primary of a set that Sentinels watch."""

    def __init__(self, network: Network, sentinels: Sentinels, connections: int) -> None:
        super().__init__(network, connections, locate=sentinels.primary)
        self._sentinels = sentinels

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await super().aclose(close_connection_pool)
        await self._sentinels.aclose()
