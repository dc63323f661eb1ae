"""PostgreSQL 15, the oldest that is supported: tables from nothing and from earlier stages, the ledger, the worker.

Everything else is tested with the newest. Here `database` is another one, so each test that is named below meets it.
"""

from collections.abc import Iterator

import psycopg
import pytest
from journeys import test_redeeming as redeeming
from support.concurrency import until
from support.enrolment_clients import Rows
from support.oldest_postgresql import oldest_postgres
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Start, Vendors, Work, settings_for
from support.subtotal_events import ACTIONS, FAST, RATE, awards_of, bought, connection_of, deliver

from bff.devstack.servers import Server
from bff.stores.versions import OLDEST
from ops import test_migrations as migrations
from ops import test_retention as retention

pytestmark = pytest.mark.oldest_postgresql

url, older = migrations.url, migrations.older
test_a_row_in_every_state = migrations.test_a_row_in_every_state_gets_its_new_name
test_going_back = migrations.test_going_back_leaves_everything_as_it_was
test_indexes = migrations.test_indexes_are_built_again_after_an_attempt_that_was_broken_off
test_the_service_goes_on = migrations.test_the_service_goes_on_with_what_it_finds
test_killed = migrations.test_a_killed_migrate_is_run_again
test_fifty_at_once = redeeming.test_L1_fifty_at_once_under_one_key_redeem_once
test_points_are_not_spent_twice = redeeming.test_L8_points_for_one_reward_are_not_spent_twice_at_once
test_what_is_settled_goes = retention.test_what_is_settled_goes_when_its_time_is_over_and_not_an_hour_before


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("oldest")
    with oldest_postgres(folder) as server:
        settings = settings_for(
            "http://localhost:1",
            {"DATABASE_URL": server.url, "VALKEY_URL": "redis://localhost:1"},
            "http://localhost:1",
        )
        done = bff(settings, "migrate")
        assert (done.returncode, done.stdout, done.stderr) == (0, "The database is up to date.\n", "")
        yield server


def test_it_is_the_oldest(rows: Rows) -> None:
    assert isinstance(rows, psycopg.Connection)
    assert rows.info.server_version // 10_000 == OLDEST


def test_points_are_spent_once_and_the_coupon_is_shown(service: Service, vendors: Vendors, rows: Rows) -> None:
    ella, key = service.signed_in("ella"), new_key()
    page = ella.get(f"/rewards/{FIVE_OFF}")
    shown = ella.submit(page, page.path)
    [made] = vendors.member("ella")["redemptions"]
    assert (shown.status, made["code"] in shown.text) == (200, True)
    assert redeem(ella, FIVE_OFF, key).status_code == redeem(ella, FIVE_OFF, key).status_code == 201
    assert len(vendors.member("ella")["redemptions"]) == 2
    assert rows.execute("SELECT state, count(*) FROM redemptions GROUP BY state").fetchall() == [("succeeded", 2)]


def test_joining_leaves_its_evidence(service: Service, rows: Rows) -> None:
    penny = service.signed_in("penny")
    assert penny.submit(penny.get("/join"), "/join").path == "/welcome"
    assert rows.execute("SELECT outcome FROM consents").fetchall() == [("accepted",)]


def test_the_worker_finds_out_and_pays(start: Start, work: Work, vendors: Vendors, rows: Rows) -> None:
    more = {**FAST, "SUBTOTAL_ACTIONS": ACTIONS}
    vendors.control("clock", rate=RATE)
    service = start(**more)
    work(**more)
    ella, key = service.signed_in("ella"), new_key()
    vendors.fault("redeem", "cut_after")
    assert redeem(ella, FIVE_OFF, key).status_code == 202
    assert deliver(service, bought(connection_of(vendors, "ella"), "20.00")).status_code == 204
    until(lambda: ella.api("GET", f"/me/redemptions/{key}").json()["state"] == "succeeded")
    until(lambda: rows.execute("SELECT state FROM awards").fetchall() == [("paid",)])
    assert (len(vendors.member("ella")["redemptions"]), len(awards_of(vendors, "ella"))) == (1, 1)


def test_the_doctor_finds_nothing_against_it(settings: dict[str, str]) -> None:
    said = bff(settings, "doctor").stdout
    assert "answers (version 15)" in said
    assert "PostgreSQL's version" not in said
