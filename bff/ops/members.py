"""The actions of operators on one member: telling what is known of them, forgetting them, and what they asked for.

Each function is the action of `ops.commands` with the same name and prints its answer. Each raises Problem
`store_unavailable` when a store does not answer, besides what its docstring says.
"""

import argparse
import os
from typing import Any

import msgspec

from bff.errors import Problem
from bff.ops.corrections import by, line
from bff.ops.terminal import say, say_json, say_table
from bff.privacy.names import names_of
from bff.privacy.requests import MemberRequest
from bff.services import Services

REQUEST_COLUMNS = ("reference", "kind", "state", "received", "due", "customer")

WHY_REDEMPTIONS_STAY = (
    "They prove which points were spent, once, and which were not, and are kept for two years for disputes and"
    " accounts."
)
WHY_CONSENTS_STAY = "They prove what the member agreed to, for as long as that can be disputed (GDPR Art. 17(3)(e))."
WHY_AWARDS_STAY = "They keep the same purchase or link from being paid again."


async def members_forget(services: Services, chosen: argparse.Namespace) -> None:
    """Raises Problem `request_in_progress` while a redemption of theirs is under way."""
    gone = await services["forgetting"].forget(names_of(chosen.customer), who=by(chosen), why=chosen.why)
    say(f"Sessions ended, with every token in them: {gone.sessions_ended}.")
    say(f"Redemptions that were never sent to Okendo, deleted: {gone.redemptions_deleted}.")
    say(f"Consents that were refused, deleted: {gone.consents_deleted}.")
    say(f"Redemptions that stay, without their coupon codes: {gone.redemptions_kept}. {WHY_REDEMPTIONS_STAY}")
    say(f"Consents that stay: {gone.consents_kept}. {WHY_CONSENTS_STAY}")
    say(f"Awards that were not paid, deleted: {gone.awards_deleted}. Webhooks emptied: {gone.webhooks_emptied}.")
    say(f"Events for the merchant's server, deleted: {gone.events_deleted}.")
    say(f"Awards that stay, without any address: {gone.awards_kept}. {WHY_AWARDS_STAY}")
    say("Shopify, Okendo and Subtotal keep data of their own: ask for its deletion there.")


async def members_export(services: Services, chosen: argparse.Namespace) -> None:
    """Raises Problem `invalid_request` for a file that is there already, or cannot be written."""
    held = await services["personal_data"].of(names_of(chosen.customer))
    counted = {kind: len(found) for kind, found in held.items() if isinstance(found, list)}
    if chosen.file is not None:
        _write(chosen.file, held)
    # Before it is shown: whoever is not written down sees nothing.
    await services["audit"].add(line(chosen, services["customer_trail"].target(chosen.customer), after=counted))
    if chosen.file is None:
        say_json(held)
    else:
        say(f"Written to {chosen.file}, which only you can read: give it to its owner, and delete it.")


async def members_requests(services: Services, chosen: argparse.Namespace) -> None:
    found = await services["member_requests"].listed(state=chosen.state, limit=chosen.limit)
    if chosen.json:
        for request in found:
            say_json(request)
        return
    say_table([REQUEST_COLUMNS, *map(_request_cells, found)])
    if not found:
        say("None." if chosen.state == "all" else f"None is {chosen.state}.")


async def members_close(services: Services, chosen: argparse.Namespace) -> None:
    """Raises Problem `not_found` when no request with this reference waits."""
    if not await services["member_requests"].close(chosen.reference, who=by(chosen), why=chosen.why):
        raise Problem("not_found", f"No request that waits has the reference {chosen.reference}.")
    say(f"{chosen.reference}: closed. It names nobody any more.")


def _write(name: str, held: dict[str, Any]) -> None:
    """Into a new file that its owner alone can read; nothing is ever overwritten."""
    try:
        with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(held), indent=2) + b"\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such name is possible"
        raise Problem("invalid_request", f"{name} cannot be written: {reason}.") from error


def _request_cells(request: MemberRequest) -> tuple[str, ...]:
    received, due = (f"{moment:%Y-%m-%d}" for moment in (request.received_at, request.due_at))
    return (request.reference, request.kind, request.state, received, due, request.customer_id or "")
