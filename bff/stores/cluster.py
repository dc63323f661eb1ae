"""A Valkey Cluster, asked like one Valkey: every question goes to the primary that has its key.

Why not redis-py's own client: docs/decisions/valkey-topologies.md. https://valkey.io/topics/cluster-spec/
"""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, cast

from redis.asyncio.client import Pipeline
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import AskError, ClusterDownError, MovedError, RedisClusterException, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from bff.stores.line import GONE, Words
from bff.stores.lookups import Lookup, first_answer
from bff.stores.one_valkey import OneValkey, Valkey
from bff.stores.valkey_node import Host, Network, PoolBusy

# The map of the slots is asked for at most so often, however many requests find out that it is wrong.
MAP_SECONDS = 0.5
# Of how many nodes at once; one of them may be the one that is away.
ASKED_AT_ONCE = 3
# A question may be sent on so often, and is tried so often where nobody answers.
REDIRECTIONS = 4
TRIES = 2
# Where a command has its key; in all others it is the first argument.
KEY_AT = {"EVAL": 3, "EVALSHA": 3}
WITHOUT_KEY = frozenset({"ROLE", "WAIT", "ASKING"})
Command = tuple[tuple[Any, ...], dict[str, Any]]
ASKING: Command = (("ASKING",), {})


class Node:
    """One primary, with connections of its own."""

    def __init__(self, host: Host, network: Network, connections: int) -> None:
        self.host = host
        self.client = OneValkey(network, connections, tries=1, host=host[0], port=host[1])

    async def ask(self, commands: list[Command], *, asking: bool, on_line: bool = False) -> list[Any]:
        """The answers, errors among them, to commands sent at once on one connection."""
        sent: list[Command] = []
        for command in commands:
            if asking and command[0][0] not in WITHOUT_KEY:
                sent.append(ASKING)
            sent.append(command)
        answers = await (self._by_line(sent) if on_line else self._by_pool(sent))
        return list(itertools.compress(answers, (command is not ASKING for command in sent)))

    async def _by_line(self, commands: list[Command]) -> list[Any]:
        return await self.client.ask_at_once([arguments for arguments, _ in commands])

    async def _by_pool(self, commands: list[Command]) -> list[Any]:
        if len(commands) == 1:
            return [await self._ask_one(*commands[0])]
        pipe = self.client.pipeline(transaction=False)
        for arguments, options in commands:
            pipe.execute_command(*arguments, **options)
        return await pipe.execute(raise_on_error=False)

    async def _ask_one(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        try:
            return await cast(Any, self.client).execute_command(*arguments, **options)
        except ResponseError as error:
            return error


class Cluster(Valkey):
    """What of redis-py's client is used here: commands with one key, and pipelines without a transaction."""

    def __init__(self, network: Network, seeds: tuple[Host, ...], connections: int) -> None:
        self._network = network
        self._connections = connections
        self._nodes: dict[Host, Node] = {}
        self._seeds = [self._node(host) for host in seeds]
        self._owners: list[Node | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        self._map = Lookup(self._read_map, MAP_SECONDS)
        super().__init__(connection_pool=self._seeds[0].client.connection_pool)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if args[0] == "SCRIPT LOAD":
            return await self._everywhere((args, options))
        [answer] = await self.ask([(args, options)])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        if transaction:
            raise RedisClusterException("what belongs together is one script here")
        return ClusterPipeline(self)

    async def ask_at_once(self, commands: Sequence[Words]) -> list[Any]:
        """Each by the line to its node, all at once."""
        questions = [self.ask([(words, {})], on_line=True) for words in commands]
        return list(itertools.chain.from_iterable(await _all_of(questions)))

    async def ask(self, commands: list[Command], *, on_line: bool = False) -> list[Any]:
        """The answers, errors among them, to commands of one key, and to those without a key that follow."""
        slot = key_slot(_key_of(commands[0]))
        node, asking, failures = await self._owner(slot), False, 0
        for _ in range(REDIRECTIONS):
            try:
                answers = await node.ask(commands, asking=asking, on_line=on_line)
            except PoolBusy:
                raise
            except GONE:
                failures += 1
                if failures == TRIES:
                    raise
                node, asking = await self._owner(slot, anew=True), False
                continue
            if isinstance(answers[0], ClusterDownError):
                self._map.begin()
            if not isinstance(answers[0], AskError):
                return answers
            node, asking = self._redirected(answers[0], node), not isinstance(answers[0], MovedError)
        raise RedisClusterException("a question was sent from node to node")

    async def primaries(self) -> list[tuple[Node, str]]:
        """Every primary, with the name of a key that belongs to it."""
        await self._map.get()
        found: dict[Node, str] = {}
        wanted = {owner for owner in self._owners if owner is not None}
        for key in map("probe:{}".format, itertools.count()):
            if len(found) == len(wanted):
                break
            owner = self._owners[key_slot(key.encode())]
            if owner is not None:
                found.setdefault(owner, key)
        return list(found.items())

    def connections(self) -> tuple[int, int]:
        return max(node.client.connections() for node in self._nodes.values())

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        for node in self._nodes.values():
            await node.client.aclose(close_connection_pool)

    async def _owner(self, slot: int, *, anew: bool = False) -> Node:
        if anew or self._owners[slot] is None:
            await self._map.get()
        owner = self._owners[slot]
        if owner is None:
            raise ClusterDownError("nobody has this slot")
        return owner

    def _redirected(self, redirection: AskError, by: Node) -> Node:
        node = self._node((redirection.host or by.host[0], redirection.port))
        if isinstance(redirection, MovedError):
            self._owners[redirection.slot_id] = node
            # Seldom does one slot move alone.
            self._map.begin()
        return node

    def _node(self, host: Host) -> Node:
        if host not in self._nodes:
            self._nodes[host] = Node(host, self._network, self._connections)
        return self._nodes[host]

    async def _everywhere(self, command: Command) -> Any:
        """The answer of the last that gave one. Where it failed, the script is missed again, and loaded then."""
        await self._map.get()
        owners = {owner for owner in self._owners if owner is not None}
        answers = await asyncio.gather(*(node.ask([command], asking=False) for node in owners), return_exceptions=True)
        good = [answer[0] for answer in answers if isinstance(answer, list)]
        if not good:
            raise RedisConnectionError("no primary answers")
        return good[-1]

    async def _read_map(self) -> None:
        """Ask a few of the nodes, and those of the settings when none of them answers."""
        known = list({owner for owner in self._owners if owner is not None})
        some = random.sample(known, min(ASKED_AT_ONCE, len(known)))
        try:
            ranges = await first_answer(map(self._slots_by, some))
        except RedisConnectionError:
            ranges = await first_answer(map(self._slots_by, self._seeds))
        owners: list[Node | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, host in ranges:
            owners[first : last + 1] = [self._node(host)] * (last + 1 - first)
        self._owners = owners

    async def _slots_by(self, node: Node) -> list[tuple[int, int, Host]] | None:
        """First and last slot, and the primary; None when the node knows of none."""
        [ranges] = await node.ask([(("CLUSTER", "SLOTS"), {})], asking=False)
        if isinstance(ranges, Exception):
            raise ranges
        return [(first, last, _host(primary, node)) for first, last, primary, *_ in ranges] or None


class ClusterPipeline(Pipeline):
    """Commands of one key that follow each other go to its node, in their order, and with them those without a key;
    those of different keys all at once."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster.connection_pool, cluster.response_callbacks, False, None)
        self._cluster = cluster

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        questions: list[list[Command]] = []
        for command in cast(list[Command], self.command_stack):
            is_more = questions and (command[0][0] in WITHOUT_KEY or _key_of(command) == _key_of(questions[-1][0]))
            if is_more:
                questions[-1].append(command)
            else:
                questions.append([command])
        self.command_stack = []
        answers = list(itertools.chain.from_iterable(await _all_of(map(self._cluster.ask, questions))))
        if raise_on_error and (error := next((each for each in answers if isinstance(each, Exception)), None)):
            raise error
        return answers


async def _all_of(questions: Iterable[Awaitable[list[Any]]]) -> list[list[Any]]:
    """What each of them found; raises the error of the first that failed, when all have ended."""
    found = await asyncio.gather(*questions, return_exceptions=True)
    if failed := next((each for each in found if isinstance(each, BaseException)), None):
        raise failed
    return cast(list[list[Any]], found)


def _key_of(command: Command) -> bytes:
    arguments = command[0]
    key = arguments[KEY_AT.get(arguments[0], 1)]
    return key if isinstance(key, bytes) else str(key).encode()


def _host(primary: list[Any], told_by: Node) -> Host:
    """A node that does not know its own address is where it was asked."""
    name = primary[0].decode() if primary[0] else ""
    return (told_by.host[0] if name in {"", "?"} else name), int(primary[1])
