"""Whether the way to a store is encrypted and its certificate looked at (checklist C10)."""

import ssl
from typing import Literal

import msgspec
from psycopg.conninfo import conninfo_to_dict
from redis.asyncio import SSLConnection

from bff.settings.groups import DatabaseSettings, ValkeySettings
from bff.settings.settings import Settings
from bff.settings.sites import is_loopback
from bff.settings.stores import valkey_connection
from bff.settings.valkey_address import read_valkey_address

# `local`: it does not leave this machine. `encrypted`: with whom is not verified.
Way = Literal["local", "plain", "encrypted", "verified"]
# libpq's `sslmode` (postgresql.org/docs/current/libpq-ssl.html); `allow` and `prefer` do without when asked to.
SSLMODES: dict[str, Way] = {"require": "encrypted", "verify-ca": "verified", "verify-full": "verified"}


def with_database_tls(settings: Settings, default_mode: str | None) -> Settings:
    """In production, DATABASE_URL with the `sslmode` that it leaves out: `default_mode`, which is libpq's PGSSLMODE,
    else `require` (`verify-full` where libpq takes nothing less). libpq's own default would fall back to plain text."""
    database = settings.database
    given = conninfo_to_dict(database.url)
    if (
        not settings.production
        or not database.require_tls
        or "sslmode" in given
        or way_to_database(database) == "local"
    ):
        return settings
    mode = default_mode or ("verify-full" if given.get("sslrootcert") == "system" else "require")
    url = f"{database.url}{'&' if '?' in database.url else '?'}sslmode={mode}"
    return msgspec.structs.replace(settings, database=msgspec.structs.replace(database, url=url))


def way_to_database(database: DatabaseSettings) -> Way:
    """As DATABASE_URL says; of several hosts, all must be this machine to be `local`."""
    given = conninfo_to_dict(database.url)
    hosts = str(given.get("hostaddr") or given.get("host")).split(",")
    # A path is a Unix socket, and so is a name in the abstract namespace.
    if all(host.startswith(("/", "@")) or is_loopback(host) for host in hosts):
        return "local"
    way = SSLMODES.get(str(given.get("sslmode")), "plain")
    # With a root certificate `require` is `verify-ca`, as libpq has it.
    return "verified" if way == "encrypted" and "sslrootcert" in given else way


def way_to_valkey(valkey: ValkeySettings) -> Way:
    """As VALKEY_URL and VALKEY_VERIFY_TLS say; of several hosts, all must be this machine to be `local`."""
    address = read_valkey_address(valkey.url)
    connection = valkey_connection(address)
    if all(is_loopback(name) for name, _ in address.hosts):
        return "local"
    if not isinstance(connection, SSLConnection):
        return "plain"
    is_verified = valkey.verify_tls and connection.cert_reqs == ssl.CERT_REQUIRED and connection.check_hostname
    return "verified" if is_verified else "encrypted"
