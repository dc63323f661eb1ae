"""All JSON endpoints in the order of their documentation, and the routes that they make."""

from starlette.routing import Route

from bff.api import (
    activity,
    carts,
    earning,
    enrolment,
    me,
    program,
    referrals,
    retailers,
    rewards,
    session,
    session_handles,
)
from bff.api.endpoint import PREFIX, Endpoint, Who, checked_handler

ENDPOINTS: tuple[Endpoint, ...] = (
    *program.ENDPOINTS,
    *session.ENDPOINTS,
    *session_handles.ENDPOINTS,
    *me.ENDPOINTS,
    *enrolment.ENDPOINTS,
    *earning.ENDPOINTS,
    *rewards.ENDPOINTS,
    *activity.ENDPOINTS,
    *carts.ENDPOINTS,
    *referrals.ENDPOINTS,
    *retailers.ENDPOINTS,
)


def routes_for(*who: Who) -> list[Route]:
    """The routes that these callers may use; `path_for` knows each as `api_` and its handler's name."""
    return [
        Route(PREFIX + one.path, checked_handler(one), methods=[one.method], name=f"api_{one.name}")
        for one in ENDPOINTS
        if one.who in who
    ]
