"""The costs of several servers in one table, and how they stand against what was aimed at."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.rows import Cost

PEERS = ("bare", "fastify", "textbook")
HELLO = "an answer of the bare server"
Costs = dict[tuple[str, str], Cost]


def by_row_and_server(costs: Sequence[Cost]) -> Costs:
    """The bare server has one answer, which stands beside all rows."""
    return {(cost.row, cost.server): cost for cost in costs}


def table(costs: Sequence[Cost]) -> str:
    """A line for each row of the service, and how many times as much as each peer it costs."""
    found = by_row_and_server(costs)
    head = f"{'':<34}{'CPU':>10}{'answers':>11}{'p50':>11}{'p99':>11}"
    lines = [head + "".join(f"{f'x {peer}':>12}" for peer in PEERS)]
    for cost in costs:
        if cost.server != "service":
            continue
        said = f"{cost.row:<34}{cost.cpu_us:>7,.0f} µs{cost.per_second:>8,.0f} /s"
        said += f"{cost.p50_ms:>8,.1f} ms{cost.p99_ms:>8,.1f} ms"
        lines.append(said + "".join(f"{ratio(cost, peer, found):>12}" for peer in PEERS))
    lines.append("CPU: what an answer costs the service. x peer: how many times what it costs that peer; below 1 is")
    lines.append("cheaper. The bare server answers always the same few bytes, whatever is asked.")
    return "\n".join(lines)


def ratio(cost: Cost, peer: str, found: Costs) -> str:
    other = found.get((HELLO if peer == "bare" else cost.row, peer))
    return f"{cost.cpu_us / other.cpu_us:.2f}" if other and other.cpu_us else "-"


class Goal(NamedTuple):
    """`value` is None when what it needs was not measured."""

    what: str
    value: Callable[[Costs], float | None]
    limit: float
    unit: str
    at_least: bool = False


def _pace(row: str) -> Callable[[Costs], float | None]:
    return lambda found: _divided(found.get((row, "service")), found.get((HELLO, "bare")), "per_second")


def _cpu(row: str, peer: str) -> Callable[[Costs], float | None]:
    other = HELLO if peer == "bare" else row
    return lambda found: _divided(found.get((row, "service")), found.get((other, peer)), "cpu_us")


def _own(row: str, field: str) -> Callable[[Costs], float | None]:
    return lambda found: getattr(found[row, "service"], field) if (row, "service") in found else None


def _divided(one: Cost | None, other: Cost | None, field: str) -> float | None:
    return getattr(one, field) / getattr(other, field) if one and other and getattr(other, field) else None


def _added(found: Costs, row: str = "GET /me, vendor 50 ms") -> float | None:
    """What the service adds to a slow call, against what the peer adds (p50)."""
    one, other = found.get((row, "service")), found.get((row, "fastify"))
    return (one.p50_ms - 50) / max(other.p50_ms - 50, 0.1) if one and other else None


GOALS = (
    Goal("program 200, answers a second against bare", _pace("GET /program, 200"), 0.6, "x", at_least=True),
    Goal("program 304, answers a second against bare", _pace("GET /program, 304"), 0.6, "x", at_least=True),
    Goal("/healthz, CPU against bare", _cpu("GET /healthz", "bare"), 1.3, "x"),
    Goal("/me, CPU against fastify", _cpu("GET /me", "fastify"), 1.0, "x"),
    Goal("/me/rewards, CPU against fastify", _cpu("GET /me/rewards", "fastify"), 1.0, "x"),
    Goal("/me, CPU against textbook", _cpu("GET /me", "textbook"), 0.15, "x"),
    Goal("/me/rewards, CPU against textbook", _cpu("GET /me/rewards", "textbook"), 0.15, "x"),
    Goal("added to a call of 50 ms, against fastify", _added, 1.0, "x"),
    Goal("404, CPU", _own("404", "cpu_us"), 150, "µs"),
    Goal("401, CPU", _own("GET /me without a session, 401", "cpu_us"), 150, "µs"),
    Goal("overview page, CPU", _own("overview page", "cpu_us"), 3000, "µs"),
    Goal("overview page, one at a time, p50", _own("overview page, vendor 50 ms, one", "p50_ms"), 75, "ms"),
    Goal("redemption, CPU", _own("redemption", "cpu_us"), 7000, "µs"),
)


def goals(costs: Sequence[Cost]) -> str:
    """Which were met; those whose peers were left out are not there."""
    found = by_row_and_server(costs)
    measured = [(goal, value) for goal in GOALS if (value := goal.value(found)) is not None]
    return "\n".join(_line(goal, value) for goal, value in measured)


def _line(goal: Goal, value: float) -> str:
    is_met = value >= goal.limit if goal.at_least else value <= goal.limit
    aim = f"{'at least' if goal.at_least else 'at most'} {goal.limit:g} {goal.unit}"
    return f"{goal.what:<46}{value:>10,.2f} {goal.unit:<3} aim: {aim:<20}{'met' if is_met else 'MISSED'}"
