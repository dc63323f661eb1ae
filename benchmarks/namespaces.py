"""Several hosts on one machine: Linux network namespaces that a bridge joins, each with an address of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

# Of the addresses that nobody routes (RFC 1918); the bridge is where the stores are.
NETWORK = "10.231.77"
BRIDGE_ADDRESS = f"{NETWORK}.1"
# Interfaces have at most 15 characters.
PREFIX = f"lb{os.getpid() % 100_000}"


class Host(NamedTuple):
    """Its address on the bridge, and what a command begins with that is to run there."""

    address: str
    runs: tuple[str, ...]


def need_namespaces() -> None:
    """Ends the program, in one line, where it may not make any."""
    if os.geteuid() != 0:
        sys.exit("This makes network namespaces, for which it has to run as root.")
    if shutil.which("ip") is None:
        sys.exit("This makes network namespaces with the program ip, which was not found (package iproute2).")


@contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """So many hosts on a bridge, which all go on leaving; ends the program where this machine does not allow it."""
    names = [f"{PREFIX}h{number}" for number in range(1, count + 1)]
    try:
        _ip("link", "add", PREFIX, "type", "bridge")
        _ip("addr", "add", f"{BRIDGE_ADDRESS}/24", "dev", PREFIX)
        _ip("link", "set", PREFIX, "up")
        yield [_host(name, f"{NETWORK}.{number}") for number, name in enumerate(names, start=11)]
    finally:
        # With its namespace an interface goes, and with it its other end.
        for name in names:
            _ip("netns", "del", name, may_fail=True)
        _ip("link", "del", PREFIX, may_fail=True)


def _host(name: str, address: str) -> Host:
    here, there = f"{name}a", f"{name}b"
    inside = ("netns", "exec", name, "ip")
    _ip("netns", "add", name)
    _ip("link", "add", here, "type", "veth", "peer", "name", there)
    _ip("link", "set", there, "netns", name)
    _ip("link", "set", here, "master", PREFIX, "up")
    _ip(*inside, "addr", "add", f"{address}/24", "dev", there)
    for interface in (there, "lo"):
        _ip(*inside, "link", "set", interface, "up")
    return Host(address, ("ip", "netns", "exec", name))


def _ip(*arguments: str, may_fail: bool = False) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)  # noqa: S603, S607  # Written here.
    if done.returncode and not may_fail:
        sys.exit(f"ip {' '.join(arguments)} failed: {done.stderr.strip()}")
