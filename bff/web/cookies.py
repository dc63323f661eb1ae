"""The cookies: for the session, for sign-ins under way, and for a chosen language; each has a name for its mode.

A browser keeps a partitioned cookie and an ordinary one of the same name side by side, and two values of one name are
never believed (checklist A5). So the two modes have names of their own, and the other mode's cookies are expired.
"""

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bff.settings.settings import Settings

SESSION = "__Host-Http-loyalty"
PARTITIONED_SESSION = "__Host-Http-loyalty-partitioned"
LOGIN_SUFFIX = "-login"
LANGUAGE_SUFFIX = "-language"


def session_cookie(settings: Settings) -> str:
    """The name of the session's cookie."""
    return PARTITIONED_SESSION if settings.cross_site_mode else SESSION


def login_cookie(settings: Settings) -> str:
    """The name of the cookie that says which browser began a sign-in."""
    return session_cookie(settings) + LOGIN_SUFFIX


def language_cookie(settings: Settings) -> str:
    """The name of the cookie that says which language was chosen; of who chose it, it says nothing."""
    return session_cookie(settings) + LANGUAGE_SUFFIX


def cookies_named(request: Request[Any], name: str) -> list[str]:
    """Every value sent under this name, so that a second one is seen."""
    header = _cookies(request)
    if name not in header:
        return []
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return [value for key, _, value in pairs if key == name]


def _cookies(request: Request[Any]) -> str:
    return "; ".join([value.decode("latin-1") for key, value in request.scope["headers"] if key == b"cookie"])


def set_cookie(response: Response, settings: Settings, name: str, value: str, max_age_seconds: int) -> None:
    """The one form every cookie of ours has; an empty value with 0 seconds clears it (A1, A2)."""
    response.headers.append("set-cookie", cookie_header(settings, name, value, max_age_seconds))


def cookie_header(settings: Settings, name: str, value: str, max_age_seconds: int) -> str:
    return _header(name, value, max_age_seconds, partitioned=bool(settings.cross_site_mode))


def expiries_of_other_mode(request: Request[Any], settings: Settings) -> Iterator[str]:
    """Set-Cookie lines that end the other mode's cookies, for those that the browser still sends."""
    other = SESSION if settings.cross_site_mode else PARTITIONED_SESSION
    if other not in _cookies(request):
        return
    for name in (other, other + LOGIN_SUFFIX, other + LANGUAGE_SUFFIX):
        if cookies_named(request, name):
            yield _header(name, "", 0, partitioned=not settings.cross_site_mode)


def _header(name: str, value: str, max_age_seconds: int, *, partitioned: bool) -> str:
    same_site = "None; Partitioned" if partitioned else "Lax"
    return f"{name}={value}; Max-Age={max_age_seconds}; Path=/; Secure; HttpOnly; SameSite={same_site}"
