"""The doctor's check of the worker, which shows in PostgreSQL alone."""

from bff.ops.report import Check
from bff.stores.backlog import Backlog

LATE_JOB_SECONDS = 600
# More than a worker does in a few minutes, as the alert LoyaltyQueueGrows has it.
MANY_JOBS = 200
START = "Start `python -m bff worker`; its log says why it ended."
SHARE = "Look at its log; several workers share the work."


def check_worker(backlog: Backlog) -> Check:
    """A worker that is not there fails as soon as something waits for it."""
    jobs = sum(queue.jobs for queue in backlog.due)
    if not backlog.worker_lives:
        waiting = f", and {jobs} jobs wait for one" if jobs else ""
        return Check("stores", "worker", "fail" if jobs else "warn", _life(backlog) + waiting, START)
    oldest = max(backlog.due, key=lambda queue: queue.oldest_seconds)
    longest = f"{jobs} jobs wait, the oldest for {minutes(oldest.oldest_seconds)} ({oldest.queue})"
    if oldest.oldest_seconds > LATE_JOB_SECONDS:
        return Check("stores", "worker", "warn", f"is alive and late: {longest}", SHARE)
    if jobs > MANY_JOBS:
        return Check("stores", "worker", "warn", f"is alive and behind: {longest}", SHARE)
    return Check("stores", "worker", "ok", "is alive, and no job is late")


def _life(backlog: Backlog) -> str:
    if backlog.worker_silent_seconds is None:
        return "none runs"
    return f"is dead: its last sign of life was {minutes(backlog.worker_silent_seconds)} ago"


def minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes"
