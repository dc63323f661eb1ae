"""Copies of a member's answers that a script keeps: whether one is still good (RFC 9110 §13).

The browser's own cache keeps none (J1): whoever goes back after signing out sees no balance. So `ETag` is for a script
that holds the answer it got, sends the tag with its next question, and is told in 304 that nothing has changed.
"""

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from bff.web.fields import field
from bff.web.state import StateT
from bff.web.visitor import require_sign_in

# What says something about the content itself, which is not sent again.
OF_CONTENT = ("content-length", "content-type")


def told_once(request: Request[StateT], response: Response) -> Response:
    """The answer with its tag, or 304 when the script says that it has it. The tag is of these bytes and this session:
    what another session was told is never taken for it."""
    if response.status_code != 200:
        return response
    tag = _tag(require_sign_in(request).key, bytes(response.body))
    response.headers["etag"] = tag
    if not _is_listed(tag, field(request.scope, b"if-none-match") or ""):
        return response
    kept = {name: value for name, value in response.headers.items() if name not in OF_CONTENT}
    return Response(status_code=304, headers=kept)


def _tag(session: str, body: bytes) -> str:
    return f'"{hashlib.blake2b(session.encode() + body, digest_size=16).hexdigest()}"'


def _is_listed(tag: str, if_none_match: str) -> bool:
    """By the weak comparison, which is meant for this header (RFC 9110 §13.1.2)."""
    return any(given.strip().removeprefix("W/") in {"*", tag} for given in if_none_match.split(","))
