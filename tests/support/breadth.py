"""How much of what is repeated for breadth is repeated: a little by `make test`, much by `make test-long`.

`make test-long` sets BREADTH=long; each number can also be set by itself, such as `CRASH_SCHEDULES=300 make test-long`.
A test that uses one of them carries the marker `broad`, and `make test-long` runs these tests and no others. Continuous
integration runs them with the smaller numbers of .ci/run.
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
# Texts that a vendor makes up for everything, and that go all the way to page, database and terminal.
WILD_TEXTS = _number("WILD_TEXTS", 6, 100)
# Kinds of a vendor's trouble that mean the same and that each route, page or step meets; those that mean something of
# their own are met by all.
FAULT_KINDS = _number("FAULT_KINDS", 2, 99)
# Widths, colours and languages in which every state of every page is looked at, from the front of their list.
PAGE_LOOKS = _number("PAGE_LOOKS", 2, 99)
# Personas who walk through every state of every page, from the front of their list.
WALKED_PERSONAS = _number("WALKED_PERSONAS", 2, 99)
# Personas who do so in the colours of another shop, from the end of it.
THEMED_PERSONAS = _number("THEMED_PERSONAS", 1, 99)
# Other sites that try to misuse a shopper's browser: a stranger's, then one of the same site.
OTHER_SITES = _number("OTHER_SITES", 1, 2)
# Phones on which pages may not move while they come: a quick one, then a slow one.
PHONES = _number("PHONES", 1, 2)
# Who follows every link and presses every button, and how many addresses of one kind, such as rewards, they go to.
EXPLORERS = _number("EXPLORERS", 1, 99)
ADDRESSES_ALIKE = _number("ADDRESSES_ALIKE", 2, 99)
# Browsers in which an impatient shopper is tried, or one who follows every link: with JavaScript, and without.
SCRIPT_MODES = _number("SCRIPT_MODES", 1, 2)
# Defences that are taken away to see whether tests notice, spread evenly over their list; two at a time.
MUTANTS = _number("MUTANTS", 1, 999)
# What Schemathesis tries at each operation, as a stranger and as a member.
FUZZED_EXAMPLES = _number("FUZZED_EXAMPLES", 4, 40)
# Pairs of calls that two members make at once, for each operation.
FUZZED_PAIRS = _number("FUZZED_PAIRS", 6, 60)
# Generators that make a client of the OpenAPI document, from the front of their list; and how many of them do so in
# their newest version, too, which may be broken by others on any day.
GENERATORS = _number("GENERATORS", 1, 99)
NEWEST_GENERATORS = _number("NEWEST_GENERATORS", 0, 99)
