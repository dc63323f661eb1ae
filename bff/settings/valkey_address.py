"""Valkey's address: one Valkey, a set that Sentinel watches, or a Valkey Cluster, as its scheme says.

    valkey://user:password@host:6379/0
    valkey+sentinel://user:password@host1:26379,host2:26379/mymaster/0
    valkey+cluster://user:password@host1:6379,host2:6379

`valkeys` is with TLS; `redis` and `rediss` mean the same. User and password are Valkey's; those of the Sentinels, if
they have any, are the parameters `sentinel_username` and `sentinel_password`. Everything else after `?` is redis-py's.

Like all readers of settings it raises ValueError with a sentence that says what to give instead.
"""

from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

import msgspec

Topology = Literal["single", "sentinel", "cluster"]
Host = tuple[str, int]
PORTS: dict[Topology, int] = {"single": 6379, "sentinel": 26379, "cluster": 6379}
OF_SENTINELS = {"sentinel_username": "username", "sentinel_password": "password"}
PROTOCOLS = {"valkey": "redis", "redis": "redis", "valkeys": "rediss", "rediss": "rediss"}
MALFORMED = "give a valkey:// address with a host; percent-encode / and @ in a password"


class ValkeyAddress(msgspec.Struct, frozen=True, kw_only=True):
    """`hosts` are of Valkey, or of the Sentinels that watch the primary called `service`. `url` is the address that
    redis-py would take if there were only the first of them."""

    topology: Topology
    hosts: tuple[Host, ...]
    url: str
    service: str = ""
    sentinel_login: dict[str, str] = {}

    def __repr__(self) -> str:
        return "<ValkeyAddress>"


def read_valkey_address(value: str) -> ValkeyAddress:
    parts = urlsplit(value)
    protocol, _, kind = parts.scheme.partition("+")
    if protocol not in PROTOCOLS or kind not in {"", "sentinel", "cluster"}:
        raise ValueError(MALFORMED)
    topology: Topology = "sentinel" if kind == "sentinel" else "cluster" if kind == "cluster" else "single"
    login, _, named = parts.netloc.rpartition("@")
    hosts = tuple(_host(host, PORTS[topology]) for host in named.split(","))
    if topology == "single" and len(hosts) > 1:
        raise ValueError("give one host, or a valkey+sentinel:// or valkey+cluster:// address")
    service, database = _path(parts, topology)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    others = {name: content for name, content in given.items() if name not in OF_SENTINELS or topology != "sentinel"}
    return ValkeyAddress(
        topology=topology,
        hosts=hosts,
        url=_url(PROTOCOLS[protocol], login, hosts[0], database, others),
        service=service,
        sentinel_login={OF_SENTINELS[name]: given[name] for name in given if name not in others},
    )


def _host(given: str, default_port: int) -> Host:
    try:
        parts = urlsplit(f"//{given}")
        name, port = parts.hostname, parts.port
    except ValueError:
        name, port = None, None
    if not name or port == 0:
        raise ValueError(MALFORMED)
    return name, port or default_port


def _path(parts: SplitResult, topology: Topology) -> tuple[str, str]:
    """The name of Sentinel's primary, and the number of the database."""
    if topology == "single":
        return "", parts.path
    if topology == "cluster":
        if parts.path not in {"", "/", "/0"}:
            raise ValueError("give no database: a cluster has only one")
        return "", ""
    service, _, database = parts.path.removeprefix("/").partition("/")
    if not service or (database and not database.isdigit()):
        raise ValueError("give the name under which Sentinel knows the primary, as in valkey+sentinel://host/mymaster")
    return unquote(service), f"/{database or 0}"


def _url(protocol: str, login: str, host: Host, database: str, parameters: dict[str, str]) -> str:
    name = f"[{host[0]}]" if ":" in host[0] else host[0]
    user = f"{login}@" if login else ""
    query = f"?{urlencode(parameters)}" if parameters else ""
    return f"{protocol}://{user}{name}:{host[1]}{database}{query}"
