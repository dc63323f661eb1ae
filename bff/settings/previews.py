"""Origins that are not named one by one: previews of a storefront, by a pattern, and whatever runs on this machine.

A pattern is an origin with one `*` in one label of its host. The `*` stands for one character or more of that label and
never for a dot. Everything is decided by comparing strings: no pattern becomes a regular expression (H11).

Why: docs/decisions/origins.md
"""

from urllib.parse import urlsplit

from bff.settings.sites import registrable_domain

OF_A_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
LABEL_LONGEST = 63
# Hosts that give previews names of their own domain, and what they put before the owner's part, which ends the label.
# Neither promises that nobody else can ask for such a name.
PREVIEW_HOSTS = {"vercel.app": "-", "netlify.app": "--"}
OWNER_SHORTEST = 3
# Where a developer's own servers are; each on any port.
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
LOCAL_ORIGINS = (*(f"http://{name}:*" for name in LOCAL_NAMES), "http://*.localhost:*")
HTTP = "http://"


def is_preview(pattern: str, origin: str) -> bool:
    """Whether the origin is the pattern with something of a label in place of its `*`."""
    before, _, after = pattern.partition("*")
    fixed = len(before) + len(after)
    if len(origin) <= fixed or not (origin.startswith(before) and origin.endswith(after)):
        return False
    middle = origin[len(before) : len(origin) - len(after)]
    return OF_A_LABEL.issuperset(middle) and len(_label_of(pattern)) - 1 + len(middle) <= LABEL_LONGEST


def admits_strangers(pattern: str) -> bool:
    """Whether others than whoever wrote the pattern can have a name that it admits.

    What stands behind the label of the `*` has to be below a name that somebody registered. On the domain of a host of
    previews the owner's part of the label has to be fixed.
    """
    label, domain = _label_of(pattern), _domain_behind(pattern)
    if not domain or domain.rpartition(".")[2].isdigit():
        return True
    registered = registrable_domain(domain)
    if registered is not None and registered == registrable_domain(f"{label.replace('*', 'a')}.{domain}"):
        return False
    return not _names_its_owner(label, PREVIEW_HOSTS.get(domain))


def may_be_taken(pattern: str) -> bool:
    """Whether a stranger could have such a name after all, by asking the host of previews for it."""
    return _domain_behind(pattern) in PREVIEW_HOSTS


def is_local(origin: str) -> bool:
    """Whether it is a page that a server on this machine serves over plain http, on whichever port."""
    if not origin.startswith(HTTP):
        return False
    name, port = _name_and_port(origin.removeprefix(HTTP))
    return port.isascii() and port.isdigit() and len(port) <= 5 and (name in LOCAL_NAMES or _is_below_localhost(name))


def _name_and_port(host: str) -> tuple[str, str]:
    if host.endswith("]") or ":" not in host:
        return host, "80"
    name, _, port = host.rpartition(":")
    return name, port


def _is_below_localhost(name: str) -> bool:
    *labels, last = name.split(".")
    return last == "localhost" and all(label and OF_A_LABEL.issuperset(label) for label in labels)


def _names_its_owner(label: str, mark: str | None) -> bool:
    before, _, after = label.partition("*")
    if mark is None or not after.startswith(mark) or len(after) < len(mark) + OWNER_SHORTEST:
        return False
    return bool(before) or mark == "--"


def _label_of(pattern: str) -> str:
    return next(label for label in _host_of(pattern).split(".") if "*" in label)


def _domain_behind(pattern: str) -> str:
    return _host_of(pattern).partition("*")[2].partition(".")[2]


def _host_of(pattern: str) -> str:
    return urlsplit(pattern).netloc.partition(":")[0]
