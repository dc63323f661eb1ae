"""The actions of operators: end sessions, settle redemptions, export evidence, forget a member.

Each function is the action of `ops.commands` with the same name and prints its answer. Each raises Problem
`store_unavailable` when a store does not answer, besides what its docstring says.
"""

import argparse
import csv
import sys

import msgspec

from bff.awards.ledger import Award
from bff.errors import Problem
from bff.members.consents import Evidence
from bff.redemptions.ledger import Entry
from bff.services import Services

REDEMPTION_COLUMNS = ("reference", "state", "created", "points", "reward", "customer", "note")
AWARD_COLUMNS = ("reference", "state", "created", "for", "value", "customer", "reason")
# Never printed: encrypted credentials, a session's id, what recognises a repeated request, an address.
HIDDEN_OF_REDEMPTION = ("credentials", "session", "fingerprint", "retry_after_seconds")
HIDDEN_OF_AWARD = ("email", "payee")
# A cell that begins so is a formula to a spreadsheet: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


async def sessions_revoke(services: Services, chosen: argparse.Namespace) -> None:
    print(f"Sessions ended: {await services['sessions'].end_all_of(chosen.customer)}.")


async def redemptions_list(services: Services, chosen: argparse.Namespace) -> None:
    state = None if chosen.state == "all" else chosen.state or "unknown"
    entries = await services["ledger"].listed(state=state, customer_id=chosen.customer, limit=chosen.limit)
    if chosen.json:
        for entry in entries:
            _print_json(_without(entry, HIDDEN_OF_REDEMPTION))
        return
    _print_table([REDEMPTION_COLUMNS, *map(_redemption_cells, entries)])
    if not entries:
        print("None." if state is None else f"None is {state}.")


async def redemptions_resolve(services: Services, chosen: argparse.Namespace) -> None:
    """Raises Problem `invalid_request` for a coupon of a failed one, `not_found` when there is nothing to resolve."""
    if chosen.code and chosen.state == "failed":
        raise Problem("invalid_request", "A redemption that failed has no coupon code.")
    entry = await services["unresolved"].resolve(chosen.reference, chosen.state, chosen.note, chosen.code)
    if entry is None:
        raise Problem("not_found", f"No unknown redemption has the reference {chosen.reference}.")
    print(f"{entry.support_reference}: {entry.state}. The member sees it from now on.")


async def consents_export(services: Services, chosen: argparse.Namespace) -> None:
    stored = services["consents"].stored(customer_id=chosen.customer, since=chosen.since, until=chosen.until)
    if chosen.format == "jsonl":
        async for evidence in stored:
            _print_json(evidence)
        return
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(Evidence.__struct_fields__)
    async for evidence in stored:
        table.writerow(map(_without_formula, msgspec.to_builtins(evidence).values()))


async def awards_list(services: Services, chosen: argparse.Namespace) -> None:
    found = await services["awards"].listed(state=chosen.state, customer_id=chosen.customer, limit=chosen.limit)
    # An event that needs review has earned nothing yet, and may name no customer.
    lists_events = chosen.state in {None, "needs_review"} and not chosen.customer
    events = await services["inbox"].to_review(chosen.limit) if lists_events else []
    if chosen.json:
        for line in (*(_without(award, HIDDEN_OF_AWARD) for award in found), *events):
            _print_json(line)
        return
    _print_table([AWARD_COLUMNS, *map(_award_cells, found)])
    if not found:
        print("None.")
    for event in events:
        print(f"Event {event.event_id} ({event.type}, {event.received_at:%Y-%m-%d %H:%M:%SZ}): {event.reason}.")


async def awards_replay(services: Services, chosen: argparse.Namespace) -> None:
    """Raises Problem `not_found` when one of those named does not need review, or is possibly paid."""
    tried = 0
    for reference in chosen.reference or (None,):
        again = await services["awards"].replay(reference) + await services["inbox"].replay(reference)
        if reference is not None and not again:
            raise Problem("not_found", f"{reference} does not need review, or is possibly paid: see `awards resolve`.")
        tried += again
    print(f"To be tried again: {tried}. `awards list` shows what comes of it.")


async def awards_resolve(services: Services, chosen: argparse.Namespace) -> None:
    """Raises Problem `not_found` when no possibly paid award has the reference."""
    awards = services["awards"]
    if chosen.state == "paid":
        done = await awards.resolve_paid(chosen.reference, chosen.note)
    else:
        done = bool(await awards.replay(chosen.reference, possibly_paid=True, note=chosen.note))
    if not done:
        raise Problem("not_found", f"No possibly paid award has the reference {chosen.reference}.")
    print(f"{chosen.reference}: {'paid' if chosen.state == 'paid' else 'to be tried again'}.")


async def members_forget(services: Services, chosen: argparse.Namespace) -> None:
    """End the sessions first, so that nothing new is written for the member while the rest is deleted.

    Raises Problem `request_in_progress` while a redemption of theirs is under way.
    """
    customer = chosen.customer
    ended = await services["sessions"].end_all_of(customer)
    redemptions_gone, redemptions_kept = await services["ledger"].forget(customer)
    consents_gone, consents_kept = await services["consents"].forget(customer)
    awards_gone, awards_kept = await services["awards"].forget(customer)
    events_emptied = await services["inbox"].forget(customer)
    print(f"Sessions ended, with every token in them: {ended}.")
    print(f"Redemptions that were never sent to Okendo, deleted: {redemptions_gone}.")
    print(f"Consents that were refused, deleted: {consents_gone}.")
    print(f"Redemptions that stay, without their coupon codes: {redemptions_kept}. {WHY_REDEMPTIONS_STAY}")
    print(f"Consents that stay: {consents_kept}. {WHY_CONSENTS_STAY}")
    print(f"Awards that were not paid, deleted: {awards_gone}. Webhooks emptied: {events_emptied}.")
    print(f"Awards that stay, without any address: {awards_kept}. {WHY_AWARDS_STAY}")
    print("Shopify, Okendo and Subtotal keep data of their own: ask for its deletion there.")


WHY_REDEMPTIONS_STAY = (
    "They prove which points were spent, once, and which were not, and are kept for two years for disputes and"
    " accounts."
)
WHY_CONSENTS_STAY = "They prove what the member agreed to, for as long as that can be disputed (GDPR Art. 17(3)(e))."
WHY_AWARDS_STAY = "They keep the same purchase or link from being paid again."


def _print_json(line: object) -> None:
    print(msgspec.json.encode(line).decode())


def _print_table(lines: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


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


def _without(stored: msgspec.Struct, hidden: tuple[str, ...]) -> dict[str, object]:
    return {name: value for name, value in msgspec.structs.asdict(stored).items() if name not in hidden}


def _without_formula(cell: object) -> object:
    """The cell, so that a spreadsheet shows it and does not compute it, even if a vendor chose its first character."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
