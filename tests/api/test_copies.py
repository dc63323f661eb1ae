"""`ETag` of what a member is told: a script that keeps its copy asks whether it is still good."""

import re

import pytest
from support.every_route import api_paths, member_paths, surface
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service
from support.shopper import Shopper

STRONG = re.compile(r'"[0-9a-f]{32}"')


def paths(settings: dict[str, str]) -> list[str]:
    found = surface(settings)
    return sorted(path for path in set(member_paths(found)) & set(api_paths(found)) if path.startswith("/api/v1/me"))


def test_J1_every_read_of_a_member_has_a_tag_and_is_kept_by_no_cache(ella: Shopper, settings: dict[str, str]) -> None:
    tags = set()
    for path in paths(settings):
        reply = ella.request("GET", path)
        if reply.status_code != 200:
            assert "etag" not in reply.headers
            continue
        tag = reply.headers["etag"]
        assert STRONG.fullmatch(tag), path
        tags.add(tag)
        again = ella.request("GET", path, headers={"if-none-match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), path
        for answer in (reply, again):
            assert answer.headers["cache-control"] == "private, no-store"
            assert {"Cookie", "Origin"} <= set(answer.headers["vary"].split(", "))
    assert len(tags) >= 7, "another content has another tag"


@pytest.mark.parametrize("listed", ['"x", {tag}', "W/{tag}", "*", '{tag},"y"'])
def test_a_copy_may_be_one_of_several(ella: Shopper, listed: str) -> None:
    tag = ella.api("GET", "/me").headers["etag"]
    assert ella.api("GET", "/me", if_none_match=listed.format(tag=tag)).status_code == 304


@pytest.mark.parametrize("listed", ['"x"', "", "x", "{bare}", '"{bare}-gzip"'])
def test_what_is_no_copy_is_told_in_full(ella: Shopper, listed: str) -> None:
    tag = ella.api("GET", "/me").headers["etag"]
    reply = ella.api("GET", "/me", if_none_match=listed.format(bare=tag.strip('"')))
    assert (reply.status_code, reply.json()["state"]) == (200, "enrolled")


def test_a_copy_of_another_session_is_never_good(service: Service) -> None:
    """Not even one of the same member with the same content: its tag tells nobody that."""
    first, second = service.signed_in("ella"), service.signed_in("ella")
    here, there = first.api("GET", "/me"), second.api("GET", "/me")
    assert here.content == there.content
    assert here.headers["etag"] != there.headers["etag"]
    assert second.api("GET", "/me", if_none_match=here.headers["etag"]).status_code == 200


def test_a_copy_is_not_good_any_more_after_a_change(service: Service) -> None:
    ella = service.signed_in("ella")
    tag = ella.api("GET", "/me").headers["etag"]
    redeem(ella, FIVE_OFF, new_key())
    reply = ella.api("GET", "/me", if_none_match=tag)
    assert (reply.status_code, reply.headers["etag"] != tag) == (200, True)


def test_a_copy_opens_nothing(service: Service) -> None:
    ella = service.signed_in("ella")
    tag = ella.api("GET", "/me").headers["etag"]
    assert service.shopper().api("GET", "/me", if_none_match=tag).status_code == 401
    assert service.shopper().api("GET", "/me", if_none_match="*").status_code == 401
    blake = service.signed_in("blake")
    assert blake.api("GET", "/me", if_none_match="*").status_code == 403


def test_the_storefront_may_ask_and_read_the_tag(ella: Shopper) -> None:
    asked = {"origin": "http://localhost:3000", "access-control-request-method": "GET"}
    headers = asked | {"access-control-request-headers": "if-none-match"}
    assert ella.request("OPTIONS", "/api/v1/me", headers=headers).status_code == 204
    reply = ella.request("GET", "/api/v1/me", headers={"origin": "http://localhost:3000"})
    assert "ETag" in reply.headers["access-control-expose-headers"].split(", ")
