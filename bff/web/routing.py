"""Which route answers a path. Starlette tries one route after the other; most of ours have a path without parameters,
and those are looked up in a table."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from starlette.routing import BaseRoute, Match, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

RouteT = TypeVar("RouteT", bound=BaseRoute)


class AtPath:
    """The routes of one path, by their methods; the first of them refuses any other one."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._by_method = {method: route for route in reversed(routes) for method in route.methods or ()}
        self._first = routes[0]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._by_method.get(scope["method"], self._first)
        scope["route"], scope["endpoint"], scope["path_params"] = route, route.endpoint, {}
        await route.handle(scope, receive, send)


class RouteTable(Router):
    """A router that has every path without a parameter at hand, its own and those of what is mounted at its root, and
    tries only its other routes one by one.

    A trailing slash is never added or taken away, since Starlette's 307 would repeat a POST (F2).
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        super().__init__(routes, redirect_slashes=False)
        at_path, others = by_path(routes)
        self._at_path = _mounted(others) | {path: AtPath(found) for path, found in at_path.items()}
        self._others = Router(others, redirect_slashes=False)

    def has(self, scope: Scope) -> bool:
        """Whether any route is at this path, for whichever method."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return path in self._at_path or any(route.matches(scope)[0] is not Match.NONE for route in self._others.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._at_path.get(scope["path"].removeprefix(scope.get("root_path", "")))
        await (found or self._others.app)(scope, receive, send)


def _mounted(routes: Iterable[BaseRoute]) -> dict[str, ASGIApp]:
    """What answers each path without a parameter that is mounted at the root."""
    mounts = (route for route in routes if isinstance(route, Mount) and not route.path)
    return {path: mount.app for mount in mounts for path in by_path(mount.routes)[0]}


def by_path(routes: Iterable[RouteT]) -> tuple[Mapping[str, list[Route]], list[RouteT]]:
    """The routes whose path has no parameter, under it, and the others."""
    at_path, others = defaultdict[str, list[Route]](list), list[RouteT]()
    for route in routes:
        if isinstance(route, Route) and not route.param_convertors:
            at_path[route.path].append(route)
        else:
            others.append(route)
    return at_path, others


def methods_at(routes: Iterable[Route]) -> Callable[[str], frozenset[str]]:
    """Tells which methods a path below the base path answers to; none when there is no such path."""
    at_path, others = by_path(routes)

    def look(path: str) -> frozenset[str]:
        found = [*at_path.get(path, ()), *(route for route in others if route.path_regex.match(path))]
        return frozenset().union(*(route.methods or () for route in found))

    return look
