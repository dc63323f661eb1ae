"""Which request heads are not served: those of a size or shape that two servers could read in different ways."""

from itertools import chain


class RefusedRequest(Exception):
    """A request head of a size or shape that is not served; the parser answers 400 and closes the connection."""


def origin_form(url: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The path and query of a target in absolute form (RFC 9112 §3.2.2), as some proxies send it; any other as it is.

    Raises RefusedRequest where the target names another host than Host does: one of two servers might believe either.
    """
    if url.startswith(b"/"):
        return url
    scheme, separator, rest = url.partition(b"://")
    if not separator or scheme.lower() not in {b"http", b"https"}:
        return url
    authority, slash, path = rest.partition(b"/")
    authority, question, query = authority.partition(b"?")
    if [authority.lower()] != [value.lower() for name, value in headers if name == b"host"]:
        raise RefusedRequest("the target names another host than Host")
    return b"/" + path if slash and not question else b"/" + question + query + slash + path


def check_size(url: bytes, headers: list[tuple[bytes, bytes]], most_bytes: int, most_fields: int) -> None:
    """Raises RefusedRequest for a head that is too large, even if it arrived in one piece."""
    size = len(url) + sum(map(len, chain.from_iterable(headers))) + 4 * len(headers)
    if size > most_bytes or len(headers) > most_fields:
        raise RefusedRequest("the head is too large")


def check_shape(version: str, url: bytes, headers: list[tuple[bytes, bytes]], *, upgrade: bool) -> None:
    """Raises RefusedRequest for a head that another server could read differently."""
    fields = dict(headers)
    # Most heads name nothing twice.
    names = [name for name, _ in headers] if len(fields) < len(headers) else [*fields]
    coding, coded = fields.get(b"transfer-encoding", b""), names.count(b"transfer-encoding")
    if version not in {"1.0", "1.1"} or not url.startswith(b"/"):
        raise RefusedRequest("neither HTTP/1.0 nor HTTP/1.1, or not a path of ours")
    if names.count(b"host") > 1 or (version == "1.1" and b"host" not in fields):
        raise RefusedRequest("exactly one Host is needed")
    if coded and (coded > 1 or version == "1.0" or coding.lower() != b"chunked"):
        raise RefusedRequest("the only transfer coding is chunked")
    if upgrade and (coded or fields.get(b"content-length", b"0").strip(b"0")):
        # The parser would read the body as the next request.
        raise RefusedRequest("an upgrade cannot carry a body")
