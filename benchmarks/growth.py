"""Whether a request costs as much after years as on the first day.

First a million sessions lie in Valkey, then a million rows in each table of PostgreSQL that grows. The same is asked
before, with a thousand of each, and after. Filling takes most of the time, says how far it is, and ends after some
minutes with what there is by then. Sessions take about two gigabytes of memory, the tables two of disk. Linux only.

    python -m benchmarks.growth              and .run/bench/growth.json
    python -m benchmarks.growth --smoke      whether it works at all: hardly anything is filled in
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from benchmarks.filling import fill_sessions, fill_tables, memory_bytes
from benchmarks.load import Clients, Load
from benchmarks.processes import PYTHON, RESULTS, cpu_seconds, machine, need_linux, prepare, process
from benchmarks.requests import purchases
from benchmarks.rows import ME, SESSION, Asked, Cost, Row, measure, member, redeemed
from benchmarks.stand import Stand, stand
from benchmarks.subjects import SERVICE, Running
from bff.awards import statements as awards
from bff.redemptions import statements as redemptions

SESSION_ROWS = (Row("GET /session", member(SESSION), connections=16), Row("GET /me", member(ME), connections=16))
TABLE_ROWS = (
    Row("redeeming", redeemed, connections=16, status=201, once=True),
    Row("rewards page", member("/rewards"), connections=16),
)
LISTS = {"redemptions": redemptions.LISTED, "awards": awards.LISTED}
LATEST = {"state": "all", "customer": None, "limit": 50}
PAYING_SECONDS = 120


class Extent(NamedTuple):
    """How much is filled in and measured. `seconds` is a row's, `filling_seconds` how long filling may take each."""

    seconds: float = 4.0
    members: int = 200
    few: int = 1000
    sessions: int = 1_000_000
    rows: int = 1_000_000
    awards: int = 200
    lists: int = 50
    filling_seconds: float = 300.0


SMOKE = Extent(seconds=0.1, members=2, few=100, sessions=5000, rows=2000, awards=3, lists=2, filling_seconds=10)


class Pace(NamedTuple):
    """How often something was done in a second, and what once of it cost PostgreSQL, in microseconds of CPU."""

    what: str
    per_second: float
    database_us: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="fill in so little that only errors show")
    parser.add_argument(
        "--seconds", type=float, default=Extent().filling_seconds, help="how long each filling may take"
    )
    parser.add_argument("--only", choices=("sessions", "tables"), help="one of the two parts alone")
    parser.add_argument("--json", type=Path, default=RESULTS / "growth.json", help="where the figures are written")
    chosen = parser.parse_args()
    need_linux()
    began, cpus, of = time.monotonic(), prepare(), machine()
    extent = SMOKE if chosen.smoke else Extent(filling_seconds=chosen.seconds)
    figures: dict[str, Any] = {"machine": of}
    with stand(cpus) as on, Clients() as clients:
        if chosen.only != "tables":
            figures |= grown_sessions(on, clients, extent)
        if chosen.only != "sessions":
            figures |= grown_tables(on, clients, extent)
    took = round(time.monotonic() - began)
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(figures | {"seconds": took}, indent=1))
    print(f"\n{took} s in all, on {of}\nThe figures are in {chosen.json} too.")


def grown_sessions(on: Stand, clients: Clients, extent: Extent) -> dict[str, Any]:
    """What reading costs with few sessions and with many, which is printed."""
    url = on.settings["VALKEY_URL"]
    with SERVICE.run(on, extent.members) as running:
        asked = Asked(running, on, extent.seconds)
        for have in fill_sessions(url, extent.few):
            print(f"{have:,} sessions", flush=True)
        before, memory = measured(SESSION_ROWS, asked, clients), memory_bytes(url)
        have = filled_in(fill_sessions(url, extent.sessions), extent)
        each = (memory_bytes(url) - memory) / max(1, have - extent.few)
        after = measured(SESSION_ROWS, asked, clients)
    print(f"\n{'CPU of the service':<20}{extent.few:>10,} sessions{have:>10,} sessions      ratio   aim: at most 1.2")
    for one, other in zip(before, after, strict=True):
        print(f"{one.row:<20}{one.cpu_us:>16,.0f} µs{other.cpu_us:>16,.0f} µs{other.cpu_us / one.cpu_us:>11.2f}")
    print(f"A session and its indexes take {each:,.0f} bytes of Valkey.")
    return {"sessions": have, "session_bytes": round(each), "session_costs": [c._asdict() for c in (*before, *after)]}


def filled_in(progress: Iterator[int], extent: Extent) -> int:
    """How many there are when all are there, or when it has taken long enough; says how far it is every few seconds."""
    began = said = time.monotonic()
    have = 0
    for have in progress:
        now = time.monotonic()
        if now - said > 5:
            print(f"{have:,} sessions after {now - began:.0f} s", flush=True)
            said = now
        if now - began > extent.filling_seconds:
            break
    return have


def measured(rows: Sequence[Row], asked: Asked, clients: Clients) -> list[Cost]:
    return [measure(row, SERVICE, asked, clients) for row in rows]


