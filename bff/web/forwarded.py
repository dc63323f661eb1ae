"""What the proxies in front of us say of a client (X-Forwarded-For, X-Forwarded-Proto), where they are believed."""

import functools
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from starlette.requests import Request

from bff.settings.settings import Settings
from bff.web.fields import field

# RFC 6052 §2.1: where IPv4 clients reach a network that speaks IPv6 alone.
NAT64 = IPv6Network("64:ff9b::/96")
Address = IPv4Address | IPv6Address
_Trusted = tuple[int, list[IPv4Network | IPv6Network]]


class Proxies:
    """TRUSTED_HOPS of them append to X-Forwarded-For; the one we see must be in TRUSTED_PROXIES, where that is set.

    What any other peer says of its client is not read (checklist P8).
    """

    def __init__(self, settings: Settings) -> None:
        self.__setstate__((settings.trusted_hops, [ip_network(network) for network in settings.trusted_proxies]))

    def __getstate__(self) -> _Trusted:
        """What goes to each web process; it remembers peers of its own."""
        return self._hops, self._networks

    def __setstate__(self, trusted: _Trusted) -> None:
        self._hops, self._networks = trusted
        self.believes = functools.lru_cache(1024)(self._believes)
        self._strangers = functools.lru_cache(1024)(self._stranger)

    def client_of(self, request: Request[Any]) -> str:
        """The client that our own proxy saw: what it appended on the right, never what a client wrote on the left (K1).

        An IPv6 address is told as its /64, one that stands for an IPv4 address as that; without proxies it is the peer.
        """
        peer = _peer_of(request)
        told = [value for name, value in request.scope["headers"] if name == b"x-forwarded-for"]
        hops = b",".join(told).decode("latin-1").split(",")
        is_told = self.believes(peer) and self._hops <= len(hops)
        return (is_told and _counted_as(hops[-self._hops].strip())) or _counted_as(peer) or peer

    def says_https(self, request: Request[Any]) -> bool:
        """Whether the proxy that ended TLS says that there was any: nobody else can know."""
        scheme = (field(request.scope, b"x-forwarded-proto") or "").rpartition(",")[2].strip()
        return scheme == "https" and self.believes(_peer_of(request))

    def stranger(self, peer: str) -> str | None:
        """Whom the connections of this peer are counted for; None for a proxy, which brings those of many clients."""
        return self._strangers(peer)

    def _stranger(self, peer: str) -> str | None:
        return None if self.believes(peer) else _counted_as(peer) or peer

    def _believes(self, peer: str) -> bool:
        """Whether this peer is a proxy of ours, which knows what it says of its client."""
        if not self._hops or not self._networks:
            return self._hops > 0
        address = _parsed(peer)
        # A socket for both protocols shows IPv4 peers as IPv6. Other addresses with one inside are not what they say.
        address = getattr(address, "ipv4_mapped", None) or address
        return address is not None and any(address in network for network in self._networks)


def _peer_of(request: Request[Any]) -> str:
    return request.client.host if request.client else ""


@functools.lru_cache(1024)
def _counted_as(text: str) -> str:
    """Whom an address counts as; nobody, as empty text, when it is none."""
    address = _parsed(text)
    address = _ipv4_inside(address) if isinstance(address, IPv6Address) else address
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address or "")


def _ipv4_inside(address: IPv6Address) -> Address:
    """The IPv4 address that an IPv6 one stands for: mapped (RFC 4291 §2.5.5.2), NAT64, or 6to4 (RFC 3056 §2), where
    each IPv4 address has 65,536 networks. Any other as it is."""
    if address in NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


@functools.lru_cache(1024)
def _parsed(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
