"""Which addresses are one site for cookies."""

from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
PUBLIC_SUFFIXES = PublicSuffixList()


def same_site(one: str, other: str) -> bool:
    """Whether two addresses are "same-site" for cookies: same scheme and registrable domain (RFC 6265bis §5.2)."""
    left, right = urlsplit(one), urlsplit(other)
    return left.scheme == right.scheme and site_of(left.hostname or "") == site_of(right.hostname or "")


def site_of(host: str) -> str:
    """The registrable domain by the Public Suffix List, or the host itself where there is none."""
    return host if host in LOCAL_HOSTS else PUBLIC_SUFFIXES.privatesuffix(host) or host
