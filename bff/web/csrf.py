"""Cross-site requests change nothing (checklist D2-D4): the one gate that every write passes before its route.

Forms carry a token on top, checked by their routes (D5); webhooks come from no browser and carry a signature, checked
by theirs.
"""

from collections.abc import Container

from starlette.requests import Request

from bff.errors import Problem
from bff.settings.settings import Settings
from bff.web.servers import handle_of
from bff.web.state import WebState

# Another origin's page may speak only with an Origin from the list, which is checked separately. A service for several
# sites serves storefronts of its own as well.
FETCH_SITES = {
    "form": {"same-origin"},
    "json": {"same-origin", "same-site"},
    "partitioned": {"same-origin", "same-site", "cross-site"},
}
KNOWN_FETCH_SITES = {"same-origin", "same-site", "cross-site", "none"}


class WriteGate:
    """`origins` are those whose pages may call the JSON routes, our own among them."""

    def __init__(self, settings: Settings, origins: Container[str]) -> None:
        self._origins = origins
        self._own = {settings.origin}
        self._api_kind = "partitioned" if settings.cross_site_mode else "json"
        # Called by the storefront's server, which has no cookie, sends no Origin, and brings a bearer token instead.
        api = f"{settings.base_path}/api/v1"
        self._by_server = {f"{api}/session-tickets", f"{api}/session-handles"}

    def check(self, request: Request[WebState]) -> None:
        """Raises Problem `csrf_refused`, and `invalid_request` (415) for what is not JSON. Whether a server's token is
        right is looked at where its requests are counted."""
        if request.scope["is_webhook"]:
            return
        is_api = request.scope["is_api"]
        if request.scope["path"] in self._by_server or handle_of(request) is not None:
            _require_json(request)
            return
        allowed = self._origins if is_api else self._own
        site = request.headers.get("sec-fetch-site")
        if request.headers.get("origin") not in allowed and not (_hides_origin(request) and not is_api):
            raise Problem("csrf_refused", "This request did not come from a page that may make it.")
        kind = self._api_kind if is_api else "form"
        if site in KNOWN_FETCH_SITES and site not in FETCH_SITES[kind]:
            raise Problem("csrf_refused", "This request did not come from a page that may make it.")
        if is_api and request.headers.get("x-loyalty-csrf") != "1":
            raise Problem("csrf_refused", "Send the header X-Loyalty-Csrf: 1.")
        if is_api:
            _require_json(request)


def _hides_origin(request: Request[WebState]) -> bool:
    """Whether a form comes from a page of ours whose browser keeps its origin to itself (a privacy extension, a page
    without a referrer). No page can write `Sec-Fetch-Site`, and every form carries a token besides."""
    return request.headers.get("origin") == "null" and request.headers.get("sec-fetch-site") == "same-origin"


def _require_json(request: Request[WebState]) -> None:
    if not _is_json(request):
        raise Problem("invalid_request", "Send Content-Type: application/json.", status=415)


def _is_json(request: Request[WebState]) -> bool:
    given = request.headers.get("content-type")
    if given is None:
        # What is not there is of no type.
        return request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
    kind, _, parameters = given.lower().partition(";")
    return kind.strip() == "application/json" and parameters.replace(" ", "") in {
        "",
        "charset=utf-8",
        'charset="utf-8"',
    }
