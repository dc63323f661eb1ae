"""Scripts that Valkey runs: asked for by their digest, and sent whole to a Valkey that does not know them."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from redis.exceptions import NoScriptError

from bff.stores.line import Words
from bff.stores.one_valkey import Valkey


class Script:
    """A Lua script of one key, which may be asked twice."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def of(self, key: str, *arguments: str | bytes | int | float) -> "Call":
        return Call(self, (1, key, *arguments))


class Call(NamedTuple):
    """A script with its key and its arguments."""

    script: Script
    words: Words


class Beside(Protocol):
    """What is asked in one question with something else about this key; `answered` is told what came."""

    def calls(self, key: str) -> Sequence[Call]: ...

    def answered(self, answers: Sequence[Any]) -> None: ...


async def run(valkey: Valkey, *calls: Call) -> list[Any]:
    """The answers to these, errors among them, all asked at once; raises what `ask_at_once` raises."""
    answers = await valkey.ask_at_once([("EVALSHA", call.script.digest, *call.words) for call in calls])
    unknown = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
    if unknown:
        # Sent whole, a script is known from then on.
        again = [("EVAL", calls[place].script.text, *calls[place].words) for place in unknown]
        for place, answer in zip(unknown, await valkey.ask_at_once(again), strict=True):
            answers[place] = answer
    return answers


async def run_beside(valkey: Valkey, key: str, beside: Beside | None, *calls: Call) -> list[Any]:
    """The same, with what is asked beside it; raises the error of the first of `calls` that was answered by one."""
    more = beside.calls(key) if beside else ()
    answers = await run(valkey, *calls, *more)
    if beside and more:
        beside.answered(answers[len(calls) :])
    for answer in answers[: len(calls)]:
        if isinstance(answer, Exception):
            raise answer
    return answers[: len(calls)]
