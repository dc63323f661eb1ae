"""When Python looks for cycles of objects that nothing leads to: seldom, and not among what is there for good."""

import gc

# What a request makes goes with it, without being looked for. So many more objects than have gone, and the young ones
# are looked at: those of a hundred requests under way are a third of them.
YOUNG_OBJECTS = 20_000


def leave_the_lasting_alone() -> None:
    """Call it once the program is read and built. Else all of it is walked through time and again, for a tenth of a
    second, in which nobody is answered."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
