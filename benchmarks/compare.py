"""What an answer of the service costs, beside its bare server and peers that do the same work.

One server at a time has a CPU of its own, where there are two; the stores, the vendors and the clients share the rest.
What counts is the time that the server's own threads were on a CPU, for each answer: neither whoever asks nor a busy
machine changes much of it. Figures are of this machine, so compare the ratios. Linux only.

    python -m benchmarks.compare                 a table, and .run/bench/compare.json
    python -m benchmarks.compare --smoke         whether it works at all: seconds, no peers, and the figures are no good
    python -m benchmarks.compare --without textbook,fastify
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.agreement import agree, told
from benchmarks.load import Clients
from benchmarks.processes import RESULTS, machine, memory_mb, need_linux, prepare
from benchmarks.report import goals, table
from benchmarks.rows import HELLO, ROWS, Asked, Cost, Row, measure
from benchmarks.stand import stand
from benchmarks.subjects import BARE, FASTIFY_PEER, SERVICE, TEXTBOOK, Subject, install_fastify


class Extent(NamedTuple):
    """How much is measured: seconds a row, over so many connections at most, as so many members."""

    seconds: float = 2.0
    connections: int = 64
    members: int = 200


SMOKE = Extent(seconds=0.05, connections=2, members=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="measure everything so briefly that only errors show")
    parser.add_argument("--without", default="", metavar="PEERS", help="peers to leave out, separated by commas")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows with this in their name")
    parser.add_argument("--seconds", type=float, default=Extent().seconds, help="how long each row is measured")
    parser.add_argument("--json", type=Path, default=RESULTS / "compare.json", help="where the figures are written")
    chosen = parser.parse_args()
    need_linux()
    left_out = {"fastify", "textbook"} if chosen.smoke else set(chosen.without.split(","))
    extent = SMOKE if chosen.smoke else Extent(chosen.seconds)
    began, cpus, of = time.monotonic(), prepare(), machine()
    rows, costs, answers = [row for row in ROWS if chosen.only in row.name], list[Cost](), dict[str, Any]()
    with stand(cpus) as on, Clients() as clients:
        for subject in subjects(left_out):
            print(f"\n{subject.name}", flush=True)
            with subject.run(on, extent.members) as running:
                if subject is not BARE:
                    answers[subject.name] = told(running)
                    agree(answers)
                asked = Asked(running, on, extent.seconds, extent.connections)
                costs += measured(subject, rows_of(subject, rows), asked, clients)
    took = time.monotonic() - began
    print(f"\n{table(costs)}\n\n{goals(costs)}\n\n{took:.0f} s in all, on {of}")
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    figures = {"machine": of, "seconds": round(took), "costs": [cost._asdict() for cost in costs]}
    chosen.json.write_text(json.dumps(figures, indent=1))
    print(f"The figures are in {chosen.json} too.")


def subjects(left_out: set[str]) -> list[Subject]:
    """All but those that are left out, or cannot run here, which is said."""
    if "fastify" not in left_out and (why := install_fastify()):
        print(why)
        left_out = left_out | {"fastify"}
    return [subject for subject in (BARE, FASTIFY_PEER, TEXTBOOK, SERVICE) if subject.name not in left_out]


def rows_of(subject: Subject, rows: Sequence[Row]) -> list[Row]:
    if subject is BARE:
        return [HELLO]
    return [row for row in rows if subject is SERVICE or not row.alone]


def measured(subject: Subject, rows: Sequence[Row], asked: Asked, clients: Clients) -> list[Cost]:
    """Each of these rows, printed as it is measured."""
    costs = []
    for row in rows:
        cost = measure(row, subject, asked, clients)
        said = f"  {row.name:<34}{cost.cpu_us:>8,.0f} µs CPU{cost.per_second:>9,.0f} /s"
        refused = f"   {cost.refused} refused" if cost.refused else ""
        print(f"{said}   p50 {cost.p50_ms:>8.1f} ms   p99 {cost.p99_ms:>8.1f} ms{refused}", flush=True)
        costs.append(cost)
    print(f"  {memory_mb(asked.running.pid):.0f} MB in memory")
    return costs


if __name__ == "__main__":
    main()
