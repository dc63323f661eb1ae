"""All JSON endpoints in the order of their documentation, and the routes that they make."""

from starlette.routing import Route

from bff.api import activity, earning, enrolment, me, program, referrals, retailers, rewards, session
from bff.api.endpoint import PREFIX, Endpoint, Who, checked_handler

ENDPOINTS: tuple[Endpoint, ...] = (
    *program.ENDPOINTS,
    *session.ENDPOINTS,
    *me.ENDPOINTS,
    *enrolment.ENDPOINTS,
    *earning.ENDPOINTS,
    *rewards.ENDPOINTS,
    *activity.ENDPOINTS,
    *referrals.ENDPOINTS,
    *retailers.ENDPOINTS,
)


def routes_for(*who: Who) -> list[Route]:
    """The routes that these callers may use; url_path_for knows each as `api_` and its handler's name."""
    return [
        Route(PREFIX + one.path, checked_handler(one), methods=[one.method], name=f"api_{one.name}")
        for one in ENDPOINTS
        if one.who in who
    ]
