"""Answers that are often given to strangers and must cost next to nothing: that this is too much now, or that there is
nothing at this address."""

from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Problem
from bff.web.headers import SAFE, nonce_of
from bff.web.language import spoken_in
from bff.web.responses import explain, page_response, path_for, wants_json
from bff.web.state import WebState

# What differs from one page to another, as it stands in the page that is kept.
NONCE = "nonce-of-the-refusal"
REQUEST_ID = "request-id-of-the-refusal"


class Refusals:
    """Like `explain`, for problems whose words are constants of the code, with pages that are rendered once and kept:
    rendering one takes as long as ten refusals. Such a page knows nobody."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, bool, str], str] = {}

    def explain(self, request: Request[WebState], problem: Problem) -> Response:
        if wants_json(request.scope):
            return explain(request, problem)
        key = _key(request, problem)
        if key not in self._pages:
            self._pages[key] = _page(request, problem)
        html = self._pages[key].replace(NONCE, nonce_of(request.scope))
        html = html.replace(REQUEST_ID, request.scope["request_id"])
        request.scope["code"] = problem.code
        return page_response(request, html, problem.status, problem.headers)

    def ids_in(self, request: Request[WebState], problem: Problem) -> int:
        """How often such an explanation, which has been given before, has the request's id in it."""
        return 1 if wants_json(request.scope) else self._pages[_key(request, problem)].count(REQUEST_ID)


def _key(request: Request[WebState], problem: Problem) -> tuple[str, bool, str]:
    return problem.code, request.method in SAFE, spoken_in(request).tag


def _page(request: Request[WebState], problem: Problem) -> str:
    """The page for whoever asks; its link to the sign-in leads back to the overview."""
    anybody = {"nonce": NONCE, "request_id": REQUEST_ID, "path": path_for(request, "overview"), "session": None}
    return bytes(explain(Request[WebState](dict(request.scope) | anybody), problem).body).decode()
