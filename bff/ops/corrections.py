"""The actions of operators that change something. Each adds a line to the trail in the same transaction as the change.

Each function is the action of `ops.commands` with the same name and prints its answer. Each raises Problem
`store_unavailable` when a store does not answer, besides what its docstring says.
"""

import argparse
import getpass
from collections.abc import Mapping
from typing import Any

from bff.awards.ledger import Corrected
from bff.errors import Problem
from bff.ops.terminal import say
from bff.redemptions.ledger import Entry
from bff.services import Services
from bff.stores.audit import NewLine
from bff.vendors.sanitize import one_line

LONGEST_NAME = 100
UNTRACED = "PostgreSQL does not answer, so the trail lacks it: run it again when it does."


async def sessions_revoke(services: Services, chosen: argparse.Namespace) -> None:
    """It never waits for PostgreSQL: whoever signs out a thief is not held up by the trail, but told what it lacks."""
    ended = await services["sessions"].end_all_of(chosen.customer)
    target = services["customer_trail"].target(chosen.customer)
    try:
        await services["audit"].add(line(chosen, target, after={"sessions_ended": ended}))
    except Problem as problem:
        raise Problem(problem.code, f"Sessions ended: {ended}. {UNTRACED}") from problem
    say(f"Sessions ended: {ended}.")


async def redemptions_resolve(services: Services, chosen: argparse.Namespace) -> None:
    """Raises Problem `invalid_request` for a coupon of a failed one, `not_found` when there is nothing to resolve."""
    if chosen.code and chosen.state == "failed":
        raise Problem("invalid_request", "A redemption that failed has no coupon code.")
    async with services["database"].together():
        resolved = await services["unresolved"].resolve(
            chosen.reference, chosen.state, chosen.why, chosen.code, corrects=chosen.correct
        )
        if resolved is None:
            kind = "redemption that a person resolved" if chosen.correct else "unknown redemption"
            raise Problem("not_found", f"No {kind} has the reference {chosen.reference}.")
        before, after = (_told(services, entry) for entry in resolved)
        await services["audit"].add(line(chosen, chosen.reference, before, after))
    say(f"{chosen.reference}: {chosen.state}. The member sees it from now on.")


async def awards_replay(services: Services, chosen: argparse.Namespace) -> None:
    """Raises Problem `not_found` when one of those named does not need review, or is possibly paid."""
    tried = 0
    for reference in chosen.reference or (None,):
        again = await _replayed(services, chosen, reference)
        if reference is not None and not again:
            raise Problem("not_found", f"{reference} does not need review, or is possibly paid: see `awards resolve`.")
        tried += again
    say(f"To be tried again: {tried}. `awards list` shows what comes of it.")


async def _replayed(services: Services, chosen: argparse.Namespace, reference: str | None) -> int:
    async with services["database"].together():
        found = await services["awards"].replay(reference)
        found += [Corrected(event, "needs_review", None) for event in await services["inbox"].replay(reference)]
        for award in found:
            await services["audit"].add(line(chosen, award.reference, _as_it_was(award), {"state": "waiting"}))
    return len(found)


async def events_replay(services: Services, chosen: argparse.Namespace) -> None:
    """Raises Problem `not_found` when one of those named is not undelivered."""
    again: list[str] = []
    async with services["database"].together():
        for reference in chosen.reference or (None,):
            found = await services["outbox"].replay(reference)
            if reference is not None and not found:
                raise Problem("not_found", f"{reference} is no event that could not be delivered: see `events list`.")
            again += found
        for reference in again:
            await services["audit"].add(line(chosen, reference, {"state": "undelivered"}, {"state": "waiting"}))
    say(f"To be sent again: {len(again)}. `events list` shows what comes of it.")


async def awards_resolve(services: Services, chosen: argparse.Namespace) -> None:
    """Raises Problem `not_found` when no possibly paid award has the reference, or none that a person resolved so."""
    awards, corrects = services["awards"], chosen.correct
    async with services["database"].together():
        if chosen.state == "paid":
            found = await awards.resolve_paid(chosen.reference, chosen.why, corrects=corrects)
        else:
            found = await awards.replay(chosen.reference, possibly_paid=True, corrects=corrects, note=chosen.why)
        if not found:
            kind = f"award that could be corrected to {chosen.state}" if corrects else "possibly paid award"
            raise Problem("not_found", f"No {kind} has the reference {chosen.reference}.")
        state = "paid" if chosen.state == "paid" else "waiting"
        await services["audit"].add(line(chosen, chosen.reference, _as_it_was(found[0]), {"state": state}))
    say(f"{chosen.reference}: {'paid' if chosen.state == 'paid' else 'to be tried again'}.")


async def retention_run(services: Services, chosen: argparse.Namespace) -> None:
    """Raises Problem `store_unavailable` when something is left; the log says what."""
    retention = services["retention"]
    overdue = {rule.table: await retention.overdue(rule) for rule in retention.rules}
    # Each batch is a transaction of its own, so the line comes first.
    await services["audit"].add(line(chosen, "retention", before=overdue))
    if not await retention.delete_overdue():
        raise Problem("store_unavailable", "Not everything was deleted. See `retention list`, and run it again.")
    say("What was past its time is deleted.")


def line(
    chosen: argparse.Namespace,
    target: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> NewLine:
    """A line of the trail about the command that is carried out."""
    action = chosen.action.replace("_", " ")
    return NewLine(who=by(chosen), action=action, target=target, why=chosen.why, before=before, after=after)


def by(chosen: argparse.Namespace) -> str:
    """Who carries out this command: as they say, or else whom the shell takes them for. A container may know nobody."""
    if chosen.by is not None:
        return str(chosen.by)
    try:
        return one_line(getpass.getuser())[:LONGEST_NAME] or "nobody"
    except (KeyError, OSError):
        return "nobody"


def _told(services: Services, entry: Entry) -> dict[str, str | None]:
    """What a person decides of a redemption. A code is worth money and is deleted with its member, so its keyed hash
    tells one from another."""
    code = services["keys"].hmac("audit", entry.coupon_code)[:16] if entry.coupon_code else None
    return {"state": entry.state, "code": code}


def _as_it_was(award: Corrected) -> dict[str, str | None]:
    return {"state": award.state, "reason": award.reason}
