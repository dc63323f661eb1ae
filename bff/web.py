"""The browser's edge as routes see it: who is asking, what they sent, and how to answer with a page or JSON."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypedDict
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bff.answers import Answers
from bff.assets import Assets
from bff.budgets import (
    READS,
    REDEEM,
    REDEEM_REWARD,
    REFER,
    REFER_ADDRESS,
    REFER_TARGET,
    VISITS,
    Budget,
    Budgets,
    closed,
    everybody,
)
from bff.catalogue import Catalogue
from bff.consents import Consents
from bff.database import Database
from bff.doubts import Doubts
from bff.earning import Earning
from bff.errors import Problem
from bff.history import History
from bff.keys import KeyRing
from bff.ledger import Ledger
from bff.loyalty import Loyalty, mailbox
from bff.projection import member_state
from bff.reconciliation import Reconciliation
from bff.redemption import Redemptions
from bff.sessions import Session, Sessions
from bff.settings import Settings
from bff.shapes import ProblemDetails, Visitor
from bff.shopify import Shopify
from bff.timing import spent_on

COOKIE = "__Host-Http-loyalty"
LOGIN_COOKIE = "__Host-Http-loyalty-login"
COOKIE_LONGEST = 128
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


class State(TypedDict):
    """What the lifespan builds once and every route may use."""

    settings: Settings
    keys: KeyRing
    sessions: Sessions
    database: Database
    consents: Consents
    ledger: Ledger
    doubts: Doubts
    budgets: Budgets
    shopify: Shopify
    catalogue: Catalogue
    answers: Answers
    loyalty: Loyalty
    redemptions: Redemptions
    earning: Earning
    history: History
    reconciliation: Reconciliation
    templates: Environment
    assets: Assets


LoyaltyRequest = Request[State]
Handler = Callable[[LoyaltyRequest], Awaitable[Response]]


# Who is asking ------------------------------------------------------------------------------------------------------


class MemberPart:
    """Wraps the routes that may know who is asking; nothing outside of it can read a session."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = LoyaltyRequest(scope)
        given = cookies_named(request, COOKIE)
        # Two of them mean that somebody planted one: neither is believed (A5).
        value = given[0] if len(given) == 1 and 0 < len(given[0]) <= COOKIE_LONGEST else None
        with spent_on("session"):
            session = await request.state["sessions"].load(value) if value and _is_carried_safely(request) else None
        scope["session"], scope["presented"] = session, bool(given)
        await _count(request)
        renewed = request.state["sessions"].signed_anew(value) if session and value else None
        await self._app(scope, receive, _with_cookie(request, renewed, send) if renewed else send)


