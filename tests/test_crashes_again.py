"""The other half of the schedules of test_crashes, so that two processors can share them."""

import pytest
from crashing import Plant, Schedule, live_through
from test_crashes import SCHEDULES, SEED, database, plant, store

__all__ = ["database", "plant", "store"]


@pytest.mark.parametrize("seed", range(SEED + 1, SEED + SCHEDULES, 2))
def test_L3_L4_K9_killed_anywhere_an_intent_has_at_most_one_effect(plant: Plant, seed: int) -> None:
    live_through(plant, Schedule(seed))
