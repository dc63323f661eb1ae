"""Laws over all routes: what a handler asks of the services is something that is built."""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_type_hints

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from bff.app import create_app
from bff.devstack.stack import environment
from bff.ops.health import HealthState
from bff.services import Services
from bff.settings.read import read_settings
from bff.web.state import Handler, WebState

# Nothing is connected to: the routes are only looked at.
SETTINGS = read_settings(
    environment(1, 1, "postgresql://nobody@nowhere.test/none", "valkey://nowhere.test") | {"BASE_PATH": "/loyalty"}
)


def all_routes(routes: Sequence[BaseRoute]) -> Iterator[Route]:
    for route in routes:
        if isinstance(route, Mount):
            yield from all_routes(route.routes)
        else:
            assert isinstance(route, Route), f"{route!r} is a kind of route that this walk does not know"
            yield route


ROUTES = list(all_routes(create_app(SETTINGS).routes))


def never_built(handler: Handler) -> set[str]:
    """What the state that this handler declares has, and the services do not, or as something else."""
    handler = inspect.unwrap(handler)
    parameter = next(iter(inspect.signature(handler).parameters))
    (state,) = get_args(get_type_hints(handler)[parameter])
    assert state is not Any, f"{handler.__name__} does not declare what it uses: Request[SomeState]"
    built = get_type_hints(Services)
    return {name for name, kind in get_type_hints(state).items() if built.get(name) != kind}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.path}-{route.name}")
def test_what_a_route_declares_to_use_is_built(route: Route) -> None:
    assert never_built(route.endpoint) == set()


def test_the_walk_finds_pages_json_webhooks_and_probes() -> None:
    assert len(ROUTES) > 50
    paths = {route.path for route in ROUTES}
    assert paths >= {"/loyalty", "/", "/rewards/{id}", "/api/v1/me", "/api/v1/docs", "/webhooks/okendo", "/healthz"}
    # The states of the handlers differ, so the walk has looked behind the checks around them.
    states = {str(get_type_hints(inspect.unwrap(route.endpoint)).values()) for route in ROUTES}
    assert len(states) > 10


class Lost(WebState):
    nowhere: int


class Mistaken(WebState):
    catalogue: str


async def loses(request: Request[Lost]) -> Response:
    return Response(str(request.state["nowhere"]))


async def mistakes(request: Request[Mistaken]) -> Response:
    return Response(request.state["catalogue"])


async def shrugs(request: Request[Any]) -> Response:
    return Response(str(request.state["anything"]))


async def fits(_: Request[HealthState]) -> Response:
    return Response()


def test_a_state_that_is_never_built_is_noticed() -> None:
    assert [never_built(handler) for handler in (loses, mistakes, fits)] == [{"nowhere"}, {"catalogue"}, set()]
    with pytest.raises(AssertionError, match="shrugs does not declare"):
        never_built(shrugs)
