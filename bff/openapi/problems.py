"""What a problem's `type` leads to: a page for people about one code (RFC 9457 §3.1.1)."""

from typing import Any, NamedTuple

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import PREFIX
from bff.api.routes import ENDPOINTS
from bff.errors import RETRYABLE, STATUS, TITLES, Code, Problem
from bff.openapi.markdown import render
from bff.openapi.meanings import GENERAL_PROBLEMS, PROBLEMS
from bff.program.rendered import RenderedResponses
from bff.web.responses import public_page, public_response
from bff.web.state import WebState


class Case(NamedTuple):
    """A status the code comes under, and when."""

    status: int
    description: Markup


class OperationLink(NamedTuple):
    """An operation that may answer so; `anchor` is its place on the page of all operations."""

    anchor: str
    name: str


class ProblemState(WebState):
    rendered: RenderedResponses


async def show_problem(request: Request[ProblemState]) -> Response:
    """Raises Problem `not_found` for what is no code of ours, so that no such page is ever kept."""
    code = next((code for code in PROBLEMS if code == request.path_params["code"]), None)
    if code is None:
        raise Problem("not_found", "There is nothing at this address.")
    rendered = request.state["rendered"].of(
        f"problems/{code}", lambda: public_page(request, "problem.html", **page_values(code))
    )
    return public_response(request, rendered, "text/html")


def page_values(code: Code) -> dict[str, Any]:
    """What the page about this code shows."""
    meaning = PROBLEMS[code]
    general = [Case(one.status, render(one.meaning.when)) for one in GENERAL_PROBLEMS if one.code == code]
    operations = [one for one in ENDPOINTS if code in one.refuses]
    return {
        "code": code,
        "title": TITLES[code],
        "cases": [Case(STATUS[code], render(meaning.when)), *general],
        "detail": meaning.detail,
        "retryable": code in RETRYABLE,
        "operations": [OperationLink(one.operation_id, f"{one.method} {PREFIX}{one.path}") for one in operations],
    }
