"""The addresses of the stores, with their parameters looked at by the libraries that will connect: what one of those
does not take would make every connection fail, long after the boot.

Like all readers of settings they raise ValueError with a sentence that says what to give instead.
"""

from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import make_conninfo
from psycopg.pq import ConnStatus, PGconn
from redis.asyncio import Connection, ConnectionPool
from redis.exceptions import RedisError

from bff.settings.readers import has_port_if_any
from bff.settings.valkey_address import ValkeyAddress, read_valkey_address

POSTGRESQL = ("postgres", "postgresql")
# Parameters that name a file; libpq opens it when it connects.
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
MALFORMED = "malformed"
# Nobody listens there, should libpq find nothing to object to.
NOWHERE = {"host": "127.0.0.1", "hostaddr": "127.0.0.1", "port": "1"}


def database_url(value: str) -> str:
    """PostgreSQL's address."""
    parts = urlsplit(value)
    if parts.scheme not in POSTGRESQL or not parts.hostname or not has_port_if_any(value):
        raise ValueError(f"give a {POSTGRESQL[-1]}:// address with a host; percent-encode / and @ in a password")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    objection = _objection_of_libpq(value)
    if objection == MALFORMED:
        raise ValueError(f"give a {POSTGRESQL[-1]}:// address; percent-encode what is special in a password")
    for name, content in given.items():
        if name in objection or (name == "connect_timeout" and not content.isdigit()):
            raise ValueError(f"give no {name}, or one that PostgreSQL's own library takes")
        if name in FILES and content != "system" and not Path(content).is_file():
            raise ValueError(f"give a {name} that is a file on this machine")
    return value


def valkey_url(value: str) -> str:
    """Valkey's address; one that begins with `redis` is the same."""
    address = read_valkey_address(value)
    try:
        valkey_connection(address)
    except (TypeError, ValueError, RedisError):
        names = ", ".join(sorted({name for name, _ in parse_qsl(urlsplit(value).query, keep_blank_values=True)}))
        raise ValueError(f"give an address without {names or 'more than host, port and number'}") from None
    return value


def valkey_connection(address: ValkeyAddress) -> Connection:
    """The connection, not opened, that the library would make to the first of the address's hosts."""
    return cast(Connection, ConnectionPool.from_url(address.url).make_connection())  # type: ignore[no-untyped-call]


def _objection_of_libpq(value: str) -> str:
    """What PostgreSQL's library says against an address, before it connects to anything; empty when nothing."""
    try:
        connection = PGconn.connect_start(make_conninfo(value, **NOWHERE).encode())
    except ProgrammingError as error:
        # It names a parameter that it does not know; what else it says may quote the value.
        return str(error) if "URI query parameter" in str(error) else MALFORMED
    try:
        is_refused = connection.status == ConnStatus.BAD
        return connection.error_message.decode("utf-8", "replace") if is_refused else ""
    finally:
        connection.finish()
