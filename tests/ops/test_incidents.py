"""Twelve incidents, really staged: each fires its alert, is named by the doctor, and has its row in the runbook."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis
from _pytest.mark import ParameterSet
from support.concurrency import until
from support.enrolment_clients import Rows
from support.held_requests import TOKEN, numbers
from support.lying_shopify import KEY, Claims, crooked_shopify, signed
from support.pooler import CONNECTIONS, pooler
from support.processes import bff
from support.processes import start as start_process
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.scraped_alerts import Scrapes, judged, scrape
from support.services import ROOT, Service, Vendors, in_thread, worker_in_thread
from support.subtotal_events import bought, connection_of, deliver

from bff.devstack.servers import Server

RUNBOOK = (ROOT / "docs" / "operations.md").read_text().splitlines()
NOWHERE = "http://localhost:1"
NO_PARTNER = "00000000-0000-4000-8000-000000000000"
BEHIND_SECONDS = 600
# Beyond what a worker does in minutes.
MANY_JOBS = 210

Changes = Mapping[str, str]


@dataclass(frozen=True)
class Scene:
    """Where an incident is staged; `settings` are those of a service that is well."""

    settings: Changes
    vendors: Vendors
    database: Server
    rows: Rows
    folder: Path


# How incidents are staged: what changes in the settings, and what else is so meanwhile --------------------------------

Stage = Callable[[Scene], AbstractContextManager[Changes]]


def changed(**changes: str) -> Stage:
    """Nothing else than these settings."""

    @contextmanager
    def stage(_: Scene) -> Iterator[Changes]:
        yield changes

    return stage


@contextmanager
def renamed_field(scene: Scene) -> Iterator[Changes]:
    scene.vendors.control("dialect", customer={"names": {"status": "standing"}})
    yield {}


@contextmanager
def clock_behind(scene: Scene) -> Iterator[Changes]:
    """Ten minutes behind Shopify's and Okendo's."""
    scene.vendors.control("clock", advance=BEHIND_SECONDS)
    with crooked_shopify(scene.vendors.url, BEHIND_SECONDS) as shopify:
        shopify.forge = lambda claims: signed(later(claims), KEY)
        yield {"SHOPIFY_SHOP_URL": shopify.url}


def later(claims: Claims) -> Claims:
    return claims | {name: claims[name] + BEHIND_SECONDS for name in ("iat", "exp")}


@contextmanager
def killed_worker(scene: Scene) -> Iterator[Changes]:
    """It had begun, and was killed five minutes ago."""
    scene.rows.execute("DELETE FROM procrastinate_workers")
    worker = start_process(scene.settings, "worker", out=scene.folder / "worker.log")
    until(lambda: scene.rows.execute("SELECT count(*) FROM procrastinate_workers").fetchone() == (3,))
    worker.kill()
    worker.join()
    scene.rows.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '5 minutes'")
    yield {}


@contextmanager
def full_valkey(scene: Scene) -> Iterator[Changes]:
    with redis.Redis.from_url(scene.settings["VALKEY_URL"]) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        try:
            yield {}
        finally:
            client.config_set("maxmemory", 0)


@contextmanager
def exhausted_pooler(scene: Scene) -> Iterator[Changes]:
    """All of its connections belong to transactions of somebody else."""
    with pooler(scene.database, scene.folder) as pooled, ExitStack() as stack:
        for _ in range(CONNECTIONS):
            other = stack.enter_context(psycopg.connect(pooled.url, prepare_threshold=None))
            other.execute("SELECT 1")
        yield {"DATABASE_URL": pooled.url}


# What happens in a minute of an incident ------------------------------------------------------------------------------

Minute = Callable[[Scene, Service], object]


def reading(scene: Scene, service: Service) -> None:
    ella = service.shopper()
    ella.sign_in("ella")
    ella.get("/rewards")


def arriving(scene: Scene, service: Service) -> None:
    assert service.shopper().request("GET", "/login").status_code >= 500


def signing_in(scene: Scene, service: Service) -> None:
    page = service.shopper().sign_in("ella")
    assert page.status >= 400


def joining(scene: Scene, service: Service) -> None:
    penny = service.signed_in("penny")
    for _ in range(3):
        assert penny.submit(penny.get("/join"), "/join").status >= 400


def buying(scene: Scene, service: Service) -> None:
    assert deliver(service, bought(connection_of(scene.vendors, "ella"), "9.00")).status_code == 204


def buying_much(scene: Scene, service: Service) -> None:
    """The same job as often as if so much had been bought."""
    buying(scene, service)
    scene.rows.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status) "
        "SELECT queue_name, task_name, priority, args, status FROM procrastinate_jobs, generate_series(2, %s) "
        "WHERE task_name = 'take_event'",
        (MANY_JOBS,),
    )


def paying(scene: Scene, service: Service) -> None:
    buying(scene, service)
    with worker_in_thread(service.settings):
        until(lambda: len(scene.vendors.calls("merchant_customer")) > 0)


def losing_an_answer(scene: Scene, service: Service) -> None:
    ella = service.signed_in("ella")
    scene.vendors.fault("redeem", "cut_before")
    assert redeem(ella, FIVE_OFF, new_key()).status_code == 202


def noticing(store: str) -> Minute:
    """Shoppers come, and the service looks at its stores."""

    def minute(scene: Scene, service: Service) -> None:
        service.shopper().get("/rewards")
        until(lambda: numbers(service)[f'loyalty_store_up{{store="{store}"}}'] == 0)

    return minute


# The incidents, in the order of the runbook ---------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Incident:
    """`row` is how its row in the runbook begins; `doctor` the check that is no longer well, and words of it; `rising`
    a gauge that goes on as it began."""

    row: str
    alert: str
    doctor: tuple[str, str]
    stage: Stage
    minute: Minute
    rising: str = ""


INCIDENTS = {
    "Okendo is down": Incident(
        row="`call` lines with `vendor` and `failure`",
        alert="LoyaltyVendorDown",
        doctor=("faqs", "could not be reached"),
        stage=changed(OKENDO_API_URL=NOWHERE),
        minute=reading,
    ),
    "Shopify is down": Incident(
        row="`call` lines with `vendor` and `failure`",
        alert="LoyaltyVendorDown",
        doctor=("discovery", "could not be reached"),
        stage=changed(SHOPIFY_SHOP_URL=NOWHERE),
        minute=arriving,
    ),
    "the partner id is wrong": Incident(
        row="`call` lines with `status` 401 or 403",
        alert="LoyaltyVendorRefuses",
        doctor=("joining", "Compare OKENDO_PARTNER_ID"),
        stage=changed(OKENDO_PARTNER_ID=NO_PARTNER),
        minute=joining,
    ),
    "the merchant's key has expired": Incident(
        row="`call` lines with `status` 401 or 403",
        alert="LoyaltyVendorRefuses",
        doctor=("merchant_customer", "Compare OKENDO_USER_ID and OKENDO_API_KEY"),
        stage=changed(OKENDO_API_KEY="another-key-of-32-characters-0000"),
        minute=paying,
    ),
    "the client secret is wrong": Incident(
        row="`token_request_refused` with `invalid_client`",
        alert="LoyaltyVendorRefuses",
        doctor=("registration", "Compare SHOPIFY_CLIENT_ID, SHOPIFY_CLIENT_SECRET"),
        stage=changed(SHOPIFY_CLIENT_SECRET="some-other-secret-0123456789"),
        minute=signing_in,
    ),
    "the clock is behind": Incident(
        row="`id_token_refused`",
        alert="LoyaltySignInsUnverified",
        doctor=("clock", "s behind Shopify's"),
        stage=clock_behind,
        minute=signing_in,
    ),
    "an answer is unreadable": Incident(
        row="`reply_unreadable`",
        alert="LoyaltyUnreadable",
        doctor=("customer", "standing"),
        stage=renamed_field,
        minute=reading,
    ),
    "a redemption is unknown": Incident(
        row="`redemption` with `state: unknown`",
        alert="LoyaltyRedemptionOpen",
        doctor=("redemptions", "the outcome of 1 is unknown"),
        stage=changed(),
        minute=losing_an_answer,
    ),
    "the pooler has no connection left": Incident(
        row="`store_unavailable`",
        alert="LoyaltyStoreDown",
        doctor=("PostgreSQL", "a pooler whose connections are all in use"),
        stage=exhausted_pooler,
        minute=noticing("postgresql"),
    ),
    "Valkey is full": Incident(
        row="`session_use_not_counted`, `session_not_written`",
        alert="LoyaltyStoreDown",
        doctor=("Valkey", "answers, but does not write: it is full"),
        stage=full_valkey,
        minute=noticing("valkey"),
    ),
    "the worker is dead": Incident(
        row="`LoyaltyWorkerDead`",
        alert="LoyaltyWorkerDead",
        doctor=("worker", "is dead: its last sign of life was 5 minutes ago, and "),
        stage=killed_worker,
        minute=buying,
    ),
    "the queue grows": Incident(
        row="`LoyaltyQueueGrows`",
        alert="LoyaltyQueueGrows",
        doctor=("worker", "is alive and behind: "),
        stage=changed(),
        minute=buying_much,
        rising="loyalty_jobs_due",
    ),
}


def marked(name: str) -> ParameterSet:
    needed = [pytest.mark.pooler] if INCIDENTS[name].stage is exhausted_pooler else []
    return pytest.param(INCIDENTS[name], id=name, marks=[pytest.mark.promtool, *needed])


def place_in_the_runbook(row: str) -> int:
    found = [number for number, line in enumerate(RUNBOOK) if line.startswith(f"| {row}")]
    assert len(found) == 1, f"{row} has {len(found)} rows"
    return found[0]


@pytest.fixture
def scene(settings: dict[str, str], vendors: Vendors, database: Server, rows: Rows, tmp_path: Path) -> Scene:
    """A worker's sign of life is fresh for as long as the test takes."""
    rows.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + interval '10 minutes')")
    return Scene(settings | {"METRICS_TOKEN": TOKEN}, vendors, database, rows, tmp_path)


