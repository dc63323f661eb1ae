"""What the browser's edge needs of the services. Each face adds what it uses, so that mypy refuses anything else."""

from collections.abc import Awaitable, Callable
from typing import Any, TypedDict, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from bff.clock import Clock
from bff.languages.catalogues import Catalogues
from bff.sessions.handles import Handles
from bff.sessions.signin import SignIn
from bff.sessions.store import Sessions
from bff.settings.settings import Settings
from bff.stores.keyring import KeyRing
from bff.stores.rate_limits import RateLimiter
from bff.web.assets import Assets


class WebState(TypedDict):
    """Every handler has these; a handler that uses more says so with a state of its own that extends this one."""

    settings: Settings
    clock: Clock
    keys: KeyRing
    sessions: Sessions
    handles: Handles
    sign_in: SignIn
    rate_limiter: RateLimiter
    assets: Assets
    catalogues: Catalogues


StateT = TypeVar("StateT", bound=WebState)
# What a route calls: its state is known where it is written, not where it is called.
Handler = Callable[[Request[Any]], Awaitable[Response]]
