"""The doctor's checks of what waits in PostgreSQL: for the worker, for Okendo, or for a person."""

from typing import Any

import psycopg

from bff.ops.report import Check
from bff.ops.worker_check import check_worker, minutes
from bff.stores.backlog import Backlog, read_backlog

# Of the last people who agreed to join within a day, those since anybody became a member.
REFUSED = """
    WITH latest AS (SELECT id, outcome, agreed_at FROM consents ORDER BY id DESC LIMIT 100)
    SELECT count(*) FROM latest
    WHERE outcome = 'refused' AND agreed_at > now() - interval '1 day'
        AND id > coalesce((SELECT max(id) FROM latest WHERE outcome = 'accepted'), 0)
"""
# One or two may have been blocked; as many as this say that nobody can join.
MANY_REFUSED = 3
# An event that the first try could not deliver is tried again after seconds, then minutes.
LATE_SECONDS = 600


async def check_backlog(connection: "psycopg.AsyncConnection[Any]") -> list[Check]:
    """A line about the worker, and one about each thing that waits or fails; raises psycopg.Error."""
    backlog = await read_backlog(connection)
    refused = await (await connection.execute(REFUSED)).fetchone()
    return [
        check_worker(backlog),
        *_check_redemptions(backlog),
        *_check_reviews(backlog),
        *_check_outbound(backlog),
        *_check_joining(int(refused[0]) if refused else 0),
    ]


def _check_redemptions(backlog: Backlog) -> list[Check]:
    to_resolve, checked = backlog.redemptions_to_resolve, backlog.redemptions_checked
    if not to_resolve + checked:
        return []
    oldest = minutes(backlog.oldest_redemption_seconds)
    detail = f"the outcome of {to_resolve + checked} is unknown, of the oldest for {oldest}"
    if to_resolve:
        remedy = "See `redemptions list`; look the customers up in Okendo's admin, then `redemptions resolve`."
        return [Check("stores", "redemptions", "warn", f"{detail}; {to_resolve} of them wait for a person", remedy)]
    remedy = "The worker reconciles them; `redemption_checked` in its log says why it has not yet."
    return [Check("stores", "redemptions", "warn", detail, remedy)]


def _check_reviews(backlog: Backlog) -> list[Check]:
    awards, events = backlog.awards_to_review, backlog.events_to_review
    if not awards + events:
        return []
    detail = f"{awards} awards and {events} events of Subtotal's wait for a person"
    return [Check("stores", "awards", "warn", detail, "`awards list` says why; mend it, then `awards replay`.")]


def _check_outbound(backlog: Backlog) -> list[Check]:
    waiting, undelivered = backlog.outbound_waiting, backlog.outbound_undelivered
    if undelivered:
        remedy = "`events list` says why; mend it, then `events replay`."
        detail = f"{undelivered} events could not be delivered to EVENTS_WEBHOOK_URL"
        return [Check("stores", "events", "warn", detail, remedy)]
    if backlog.outbound_oldest_seconds < LATE_SECONDS:
        return []
    detail = f"{waiting} wait to be delivered, the oldest for {minutes(backlog.outbound_oldest_seconds)}"
    return [Check("stores", "events", "warn", detail, "`events list` says what EVENTS_WEBHOOK_URL answers.")]


def _check_joining(refused: int) -> list[Check]:
    if refused < MANY_REFUSED:
        return []
    detail = f"Okendo refused the last {refused} who agreed to join"
    remedy = "Compare OKENDO_PARTNER_ID with what Okendo gave you; `call` lines of customer_activation have the status."
    return [Check("stores", "joining", "warn", detail, remedy)]
