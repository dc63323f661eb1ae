"""Several processes at one address, as behind a balancer: a test says which of them gets the next request."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2

from support.services import as_process
from support.shopper import Shopper


class Balanced:
    """What is asked at `url` is answered by the process at the port that `to` has named last."""

    def __init__(self, url: str, ports: Sequence[int], stack: ExitStack) -> None:
        self.url = url
        self._ports = ports
        self._chosen = ports[0]
        self._stack = stack

    def to(self, number: int) -> None:
        self._chosen = self._ports[number]

    def shopper(self) -> Shopper:
        shopper = Shopper(self.url, _Transport(self))
        self._stack.callback(shopper.close)
        return shopper

    def address(self, url: httpx2.URL) -> httpx2.URL:
        """Where a request for this address really goes."""
        return url.copy_with(port=self._chosen) if str(url).startswith(self.url) else url


class _Transport(httpx2.HTTPTransport):
    def __init__(self, balanced: Balanced) -> None:
        super().__init__()
        self._balanced = balanced

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        # Host stays as the browser wrote it.
        request.url = self._balanced.address(request.url)
        return super().handle_request(request)


@contextmanager
def balanced(
    settings: Mapping[str, str], ports: Sequence[int], folder: Path, *changes: Mapping[str, str]
) -> Iterator[Balanced]:
    """A process for each of these changes to the settings, all with the same PUBLIC_URL."""
    with ExitStack() as stack:
        for port, change in zip(ports, changes, strict=True):
            stack.enter_context(as_process({**settings, **change, "PORT": str(port)}, folder / f"{port}.log"))
        yield Balanced(settings["PUBLIC_URL"], ports, stack)
