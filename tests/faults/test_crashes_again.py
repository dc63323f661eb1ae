"""The other half of the schedules of test_crashes, so that two processors can share them."""

import pytest
from support.kill_schedules import Plant, Schedule, live_through

from faults.test_crashes import SEEDS, database, plant, store

__all__ = ["database", "plant", "store"]
pytestmark = pytest.mark.broad


@pytest.mark.parametrize("seed", SEEDS[1::2])
def test_L3_L4_K9_killed_anywhere_an_intent_has_at_most_one_effect(plant: Plant, seed: int) -> None:
    live_through(plant, Schedule(seed))
