"""A merchant's server that listens, and a service that tells it."""

from collections.abc import Iterator

import pytest
from support.receiver import Receiver, receiving
from support.services import Service, Start, Work


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def told(start: Start, receiver: Receiver) -> Service:
    """A service that has somebody to tell."""
    return start(**receiver.settings)


@pytest.fixture
def telling(work: Work, receiver: Receiver) -> None:
    """The worker that tells."""
    work(**receiver.settings, UPSTREAM_TIMEOUT_SECONDS="1")
