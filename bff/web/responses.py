"""How to answer a browser or a script: a page, JSON, a redirect, or a problem in either form."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Scope

from bff.errors import TITLES, MemberUnknown, Problem
from bff.languages.catalogues import SOURCE
from bff.program.catalogue import FRESH_SECONDS, STALE_SECONDS
from bff.program.encodings import entity_tag, is_known
from bff.program.rendered import Rendered
from bff.schemas.activity import apply_url_at
from bff.schemas.base import ProblemDetails
from bff.sentences import N_
from bff.telemetry.timing import spent_on
from bff.vendors.okendo.languages import Languages, common
from bff.vendors.okendo.row import Locale, Operation
from bff.web.assets import coded
from bff.web.cookies import session_cookie, set_cookie
from bff.web.fields import field
from bff.web.headers import SAFE, nonce_of
from bff.web.inputs import read_return_to
from bff.web.language import remember_choice, spoken_in, words_for
from bff.web.paths import Paths
from bff.web.repeatable import REPEATABLE, Repeatable
from bff.web.spans import Span, at_most
from bff.web.state import StateT
from bff.web.visitor import csrf_token, session_of, storefront_of, visitor_of

PUBLIC_CACHE = (
    f"public, max-age={FRESH_SECONDS}, stale-while-revalidate={5 * FRESH_SECONDS}, stale-if-error={STALE_SECONDS}"
)
CLOSED = N_("The program is not open yet")
HEADINGS = {
    400: N_("This did not work"),
    403: N_("This is not allowed"),
    404: N_("This page does not exist"),
    405: N_("This did not work"),
    409: N_("Something has changed"),
    413: N_("That was too much"),
    429: N_("That was too often"),
    502: N_("The program cannot be reached"),
    503: N_("We will be right back"),
    504: N_("This took too long"),
}
NO_HEADING = N_("Something went wrong")


def reply(value: Any, status: int = 200, **headers: str) -> Response:
    """JSON of one of our schemas."""
    names = {name.replace("_", "-"): content for name, content in headers.items()}
    with spent_on("render"):
        return Response(msgspec.json.encode(value), status, names, "application/json")


def redirect_to(request: Request[StateT], name: str, **params: str) -> Response:
    """After a POST: 303 to one of our own pages (F2)."""
    response = RedirectResponse(path_for(request, name, **params), 303)
    remember_choice(request, response)
    return response


def path_for(request: Request[StateT], name: str, **params: str) -> str:
    """The path of one of our routes."""
    paths: Paths = request.app.state.paths
    return paths.path_for(name, **params)


def page(request: Request[StateT], template: str, status_code: int = 200, **values: Any) -> Response:
    """Render a page for this visitor. It gets the values named here and nothing else of the request."""
    keys, session = request.state["keys"], session_of(request)

    def csrf(purpose: str) -> str:
        return csrf_token(keys, session, purpose) if session else ""

    with spent_on("render"):
        html = _render(
            request,
            template,
            sign_in_url=sign_in_url(request),
            nonce=nonce_of(request.scope),
            request_id=request.scope["request_id"],
            visitor=visitor_of(request),
            languages_at=_languages_at(request),
            csrf=csrf,
            storefront_url=storefront_of(request, session),
            **values,
        )
    response = page_response(request, html, status_code)
    if request.scope.get("presented") and session is None:
        settings = request.state["settings"]
        set_cookie(response, settings, session_cookie(settings), "", 0)
    return response


def page_response(
    request: Request[StateT], html: str, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    """A page that says which language it is in, and remembers it where a link chose it."""
    response = HTMLResponse(html, status, headers)
    remember_choice(request, response)
    return in_language(response, spoken_in(request).tag, may_differ=True)


def _languages_at(request: Request[StateT]) -> str:
    """Where a link to another language leads: to this page, where it can be asked for, else to the overview."""
    return "" if request.method in SAFE else path_for(request, "overview")


def public_page(request: Request[StateT], template: str, **values: Any) -> bytes:
    """Render a page that is the same for everybody, and is in English: a template that names the visitor, the nonce or
    anything else of a request fails."""
    values["storefront_url"] = request.state["settings"].storefront_url
    return _templates(request, SOURCE).get_template(template).render(values).encode()


def _render(request: Request[StateT], template: str, **values: Any) -> str:
    return _templates(request, spoken_in(request).tag).get_template(template).render(values)


def _templates(request: Request[StateT], tag: str) -> Environment:
    environment: Environment = request.app.state.templates(tag)
    return environment


def form_page(request: Request[StateT], template: str, problem: Problem | None, **values: Any) -> Response:
    """A page with a form: new, or shown again with what went wrong."""
    if problem is None:
        return page(request, template, 200, failure=None, wait=None, **values)
    response = page(
        request, template, problem.status, failure=sentence_of(request, problem), wait=_wait(problem), **values
    )
    response.headers.update(problem.headers)
    request.scope["code"] = problem.code
    return response


def sign_in_url(request: Request[StateT], return_to: str | None = None) -> str:
    """Where signing in begins; it leads back to this page, or to another one."""
    place = read_return_to(request.state["settings"], return_to or request.scope["path"])
    return path_for(request, "login") + "?" + urlencode({"return_to": place})


def explain(request: Request[StateT], problem: Problem) -> Response:
    """A problem as the client can read it: RFC 9457 for programs, a page for people."""
    response = _as_json(request, problem) if wants_json(request.scope) else _as_page(request, problem)
    response.headers.update(problem.headers)
    request.scope["code"] = problem.code
    return response


def wants_json(scope: Scope) -> bool:
    if scope.get("is_api") or scope.get("is_webhook"):
        return True
    accept = field(scope, b"accept") or ""
    return "json" in accept and "text/html" not in accept


def sentence_of(request: Request[StateT], problem: Problem) -> str:
    """What is said of a problem, in the language of whoever asks."""
    return words_for(request).sentences(problem.sentences, problem.values)


def details_of(request: Request[StateT], problem: Problem) -> ProblemDetails:
    return ProblemDetails(
        type=f"{request.state['settings'].base_url}/problems/{problem.code}",
        title=words_for(request).text(TITLES[problem.code]),
        status=problem.status,
        detail=sentence_of(request, problem),
        code=problem.code,
        request_id=request.scope["request_id"],
        retryable=problem.retryable,
    )


def _as_json(request: Request[StateT], problem: Problem) -> Response:
    body = msgspec.json.encode(details_of(request, problem))
    response = Response(body, problem.status, media_type="application/problem+json")
    return in_language(response, spoken_in(request).tag, may_differ=True)


def _as_page(request: Request[StateT], problem: Problem) -> Response:
    if problem.code == "member_blocked" and request.method in {"GET", "HEAD"}:
        return redirect_to(request, "blocked")
    if problem.status == 401:
        # It may have ended just now: then the page knows nobody, and its cookie goes.
        request.scope["session"] = None
        return page(request, "sign_in.html", 401)
    if isinstance(problem, MemberUnknown):
        return page(request, "unknown_member.html", problem.status)
    return page(
        request,
        "error.html",
        problem.status,
        title=words_for(request).text(_heading(problem)),
        detail=sentence_of(request, problem),
        code=problem.code,
        wait=_wait(problem),
        retry=problem.retryable and request.method in {"GET", "HEAD"},
        status=problem.status,
    )


def _heading(problem: Problem) -> str:
    return CLOSED if problem.code == "program_not_launched" else HEADINGS.get(problem.status, NO_HEADING)


def _wait(problem: Problem) -> Span | None:
    """How long somebody who reads it had better wait; None where nobody has told."""
    seconds = problem.retry_after_seconds
    return None if seconds is None else at_most(seconds)


def apply_url(request: Request[StateT]) -> str:
    """The link that puts a coupon into the cart of this visit's storefront, still with {code} in it."""
    storefront = storefront_of(request, session_of(request))
    return apply_url_at(storefront, request.state["settings"].coupon_apply_url)