def grown_tables(on: Stand, clients: Clients, extent: Extent) -> dict[str, Any]:
    """The pace with tables that are nearly empty and with full ones, which is printed."""
    # So many at least, that lists are as long before as after.
    few = min(filled_tables(on, 0, extent.few, extent).values())
    before = paces(on, clients, extent)
    have = filled_tables(on, few, extent.rows, extent)
    after = paces(on, clients, extent)
    print(f"\n{'rows in each table':<20}{few:>10,}{min(have.values()):>14,}      ratio   aim: at least 0.5", end="")
    print(f"{'CPU of PostgreSQL':>24}")
    for one, other in zip(before, after, strict=True):
        pace = f"{one.what:<20}{one.per_second:>7,.1f} /s{other.per_second:>11,.1f} /s"
        cpu = f"{one.database_us:>18,.0f} µs ->{other.database_us:>8,.0f} µs"
        print(f"{pace}{other.per_second / one.per_second:>11.2f}{'':<21}{cpu}")
    return {"rows": have, "few": [pace._asdict() for pace in before], "full": [pace._asdict() for pace in after]}


def filled_tables(on: Stand, before: int, wanted: int, extent: Extent) -> dict[str, int]:
    """How many rows each table has when all are there, or when it has taken long enough; says how far it is."""
    have, said = dict[str, int](), time.monotonic()
    for table, count in fill_tables(on.settings["DATABASE_URL"], before, wanted, extent.filling_seconds):
        have[table] = count
        if time.monotonic() - said > 5:
            print(", ".join(f"{count:,} {table}" for table, count in have.items()), flush=True)
            said = time.monotonic()
    print(f"Tables that have {min(have.values()):,} rows each ...", flush=True)
    return have


def paces(on: Stand, clients: Clients, extent: Extent) -> list[Pace]:
    """Of everything that reads or writes the tables, each with processes of its own that were just started."""
    with ExitStack() as stack:
        running = stack.enter_context(SERVICE.run(on, extent.members))
        asked = Asked(running, on, extent.seconds)
        costs = measured(TABLE_ROWS, asked, clients)
        found = [Pace(cost.row, cost.per_second, cost.postgres_us) for cost in costs]
        # What a connection has cost is known as long as it is there.
        connection = stack.enter_context(psycopg.connect(on.settings["DATABASE_URL"], autocommit=True))
        found += [with_database(on, partial(_listing, connection, name, extent)) for name in LISTS]
        found.append(with_database(on, partial(_paying, on, running, clients, extent)))
        return found


def with_database(on: Stand, work: Callable[[], tuple[str, float, int]]) -> Pace:
    """`work` returns what it did, how often in a second, and how often in all."""
    before = cpu_seconds(on.database.pid)
    what, per_second, count = work()
    return Pace(what, round(per_second, 1), round((cpu_seconds(on.database.pid) - before) * 1e6 / max(1, count), 1))


def _listing(connection: "psycopg.Connection[Any]", name: str, extent: Extent) -> tuple[str, float, int]:
    """The latest fifty, as `python -m bff redemptions list --state all` asks for them."""
    values = LATEST | ({"state": None} if name == "redemptions" else {})
    began = time.perf_counter()
    for _ in range(extent.lists):
        connection.execute(LISTS[name].encode(), values).fetchall()
    return f"listing {name}", extent.lists / (time.perf_counter() - began), extent.lists


def _paying(on: Stand, running: Running, clients: Clients, extent: Extent) -> tuple[str, float, int]:
    """How fast the worker pays what has piled up; Okendo's limit of two a second is lifted here."""
    log, events = (
        on.folder / "worker.log",
        purchases(running.port, on.settings["SUBTOTAL_SIGNING_SECRET"], extent.awards),
    )
    with psycopg.connect(on.settings["DATABASE_URL"], autocommit=True) as connection:
        [(newest,)] = connection.execute("SELECT coalesce(max(id), 0) FROM awards").fetchall()
        clients.ask(Load("127.0.0.1", running.port, events, 4, PAYING_SECONDS, once=True))
        with process(*PYTHON, "bff", "worker", env=on.settings, log=log, cpus=on.cpus.server):
            first, began = _paid(connection, newest, 1), time.perf_counter()
            last = _paid(connection, newest, extent.awards)
            took = time.perf_counter() - began
    return "paying", max(1, last - first) / took, last


def _paid(connection: "psycopg.Connection[Any]", newest: int, wanted: int) -> int:
    """How many awards after the `newest` are paid, as soon as there are so many; ends the program if it takes long."""
    latest, paid = time.monotonic() + PAYING_SECONDS, 0
    while paid < wanted:
        if time.monotonic() > latest:
            sys.exit(f"after {PAYING_SECONDS} s only {paid} of {wanted} awards were paid")
        found = connection.execute("SELECT count(*) FROM awards WHERE id > %s AND state = 'paid'", (newest,))
        [(paid,)] = found.fetchall()
        time.sleep(0.05)
    return paid


if __name__ == "__main__":
    main()
