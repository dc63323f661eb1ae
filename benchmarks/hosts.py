"""How far several web processes on several hosts carry, over one PostgreSQL and one Valkey.

A host is a network namespace of this machine with an address of its own, a web process and quick vendors; the stores
are reached over the bridge between them. Members sign in on the first host and are served by all. All hosts together
have the CPUs of this machine, and the clients and vendors use them too: so answers a second stop growing as soon as the
CPUs are busy, however good the service is. What tells whether more machines would carry more is the CPU for an answer:
as long as it stays what it is with one host, each machine adds as much as the first, until a store has no more.

Needs root, for the namespaces. Linux only.

    python -m benchmarks.hosts               with 1, 2 and 4 hosts, and .run/bench/hosts.json
    python -m benchmarks.hosts --smoke       whether it works at all: the figures are no good
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.load import Answers, Clients, Load, expect
from benchmarks.namespaces import BRIDGE_ADDRESS, NETWORK, Host, hosts, need_namespaces
from benchmarks.processes import PYTHON, RESULTS, allow_many_files, cpu_seconds, machine, need_linux, process, until_up
from benchmarks.requests import redemptions, request
from benchmarks.rows import ME
from benchmarks.stand import LIMITLESS, signed_in, vendors
from bff.cli import migrate_database
from bff.devstack.servers import Server, new_valkey, postgres, running
from bff.devstack.stack import environment

# The same in every namespace.
PORT, VENDOR_PORT = 8000, 8001
COUNTS = (1, 2, 4)
MOST_REDEMPTIONS_A_SECOND = 1000
# What PostgreSQL does beside, for each answer.
NOTHING_US = 20


class Extent(NamedTuple):
    """Seconds for each kind of request, connections to each host, and members."""

    seconds: float = 4.0
    connections: int = 32
    members: int = 200


SMOKE = Extent(seconds=0.1, connections=2, members=4)


class Stores(NamedTuple):
    """Reachable from all hosts, and the settings of a service that uses them."""

    folder: Path
    settings: dict[str, str]
    database: Server
    valkey: Server


class Web(NamedTuple):
    """A web process on a host."""

    host: Host
    pid: int


class Scaled(NamedTuple):
    """With so many hosts: answers a second, and microseconds of CPU for one in a web process and in each store."""

    what: str
    hosts: int
    per_second: float
    web_us: float
    valkey_us: float
    postgres_us: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="measure so briefly that only errors show")
    parser.add_argument("--json", type=Path, default=RESULTS / "hosts.json", help="where the figures are written")
    chosen = parser.parse_args()
    need_linux()
    need_namespaces()
    extent, began, of = SMOKE if chosen.smoke else Extent(), time.monotonic(), machine()
    allow_many_files()
    with hosts(max(COUNTS)) as made, stores() as shared:
        scaled = [found for count in COUNTS for found in measured(made[:count], shared, extent)]
    took = round(time.monotonic() - began)
    print(f"\n{table(scaled, len(os.sched_getaffinity(0)))}\n\n{took} s in all, on {of}")
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    figures = {"machine": of, "seconds": took, "scaled": [found._asdict() for found in scaled]}
    chosen.json.write_text(json.dumps(figures, indent=1))
    print(f"The figures are in {chosen.json} too.")


@contextmanager
def stores() -> Iterator[Stores]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="loyalty-bench-")))
        database = stack.enter_context(postgres(folder))
        on_the_bridge(database)
        valkey = new_valkey(folder)
        at = valkey.command.index("--bind") + 1
        valkey.command[at : at + 1] = ["127.0.0.1", BRIDGE_ADDRESS, "--protected-mode", "no"]
        stack.enter_context(running(valkey))
        migrate_database(database.url)
        urls = [store.url.replace("127.0.0.1", BRIDGE_ADDRESS) for store in (database, valkey)]
        yield Stores(folder, environment(PORT, VENDOR_PORT, *urls) | LIMITLESS, database, valkey)


def on_the_bridge(database: Server) -> None:
    """Have PostgreSQL listen there too, and let the hosts in with their password."""
    database.stop()
    data = Path(database.command[database.command.index("-D") + 1])
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {NETWORK}.0/24 password\n")
    database.command[database.command.index("-h") + 1] = f"127.0.0.1,{BRIDGE_ADDRESS}"
    database.start()


def measured(made: Sequence[Host], shared: Stores, extent: Extent) -> list[Scaled]:
    """Reading and redeeming with a web process on each of these hosts."""
    with ExitStack() as stack:
        webs = [stack.enter_context(web(host, shared)) for host in made]
        clients = [stack.enter_context(Clients()) for _ in webs]
        # Members of its own, since how often each may ask is limited.
        cookies = signed_in(PORT, extent.members, webs[0].host.address, first=1 + 10_000 * len(webs))
        wanted = min(25 * len(cookies) // len(webs), int(MOST_REDEMPTIONS_A_SECOND * extent.seconds))
        reading = [request(PORT, ME, cookie=cookie) for cookie in cookies]
        spending = [redemptions(PORT, cookies[n :: len(webs)], wanted) for n in range(len(webs))]
        loads = [Load(web.host.address, PORT, reading, extent.connections, extent.seconds) for web in webs]
        # The first requests are dearer, and do not count.
        for load, asking in zip(loads, clients, strict=True):
            asking.ask(load._replace(seconds=extent.seconds / 8))
        found = [scaled("GET /me", 200, loads, webs, clients, shared)]
        loads = [
            load._replace(requests=requests, connections=extent.connections // 2, once=True)
            for load, requests in zip(loads, spending, strict=True)
        ]
        found.append(scaled("redemption", 201, loads, webs, clients, shared))
    return found


@contextmanager
def web(host: Host, shared: Stores) -> Iterator[Web]:
    name = host.address.replace(".", "-")
    log, settings = shared.folder / f"web-{name}.log", shared.settings | {"LISTEN_HOST": host.address}
    with (
        vendors(shared.folder, settings, VENDOR_PORT, *host.runs),
        process(*host.runs, *PYTHON, "bff", "serve", env=settings, log=log) as started,
    ):
        # Its vendors are up as well then.
        until_up(started, log, PORT, "/api/v1/program", host.address)
        yield Web(host, started.pid)


def scaled(
    what: str, status: int, loads: Sequence[Load], webs: Sequence[Web], clients: Sequence[Clients], shared: Stores
) -> Scaled:
    """All hosts asked at once, each by a process of its own."""
    before = spent(webs, shared)
    asked = [asking.asking(load) for asking, load in zip(clients, loads, strict=True)]
    answers: list[Answers] = [each.result() for each in asked]
    costs = [later - earlier for later, earlier in zip(spent(webs, shared), before, strict=True)]
    for each in answers:
        expect(each, status, f"{what}, {len(webs)} hosts")
    count = sum(each.statuses[status] for each in answers)
    per_second = count / max(each.seconds for each in answers)
    web_us, valkey_us, postgres_us = (round(cost * 1e6 / count, 1) for cost in costs)
    found = Scaled(what, len(webs), round(per_second, 1), web_us, valkey_us, postgres_us)
    print(f"hosts: {len(webs)}   {what:<12}{per_second:>8,.0f} /s", flush=True)
    return found


def spent(webs: Sequence[Web], shared: Stores) -> tuple[float, float, float]:
    """Seconds of CPU so far: all web processes together, Valkey, PostgreSQL."""
    return sum(cpu_seconds(web.pid) for web in webs), cpu_seconds(shared.valkey.pid), cpu_seconds(shared.database.pid)


def table(scaled: Sequence[Scaled], cpus: int) -> str:
    head = f"{'':<12}{'hosts':>6}{'answers':>12}{'x one':>7}{'CPU for an answer: web':>26}{'Valkey':>12}"
    one = {found.what: found for found in scaled if found.hosts == min(COUNTS)}
    lines = [f"{head}{'PostgreSQL':>14}{'stores':>9}", *(_line(found, one[found.what]) for found in scaled)]
    lines += [f"{last.what}: {_limit(last)}" for last in scaled[-2:]]
    lines += [f"This machine has {cpus} CPUs for everything: how many answers a second there are says nothing of more"]
    lines += [
        "machines. As long as an answer costs what it costs with one host, each machine adds as much as the first."
    ]
    return "\n".join(lines)


def _line(found: Scaled, one: Scaled) -> str:
    stores = found.valkey_us + found.postgres_us
    return (
        f"{found.what:<12}{found.hosts:>6}{found.per_second:>9,.0f} /s{found.per_second / one.per_second:>7.2f}"
        f"{found.web_us:>23,.0f} µs{found.valkey_us:>9,.0f} µs{found.postgres_us:>11,.0f} µs"
        f"{stores / (stores + found.web_us):>8.0%}"
    )


def _limit(found: Scaled) -> str:
    """What the stores would take, were there enough hosts. Valkey has one thread, PostgreSQL all CPUs that it gets."""
    said = f"a Valkey with a CPU like this one carries {1e6 / max(found.valkey_us, 0.1):,.0f} /s"
    if found.postgres_us < NOTHING_US:
        return f"{said}; PostgreSQL is not asked."
    return f"{said}; a PostgreSQL carries {1e6 / found.postgres_us:,.0f} /s with each CPU."


if __name__ == "__main__":
    main()
