"""What is the same for everybody comes compressed, ready made; what holds anybody's secret never does (BREACH)."""

import gzip
from collections.abc import Callable, Mapping

import brotli  # type: ignore[import-untyped]
import httpx2
import pytest
import zstandard
from support.every_route import member_paths, page_paths, surface
from support.fixed_vendor import fixed_vendor
from support.services import Service, Start
from support.shopper import Shopper

PUBLIC_JSON = ("/program", "/earning-rules", "/rewards", "/faqs", "/legal-policies", "/openapi.json")
PUBLIC = (*(f"/api/v1{path}" for path in PUBLIC_JSON), "/api/v1/docs", "/problems/not_found", "style sheet", "script")
DECODED: Mapping[str, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
    "gzip": gzip.decompress,
    "": lambda body: body,
}
# What a client accepts, and the coding that it gets.
ACCEPTED = {
    "": "",
    "identity": "",
    "deflate, compress": "",
    "gzip": "gzip",
    "gzip, deflate": "gzip",
    "gzip, deflate, br": "br",
    "gzip, deflate, br, zstd": "br",
    "zstd, gzip": "zstd",
    "GZip;Q=1": "gzip",
    "br;q=0.1, gzip;q=0.9": "gzip",
    "br;q=0, gzip;q=0, *;q=0": "",
    "*": "br",
    "*;q=0.5, br;q=0": "zstd",
    "gzip;q=0.5, identity;q=0.9": "",
    "gzip;q=nonsense": "",
    ";;;,,,": "",
    "br" * 3000: "",
}


def address(shopper: Shopper, path: str) -> str:
    """Of a file with a digest in its name, as a page links it."""
    ends = {"style sheet": ".css", "script": ".js"}.get(path)
    if ends is None:
        return path
    page = shopper.request("GET", "/").text
    return next(word for word in page.split('"') if "/static/" in word and word.endswith(ends))


def raw(shopper: Shopper, path: str, **headers: str) -> tuple[httpx2.Response, bytes]:
    """An answer, and its body as it came."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    with (
        httpx2.Client(trust_env=False, timeout=20) as http,
        http.stream("GET", shopper.base + path, headers=given) as reply,
    ):
        return reply, b"".join(reply.iter_raw())


@pytest.mark.parametrize("path", PUBLIC)
def test_public_answers_come_in_the_coding_that_is_liked_best(shopper: Shopper, path: str) -> None:
    path = address(shopper, path)
    _, whole = raw(shopper, path, accept_encoding="identity")
    for accepted, coding in ACCEPTED.items():
        reply, body = raw(shopper, path, accept_encoding=accepted)
        assert reply.status_code == 200
        assert reply.headers.get("content-encoding", "") == coding, accepted
        assert "accept-encoding" in reply.headers["vary"].lower()
        assert DECODED[coding](body) == whole
        assert int(reply.headers["content-length"]) == len(body)
        assert not coding or len(body) < len(whole)


def test_what_would_get_no_smaller_comes_as_it_is(start: Start) -> None:
    with fixed_vendor(b'{"tiers": [{"name": "The only one"}]}') as okendo:
        reply, body = raw(start(OKENDO_API_URL=okendo).shopper(), "/api/v1/tiers", accept_encoding="br")
    assert "content-encoding" not in reply.headers
    assert len(body) < 256


@pytest.mark.parametrize("path", [path for path in PUBLIC if path.startswith("/")])
def test_each_coding_has_a_tag_of_its_own_and_any_of_them_is_known(shopper: Shopper, path: str) -> None:
    tags = {coding: raw(shopper, path, accept_encoding=coding or "identity")[0].headers["etag"] for coding in DECODED}
    assert len(set(tags.values())) == len(DECODED)
    for known in tags.values():
        for accepted, own in tags.items():
            reply, body = raw(shopper, path, accept_encoding=accepted or "identity", if_none_match=known)
            assert (reply.status_code, body, reply.headers["etag"]) == (304, b"", own)
            assert "accept-encoding" in reply.headers["vary"].lower()
            assert "content-encoding" not in reply.headers


def test_J2_nothing_that_knows_a_visitor_is_compressed(service: Service, ella: Shopper) -> None:
    found = surface(service.settings)
    for path in (*page_paths(found), *member_paths(found)):
        for shopper in (ella, service.shopper()):
            reply = shopper.request("GET", path, headers={"accept-encoding": "br, zstd, gzip"})
            assert "content-encoding" not in reply.headers, path
