"""Behind a pooler in transaction mode, as most platforms sell them, everything works as it does without one."""

from collections.abc import Iterator

import psycopg
import pytest
from support.concurrency import until
from support.enrolment_clients import Rows
from support.pooler import pooler
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Start, Vendors, Work
from support.store_outages import is_ready, says_come_again, stopped
from support.subtotal_events import ACTIONS, FAST, RATE, awards_of, bought, connection_of, deliver

from bff.cli import migrate_database
from bff.devstack.servers import Server

pytestmark = pytest.mark.pooler


@pytest.fixture(scope="module")
def pooled(database: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pooler(database, tmp_path_factory.mktemp("pgbouncer")) as server:
        yield server


def test_the_tables_are_made_through_it(database: Server, pooled: Server) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS pooled WITH (FORCE)")
        connection.execute("CREATE DATABASE pooled")
    url = pooled.url.rpartition("/")[0] + "/pooled"
    for _ in range(2):
        migrate_database(url)
    with psycopg.connect(url, prepare_threshold=None) as connection:
        assert connection.execute("SELECT count(*) FROM redemptions").fetchone() == (0,)


def test_L3_points_are_spent_once_each_and_every_answer_is_kept(
    start: Start, vendors: Vendors, rows: Rows, pooled: Server
) -> None:
    service = start(DATABASE_URL=pooled.url)
    shoppers = {persona: service.signed_in(persona) for persona in ("ella", "tara")}
    for _ in range(2):
        for shopper in shoppers.values():
            key = new_key()
            first = redeem(shopper, FIVE_OFF, key)
            assert first.status_code == 201, first.text
            for _ in range(4):
                again = redeem(shopper, FIVE_OFF, key)
                assert (again.status_code, again.json()) == (201, first.json())
                assert shopper.get("/").status == 200
    assert {persona: len(vendors.member(persona)["redemptions"]) for persona in shoppers} == {"ella": 2, "tara": 2}
    assert rows.execute("SELECT count(*) FROM redemptions WHERE state = 'succeeded'").fetchone() == (4,)


def test_the_worker_finds_out_and_pays_through_it(
    start: Start, work: Work, vendors: Vendors, pooled: Server, rows: Rows
) -> None:
    more = {**FAST, "SUBTOTAL_ACTIONS": ACTIONS, "DATABASE_URL": pooled.url}
    vendors.control("clock", rate=RATE)
    service = start(**more)
    work(**more)
    ella = service.signed_in("ella")
    vendors.fault("redeem", "cut_after")
    key = new_key()
    assert redeem(ella, FIVE_OFF, key).status_code == 202
    connection = connection_of(vendors, "ella")
    for number in range(12):
        assert deliver(service, bought(connection, f"{number + 1}.00")).status_code == 204
    until(lambda: ella.api("GET", f"/me/redemptions/{key}").json()["state"] == "succeeded")
    until(lambda: len(awards_of(vendors, "ella")) == 12, 30)
    until(lambda: rows.execute("SELECT count(*) FROM awards WHERE state = 'paid'").fetchone() == (12,))
    assert len(vendors.member("ella")["redemptions"]) == 1
    assert len(awards_of(vendors, "ella")) == 12


def test_joining_leaves_its_evidence(start: Start, vendors: Vendors, pooled: Server, rows: Rows) -> None:
    penny = start(DATABASE_URL=pooled.url).signed_in("penny")
    assert penny.submit(penny.get("/join"), "/join").path == "/welcome"
    found = rows.execute("SELECT outcome, agreed_at FROM consents").fetchall()
    assert [outcome for outcome, _ in found] == ["accepted"]


def test_a_pooler_that_goes_away_is_an_outage_and_no_more(start: Start, vendors: Vendors, pooled: Server) -> None:
    service = start(DATABASE_URL=pooled.url)
    ella, key = service.signed_in("ella"), new_key()
    with stopped(pooled):
        assert says_come_again(redeem(ella, FIVE_OFF, key))
        assert ella.get("/rewards").status == 200
    until(lambda: is_ready(service))
    assert redeem(ella, FIVE_OFF, key).status_code == 201
    assert len(vendors.member("ella")["redemptions"]) == 1


def test_the_doctor_says_that_it_is_there(settings: dict[str, str], pooled: Server) -> None:
    assert "a pooler is in front" not in bff(settings, "doctor").stdout
    assert "a pooler is in front" in bff(settings | {"DATABASE_URL": pooled.url}, "doctor").stdout
