"""JSON: joining the program."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import LOCALE, OKENDO_FAILS, Endpoint
from bff.errors import Problem
from bff.members.enrolment import Agreement, Enrolment
from bff.program.catalogue import Catalogue
from bff.schemas.member import Member, PolicyProblem
from bff.schemas.requests import EnrolmentRequest
from bff.stores.rate_limits import JOIN
from bff.vendors.okendo.languages import common
from bff.vendors.okendo.row import Locale
from bff.web.inputs import read_json, read_locale
from bff.web.limits import hit
from bff.web.responses import explain, in_language, reply
from bff.web.state import WebState
from bff.web.visitor import page_origin, require_session


class EnrolmentState(WebState):
    catalogue: Catalogue
    enrolment: Enrolment


async def join_program(request: Request[EnrolmentState]) -> Response:
    session = require_session(request)
    wanted, locale = await read_json(request, EnrolmentRequest), read_locale(request)
    await hit(request, JOIN, session.data.customer_id)
    agreement = Agreement(
        version=wanted.policies_version,
        digest=wanted.policies_digest,
        locale=locale,
        origin=page_origin(request, session),
        request_id=request.scope["request_id"],
    )
    try:
        member, joined = await request.state["enrolment"].join(session, agreement)
    except Problem as problem:
        if problem.code != "policies_outdated":
            raise
        return await _policies_problem(request, problem, locale)
    return reply(member, 201 if joined else 200)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/me/enrolment",
        handler=join_program,
        summary="Join, having agreed to exactly these policies",
        description=(
            "201 when the shopper joined, 200 when they were a member before. When the policies have changed "
            "meanwhile, nothing is sent: the 409 brings `legalPolicies` as they are now, to be shown and agreed "
            "to. Send the `locale` that `GET /legal-policies` was asked with: words are compared in the language in "
            "which they were shown."
        ),
        who="member",
        reads=EnrolmentRequest,
        answers={200: Member, 201: Member, 409: PolicyProblem},
        refuses=("policies_outdated", "request_in_progress", "feature_unavailable", *OKENDO_FAILS),
        query=LOCALE,
    ),
)


async def _policies_problem(request: Request[EnrolmentState], problem: Problem, locale: Locale) -> Response:
    """The problem with the policies as they are now in this language, to be shown and agreed to instead."""
    response = explain(request, problem)
    details = msgspec.json.decode(response.body, type=PolicyProblem)
    current = await request.state["catalogue"].current_policies(locale)
    body = msgspec.json.encode(msgspec.structs.replace(details, legal_policies=current.policies))
    told = Response(body, 409, media_type="application/problem+json")
    return in_language(told, common([current.language, response.headers["content-language"]]), may_differ=False)