def trusted(sanitised_html: str) -> Markup:
    """Only for the sanitiser's output (I1)."""
    return Markup(sanitised_html)  # noqa: S704  # The caller has sanitised it.


def in_language(response: Response, language: str | None, *, may_differ: bool) -> Response:
    """Says which language an answer is in, where that is known, and that Accept-Language had a part in it, where the
    answer may differ by language (RFC 9110 §8.5, §12.5.5)."""
    if language:
        response.headers["content-language"] = language
    if may_differ:
        response.headers.add_vary_header("Accept-Language")
    return response


def in_language_of(response: Response, languages: Languages, locale: Locale, *rows: Operation[Any]) -> Response:
    """The same for an answer made of what these operations answer to a locale."""
    spoken = common(languages.of_answer(row, locale) for row in rows)
    return in_language(response, spoken, may_differ=any(map(languages.takes, rows)))


def public_response(
    request: Request[StateT],
    rendered: Rendered,
    media_type: str,
    headers: Mapping[str, str] | None = None,
    repeatable: Repeatable = REPEATABLE,
) -> Response:
    """Ready-made bytes that anyone may keep, in the coding that the client likes best; 304 when it has them already
    (RFC 9110 §13.1.2)."""
    request.scope["repeatable"] = repeatable
    coding, body = rendered.encodings.accepted(field(request.scope, b"accept-encoding") or "")
    tag = entity_tag(rendered.digest, coding)
    sent = {"cache-control": PUBLIC_CACHE, "etag": tag, "vary": "Accept-Encoding", **(headers or {})}
    if is_known(rendered.digest, field(request.scope, b"if-none-match") or ""):
        return Response(status_code=304, headers=sent)
    return Response(body, headers=sent | coded(coding), media_type=media_type)
