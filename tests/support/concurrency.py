"""Things that happen at the same time, and waiting until something is so."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from support.services import Service
from support.shopper import Shopper

Result = TypeVar("Result")


def until(so: Callable[[], bool], seconds: float = 15.0) -> None:
    """Come back as soon as it is so."""
    latest = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < latest, "it never came to that"
        threading.Event().wait(0.02)


@contextmanager
def meanwhile(work: Callable[[], Result]) -> Iterator[Future[Result]]:
    """Do this in the background; it has ended when the block has."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(work)


def at_once(works: Sequence[Callable[[], Result]]) -> list[Result]:
    """Do all of these at the same time."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(60) for future in [pool.submit(work) for work in works]]


def same_browser(service: Service, shopper: Shopper) -> Shopper:
    """Another tab: the same cookies, a connection of its own, and perhaps another process behind it."""
    tab = service.shopper()
    tab.cookies = dict(shopper.cookies)
    return tab


def state_of(shopper: Shopper) -> str:
    """Who the service thinks this is: anonymous, pending, enrolled or blocked."""
    reply = shopper.api("GET", "/session")
    assert reply.status_code == 200, reply.text
    return str(reply.json()["state"])
