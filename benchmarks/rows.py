"""What is asked of those who are measured, and what one of them costs while it is asked."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.load import Answers, Clients, Load, expect
from benchmarks.processes import cpu_seconds
from benchmarks.requests import purchases, redemptions, request
from benchmarks.stand import Stand, ask
from benchmarks.subjects import Running, Subject

PROGRAM, ME, REWARDS, SESSION = "/api/v1/program", "/api/v1/me", "/api/v1/me/rewards", "/api/v1/session"
# How many requests a second nobody here answers, so that there are always enough that may be sent but once.
MORE_THAN_ANYBODY = 3000


class Asked(NamedTuple):
    """Who is asked, for how long, and over how many connections at most."""

    running: Running
    on: Stand
    seconds: float
    connections: int = 64


Requests = Callable[[Asked], Sequence[bytes]]


class Row(NamedTuple):
    """`connections` clients ask at once, while the vendors take `delay_ms`. Where requests are to be sent but `once`,
    they are made anew for every use. A row that no peer has is `alone`."""

    name: str
    requests: Requests
    connections: int = 64
    delay_ms: int = 0
    status: int = 200
    once: bool = False
    alone: bool = False


class Cost(NamedTuple):
    """Of one row, of one server: microseconds of CPU for an answer, its own and those of the stores, what the clients
    saw, and how many were refused because it had too much to do (503)."""

    row: str
    server: str
    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float
    answers: int
    refused: int
    valkey_us: float
    postgres_us: float


def stranger(path: str) -> Requests:
    return lambda asked: [request(asked.running.port, path) for _ in range(200)]


def member(path: str) -> Requests:
    return lambda asked: [request(asked.running.port, path, cookie=cookie) for cookie in asked.running.cookies]


def unchanged(asked: Asked) -> Sequence[bytes]:
    port = asked.running.port
    etag = ask(port, "GET", PROGRAM, headers={"x-forwarded-proto": "https"}).etag
    return [request(port, PROGRAM, if_none_match=etag) for _ in range(200)]


def redeemed(asked: Asked) -> Sequence[bytes]:
    # So many may be redeemed by a member a minute (`stores.rate_limits`), and there are two loads.
    most = 25 * len(asked.running.cookies)
    wanted = int(MORE_THAN_ANYBODY / 10 * asked.seconds) + 16
    return redemptions(asked.running.port, asked.running.cookies, min(most, wanted))


def bought(asked: Asked) -> Sequence[bytes]:
    wanted = int(MORE_THAN_ANYBODY * asked.seconds) + 16
    return purchases(asked.running.port, asked.on.settings["SUBTOTAL_SIGNING_SECRET"], wanted)


HELLO = Row("an answer of the bare server", stranger(SESSION))
ROWS = (
    Row("GET /healthz", stranger("/healthz")),
    Row("GET /program, 200", stranger(PROGRAM)),
    Row("GET /program, 304", unchanged, status=304),
    Row("404", stranger("/nowhere"), status=404),
    Row("GET /me without a session, 401", stranger(ME), status=401),
    Row("GET /session", member(SESSION)),
    Row("GET /me", member(ME)),
    Row("GET /me, vendor 50 ms", member(ME), delay_ms=50),
    Row("GET /me/rewards", member(REWARDS)),
    Row("overview page", member("/"), connections=16, alone=True),
    Row("overview page, vendor 50 ms, one", member("/"), connections=1, delay_ms=50, alone=True),
    Row("redemption", redeemed, connections=16, status=201, once=True, alone=True),
    Row("webhook", bought, connections=16, status=204, once=True, alone=True),
)


def measure(row: Row, subject: Subject, asked: Asked, clients: Clients) -> Cost:
    """Ends the program where anything else is answered than the row's status, or 503."""
    running, on = asked.running, asked.on
    on.delay(row.delay_ms)
    warm_seconds = asked.seconds / 4 * subject.warm_up
    clients.ask(_load(row, asked._replace(seconds=warm_seconds)))
    load = _load(row, asked)
    measured = (running.pid, on.store.pid, on.database.pid)
    before = [cpu_seconds(pid) for pid in measured]
    answers = clients.ask(load)
    spent = [cpu_seconds(pid) - earlier for pid, earlier in zip(measured, before, strict=True)]
    on.delay(0)
    expect(answers, row.status, f"{row.name}, {subject.name}")
    return cost(row, subject.name, spent, answers)


def cost(row: Row, server: str, spent_seconds: Sequence[float], answers: Answers) -> Cost:
    """`spent_seconds` are those of the server, of Valkey and of PostgreSQL."""
    count = answers.statuses[row.status]
    cpu_us, valkey_us, postgres_us = (round(spent * 1e6 / count, 1) for spent in spent_seconds)
    return Cost(
        row=row.name,
        server=server,
        cpu_us=cpu_us,
        per_second=round(count / answers.seconds, 1),
        p50_ms=round(answers.percentile(50), 2),
        p99_ms=round(answers.percentile(99), 2),
        answers=count,
        refused=answers.statuses.get(503, 0),
        valkey_us=valkey_us,
        postgres_us=postgres_us,
    )


def _load(row: Row, asked: Asked) -> Load:
    connections = min(row.connections, asked.connections)
    return Load("127.0.0.1", asked.running.port, row.requests(asked), connections, asked.seconds, row.once)
