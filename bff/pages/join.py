"""Joining: the words, the button, and the welcome after it."""

import asyncio
from typing import Any

import msgspec
from itsdangerous import BadSignature
from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Problem, UpstreamFailed
from bff.members.enrolment import Agreement, Enrolment
from bff.members.partial import or_none
from bff.members.rewards import MemberRewards
from bff.program.catalogue import Catalogue
from bff.sessions.store import Session
from bff.stores.rate_limits import JOIN
from bff.vendors.okendo.refusals import problem_of
from bff.web.inputs import read_form
from bff.web.limits import hit
from bff.web.responses import LANGUAGE, form_page, page, redirect_to, trusted
from bff.web.state import WebState
from bff.web.visitor import check_csrf, open_session, require_session, session_of

CONSENT_SECONDS = 3600


class JoinState(WebState):
    catalogue: Catalogue
    enrolment: Enrolment
    rewards: MemberRewards


async def show_join(request: Request[JoinState]) -> Response:
    open_session(request)
    return await _join_page(request)


async def join(request: Request[JoinState]) -> Response:
    """The click: what was shown to this member in this sign-in is what is agreed to, or nothing is sent."""
    session = require_session(request)
    form = await read_form(request)
    try:
        check_csrf(request, session, "join", form.get("csrf", ""))
    except Problem as problem:
        return await _join_page(request, problem)
    agreement = _agreed(request, session, form.get("consent", ""))
    if agreement is None:
        return await _join_page(request, problem_of("customer_activation", 400))
    try:
        await hit(request, JOIN, session.data.customer_id)
        await request.state["enrolment"].join(session, agreement)
    except Problem as problem:
        if problem.status == 401:
            raise
        if problem.code == "member_blocked":
            return redirect_to(request, "blocked")
        return await _join_page(request, problem)
    return redirect_to(request, "welcome")


async def welcome(request: Request[JoinState]) -> Response:
    session = require_session(request)
    member, found = await request.state["rewards"].for_page(session)
    if member is not None and member.state != "enrolled":
        return redirect_to(request, "join")
    return page(request, "welcome.html", member=member, rewards=found)


async def _join_page(request: Request[JoinState], problem: Problem | None = None) -> Response:
    session = session_of(request)
    changed = problem is not None and problem.code == "policies_outdated"
    catalogue = request.state["catalogue"]
    policies, earning_rules = await asyncio.gather(
        or_none(catalogue.current_policies() if changed else catalogue.policies()),
        or_none(request.state["catalogue"].earning_rules()),
    )
    values: dict[str, Any] = {"policies": None, "consent": "", "changed": changed, "earning_rules": earning_rules}
    if policies is not None:
        values["policies"] = {**msgspec.structs.asdict(policies), "sentence_html": trusted(policies.sentence_html)}
        values["consent"] = _consent(request, session, policies.version, policies.digest)
    response = form_page(request, "join.html", problem, **values)
    # Words that cannot be read pause joining; that is a matter of waiting, whatever the vendor's trouble is.
    if session is not None and (isinstance(problem, UpstreamFailed) or policies is None):
        response.status_code = 503
        response.headers.setdefault("retry-after", "10")
    return response


def _consent(request: Request[JoinState], session: Session | None, version: object, digest: str) -> str:
    """What the join form carries: these words, shown to this member, in this sign-in, at this time."""
    if session is None:
        return ""
    now = int(request.state["clock"]())
    shown_now = {"version": version, "digest": digest, "locale": LANGUAGE, "at": now}
    return request.state["keys"].serialiser("consent").dumps([session.data.session_nonce, shown_now])


def _agreed(request: Request[JoinState], session: Session, consent: str) -> Agreement | None:
    """The agreement behind the hidden field; None when it is not ours, of another sign-in, or too old."""
    try:
        session_nonce, shown_then = request.state["keys"].serialiser("consent").loads(consent)
    except BadSignature:
        return None
    age = request.state["clock"]() - shown_then["at"]
    if session_nonce != session.data.session_nonce or age > CONSENT_SECONDS:
        return None
    return Agreement(
        version=shown_then["version"],
        digest=shown_then["digest"],
        locale=shown_then.get("locale", LANGUAGE),
        request_id=request.scope["request_id"],
    )
