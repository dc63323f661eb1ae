"""Joining: the words, the button, and the welcome after it."""

import asyncio
from typing import Any

import msgspec
from itsdangerous import BadSignature
from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Problem, UpstreamFailed
from bff.members.earning import Earning
from bff.members.enrolment import Agreement, Enrolment
from bff.members.member import Members
from bff.members.partial import or_none, or_none_unless_signed_out
from bff.members.rewards import MemberRewards
from bff.pages.joining import sum_of
from bff.pages.sections import own_rules
from bff.program.catalogue import Catalogue
from bff.schemas.member import Member
from bff.schemas.policies import LegalPolicies
from bff.schemas.shown import ShownRule
from bff.sessions.store import Session
from bff.stores.rate_limits import JOIN
from bff.vendors.okendo.refusals import problem_of
from bff.vendors.okendo.row import Locale
from bff.web.inputs import read_form
from bff.web.language import locale_of
from bff.web.limits import hit
from bff.web.responses import form_page, page, redirect_to, trusted
from bff.web.state import WebState
from bff.web.visitor import check_csrf, open_session, require_session, session_of

CONSENT_SECONDS = 3600


class JoinState(WebState):
    catalogue: Catalogue
    earning: Earning
    enrolment: Enrolment
    members: Members
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
        if problem.status == 401 or problem.code == "not_found":
            raise
        if problem.code == "member_blocked":
            return redirect_to(request, "blocked")
        return await _join_page(request, problem)
    return redirect_to(request, "welcome")


async def welcome(request: Request[JoinState]) -> Response:
    """For the hour after joining; anybody else, whatever led them here, belongs on the overview."""
    session = require_session(request)
    if not await request.state["enrolment"].has_just_joined(session):
        return redirect_to(request, "overview")
    locale = locale_of(request)
    (member, found), rules = await asyncio.gather(
        request.state["rewards"].for_page(session, locale),
        or_none_unless_signed_out(request.state["earning"].rules(session, locale)),
    )
    state = member.state if member is not None else session.data.state
    if state != "enrolled":
        return redirect_to(request, "overview")
    own = own_rules(request, rules) or []
    joined = next((rule for rule in own if rule.kind == "join"), None)
    return page(request, "welcome.html", member=member, rewards=found, joined=joined, first=_first_step(own))


def _first_step(rules: list[ShownRule]) -> ShownRule | None:
    """A way to earn that takes a click, and is still open."""
    return next((rule for rule in rules if rule.kind.startswith("social") and rule.completed is False), None)


async def _join_page(request: Request[JoinState], problem: Problem | None = None) -> Response:
    session = session_of(request)
    changed = problem is not None and problem.code == "policies_outdated"
    catalogue = request.state["catalogue"]
    asked = locale_of(request)
    shown, earning_rules, rewards, (state, member) = await asyncio.gather(
        or_none(catalogue.current_policies(asked) if changed else catalogue.policies(asked)),
        or_none(catalogue.earning_rules(asked)),
        request.state["rewards"].for_everybody(asked),
        _who_now(request, session),
    )
    values: dict[str, Any] = {
        "policies": None,
        "consent": "",
        "changed": changed,
        "earning_rules": earning_rules,
        "state": state,
        "sum": sum_of(member, earning_rules, rewards),
    }
    if shown is not None:
        policies = shown.policies
        values["policies"] = {**msgspec.structs.asdict(policies), "sentence_html": trusted(policies.sentence_html)}
        values["policies"]["language"] = shown.language
        values["consent"] = _consent(request, session, policies, asked)
    response = form_page(request, "join.html", problem, **values)
    # What cannot be read pauses joining; that is a matter of waiting, whatever the vendor's trouble is.
    if session is not None and (isinstance(problem, UpstreamFailed) or None in (shown, state)):
        response.status_code = 503
        response.headers.setdefault("retry-after", "10")
    return response


async def _who_now(request: Request[JoinState], session: Session | None) -> tuple[str | None, Member | None]:
    """Who looks: a stranger, a member in their state, or None when that cannot be read, and so nobody may join."""
    if session is None:
        return "anonymous", None
    member = await or_none(request.state["members"].member(session))
    return (member.state if member else None), member


def _consent(request: Request[JoinState], session: Session | None, policies: LegalPolicies, asked: Locale) -> str:
    """What the join form carries: these words, asked for so, shown to this member, in this sign-in, at this time."""
    if session is None:
        return ""
    now = int(request.state["clock"]())
    shown_now = {"version": policies.version, "digest": policies.digest, "asked": asked, "at": now}
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
        locale=shown_then.get("asked", Locale()),
        origin=request.state["settings"].origin,
        request_id=request.scope["request_id"],
    )
