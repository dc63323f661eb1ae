"""Processes are killed at every point of a redemption, with stores restarted in between: one effect for each intent,
and the ledger ends up saying what the vendor knows (L3, L4, K9).

support/breadth.py says how many schedules there are in all. This module runs one half of them, test_crashes_again
the other.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.breadth import CRASH_SCHEDULES, CRASH_SEED
from support.kill_schedules import Plant, Process, Schedule, Web, live_through
from support.services import Vendors, settings_for

from bff.cli import migrate_database
from bff.devstack.servers import Server, postgres, valkey

pytestmark = pytest.mark.broad
SEEDS = range(CRASH_SEED, CRASH_SEED + CRASH_SCHEDULES)
QUICK = {"REDEMPTION_SETTLING_SECONDS": "1", "UPSTREAM_TIMEOUT_SECONDS": "3"}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres(tmp_path_factory.mktemp("own-postgres")) as server:
        migrate_database(server.url)
        yield server


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with valkey(tmp_path_factory.mktemp("own-valkey")) as server:
        yield server


@pytest.fixture(scope="module")
def plant(
    urls: list[str], database: Server, store: Server, sandbox: Vendors, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Plant]:
    logs: Path = tmp_path_factory.mktemp("plant")
    stores = {"DATABASE_URL": database.url, "VALKEY_URL": store.url}
    first = settings_for(urls[2], stores, sandbox.url, **QUICK)
    second = first | {"PUBLIC_URL": urls[3], "PORT": urls[3].rpartition(":")[2]}
    webs = [Web(first, "serve", logs / "one.log"), Web(second, "serve", logs / "two.log")]
    plant = Plant(webs, Process(first, "worker", logs / "worker.log"), database, store, sandbox)
    try:
        yield plant
    finally:
        plant.close()


@pytest.mark.parametrize("seed", SEEDS[::2])
def test_L3_L4_K9_killed_anywhere_an_intent_has_at_most_one_effect(plant: Plant, seed: int) -> None:
    live_through(plant, Schedule(seed))
