"""The addresses of our own routes by their names, looked up in a table: Starlette tries one route after the other."""

from collections.abc import Iterable

from starlette.routing import Route


class Paths:
    """Of the first route under each name, below the base path."""

    def __init__(self, routes: Iterable[Route], base_path: str) -> None:
        self._templates: dict[str, str] = {}
        for route in routes:
            self._templates.setdefault(route.name, base_path + route.path_format)

    def has(self, name: str) -> bool:
        """Whether there is a route of this name."""
        return name in self._templates

    def path_for(self, name: str, **params: str) -> str:
        """Raises KeyError for a name or a parameter that there is not, ValueError for one that no segment can hold."""
        if any(not value or "/" in value for value in params.values()):
            raise ValueError(f"{name}: a segment is empty or has a slash")
        return self._templates[name].format_map(params)
