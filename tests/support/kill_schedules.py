"""A place where processes are killed at named points, and schedules that say when.

The product has no hooks for this. The test stands in the way itself: triggers on the ledger that wait for a lock which
the test holds, and the sandbox, which holds back a reply.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import redis

from bff.devstack.servers import Server
from support.concurrency import until
from support.empty_stores import emptied
from support.processes import start
from support.sandbox_catalogue import FIVE_OFF, STORE_CREDIT, TEN_PERCENT, redemptions_of
from support.services import Vendors
from support.shopper import TRUSTED, Shopper

LOCK = 4711
BARRIERS = """
    CREATE TABLE barriers (point text PRIMARY KEY);
    CREATE FUNCTION wait_at_barrier() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        here text := CASE WHEN TG_OP = 'INSERT' THEN 'before reserve' WHEN NEW.state = 'sent' THEN 'after reserve'
                          WHEN OLD.state = 'sent' THEN 'before record' END;
    BEGIN
        IF EXISTS (SELECT FROM barriers WHERE point = here) THEN
            PERFORM pg_advisory_xact_lock(4711);
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER barrier BEFORE INSERT OR UPDATE ON redemptions FOR EACH ROW EXECUTE FUNCTION wait_at_barrier();
"""
WAITING = "FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"
POINTS = ("before reserve", "after reserve", "after send", "before record", "after record", "none")
FAULTS = ("", "", "cut_after", "cut_before", "status:500")
DISTURBANCES = ("", "", "", "flush", "valkey", "worker", "postgresql")
REWARDS = (FIVE_OFF, TEN_PERCENT, STORE_CREDIT)


@dataclass
class Process:
    """One of ours, as a process that can be killed at any moment."""

    settings: Mapping[str, str]
    command: str
    log: Path
    _process: BaseProcess | None = None

    def start(self) -> None:
        self._process = start(self.settings, self.command, out=self.log)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()


@dataclass
class Web(Process):
    @property
    def url(self) -> str:
        return self.settings["PUBLIC_URL"]

    def is_up(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/readyz", timeout=5, trust_env=False, verify=TRUSTED).status_code == 200
        except httpx2.TransportError:
            return False


@dataclass
class Schedule:
    """What happens to one member, drawn from one seed."""

    seed: int
    draw: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)  # noqa: S311  # It is to be repeated.


class Plant:
    """Two web processes of which one is a spare, a worker, and both stores."""

    def __init__(self, webs: list[Web], worker: Process, database: Server, store: Server, vendors: Vendors) -> None:
        self.webs = webs
        self.worker = worker
        self.database = database
        self.store = store
        self.vendors = vendors
        self.shopper = Shopper(webs[0].url)
        with self.sql() as sql:
            sql.execute(BARRIERS)
        for process in (*webs, worker):
            process.start()

    def close(self) -> None:
        self.shopper.close()
        for process in (*self.webs, self.worker):
            process.kill()

    @contextmanager
    def sql(self) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            yield connection

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.sql() as sql:
            return sql.execute(query, values).fetchall()

    # The member --------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """A fresh member and empty stores."""
        self.vendors.reset()
        with self.sql() as sql:
            emptied(sql, "procrastinate_jobs", "redemptions")
        self.flush()
        self.sign_in()

    def sign_in(self) -> None:
        until(self.webs[0].is_up, 30)
        self.shopper.close()
        self.shopper = Shopper(self.webs[0].url)
        assert self.shopper.sign_in("tara").status == 200

    def redeem(self, reward: str, key: str) -> httpx2.Response | None:
        """One try; None when the connection broke."""
        try:
            return self.shopper.api("POST", "/me/redemptions", {"rewardId": reward}, idempotency_key=key)
        except httpx2.TransportError:
            return None

    def insist(self, reward: str, key: str) -> httpx2.Response:
        """Try with the same key, signing in when need be, until there is an answer that stays."""
        found: list[httpx2.Response] = []

        def answered() -> bool:
            reply = self.redeem(reward, key)
            if reply is not None and reply.status_code == 401:
                self.sign_in()
            elif reply is not None and (reply.status_code == 201 or "idempotency-replayed" in reply.headers):
                found.append(reply)
                return reply.status_code != 202
            self.time_passes()
            return False

        until(answered, 60)
        return found[-1]

    # Killing -----------------------------------------------------------------------------------------------------

    def crash(self, point: str, fault: str, reward: str, key: str) -> None:
        """Redeem while the vendor does `fault`, and kill the process that serves it when it has come to `point`."""
        held_back = point == "after send" and not fault
        if held_back:
            self.vendors.fault("redeem", "delay_after", seconds=1.5)
        elif fault:
            self.vendors.fault("redeem", fault)
        with ThreadPoolExecutor(1) as pool, psycopg.connect(self.database.url, autocommit=True) as barrier:
            barrier.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
            barrier.execute("INSERT INTO barriers VALUES (%s)", (point,))
            trying = pool.submit(self.redeem, reward, key)
            until(lambda: trying.done() or self._has_come_to(point, key), 30)
            if point != "none":
                self.webs[0].kill()
            # What waits dies with its process, before anybody could let it pass.
            barrier.execute(f"SELECT pg_terminate_backend(pid) {WAITING}", (LOCK,))
            until(lambda: not barrier.execute(f"SELECT 1 {WAITING}", (LOCK,)).fetchall())
            barrier.execute("DELETE FROM barriers")
            barrier.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
        self.vendors.http.delete(f"{self.vendors.url}/_control/faults")
        if point != "none":
            self.take_over()

    def _has_come_to(self, point: str, key: str) -> bool:
        if point in {"before reserve", "after reserve", "before record"}:
            return bool(self.ask(f"SELECT 1 {WAITING}", LOCK))
        if point == "after send":
            return bool(self.ask("SELECT 1 FROM redemptions WHERE key = %s AND state <> 'reserved'", key))
        if point == "after record":
            return bool(self.ask("SELECT 1 FROM redemptions WHERE key = %s AND state NOT IN ('reserved', 'sent')", key))
        return False

    def take_over(self) -> None:
        """The spare serves from now on, with the same cookies; the one that was killed is started again."""
        self.webs[0].start()
        self.webs.reverse()
        until(self.webs[0].is_up, 30)
        cookies = self.shopper.cookies
        self.shopper.close()
        self.shopper = Shopper(self.webs[0].url)
        self.shopper.cookies = cookies

    # Trouble -----------------------------------------------------------------------------------------------------

    def disturb(self, what: str) -> None:
        trouble: dict[str, Callable[[], None]] = {
            "": lambda: None,
            "flush": self.flush,
            "valkey": lambda: self.restart(self.store),
            "postgresql": lambda: self.restart(self.database),
            "worker": self.restart_worker,
        }
        trouble[what]()

    def flush(self) -> None:
        with redis.Redis.from_url(self.store.url) as client:
            client.flushall()

    def restart(self, server: Server) -> None:
        server.stop()
        server.start()
        until(self.webs[0].is_up, 30)

    def restart_worker(self) -> None:
        """Killed in the middle of whatever it does; the next one takes up its work once it is thought dead."""
        self.worker.kill()
        with self.sql() as sql:
            sql.execute("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'")
        self.worker.start()

    def leases_run_out(self) -> None:
        """What a dead process held in Valkey is free again after ten seconds."""
        with redis.Redis.from_url(self.store.url) as client:
            for key in client.scan_iter("lease:*"):
                client.delete(key)

    def time_passes(self) -> None:
        """Two minutes, for the ledger, the queue and the leases."""
        self.leases_run_out()
        with self.sql() as sql:
            sql.execute(
                "UPDATE redemptions SET created_at = created_at - interval '2 minutes',"
                " changed_at = changed_at - interval '2 minutes', sent_at = sent_at - interval '2 minutes'"
            )
            sql.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")

    def settle(self) -> None:
        """Give the worker its time, until every line has a clear end."""
        patient_until = time.monotonic() + 25

        def clear() -> bool:
            if not self.ask("SELECT 1 FROM redemptions WHERE state NOT IN ('succeeded', 'failed')"):
                return True
            self.time_passes()
            if time.monotonic() > patient_until:
                self.long_time_passes()
            return False

        until(clear, 90)

    def long_time_passes(self) -> None:
        """Five minutes for jobs that seem to be done: when PostgreSQL went away just as one ended, nobody does it."""
        with self.sql() as sql:
            sql.execute("UPDATE procrastinate_events SET at = at - interval '6 minutes' WHERE type = 'started'")


def live_through(plant: Plant, schedule: Schedule) -> None:
    """One schedule, and then the truth: at most one effect for each key, and the ledger says what the vendor knows."""
    draw = schedule.draw
    plant.begin()
    intents: dict[str, str] = {}
    for number in range(draw.choice((1, 1, 2, 3))):
        key, reward = f"intent-{schedule.seed}-{number}-of-a-shopper", draw.choice(REWARDS)
        intents[key] = reward
        plant.crash(draw.choice(POINTS), draw.choice(FAULTS), reward, key)
        plant.disturb(draw.choice(DISTURBANCES))
        if draw.random() < 0.9:
            plant.leases_run_out()
        if draw.random() < 0.5:
            again = plant.redeem(reward, key)
            if again is not None and again.status_code == 401:
                plant.sign_in()
        if draw.random() < 0.5:
            plant.settle()
    plant.settle()
    answers = {key: plant.insist(reward, key) for key, reward in intents.items()}
    plant.settle()
    check(plant, intents, answers, f"seed {schedule.seed}")


def check(plant: Plant, intents: Mapping[str, str], answers: Mapping[str, httpx2.Response], where: str) -> None:
    effects = redemptions_of(plant.vendors, "tara")
    lines = plant.ask("SELECT key, state, coupon_code, store_credit FROM redemptions ORDER BY id")
    story = f"{where}: {lines} but the vendor has {effects}"
    assert {line[0] for line in lines} == set(intents), story
    succeeded = [key for key, state, _, _ in lines if state == "succeeded"]
    assert len(effects) == len(succeeded), story
    assert sorted(effect["rule"] for effect in effects) == sorted(intents[key] for key in succeeded), story
    coupons = sorted(code for _, state, code, _ in lines if code)
    assert coupons == sorted(effect["code"] for effect in effects if effect["code"]), story
    for key, state, code, _ in lines:
        answer = answers[key]
        assert (answer.status_code == 201) is (state == "succeeded"), f"{story}; {key} was answered {answer.text}"
        if code:
            assert answer.json()["coupon"]["code"] == code, story
