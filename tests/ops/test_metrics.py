"""Numbers for Prometheus: right, bounded, private, and the same whichever process is asked (M9)."""

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from support.concurrency import until
from support.held_requests import TOKEN, held, in_flight
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import ROOT, STARTS_WITHIN_SECONDS, Service, Start, Vendors, as_process
from support.shopper import Shopper


@pytest.fixture
def service(start: Start) -> Service:
    return start(METRICS_TOKEN=TOKEN)


def scrape(service: Service, token: str = TOKEN) -> httpx2.Response:
    with httpx2.Client(trust_env=False, timeout=20) as http:
        return http.get(f"{service.url}/metrics", headers={"authorization": f"Bearer {token}"})


def numbers(service: Service) -> dict[str, float]:
    """Every sample by its name and labels."""
    reply = scrape(service)
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = [line.rpartition(" ") for line in reply.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in samples}


def gained(before: Mapping[str, float], after: Mapping[str, float], name: str, *labels: str) -> float:
    """By how much the samples of this name with these labels grew."""
    names = [key for key in after if key.startswith(name) and all(label in key for label in labels)]
    return sum(after[key] - before.get(key, 0) for key in names)


def test_requests_and_vendor_calls_are_counted(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    before = numbers(service)
    for _ in range(3):
        ella.api("GET", "/me")
    vendors.fault("customer", "status:500", times=2)
    assert ella.api("GET", "/me").status_code == 502
    after = numbers(service)
    requests = ("loyalty_request_seconds_count", 'route="/api/v1/me"', 'method="GET"')
    assert gained(before, after, *requests, 'status="200"') == 3
    assert gained(before, after, *requests, 'status="502"') == 1
    assert gained(before, after, "loyalty_problems_total", 'code="upstream_unavailable"') == 1
    calls = ("loyalty_vendor_call_seconds_count", 'vendor="okendo"', 'operation="customer"')
    assert gained(before, after, *calls, 'outcome="200"') == 3
    assert gained(before, after, *calls, 'outcome="unusable"') == 1


def test_redemptions_are_counted_by_how_they_ended(service: Service, vendors: Vendors) -> None:
    ella, before = service.signed_in("ella"), numbers(service)
    assert redeem(ella, FIVE_OFF, new_key()).status_code == 201
    vendors.fault("redeem", "cut_before")
    assert redeem(ella, FIVE_OFF, new_key()).status_code == 202
    after = numbers(service)
    states = [
        gained(before, after, "loyalty_redemptions_total", f'state="{state}"') for state in ("succeeded", "unknown")
    ]
    assert states == [1, 1]


def test_M9_strangers_cannot_make_new_labels(service: Service, shopper: Shopper) -> None:
    for path in ("/nothing", "/rewards/nothing"):
        shopper.request("GET", path)
    before = set(numbers(service))
    for number in range(300):
        shopper.request("GET", f"/{secrets.token_urlsafe(8)}/{number}")
        shopper.request("GET", f"/rewards/{secrets.token_urlsafe(8)}")
    with httpx2.Client(trust_env=False) as http:
        methods = {http.request(f"X{number}", f"{service.url}/").status_code for number in range(20)}
    assert methods <= {400, 403, 405}
    new = set(numbers(service)) - before
    assert not [name for name in new if 'method="other"' not in name and 'method="GET"' not in name]
    assert len(new) <= 3 * 16, "a status may be new, a path or a method may not"


def test_nothing_personal_is_in_them(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    ella.api("POST", "/me/referrals", {"email": "canary-friend@example.org"})
    redeem(ella, FIVE_OFF, "canary-key-of-a-redemption")
    text = scrape(service).text
    assert not re.search(r"@|canary|gid:|shc[a-z]+_|eyJ|OKE-|127\.0\.0\.1", text)


@pytest.mark.parametrize("token", ["none", "wrong", TOKEN[:-1], TOKEN + "x", "é" * 32])
def test_M9_without_the_token_there_is_nothing_there(service: Service, token: str) -> None:
    with httpx2.Client(trust_env=False) as http:
        given = http.get(f"{service.url}/metrics", headers=[(b"authorization", f"Bearer {token}".encode())])
        nothing = http.get(f"{service.url}/nothing-at-all")
    assert (given.status_code, "loyalty_" in given.text) == (404, False)
    assert given.headers["content-type"] == nothing.headers["content-type"]


def test_M9_without_the_setting_there_is_nothing_there(start: Start) -> None:
    assert scrape(start(METRICS_TOKEN="")).status_code == 404


def test_processes_that_serve_side_by_side_add_up(settings: dict[str, str], logfile: Path) -> None:
    with as_process(settings, logfile, WEB_CONCURRENCY="2", METRICS_TOKEN=TOKEN) as service:
        for _ in range(40):
            assert service.shopper().api("GET", "/session").status_code == 200
        name = ("loyalty_request_seconds_count", 'route="/api/v1/session"')
        until(lambda: gained({}, numbers(service), *name) == 40)
        assert {gained({}, numbers(service), *name) for _ in range(10)} == {40}


def test_a_killed_process_has_nothing_under_way(settings: dict[str, str], logfile: Path, tmp_path: Path) -> None:
    with as_process(settings, logfile, TMPDIR=str(tmp_path), **SIDE_BY_SIDE) as service, held(service, 8):
        until(lambda: in_flight(service) == 8)
        serving = {int(file.stem.rpartition("_")[2]) for file in tmp_path.rglob("gauge_livesum_*.db")}
        assert len(serving) == 2
        for pid in serving:
            os.kill(pid, signal.SIGKILL)
        until(lambda: answers(settings["PORT"]))
        assert in_flight(service) == 0


# The folder of the numbers ------------------------------------------------------------------------------------------

SIDE_BY_SIDE = {"WEB_CONCURRENCY": "2", "METRICS_TOKEN": TOKEN}


def folders(temporary: Path) -> list[str]:
    return sorted(folder.name for folder in temporary.glob("loyalty-metrics-*"))


@contextmanager
def killed(settings: Mapping[str, str], logfile: Path) -> Iterator[None]:
    """Processes that serve side by side, all killed at the end."""
    known = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    with logfile.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bff", "serve"],
            env=known | dict(settings),
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until(lambda: answers(settings["PORT"]), STARTS_WITHIN_SECONDS)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
        until(lambda: not answers(settings["PORT"]))


def answers(port: str) -> bool:
    with contextlib.suppress(httpx2.TransportError), httpx2.Client(trust_env=False) as http:
        return http.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    return False


def test_processes_leave_no_folder_behind(settings: dict[str, str], logfile: Path, tmp_path: Path) -> None:
    with as_process(settings, logfile, TMPDIR=str(tmp_path), **SIDE_BY_SIDE):
        assert len(folders(tmp_path)) == 1
    assert folders(tmp_path) == []


def test_one_process_alone_needs_no_folder(settings: dict[str, str], logfile: Path, tmp_path: Path) -> None:
    with as_process(settings, logfile, TMPDIR=str(tmp_path)):
        assert folders(tmp_path) == []


def test_the_folder_of_killed_processes_is_removed_at_the_next_start(
    settings: dict[str, str], logfile: Path, tmp_path: Path
) -> None:
    with killed(settings | SIDE_BY_SIDE | {"TMPDIR": str(tmp_path)}, logfile):
        [left_behind] = folders(tmp_path)
    assert folders(tmp_path) == [left_behind]
    with as_process(settings, logfile, TMPDIR=str(tmp_path), **SIDE_BY_SIDE) as service:
        [folder] = folders(tmp_path)
        assert folder != left_behind
        assert numbers(service) != {}
    assert folders(tmp_path) == []


def test_the_folder_of_processes_that_live_is_left_alone(
    urls: list[str], settings: dict[str, str], logfile: Path, tmp_path: Path
) -> None:
    with as_process(settings, logfile, TMPDIR=str(tmp_path), **SIDE_BY_SIDE) as service:
        [first] = folders(tmp_path)
        other = settings | {"PUBLIC_URL": urls[3], "PORT": urls[3].rpartition(":")[2]}
        with as_process(other, logfile.with_suffix(".other"), TMPDIR=str(tmp_path), **SIDE_BY_SIDE):
            assert first in folders(tmp_path)
            assert len(folders(tmp_path)) == 2
        assert folders(tmp_path) == [first]
        assert numbers(service) != {}
