"""The doctor's look at the processes that are alive: who they are, whether their keys go together, and whether their
connections fit."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from bff.errors import Problem
from bff.ops.database_server import DatabaseServer, ask_server
from bff.ops.fitting import wanted
from bff.ops.report import Check, Verdict
from bff.settings.settings import Settings
from bff.stores.keyring import KeyId, KeyRing
from bff.stores.presence import Presence, Process
from bff.stores.valkey import connect

AREA = "processes"
VALKEY_TIMEOUT_SECONDS = 2
STEPS = (
    "Change SECRET_KEYS in three steps, docs/operations.md: the new key behind, then in front, then without the old."
)


async def check_processes(settings: Settings) -> list[Check]:
    """Nothing where Valkey does not answer, which is told elsewhere."""
    given = settings.valkey
    valkey = connect(given.url, verify_tls=given.verify_tls, timeout_seconds=VALKEY_TIMEOUT_SECONDS)
    presence = Presence(valkey, time.time, seconds=settings.sessions.absolute_seconds)
    try:
        alive, fronts, most = await presence.alive(), await presence.last_in_front(), await presence.most_connections()
    except Problem:
        return []
    finally:
        await valkey.aclose(close_connection_pool=True)
    server = await ask_server(settings.database.url)
    most_of_both = (server.most_connections if isinstance(server, DatabaseServer) else None, most)
    fits = [
        one.check(most) for one, most in zip(wanted(settings, alive), most_of_both, strict=True) if most is not None
    ]
    mine = KeyRing(settings.secret_keys).ids()
    return [*_list(alive), *check_keys(mine, alive, fronts, settings.sessions.absolute_seconds), *fits]


def _list(alive: Sequence[Process]) -> Iterator[Check]:
    if not alive:
        yield Check(AREA, "alive", "note", "no process has said that it is alive within a minute")
    for one in alive:
        keys = ", ".join(key.id for key in one.keys)
        yield Check(AREA, one.name, "note", f"{one.kind}, code {one.code}, keys {keys}")
    if len({one.code for one in alive}) > 1:
        yield Check(AREA, "code", "note", "is not the same everywhere: a deploy is under way, or one did not end")


def check_keys(
    mine: Sequence[KeyId], alive: Sequence[Process], fronts: Mapping[KeyId, float], session_seconds: int
) -> Iterator[Check]:
    """Which step of a rotation is not safe now. `mine` are the doctor's own keys, which a deploy may bring next;
    `fronts` says when each key was first at a process for the last time (Unix seconds)."""
    steps = (*_unknown(alive), *_too_early_in_front(mine, alive), *_dropped(mine, alive, fronts))
    found = (*_same_id(mine, alive),) or steps
    yield from found or [_safe(mine, alive)]
    yield from _not_dropped_yet(mine, fronts, session_seconds)


def _same_id(mine: Sequence[KeyId], alive: Sequence[Process]) -> Iterator[Check]:
    for key in mine:
        others = [one.name for one in alive if any(other.id == key.id and other != key for other in one.keys)]
        if others:
            detail = f"{_names(others)} has another key under the id {key.id}"
            yield _check("fail", detail, "Give each key an id of its own, and the same to all processes.")


def _unknown(alive: Sequence[Process]) -> Iterator[Check]:
    """Something that one process seals, and another that lacks the key."""
    for key in dict.fromkeys(one.keys[0] for one in alive):
        if lacking := _lacking(key, alive):
            sealing = _names(one.name for one in alive if one.keys[0] == key)
            detail = (
                f"{sealing} seals with {key.id}, which {_names(lacking)} does not know: who comes to both is signed out"
            )
            yield _check("fail", detail, STEPS)


def _too_early_in_front(mine: Sequence[KeyId], alive: Sequence[Process]) -> Iterator[Check]:
    lacking = _lacking(mine[0], alive)
    if lacking and mine[0] not in {one.keys[0] for one in alive}:
        yield _check("warn", f"do not put {mine[0].id} first yet: {_names(lacking)} does not know it", STEPS)


def _dropped(mine: Sequence[KeyId], alive: Sequence[Process], fronts: Mapping[KeyId, float]) -> Iterator[Check]:
    """Keys that are not listed any more while something may be sealed with them."""
    sealing = {one.keys[0] for one in alive}
    for key in (*sealing, *(key for key in fronts if key not in sealing)):
        if key in mine or key.id in {one.id for one in mine}:
            continue
        now = f"{_names(one.name for one in alive if one.keys[0] == key)} seals with it"
        detail = now if key in sealing else "sessions are sealed with it, and end when no process knows it"
        yield _check("warn", f"do not drop {key.id} yet: {detail}", STEPS)


def _safe(mine: Sequence[KeyId], alive: Sequence[Process]) -> Check:
    first = _names(dict.fromkeys(one.keys[0].id for one in alive) or [mine[0].id])
    everywhere = [key.id for key in mine if not _lacking(key, alive) and key.id != first]
    more = f", and all know {_names(everywhere)}, too: it may be put first" if everywhere and alive else ""
    return _check("ok", f"{first} seals{more}")


def _not_dropped_yet(mine: Sequence[KeyId], fronts: Mapping[KeyId, float], session_seconds: int) -> Iterator[Check]:
    for key in mine[1:]:
        if key in fronts:
            until = datetime.fromtimestamp(fronts[key] + session_seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
            yield Check(AREA, f"key {key.id}", "note", f"sealed sessions that last until {until}: keep it for so long")


def _lacking(key: KeyId, alive: Iterable[Process]) -> list[str]:
    return [one.name for one in alive if key not in one.keys]


def _names(names: Iterable[str]) -> str:
    return " and ".join(names)


def _check(verdict: Verdict, detail: str, remedy: str = "") -> Check:
    return Check(AREA, "SECRET_KEYS", verdict, detail, remedy)
