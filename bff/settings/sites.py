"""The origin and the site of an address, as browsers tell them apart for scripts and for cookies."""

import functools
import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from urllib.parse import urlsplit

from publicsuffixlist import PSLFILE, PublicSuffixList

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
# Names that no public DNS resolves: RFC 6761 (localhost, test), RFC 6762 (local), RFC 8375 (home.arpa), and the one
# that ICANN keeps for private use (internal).
PRIVATE_DOMAINS = ("localhost", "test", "local", "home.arpa", "internal")


def origin_of(url: str) -> str:
    """Scheme, host and, if the address has one, port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_same_site(one_url: str, other_url: str) -> bool:
    """Whether two addresses are "same-site" for cookies: same scheme and registrable domain (RFC 6265bis §5.2)."""
    one, other = urlsplit(one_url), urlsplit(other_url)
    return one.scheme == other.scheme and _registrable_domain(one.hostname) == _registrable_domain(other.hostname)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: a loopback address, or a name under localhost (RFC 6761 §6.3)."""
    address = _address(host)
    return address.is_loopback if address else _is_below(host, ("localhost",))


def is_private(host: str) -> bool:
    """Whether a host cannot be reached from the internet: a private address, or a name that no public DNS resolves."""
    address = _address(host)
    return address.is_private if address else _is_below(host, PRIVATE_DOMAINS)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_below(host: str, domains: tuple[str, ...]) -> bool:
    return f".{host.lower().removesuffix('.')}".endswith(tuple(f".{domain}" for domain in domains))


def _registrable_domain(host: str | None) -> str:
    """The host itself when it has none."""
    if host is None or host in LOCAL_HOSTS:
        return host or ""
    return registrable_domain(host) or host


def registrable_domain(name: str) -> str | None:
    """The part of a name that somebody registered, by the Public Suffix List (RFC 6265bis §5.2); None for a suffix."""
    found: str | None = _rules_below(name.removesuffix(".").rpartition(".")[2].lower()).privatesuffix(name)
    return found


@functools.lru_cache(64)
def _rules_below(top: str) -> PublicSuffixList:
    """The list's rules for names below this top-level domain. It has ten thousand for all of them, of which a process
    needs those of its shop, and to read them all takes a tenth of its start."""
    if not top.isascii() or top.startswith("xn--"):
        return PublicSuffixList()
    rules = re.findall(rf"^(?!//)(?:\S+\.)?{re.escape(top)}(?=\s|$)", Path(PSLFILE).read_text("utf-8"), re.MULTILINE)
    return PublicSuffixList(rules)
