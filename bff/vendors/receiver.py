"""The merchant's own address for events: each is one POST, signed as Standard Webhooks has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from datetime import UTC, datetime

import msgspec
from standardwebhooks import Webhook

from bff.clock import Clock
from bff.vendors.upstream import Call, Upstream

MOST_RETRY_AFTER_SECONDS = 86_400


class Receiver:
    """Whoever is at `url`. Nothing of what they answer is read but the status."""

    def __init__(self, upstream: Upstream, url: str, secret: str, *, timeout_seconds: float, clock: Clock) -> None:
        self.url = url
        self._upstream = upstream
        self._signer = Webhook(secret)
        self._timeout_seconds = timeout_seconds
        self._clock = clock

    def __repr__(self) -> str:
        return "<Receiver>"

    async def post(self, message_id: str, body: bytes) -> int:
        """The status of the answer, 2xx or 4xx. The signature tells when it is sent, so that nobody can send it again
        later. Raises UpstreamFailed for everything else, a redirect with it."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(message_id, now, body.decode()),
        }
        reply = await self._upstream.call(
            Call(
                vendor="receiver",
                operation="event",
                method="POST",
                url=self.url,
                headers=headers,
                body=body,
                timeout_seconds=self._timeout_seconds,
                most_retry_after_seconds=MOST_RETRY_AFTER_SECONDS,
                reads_body=False,
            )
        )
        return reply.status


def body_of(kind: str, happened_at: datetime, data: dict[str, str | int]) -> bytes:
    """The body of an event; the same bytes each time."""
    return msgspec.json.encode({"type": kind, "timestamp": happened_at, "data": data})
