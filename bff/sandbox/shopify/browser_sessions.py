"""Who is signed in at the pretended Shopify itself: a session of its own, known by a cookie of the browser.

While it lasts, whoever comes to the authorize page is sent back signed in, without being asked (OpenID Connect Core 1.0
§3.1.2.3). Only a request that carries the cookie can end it, so a call from server to server does not.
"""

import secrets

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "sandbox-shop-login"
PATH = "/authentication"


class BrowserSessions:
    """Off until the control API turns it on: then every sign-in asks who it is, and a demo changes personas freely."""

    def __init__(self) -> None:
        self.remembers = False
        self._personas: dict[str, str] = {}

    def persona_of(self, request: Request) -> str | None:
        """Who is signed in in this browser."""
        return self._personas.get(request.cookies.get(COOKIE, "")) if self.remembers else None

    def begin(self, response: Response, persona: str) -> Response:
        """Remember in the browser that gets this response who signed in."""
        if self.remembers:
            session = secrets.token_hex(16)
            self._personas[session] = persona
            response.set_cookie(COOKIE, session, path=PATH, httponly=True, samesite="lax")
        return response

    def end(self, request: Request, response: Response) -> Response:
        """Forget who is signed in in the browser that sent this request, if it is a browser."""
        if self._personas.pop(request.cookies.get(COOKIE, ""), None) is not None:
            response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="lax")
        return response
