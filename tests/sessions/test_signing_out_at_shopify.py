"""Signing out at Shopify too: the way through its end-session endpoint, and what is said where there is none."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
from support.concurrency import state_of
from support.lying_shopify import KEY, Crooked, crooked_shopify, signed
from support.services import Log, Service, Start, Vendors
from support.shopper import COOKIE, Page, Shopper

HERE = "You are signed out here"
MAY_STILL = "You may still be signed in at the shop"


@pytest.fixture
def crooked(vendors: Vendors) -> Iterator[Crooked]:
    with crooked_shopify(vendors.url) as crooked:
        crooked.forge = lambda claims: signed(claims, KEY)
        yield crooked


def left(shopper: Shopper) -> Page:
    """Sign out here; the page that goes on to the shop."""
    page = shopper.submit(shopper.get("/"), "/logout")
    assert page.onward, page.text
    return page


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_the_browser_is_sent_to_the_end_session_endpoint_and_comes_back(ella: Shopper, vendors: Vendors) -> None:
    page = left(ella)
    assert (page.status, page.path, page.heading) == (200, "/signed-out", HERE)
    assert "The shop signs you out too" in page.text
    assert page.onward in page.read.links
    sent = ella.request("GET", str(page.onward))
    address = sent.headers["location"]
    assert (sent.status_code, address.partition("?")[0]) == (303, f"{vendors.url}/authentication/logout")
    assert sent.headers["cache-control"] == "private, no-store"
    asked = query_of(address)
    assert set(asked) == {"id_token_hint", "post_logout_redirect_uri", "state"}
    assert asked["id_token_hint"].startswith("eyJ")
    assert asked["post_logout_redirect_uri"] == f"{ella.base}/signed-out"
    back = ella.get(address)
    assert back.url == f"{ella.base}/signed-out?state={asked['state']}"
    assert (back.status, back.heading) == (200, "You are signed out")
    assert "The shop has signed you out too" in back.text
    assert ella.cookies == {}


def test_the_id_token_is_in_no_page_no_address_of_ours_and_no_log(ella: Shopper, log: Log) -> None:
    landed = ella.sign_out()
    sent = [reply for reply in ella.replies if "eyJ" in str(reply.headers)]
    assert [urlsplit(str(reply.url)).path for reply in sent] == ["/logout/continue"]
    assert not [reply for reply in ella.replies if "eyJ" in reply.text or "eyJ" in str(reply.url)]
    assert "eyJ" not in landed.url
    assert "eyJ" not in log.getvalue()
    assert log.events("signed_out")


def test_the_way_to_the_shop_works_once(ella: Shopper, vendors: Vendors) -> None:
    onward = str(left(ella).onward)
    assert ella.get(onward).heading == "You are signed out"
    again = ella.get(onward)
    assert (again.url, again.heading) == (f"{ella.base}/signed-out", HERE)
    assert ella.get(onward.replace("/logout/continue", "/signed-out")).onward is None
    assert len(vendors.calls("shopify_logout")) == 1


def test_the_way_to_the_shop_is_closed_to_who_makes_one_up(ella: Shopper, vendors: Vendors) -> None:
    ticket = query_of(str(left(ella).onward))["next"]
    other = ticket[:-1] + ("A" if ticket[-1] != "A" else "B")
    for wrong in ("", "x", "x" * 44, "\xe9" * 44, ticket[:22], ticket[:22] + "A" * 22, other):
        for path in ("/logout/continue", "/signed-out"):
            page = ella.get(path, params={"next": wrong})
            assert (page.status, page.heading, page.onward) == (200, HERE, None), (path, wrong)
    assert vendors.calls("shopify_logout") == []
    assert ella.get(f"/logout/continue?next={ticket}").heading == "You are signed out"


def test_the_way_to_the_shop_is_open_for_five_minutes(ella: Shopper, settings: dict[str, str]) -> None:
    onward = str(left(ella).onward)
    with redis.Redis.from_url(settings["VALKEY_URL"]) as store:
        [key] = store.keys("sign-out:*")
        assert 290 <= store.ttl(key) <= 300
        assert b"eyJ" not in store.get(key)
        store.delete(key)
    assert ella.get(onward).heading == HERE


def test_only_a_state_of_ours_says_that_the_shop_has_signed_out(ella: Shopper, service: Service) -> None:
    landed = ella.sign_out()
    state = query_of(landed.url)["state"]
    stranger = service.shopper()
    for wrong in (
        "",
        "x",
        "\xe9",
        state + "x",
        f"{state[:-1]}{'A' if state[-1] != 'A' else 'B'}",
        "W10.x",
        f"[1].{state}",
    ):
        page = stranger.get("/signed-out", params={"state": wrong})
        assert (page.status, page.heading) == (200, HERE), wrong
        assert MAY_STILL in page.text, wrong
    service.clock.advance(301)
    assert stranger.get(f"/signed-out?state={state}").heading == HERE


def test_signing_out_twice_is_no_worse_than_once(ella: Shopper) -> None:
    form = ella.get("/").form("/logout")
    cookie = ella.cookies[COOKIE]
    assert ella.post("/logout", form.fields).onward
    ella.cookies[COOKIE] = cookie
    twice = ella.post("/logout", form.fields)
    assert (twice.status, twice.heading, twice.onward) == (200, HERE, None)


def test_a_shop_without_an_end_session_endpoint_signs_in_and_says_so_on_the_way_out(
    start: Start, crooked: Crooked
) -> None:
    crooked.lies = {"end_session_endpoint": None}
    service = start(SHOPIFY_SHOP_URL=crooked.url)
    ella = service.signed_in("ella")
    landed = ella.sign_out()
    assert (landed.status, landed.heading) == (200, HERE)
    assert MAY_STILL in landed.text
    assert not [link for link in landed.read.links if link.startswith("/logout")]


def test_json_says_where_the_browser_signs_out_at_the_shop(ella: Shopper, vendors: Vendors) -> None:
    reply = ella.api("DELETE", "/session")
    assert (reply.status_code, reply.json()) == (200, {})
    onward = reply.headers["location"]
    assert re.fullmatch(rf"{re.escape(ella.base)}/logout/continue\?next=[\w-]{{44}}", onward)
    assert vendors.calls("shopify_logout") == []
    assert ella.get(onward).heading == "You are signed out"
    assert "location" not in ella.api("DELETE", "/session").headers


def test_json_says_so_after_signing_out_everywhere_too(service: Service) -> None:
    ella, phone = service.signed_in("ella"), service.signed_in("ella")
    onward = ella.api("DELETE", "/me/sessions").headers["location"]
    landed = ella.get(onward)
    assert (landed.path, landed.heading) == ("/signed-out", "You are signed out everywhere")
    assert "The shop has signed you out too" in landed.text
    assert phone.api("GET", "/me").status_code == 401


def test_a_handed_in_session_is_the_storefronts_to_end_at_the_shop(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    assert shopper.api("POST", "/session", {"customerAccessToken": vendors.token("ella")}).status_code == 201
    assert "location" not in shopper.api("DELETE", "/session").headers
    shopper.get(f"/session/continue?ticket={service.ticket(vendors.token('ella'))}")
    landed = shopper.sign_out()
    assert (landed.url, landed.heading) == (f"{service.url}/signed-out", HERE)
    assert MAY_STILL in landed.text


def test_who_opens_the_page_by_hand_is_told_that_they_are_still_signed_in(ella: Shopper) -> None:
    page = ella.get("/signed-out")
    assert (page.status, page.heading) == (200, "You are still signed in")
    assert "signed out here" not in page.text.lower()
    assert state_of(ella) == "enrolled"
    assert ella.post("/logout", page.form("/logout").fields).heading == HERE
    assert state_of(ella) == "anonymous"


def test_no_link_of_a_strangers_says_that_somebody_is_signed_out_everywhere(service: Service, ella: Shopper) -> None:
    form = ella.get("/logout/everywhere").form("/logout/everywhere")
    said = ella.post("/logout/everywhere", form.fields, follow=False).reply.headers["location"]
    stranger = service.shopper()
    ours = query_of(said)["everywhere"]
    for everywhere in ("", "1", ours + "x", f"1.{ours}"):
        assert stranger.get("/signed-out", params={"everywhere": everywhere}).heading == HERE, everywhere
    assert stranger.get("/signed-out", params={"everywhere": ours}).heading == "You are signed out everywhere"
    service.clock.advance(301)
    assert stranger.get("/signed-out", params={"everywhere": ours}).heading == HERE
