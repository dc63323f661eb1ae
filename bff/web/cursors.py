"""Cursors: a vendor's page token, signed for one member and one list."""

from itsdangerous import BadSignature
from starlette.requests import Request

from bff.errors import Problem
from bff.sessions.store import Session
from bff.web.state import StateT


def read_cursor(request: Request[StateT], session: Session, of: str) -> str | None:
    """The vendor's token inside of a cursor that we gave to this member for this list."""
    given = request.query_params.get("cursor")
    if given is None:
        return None
    try:
        customer_id, name, token = request.state["keys"].serialiser("cursor").loads(given)
    except (BadSignature, ValueError, TypeError):
        customer_id, name, token = "", "", ""
    # It may be from a process, or a time, that had another key first.
    if name != of or customer_id not in _whose(request, session):
        raise Problem("invalid_request", "cursor must be the `next` of an earlier answer, unchanged.")
    return str(token)


def sign_cursor(request: Request[StateT], session: Session, of: str, token: str | None) -> str | None:
    if token is None:
        return None
    signed = request.state["keys"].serialiser("cursor").dumps([_whose(request, session)[0], of, token])
    return signed if isinstance(signed, str) else signed.decode()


def _whose(request: Request[StateT], session: Session) -> list[str]:
    """The customer by every key, the first one first."""
    return [hmac[:16] for hmac in request.state["keys"].hmacs("customer index", session.data.customer_id)]
