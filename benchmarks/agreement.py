"""Whether a peer does the same work: it has to tell a member the same as the service."""

import json
import sys
from typing import Any

from benchmarks.rows import ME, REWARDS
from benchmarks.stand import ask
from benchmarks.subjects import Running


def told(running: Running) -> Any:
    """What a member reads of themselves, and of each reward whether they can have it."""
    headers = {"cookie": running.cookies[0], "x-forwarded-proto": "https", "host": f"localhost:{running.port}"}
    me, rewards = (json.loads(ask(running.port, "GET", path, headers=headers).body) for path in (ME, REWARDS))
    offered = [[reward["id"], reward["points"], reward["canRedeem"]["state"]] for reward in rewards["rewards"]]
    points = [me["points"].get(name) for name in ("balance", "pending")]
    return [me["state"], points, me["tier"], me["name"], offered]


def agree(answers: dict[str, Any]) -> None:
    """Ends the program where one of these servers tells something else than another."""
    if len({json.dumps(answer, sort_keys=True) for answer in answers.values()}) > 1:
        sys.exit("They do not do the same work:\n" + "\n".join(f"{name}: {told}" for name, told in answers.items()))
