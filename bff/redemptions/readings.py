"""What a page reads of a member's history and of our ledger, each of which may fail alone."""

from collections.abc import Awaitable
from typing import Literal, TypeVar

from bff.errors import Problem, UpstreamFailed
from bff.redemptions.ledger import Entry, Ledger
from bff.sessions.store import Session

# Whether Okendo told the history: `none` where this program has none for us.
HistoryState = Literal["read", "unreadable", "none"]
Read = TypeVar("Read")
# PostgreSQL's clock, ours and Okendo's may differ by so much.
APART_SECONDS = 3600


async def read_history(reading: Awaitable[Read], otherwise: Read) -> tuple[HistoryState, Read]:
    """What Okendo tells, else `otherwise`. Raises Problem `session_expired`, `member_blocked`."""
    try:
        return await read_known_history(reading, otherwise)
    except UpstreamFailed:
        return "unreadable", otherwise


async def read_known_history(reading: Awaitable[Read], otherwise: Read) -> tuple[HistoryState, Read]:
    """The same, but raises UpstreamFailed when Okendo fails to tell."""
    try:
        return "read", await reading
    except Problem as problem:
        if problem.code != "feature_unavailable":
            raise
        return "none", otherwise


async def read_entries(ledger: Ledger, session: Session, *, until: float, since: float = 0) -> list[Entry] | None:
    """The member's redemptions of that time (Unix seconds), None while PostgreSQL does not answer."""
    try:
        return await ledger.of_member(session.data.customer_id, since=since, until=until)
    except Problem:
        return None
