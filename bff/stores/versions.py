"""Which versions of PostgreSQL are supported, by its own word for them (`server_version`, 150018 is 15.18)."""

# All tests run with the newest, tests/ops/test_oldest_postgresql.py with the oldest.
OLDEST = 15
NEWEST = 18


def major(server_version: int) -> int:
    return server_version // 10_000


def too_old(server_version: int) -> str:
    """The sentence against a version that is not supported; empty for all others."""
    return f"is too old: {OLDEST} to {NEWEST} are supported" if major(server_version) < OLDEST else ""


def too_new(server_version: int) -> str:
    """The sentence about a version that came later than those that are tested; empty for all others."""
    return f"is newer than what this was tested with: {OLDEST} to {NEWEST}" if major(server_version) > NEWEST else ""
