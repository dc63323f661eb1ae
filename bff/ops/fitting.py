"""Whether the connections that all processes may hold fit into what the stores give, also while a deploy lasts."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from bff.ops.database_server import MOST_CONNECTIONS
from bff.ops.report import Check
from bff.services import Services
from bff.settings.settings import Settings
from bff.stores.presence import Kind, Process

# What migrate holds, or a command and the doctor.
FOR_COMMANDS = 2
log = structlog.get_logger("stores")


class Wanted(NamedTuple):
    """What the processes may hold of one store: `setting` says how many each, `processes` are of which kind."""

    store: str
    setting: str
    processes: tuple[tuple[Kind, int], ...]

    @property
    def steady(self) -> int:
        return sum(connections for _, connections in self.processes)

    @property
    def in_all(self) -> int:
        """The processes of before and after stand side by side for a moment of each deploy."""
        return 2 * self.steady + FOR_COMMANDS

    def check(self, most: int) -> Check:
        """The verdict on a store that gives so many connections."""
        name, detail = f"{self.store}'s connections", f"{most} may be had; {self._sum()}"
        if self.in_all <= most:
            return Check("processes", name, "ok", detail)
        return Check("processes", name, "fail" if self.steady > most else "warn", detail, self._remedy(most))

    def _sum(self) -> str:
        counted = sorted(Counter(self.processes).items())
        parts = " + ".join(f"{number} {kind} × {connections}" for (kind, connections), number in counted)
        return f"{parts} = {self.steady}, twice that while a deploy lasts, {FOR_COMMANDS} for commands: {self.in_all}"

    def _remedy(self, most: int) -> str:
        fitting = (most - FOR_COMMANDS) // (2 * len(self.processes))
        larger = f"take a plan with {self.in_all} connections"
        return f"Set {self.setting}={fitting}, or {larger}." if fitting >= 2 else f"Run fewer processes, or {larger}."


def wanted(settings: Settings, alive: Sequence[Process] = ()) -> tuple[Wanted, Wanted]:
    """What those hold who are alive; with nobody there, WEB_CONCURRENCY web processes and one worker."""
    web: Kind = "web"
    kinds: list[Kind] = [*(web for _ in range(settings.web_concurrency)), "worker"]
    database = [(one.kind, one.postgresql) for one in alive] or [
        (kind, settings.database.connections) for kind in kinds
    ]
    valkey = [(one.kind, one.valkey) for one in alive] or [(kind, settings.valkey.connections) for kind in kinds]
    return (
        Wanted("PostgreSQL", "DATABASE_CONNECTIONS", tuple(database)),
        Wanted("Valkey", "VALKEY_CONNECTIONS", tuple(valkey)),
    )


async def warn_of_too_many(services: Services) -> None:
    """One line in the log for each store that gives fewer connections than a deploy with these settings may want."""
    database, valkey = wanted(services["settings"])
    given = (await _most_of_database(services), await services["presence"].most_connections())
    for needed, most in zip((database, valkey), given, strict=True):
        if most is not None and needed.in_all > most:
            check = needed.check(most)
            log.warning("connections_do_not_fit", what=needed.store, reason=f"{check.detail}. {check.remedy}")


async def _most_of_database(services: Services) -> int | None:
    async with services["database"].connection() as connection:
        [(most, serving)] = await (await connection.execute(MOST_CONNECTIONS)).fetchall()
        return int(most) if serving == connection.info.backend_pid else None