def _with_cookie(request: LoyaltyRequest, value: str, send: Send) -> Send:
    """A cookie signed by a key that is about to go is signed anew, unless the answer sets or clears it anyway (C4)."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if not any(header.startswith(f"{COOKIE}=") for header in headers.getlist("set-cookie")):
                settings = request.state["settings"]
                headers.append("set-cookie", cookie_header(settings, COOKIE, value, settings.session_absolute_seconds))
        await send(message)

    return sending


def cookies_named(request: LoyaltyRequest, name: str) -> list[str]:
    """Every value sent under this name, so that a second one is seen."""
    header = "; ".join(request.headers.getlist("cookie"))
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return [value for key, _, value in pairs if key == name]


def _is_carried_safely(request: LoyaltyRequest) -> bool:
    return bool(request.scope.get("secure", True))


def session_of(request: LoyaltyRequest) -> Session | None:
    session: Session | None = request.scope.get("session")
    return session


def require_session(request: LoyaltyRequest) -> Session:
    """Raises Problem `session_required`, or `session_expired` when a cookie was sent; `member_blocked`."""
    session = session_of(request)
    if session is None and request.scope.get("presented"):
        raise Problem("session_expired", "Your session has ended. Please sign in again.")
    if session is None:
        raise Problem("session_required", "Please sign in first.")
    if session.record.state == "blocked":
        raise Problem("member_blocked", "This account cannot take part in the program.")
    return session


def visitor_of(request: LoyaltyRequest) -> Visitor:
    session = session_of(request)
    if session is None:
        return Visitor(state="anonymous")
    return Visitor(state=member_state(session.record.state), name=session.record.name)


async def _count(request: LoyaltyRequest) -> None:
    """Every request from here on counts against what one visitor, and everybody together, may ask for."""
    session, total = session_of(request), everybody(request.state["settings"].requests_per_minute)
    own = (READS, session.record.customer_id) if session else (VISITS, address_of(request))
    own_budget, who = own[0], request.state["keys"].mark("customer index", own[1])
    request.scope["spent"] = await request.state["budgets"].count((own_budget, who), (total, ""))


async def spend(request: LoyaltyRequest, budget: Budget, *who: str) -> None:
    """Count this request against the budget of whoever this is; raises Problem `rate_limited`, `store_unavailable`."""
    if request.scope["spent"] is None:
        # Valkey has failed this very request: it is not waited for a second time.
        raise closed()
    spent = await request.state["budgets"].spend(budget, request.state["keys"].mark("customer index", *who))
    request.scope["spent"] += [spent] if spent else []


async def spend_redemption(request: LoyaltyRequest, session: Session, reward_id: str) -> None:
    await spend(request, REDEEM, session.record.customer_id)
    await spend(request, REDEEM_REWARD, session.record.customer_id, reward_id)


async def spend_invitation(request: LoyaltyRequest, session: Session, email: str) -> None:
    await spend(request, REFER, session.record.customer_id)
    await spend(request, REFER_ADDRESS, address_of(request))
    await spend(request, REFER_TARGET, mailbox(email))


def address_of(request: LoyaltyRequest) -> str:
    return str(request.scope.get("address", ""))


def set_cookie(response: Response, settings: Settings, name: str, value: str, max_age_seconds: int) -> None:
    """The one form every cookie of ours has; an empty value with 0 seconds clears it (A1, A2)."""
    response.headers.append("set-cookie", cookie_header(settings, name, value, max_age_seconds))


def cookie_header(settings: Settings, name: str, value: str, max_age_seconds: int) -> str:
    same_site = "None; Partitioned" if settings.cross_site_mode else "Lax"
    return f"{name}={value}; Max-Age={max_age_seconds}; Path=/; Secure; HttpOnly; SameSite={same_site}"


def csrf_token(keys: KeyRing, session: Session, purpose: str) -> str:
    """Binds a form to this customer, this sign-in and this purpose (D5, B16)."""
    customer_id = session.record.customer_id
    return f"{_who(keys, session)}.{keys.mark('csrf', customer_id, session.record.generation, purpose)}"


def check_csrf(request: LoyaltyRequest, session: Session, purpose: str, token: str) -> None:
    """Raises Problem `csrf_refused`, as a conflict (409) when the page was made for another customer."""
    keys = request.state["keys"]
    who, _, mark = token.partition(".")
    if keys.matches("csrf", mark, session.record.customer_id, session.record.generation, purpose):
        return
    if mark and who != _who(keys, session):
        raise Problem("csrf_refused", "This page was opened for another account. Please reload it.", status=409)
    raise Problem("csrf_refused", "This page is out of date, so nothing was done. Please try again.")


def _who(keys: KeyRing, session: Session) -> str:
    return keys.mark("customer index", session.record.customer_id)[:16]


# How to answer ------------------------------------------------------------------------------------------------------


def reply(value: Any, status: int = 200, **headers: str) -> Response:
    """JSON of one of our shapes."""
    names = {name.replace("_", "-"): content for name, content in headers.items()}
    with spent_on("render"):
        return Response(msgspec.json.encode(value), status, names, "application/json")


def see(request: LoyaltyRequest, name: str, **params: str) -> Response:
    """After a POST: 303 to one of our own pages (F2)."""
    return RedirectResponse(path_for(request, name, **params), 303)


def path_for(request: LoyaltyRequest, name: str, **params: str) -> str:
    return str(request.app.url_path_for(name, **params))


def page(request: LoyaltyRequest, template: str, status_code: int = 200, **values: Any) -> Response:
    """Render a page. It gets the values named here and nothing else of the request."""
    state = request.state
    settings, session = state["settings"], session_of(request)

    def csrf(purpose: str) -> str:
        return csrf_token(state["keys"], session, purpose) if session else ""

    with spent_on("render"):
        rendered = (
            state["templates"]
            .get_template(template)
            .render(
                lang=LANGUAGE,
                dir="ltr",
                brand=settings.brand_name,
                path_for=lambda name, **params: path_for(request, name, **params),
                asset=lambda name: f"{settings.base_path}/static/{state['assets'].by_name[name].address}",
                sign_in_url=sign_in_url(request),
                storefront_url=settings.storefront_url,
                nonce=request.scope["nonce"],
                request_id=request.scope["request_id"],
                visitor=visitor_of(request),
                csrf=csrf,
                **values,
            )
        )
    response = HTMLResponse(rendered, status_code)
    if request.scope.get("presented") and session is None:
        set_cookie(response, settings, COOKIE, "", 0)
    return response


def sign_in_url(request: LoyaltyRequest) -> str:
    """Back to this page afterwards, unless it is one that only makes sense once."""
    path, home = request.scope["path"], path_for(request, "overview")
    only_once = {path_for(request, name) for name in ("logout", "signed_out", "callback", "login")}
    return path_for(request, "login") + "?" + urlencode({"return_to": home if path in only_once else path})


def explain(request: LoyaltyRequest, problem: Problem) -> Response:
    """A problem as the client can read it: RFC 9457 for programs, a page for people."""
    response = _as_json(request, problem) if wants_json(request.scope) else _as_page(request, problem)
    response.headers.update(problem.headers)
    request.scope["code"] = problem.code
    return response


def wants_json(scope: Scope) -> bool:
    if scope.get("is_api"):
        return True
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return b"json" in accept and b"text/html" not in accept


def details_of(request: LoyaltyRequest, problem: Problem) -> ProblemDetails:
    return ProblemDetails(
        type=f"{request.state['settings'].base_url}/problems/{problem.code}",
        title=problem.code.replace("_", " ").capitalize(),
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        request_id=request.scope["request_id"],
        retryable=problem.retryable,
    )


def _as_json(request: LoyaltyRequest, problem: Problem) -> Response:
    body = msgspec.json.encode(details_of(request, problem))
    return Response(body, problem.status, media_type="application/problem+json")


def _as_page(request: LoyaltyRequest, problem: Problem) -> Response:
    if problem.code == "member_blocked" and request.method in {"GET", "HEAD"}:
        return see(request, "blocked")
    if problem.status == 401:
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


def make_templates(folder: str) -> Environment:
    """Jinja with everything that can be forgotten made an error, and texts ready for gettext."""
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
