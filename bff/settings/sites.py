"""The origin and the site of an address, as browsers tell them apart for scripts and for cookies."""

from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
PUBLIC_SUFFIXES = PublicSuffixList()


def origin_of(url: str) -> str:
    """Scheme, host and, if the address has one, port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_same_site(one_url: str, other_url: str) -> bool:
    """Whether two addresses are "same-site" for cookies: same scheme and registrable domain (RFC 6265bis §5.2)."""
    one, other = urlsplit(one_url), urlsplit(other_url)
    return one.scheme == other.scheme and _registrable_domain(one.hostname) == _registrable_domain(other.hostname)


def _registrable_domain(host: str | None) -> str:
    """By the Public Suffix List; the host itself when it has none."""
    if host is None or host in LOCAL_HOSTS:
        return host or ""
    return PUBLIC_SUFFIXES.privatesuffix(host) or host
