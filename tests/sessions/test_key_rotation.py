"""Keys are rotated in a rolling deploy: at each step two processes with other lists of keys serve the same shoppers."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
import redis
from support.balanced_processes import Balanced, balanced
from support.concurrency import at_once, state_of, until
from support.processes import bff
from support.services import TICKETS_TOKEN, Vendors, settings_for
from support.shopper import Shopper

from bff.devstack.servers import Server

OLD, NEW = (f"{name}:{base64.b64encode(name.encode() * 16).decode()}" for name in ("k1", "k2"))
# What the processes before and after have, at each of the three steps.
STEPS = {
    "the new key behind": (OLD, f"{OLD},{NEW}"),
    "the new key in front": (f"{OLD},{NEW}", f"{NEW},{OLD}"),
    "without the old key": (f"{NEW},{OLD}", NEW),
}
AT_BOTH = ((0, 1), (1, 0))


@pytest.fixture(scope="module", params=STEPS)
def processes(
    request: pytest.FixtureRequest, urls: list[str], database: Server, store: Server, sandbox: Vendors,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Balanced]:  # fmt: skip
    settings = settings_for(urls[0], {"DATABASE_URL": database.url, "VALKEY_URL": store.url}, sandbox.url)
    settings["SESSIONS_PER_CUSTOMER"] = "4"
    with rolling(settings, urls, tmp_path_factory.mktemp("step"), *STEPS[request.param]) as both:
        yield both


@pytest.fixture
def both(processes: Balanced, stores: Mapping[str, str], vendors: Vendors) -> Balanced:
    """The two processes of a step, with empty stores and a fresh sandbox."""
    return processes


def rolling(
    settings: Mapping[str, str], urls: list[str], folder: Path, *lists: str
) -> AbstractContextManager[Balanced]:
    """A process for each of these lists of keys."""
    ports = [int(url.rpartition(":")[2]) for url in urls[1 : 1 + len(lists)]]
    return balanced(settings, ports, folder, *({"SECRET_KEYS": keys} for keys in lists))


def sign_in(both: Balanced, persona: str, begun_at: int, finished_at: int) -> Shopper:
    """At the shop in between, as a browser does."""
    shopper = both.shopper()
    both.to(begun_at)
    page = shopper.get("/login")
    reply = shopper.request("POST", page.url, data={"persona": persona})
    both.to(finished_at)
    assert shopper.get(reply.headers["location"]).status == 200
    return shopper


def states(both: Balanced, shopper: Shopper) -> list[str]:
    """Who each of the processes thinks this is."""
    return [_at(both, number, shopper) for number in (0, 1, 0, 1)]


def _at(both: Balanced, number: int, shopper: Shopper) -> str:
    both.to(number)
    return state_of(shopper)


def test_C2_nobody_notices(both: Balanced, vendors: Vendors) -> None:
    for here, there in AT_BOTH:
        ella = sign_in(both, "ella", here, there)
        assert states(both, ella) == ["enrolled"] * 4
        a_ticket_of_one_is_taken_by_the_other(both, vendors, here, there)
        a_list_is_read_on_at_the_other(both, ella, here, there)
        an_invitation_is_known_at_the_other(both, ella, vendors, here, there)
        both.to(here)
        page = ella.get("/")
        both.to(there)
        assert ella.submit(page, "/logout").path == "/signed-out"
        assert states(both, ella) == ["anonymous"] * 4


def a_ticket_of_one_is_taken_by_the_other(both: Balanced, vendors: Vendors, here: int, there: int) -> None:
    zoe = both.shopper()
    both.to(here)
    body, headers = {"customerAccessToken": vendors.token("zoe")}, {"authorization": f"Bearer {TICKETS_TOKEN}"}
    ticket = zoe.request("POST", "/api/v1/session-tickets", json=body, headers=headers).json()["ticket"]
    both.to(there)
    assert zoe.get(f"/session/continue?ticket={ticket}&return_to=/rewards").path == "/rewards"
    assert states(both, zoe) == ["enrolled"] * 4


def a_list_is_read_on_at_the_other(both: Balanced, ella: Shopper, here: int, there: int) -> None:
    both.to(here)
    cursor = ella.api("GET", "/me/activity?limit=2").json()["next"]
    both.to(there)
    assert ella.api("GET", f"/me/activity?limit=2&cursor={cursor}").status_code == 200


def an_invitation_is_known_at_the_other(both: Balanced, ella: Shopper, vendors: Vendors, here: int, there: int) -> None:
    before = len(vendors.calls("referral_request"))
    for number in (here, there):
        both.to(number)
        reply = ella.api("POST", "/me/referrals", {"email": f"friend-{here}@example.com"})
        assert reply.is_success, reply.text
    assert len(vendors.calls("referral_request")) == before + 1


def test_P9_signing_out_everywhere_finds_the_sessions_of_both(both: Balanced) -> None:
    for leaving in (0, 1):
        browsers = [sign_in(both, "ella", *way) for way in AT_BOTH for _ in range(2)]
        assert states(both, browsers[0]) == ["enrolled"] * 4
        both.to(leaving)
        assert browsers[1].api("DELETE", "/me/sessions").status_code == 200
        assert [states(both, browser) for browser in browsers] == [["anonymous"] * 4] * 4


def test_P9_a_sign_in_under_way_at_the_other_revives_nothing(both: Balanced) -> None:
    for here, there in AT_BOTH:
        ella, late = sign_in(both, "ella", here, here), both.shopper()
        both.to(there)
        page = late.get("/login")
        reply = late.request("POST", page.url, data={"persona": "ella"})
        both.to(here)
        assert ella.api("DELETE", "/me/sessions").status_code == 200
        both.to(there)
        late.get(reply.headers["location"])
        assert states(both, late) == ["anonymous"] * 4


def test_B13_sessions_beyond_the_limit_end_wherever_they_began(both: Balanced) -> None:
    browsers = [sign_in(both, "ella", number % 2, number % 2) for number in range(6)]
    assert [states(both, browser)[:2] for browser in browsers] == [["anonymous"] * 2] * 2 + [["enrolled"] * 2] * 4


def test_C2_one_session_used_at_both_at_once_is_never_lost(both: Balanced) -> None:
    ella = sign_in(both, "ella", 0, 1)
    for _ in range(3):
        tabs = []
        for number in range(12):
            tab = both.shopper()
            tab.cookies = dict(ella.cookies)
            both.to(number % 2)
            tabs.append(tab)
        assert {reply.status_code for reply in at_once([partial(tab.api, "GET", "/me") for tab in tabs])} == {200}
    assert states(both, ella) == ["enrolled"] * 4


def test_C2_a_session_lives_through_all_three_steps(
    settings: dict[str, str], urls: list[str], tmp_path: Path, stores: Mapping[str, str]
) -> None:
    browsers: list[dict[str, str]] = []
    for number, keys in enumerate([OLD, f"{OLD},{NEW}", f"{NEW},{OLD}", NEW]):
        folder = tmp_path / str(number)
        folder.mkdir()
        with rolling(settings, urls, folder, keys) as one:
            for cookies in browsers:
                known = one.shopper()
                known.cookies = cookies
                assert state_of(known) == "enrolled"
            if number < 3:
                browsers.append(sign_in(one, "ella", 0, 0).cookies)
            else:
                assert known.api("DELETE", "/me/sessions").status_code == 200
                for cookies in browsers:
                    known.cookies = dict(cookies)
                    assert state_of(known) == "anonymous"
    with redis.Redis.from_url(stores["VALKEY_URL"]) as store:
        assert not [place for place in store.keys("session:*") if store.hexists(place, "record")]


def examined(settings: Mapping[str, str], keys: str) -> tuple[int, list[tuple[str, str]]]:
    """What the doctor says of keys, when it is given these."""
    done = bff({**settings, "SECRET_KEYS": keys}, "doctor", "--json")
    checks = [one for one in json.loads(done.stdout)["checks"] if one["area"] == "processes"]
    assert OLD.partition(":")[2] not in done.stdout
    return done.returncode, [
        (one["verdict"], one["detail"]) for one in checks if one["name"].startswith(("SECRET_KEYS", "key "))
    ]


def alive(settings: Mapping[str, str]) -> list[str]:
    with redis.Redis.from_url(settings["VALKEY_URL"]) as store:
        return [json.loads(text)["name"] for text in store.mget(store.keys("process:*") or ["none"]) if text]


def test_what_used_to_be_said_signs_people_out_and_the_doctor_says_so_before(
    settings: dict[str, str], urls: list[str], tmp_path: Path
) -> None:
    with rolling(settings, urls, tmp_path, OLD, f"{NEW},{OLD}") as both:
        until(lambda: len(alive(settings)) == 2)
        ella = sign_in(both, "ella", 1, 1)
        assert states(both, ella) == ["anonymous", "enrolled"] * 2
        status, [said, *_] = examined(settings, f"{NEW},{OLD}")
        assert (status, said[0]) == (1, "fail")
        assert " seals with k2, which " in said[1]
        assert said[1].endswith(" does not know: who comes to both is signed out")


def test_the_doctor_says_of_each_step_whether_it_is_safe(
    settings: dict[str, str], urls: list[str], tmp_path: Path
) -> None:
    with rolling(settings, urls, tmp_path, OLD) as one:
        until(lambda: len(alive(settings)) == 1)
        [name] = alive(settings)
        assert examined(settings, OLD) == (0, [("ok", "k1 seals")])
        assert examined(settings, f"{OLD},{NEW}") == (0, [("ok", "k1 seals")])
        assert examined(settings, f"{NEW},{OLD}")[1][0] == (
            "warn", f"do not put k2 first yet: {name} does not know it"
        )  # fmt: skip
        assert examined(settings, NEW)[1][1] == ("warn", f"do not drop k1 yet: {name} seals with it")
        other = OLD[:-4] + "AAA="
        assert examined(settings, other) == (1, [("fail", f"{name} has another key under the id k1")])
        assert one.url == settings["PUBLIC_URL"]
    with rolling(settings, urls, tmp_path, f"{OLD},{NEW}", f"{OLD},{NEW}"):
        until(lambda: len(alive(settings)) == 2)
        said = "k1 seals, and all know k2, too: it may be put first"
        assert examined(settings, f"{OLD},{NEW}") == (0, [("ok", said)])
        assert examined(settings, f"{NEW},{OLD}")[1][0] == ("ok", said)
    with rolling(settings, urls, tmp_path, f"{NEW},{OLD}"):
        until(lambda: len(alive(settings)) == 1)
        status, [safe, older] = examined(settings, f"{NEW},{OLD}")
        assert (status, safe[0], older[0]) == (0, "ok", "note")
        assert older[1].startswith("sealed sessions that last until 20")
        assert examined(settings, NEW)[1][0] == (
            "warn", "do not drop k1 yet: sessions are sealed with it, and end when no process knows it"
        )  # fmt: skip


def test_a_process_that_ends_is_alive_no_more(settings: dict[str, str], urls: list[str], tmp_path: Path) -> None:
    with rolling(settings, urls, tmp_path, OLD):
        until(lambda: len(alive(settings)) == 1)
        said = bff({**settings, "SECRET_KEYS": OLD}, "doctor").stdout
        assert f"{alive(settings)[0]}" in said
    assert alive(settings) == []
    assert "no process has said that it is alive" in bff(settings, "doctor").stdout
