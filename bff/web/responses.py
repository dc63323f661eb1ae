"""How to answer a browser or a script: a page, JSON, a redirect, or a problem in either form."""

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Scope

from bff.errors import Problem, title_of
from bff.program.catalogue import FRESH_SECONDS, STALE_SECONDS
from bff.program.rendered import Rendered
from bff.schemas.base import ProblemDetails
from bff.settings.settings import Settings
from bff.telemetry.timing import spent_on
from bff.vendors.okendo.row import Locale
from bff.web.cookies import session_cookie, set_cookie
from bff.web.inputs import read_return_to
from bff.web.state import StateT
from bff.web.visitor import csrf_token, session_of, visitor_of

PUBLIC_CACHE = (
    f"public, max-age={FRESH_SECONDS}, stale-while-revalidate={5 * FRESH_SECONDS}, stale-if-error={STALE_SECONDS}"
)
# The language of every page, and so of the words that are agreed to.
LANGUAGE = "en"
TITLES = {
    400: "This did not work",
    403: "This is not allowed",
    404: "This page does not exist",
    405: "This did not work",
    409: "Something has changed",
    413: "That was too much",
    429: "One moment, please",
    502: "The program cannot be reached",
    503: "We will be right back",
    504: "This took too long",
}


def reply(value: Any, status: int = 200, **headers: str) -> Response:
    """JSON of one of our schemas."""
    names = {name.replace("_", "-"): content for name, content in headers.items()}
    with spent_on("render"):
        return Response(msgspec.json.encode(value), status, names, "application/json")


def redirect_to(request: Request[StateT], name: str, **params: str) -> Response:
    """After a POST: 303 to one of our own pages (F2)."""
    return RedirectResponse(path_for(request, name, **params), 303)


def path_for(request: Request[StateT], name: str, **params: str) -> str:
    return str(request.app.url_path_for(name, **params))


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
            nonce=request.scope["nonce"],
            request_id=request.scope["request_id"],
            visitor=visitor_of(request),
            csrf=csrf,
            **values,
        )
    response = HTMLResponse(html, status_code)
    if request.scope.get("presented") and session is None:
        settings = request.state["settings"]
        set_cookie(response, settings, session_cookie(settings), "", 0)
    return response


def public_page(request: Request[StateT], template: str, **values: Any) -> bytes:
    """Render a page that is the same for everybody: a template that names the visitor, the nonce or anything else of a
    request fails."""
    return _render(request, template, **values).encode()


def _render(request: Request[StateT], template: str, **values: Any) -> str:
    state = request.state
    settings, assets = state["settings"], state["assets"]
    return (
        state["templates"]
        .get_template(template)
        .render(
            lang=LANGUAGE,
            dir="ltr",
            brand=settings.brand_name,
            path_for=lambda name, **params: path_for(request, name, **params),
            asset=lambda name: f"{settings.base_path}/static/{assets.by_name[name].address}",
            storefront_url=settings.storefront_url,
            has_retailers=settings.subtotal.api_key is not None,
            **values,
        )
    )


def form_page(request: Request[StateT], template: str, problem: Problem | None, **values: Any) -> Response:
    """A page with a form: new, or shown again with what went wrong."""
    failure = problem.detail if problem else None
    response = page(request, template, problem.status if problem else 200, failure=failure, **values)
    response.headers.update(problem.headers if problem else {})
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
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return b"json" in accept and b"text/html" not in accept


def details_of(request: Request[StateT], problem: Problem) -> ProblemDetails:
    return ProblemDetails(
        type=f"{request.state['settings'].base_url}/problems/{problem.code}",
        title=title_of(problem.code),
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        request_id=request.scope["request_id"],
        retryable=problem.retryable,
    )


def _as_json(request: Request[StateT], problem: Problem) -> Response:
    body = msgspec.json.encode(details_of(request, problem))
    return Response(body, problem.status, media_type="application/problem+json")


def _as_page(request: Request[StateT], problem: Problem) -> Response:
    if problem.code == "member_blocked" and request.method in {"GET", "HEAD"}:
        return redirect_to(request, "blocked")
    if problem.status == 401:
        # It may have ended just now: then the page knows nobody, and its cookie goes.
        request.scope["session"] = None
        return page(request, "sign_in.html", 401)
    return page(
        request,
        "error.html",
        problem.status,
        title=TITLES.get(problem.status, "Something went wrong"),
        detail=problem.detail,
        retry=problem.retryable and request.method in {"GET", "HEAD"},
        status=problem.status,
    )


def apply_url(settings: Settings) -> str:
    """The link that puts a coupon into the cart, still with {code} in it."""
    return settings.coupon_apply_url.replace("{storefront}", settings.storefront_url)


@functools.cache
def make_templates(folder: str) -> Environment:
    """Jinja with everything that can be forgotten made an error, and texts ready for gettext; one for a folder, since
    compiling takes a while."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    environment.filters["points"] = lambda points: f"{points:,}"
    environment.filters["date"] = _date
    return environment


def _date(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def trusted(sanitised_html: str) -> Markup:
    """Only for the sanitiser's output (I1)."""
    return Markup(sanitised_html)  # noqa: S704


def in_language(request: Request[StateT], response: Response, locale: Locale) -> Response:
    """Says which language was asked for, and that Accept-Language had a part in it. The language in which Okendo
    answers when none is asked for is only known where DEFAULT_LANGUAGE tells."""
    language = locale.get("language") or request.state["settings"].default_language
    if language:
        response.headers["content-language"] = language
    response.headers.add_vary_header("Accept-Language")
    return response


def public_response(
    request: Request[StateT], rendered: Rendered, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Ready-made bytes that anyone may keep; 304 when the client has them already (RFC 9110 §13.1.2)."""
    sent = {"cache-control": PUBLIC_CACHE, "etag": rendered.etag, **(headers or {})}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {rendered.etag, "*"}:
        return Response(status_code=304, headers=sent)
    return Response(rendered.body, headers=sent, media_type=media_type)
