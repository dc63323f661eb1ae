"""Endpoints that will go: since when, until when, and what to call instead. The policy: docs/api-changes.md."""

from datetime import UTC, date, datetime
from email.utils import format_datetime

import msgspec

# An endpoint is there for so long at least after it was marked.
LEAST_DAYS = 180
HEADERS = ("Deprecation", "Sunset", "Link")


class Deprecation(msgspec.Struct, frozen=True, kw_only=True):
    """Said on the row of an endpoint: both days begin at midnight UTC, `instead` is a sentence for developers."""

    since: date
    sunset: date
    instead: str

    def headers(self, docs_url: str) -> dict[str, str]:
        """What each answer says of it: RFC 9745 §2.1, RFC 8594 §3, and where to read more (RFC 9745 §3)."""
        return {
            "deprecation": f"@{int(_midnight(self.since).timestamp())}",
            "sunset": format_datetime(_midnight(self.sunset), usegmt=True),
            "link": f'<{docs_url}>; rel="deprecation"; type="text/html"',
        }


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
