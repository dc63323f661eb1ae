"""The actions of operators. Here are those that only read; what changes something is in `corrections` and `members`.

Each function is the action of `ops.commands` with the same name and prints its answer. Each raises Problem
`store_unavailable` when a store does not answer, besides what its docstring says.
"""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from bff.awards.ledger import Award
from bff.members.consents import Evidence
from bff.ops.corrections import (
    awards_replay,
    awards_resolve,
    events_replay,
    redemptions_resolve,
    retention_run,
    sessions_revoke,
)
from bff.ops.database import database_restored
from bff.ops.members import members_close, members_export, members_forget, members_requests
from bff.ops.terminal import say, say_json, say_table
from bff.privacy.names import names_of
from bff.redemptions.ledger import Entry
from bff.services import Services
from bff.stores.audit import Line
from bff.stores.outbox import OutboundEvent
from bff.web.spreadsheets import write_rows

REDEMPTION_COLUMNS = ("reference", "state", "created", "points", "reward", "customer", "note")
RETENTION_COLUMNS = ("table", "days", "overdue")
AUDIT_COLUMNS = ("when", "who", "action", "target", "before", "after", "why")
EVENT_COLUMNS = ("reference", "type", "state", "happened", "tries", "customer", "reason")
AWARD_COLUMNS = ("reference", "state", "created", "for", "value", "customer", "reason")
# What is in modules of its own, and is an action all the same.
__all__ = [
    "audit_list", "awards_list", "awards_replay", "awards_resolve", "consents_export", "database_restored",
    "events_list", "events_replay", "members_close", "members_export", "members_forget", "members_requests",
    "redemptions_list", "redemptions_resolve", "retention_list", "retention_run", "sessions_revoke",
]  # fmt: skip
# Never printed: encrypted credentials, a session's id, what recognises a repeated request, an address.
HIDDEN_OF_REDEMPTION = ("credentials", "session", "fingerprint", "retry_after_seconds")
HIDDEN_OF_AWARD = ("email", "payee")


async def redemptions_list(services: Services, chosen: argparse.Namespace) -> None:
    state = None if chosen.state == "all" else chosen.state or "unknown"
    entries = await services["ledger"].listed(state=state, customer_id=chosen.customer, limit=chosen.limit)
    if chosen.json:
        for entry in entries:
            say_json(_without(entry, HIDDEN_OF_REDEMPTION))
        return
    say_table([REDEMPTION_COLUMNS, *map(_redemption_cells, entries)])
    if not entries:
        say("None." if state is None else f"None is {state}.")


async def consents_export(services: Services, chosen: argparse.Namespace) -> None:
    stored = services["consents"].stored(customer_id=chosen.customer, since=chosen.since, until=chosen.until)
    if chosen.format == "jsonl":
        async for evidence in stored:
            say_json(evidence)
        return
    write_rows(sys.stdout, [Evidence.__struct_fields__])
    async for evidence in stored:
        write_rows(sys.stdout, [list(msgspec.to_builtins(evidence).values())])


async def awards_list(services: Services, chosen: argparse.Namespace) -> None:
    found = await services["awards"].listed(state=chosen.state, customer_id=chosen.customer, limit=chosen.limit)
    # An event that needs review has earned nothing yet, and may name no customer.
    lists_events = chosen.state in {None, "needs_review"} and not chosen.customer
    events = await services["inbox"].to_review(chosen.limit) if lists_events else []
    if chosen.json:
        for line in (*(_without(award, HIDDEN_OF_AWARD) for award in found), *events):
            say_json(line)
        return
    say_table([AWARD_COLUMNS, *map(_award_cells, found)])
    if not found:
        say("None.")
    for event in events:
        say(f"Event {event.event_id} ({event.type}, {event.received_at:%Y-%m-%d %H:%M:%SZ}): {event.reason}.")


async def events_list(services: Services, chosen: argparse.Namespace) -> None:
    found = await services["outbox"].listed(state=chosen.state, customer_id=chosen.customer, limit=chosen.limit)
    if chosen.json:
        for event in found:
            say_json(event)
        return
    say_table([EVENT_COLUMNS, *map(_event_cells, found)])
    if not found:
        say("None.")


async def retention_list(services: Services, chosen: argparse.Namespace) -> None:
    retention = services["retention"]
    found = [(rule.table, rule.days, await retention.overdue(rule)) for rule in retention.rules]
    if chosen.json:
        for line in found:
            say_json(dict(zip(RETENTION_COLUMNS, line, strict=True)))
        return
    say_table([RETENTION_COLUMNS, *(tuple(map(str, line)) for line in found)])


async def audit_list(services: Services, chosen: argparse.Namespace) -> None:
    only = {"by": chosen.by, "action": chosen.of_action, "since": chosen.since, "limit": chosen.limit}
    if chosen.customer is None:
        found = await services["audit"].listed(**only)
    else:
        found = await services["customer_trail"].listed(names_of(chosen.customer), **only)
    if chosen.json:
        for line in found:
            say_json(line)
        return
    say_table([AUDIT_COLUMNS, *map(_audit_cells, found)])
    if not found:
        say("None.")


def _redemption_cells(entry: Entry) -> tuple[str, ...]:
    when = entry.created_at.strftime("%Y-%m-%d %H:%M:%SZ")
    state = f"{entry.state}, checking" if entry.check_until else entry.state
    points = str(entry.points)
    return (entry.support_reference, state, when, points, entry.reward_name, entry.customer_id, entry.note or "")


def _award_cells(award: Award) -> tuple[str, ...]:
    when = award.created_at.strftime("%Y-%m-%d %H:%M:%SZ")
    state = f"{award.state}, possibly paid" if award.possibly_paid else award.state
    value = "" if award.value is None else f"{award.value:f}"
    what = f"{award.action} ({award.retailer_id})"
    return (award.reference, state, when, what, value, award.customer_id, award.note or award.reason or "")


def _event_cells(event: OutboundEvent) -> tuple[str, ...]:
    when = event.happened_at.strftime("%Y-%m-%d %H:%M:%SZ")
    tries, why = str(event.tries), event.reason or ""
    return (event.message_id, event.type, event.state, when, tries, event.customer_id, why)


def _without(stored: msgspec.Struct, hidden: tuple[str, ...]) -> dict[str, object]:
    return {name: value for name, value in msgspec.structs.asdict(stored).items() if name not in hidden}


def _audit_cells(line: Line) -> tuple[str, ...]:
    when = line.at.strftime("%Y-%m-%d %H:%M:%SZ")
    return (when, line.who, line.action, line.target, _compact(line.before), _compact(line.after), line.why or "")


def _compact(values: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name}={value}" for name, value in (values or {}).items() if value is not None)
