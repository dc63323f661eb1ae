"""How much of what is repeated for breadth is repeated: a little by `make test`, much by `make test-long`.

`make test-long` sets BREADTH=long; each number can also be set by itself, such as `CRASH_SCHEDULES=300 make test-long`.
A test that uses one of them carries the marker `broad`, and `make test-long` runs these tests and no others.
"""

import os

LONG = os.environ.get("BREADTH") == "long"


def _number(name: str, ordinary: int, long: int) -> int:
    return int(os.environ.get(name) or (long if LONG else ordinary))


# Schedules of killed processes and restarted stores, and the seed of the first: another seed tells other stories.
CRASH_SCHEDULES = _number("CRASH_SCHEDULES", 8, 1000)
CRASH_SEED = _number("CRASH_SEED", 1, 1)
# Stories that the state machine tells.
MACHINE_STORIES = _number("MACHINE_STORIES", 1, 120)
# How often the wire to Okendo breaks in each of its ways; five at a time.
WIRE_BREAKS = _number("WIRE_BREAKS", 5, 50)
# Purchases of a member's history that arrive all at once.
HISTORY_PURCHASES = _number("HISTORY_PURCHASES", 40, 500)
# Kinds of a vendor's trouble that mean the same and that each route, page or step meets; those that mean something of
# their own are met by all.
FAULT_KINDS = _number("FAULT_KINDS", 2, 99)
# Widths and colours in which every state of every page is looked at, from the front of their list.
PAGE_LOOKS = _number("PAGE_LOOKS", 2, 5)
# Personas who walk through every state of every page, from the front of their list.
WALKED_PERSONAS = _number("WALKED_PERSONAS", 2, 99)
# Other sites that try to misuse a shopper's browser: a stranger's, then one of the same site.
OTHER_SITES = _number("OTHER_SITES", 1, 2)
# Browsers in which an impatient shopper is tried: with JavaScript, then without.
SCRIPT_MODES = _number("SCRIPT_MODES", 1, 2)