@pytest.mark.parametrize("incident", [marked(name) for name in INCIDENTS])
def test_an_incident_fires_its_alert_and_is_named_by_the_doctor(scene: Scene, incident: Incident) -> None:
    token = scene.vendors.token("ella")
    with in_thread(scene.settings) as service:
        quiet = scrape(service)
        redeem(service.signed_in("ella"), FIVE_OFF, new_key())
        healthy = scrape(service)
    with incident.stage(scene) as changes:
        with in_thread({**scene.settings, **changes}) as service:
            incident.minute(scene, service)
            broken = scrape(service)
        said = bff({**scene.settings, **changes, "DOCTOR_CUSTOMER_TOKEN": token}, "doctor", "--json").stdout
    check, words = incident.doctor
    named = [each for each in json.loads(said)["checks"] if each["name"].partition(" (")[0] == check]
    assert [each for each in named if each["verdict"] in {"warn", "fail"} and words in str(each)], named or said
    assert judged(Scrapes(quiet, healthy, broken), incident.alert, scene.folder, rising=incident.rising) == ""


@pytest.mark.promtool
def test_none_of_these_alerts_fires_for_a_service_that_is_well(scene: Scene) -> None:
    scrapes = []
    with in_thread(scene.settings) as service:
        for _ in range(3):
            redeem(service.signed_in("ella"), FIVE_OFF, new_key())
            scrapes.append(scrape(service))
    alerts = "|".join(sorted({incident.alert for incident in INCIDENTS.values()}))
    assert judged(Scrapes(*scrapes), alerts, scene.folder, fires=False) == ""


def test_every_incident_has_its_rows_in_the_runbook_and_they_are_in_its_order() -> None:
    places = [place_in_the_runbook(incident.row) for incident in INCIDENTS.values()]
    assert places == sorted(places)
    for incident in INCIDENTS.values():
        place_in_the_runbook(f"`{incident.alert}`")
